"""What the reading commands tell when something is broken, through the front door, on both clusters."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rigs.both import EMBEDDED_AND_REAL, bot_before
from rigs.chat import Bot

from bot.core.reply import Reply, Table


@pytest.fixture(params=EMBEDDED_AND_REAL)
async def bot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bot]:
    async with bot_before(request.param, tmp_path) as chat:
        yield chat


async def test_a_broken_rollout_shows_everywhere(bot: Bot) -> None:
    await bot.says("deploy myapp v-bad")

    assert "1 of 6 apps in trouble: `myapp`" in (await bot.says("apps")).text
    assert "myapp is stuck: v-bad; v1 still serves 3/3." in (await bot.says("myapp")).text
    assert "by @alice: Deploy myapp v-bad" in (await bot.says("myapp")).text
    assert "has not started" in (await bot.says("logs myapp")).text
    assert "Failed to pull image" in (await bot.says("events myapp --warnings")).text
    assert {row[2] for row in _rows((await bot.says("images myapp")).reply)} == {"myapp:v-bad", "myapp:v1"}
    assert "shop/myapp  v-bad (rolling out)  v1" in (await bot.says("versions")).text


async def test_a_crashing_container_shows_its_last_run(bot: Bot) -> None:
    await bot.says("deploy mailer v-crash")

    log = await bot.says("logs mailer")
    previous = await bot.clicks("Previous run")

    assert "not ready" in log.reply.headline
    assert "before its last restart" in previous.reply.headline
    assert "Application failed to start" in previous.text


def _rows(reply: Reply) -> tuple[tuple[str, ...], ...]:
    return next(part for part in reply.parts if isinstance(part, Table)).rows
