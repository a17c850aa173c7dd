"""The bot before two embedded clusters or before two real ones: the same cases read the same on both."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import pytest
from rigs.chat import Bot
from rigs.real import DEV, PROD, bot_on, real_cluster

from bot.app import demo_pipeline
from bot.demo.controllers.tempo import FAST
from bot.settings import Settings

EMBEDDED_AND_REAL: Final = ("embedded", pytest.param("real", marks=[pytest.mark.real, pytest.mark.xdist_group("shop")]))
"""The parameters of a fixture that gives `bot_before`."""


@asynccontextmanager
async def bot_before(clusters: str, folder: Path) -> AsyncIterator[Bot]:
    """The bot before two `embedded` or `real` clusters, `dev` and `prod`, where all of the demo's apps run."""
    if clusters == "embedded":
        async with demo_pipeline(Settings.model_construct(), FAST) as (pipeline, _):
            yield Bot(pipeline)
        return
    async with real_cluster(DEV, folder) as dev, real_cluster(PROD, folder) as prod:
        await asyncio.gather(dev.inhabited(), prod.inhabited())
        async with bot_on((dev, prod), folder) as chat:
            yield chat
