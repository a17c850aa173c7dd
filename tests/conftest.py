"""What every test may use: the whole bot on the embedded clusters, at the speed of tests."""

import os
from collections.abc import AsyncIterator

import pytest
from rigs.chat import Bot

from bot.app import demo_pipeline
from bot.demo.controllers.tempo import FAST
from bot.demo.world import World
from bot.settings import Settings

pytest_plugins = ["rigs.controlplane.around_pytest", "rigs.postgres_around_pytest", "rigs.xdist_groups"]


def pytest_sessionstart() -> None:
    """No inherited width (in xdist's workers it was seen to be 80): tests speak of a pipe's or a terminal's own."""
    for name in ("COLUMNS", "LINES"):
        os.environ.pop(name, None)


@pytest.fixture
def settings() -> Settings:
    """Defaults alone: neither the environment's nor a `.env` file's."""
    return Settings.model_construct()


@pytest.fixture
async def demo(settings: Settings) -> AsyncIterator[tuple[Bot, World]]:
    """The bot and the world that it acts on."""
    async with demo_pipeline(settings, FAST) as (pipeline, world):
        yield Bot(pipeline), world


@pytest.fixture
async def bot(demo: tuple[Bot, World]) -> Bot:
    return demo[0]


@pytest.fixture
async def world(demo: tuple[Bot, World]) -> World:
    return demo[1]
