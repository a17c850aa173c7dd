"""Several clusters are looked at side by side: the slow and the broken hold nobody up, and are told apart."""

import asyncio

import pytest

from bot.core import glance as module
from bot.core.errors import TimedOut, Unavailable
from bot.core.glance import glance


@pytest.fixture
def hurried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SECONDS", 0.02)


async def look(cluster: str) -> str:
    match cluster:
        case "slow":
            await asyncio.sleep(0.2)
        case "down":
            raise Unavailable("down is away.")
        case "odd":
            raise ZeroDivisionError
    return cluster.upper()


@pytest.mark.usefixtures("hurried")
async def test_one_answers_though_others_do_not() -> None:
    found, failed = await glance(["dev", "slow", "down"], look)

    assert found == {"dev": "DEV"}
    assert [(type(error), error.message) for error in failed] == [
        (TimedOut, "slow does not answer."),
        (Unavailable, "down is away."),
    ]


@pytest.mark.usefixtures("hurried")
async def test_the_only_one_is_waited_for() -> None:
    assert await glance(["slow"], look) == ({"slow": "SLOW"}, [])


async def test_a_bug_is_no_bad_weather() -> None:
    with pytest.raises(ZeroDivisionError):
        await glance(["dev", "odd"], look)
