"""The seed application on the real control plane: it stands, and every read command answers about each of its parts."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.real import DEV, Real, bot_on, eventually

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("shop")]

PARTS = (
    "cm/myapp-config", "svc/myapp", "ing/myapp", "hpa/myapp", "pvc/myapp-data", "deploy/myapp", "sc/gp2",
)  # fmt: skip
LINES = (
    "", "myapp", "status myapp", "rollout status myapp", "rollout history myapp", "pods myapp", "logs myapp",
    "events myapp", "top myapp", "images myapp", "versions myapp", "get deploy", "get rs", "get pods", "get hpa",
    "get svc", "get ing", "get cm", "get pvc", "nodes", "whoami",
)  # fmt: skip


@pytest.fixture
async def bot(dev: Real, tmp_path: Path) -> AsyncIterator[Bot]:
    await dev.seeded()
    async with bot_on((dev,), tmp_path) as chat:
        yield chat


async def test_every_part_of_it_stands(dev: Real, bot: Bot) -> None:
    claim = await dev.api.get("persistentvolumeclaims", "shop", "myapp-data")
    service = await dev.api.get("services", "shop", "myapp")

    assert claim["status"]["phase"] == "Bound"
    assert service["status"]["loadBalancer"]["ingress"]


@pytest.mark.parametrize("line", LINES)
async def test_a_read_command_answers(bot: Bot, line: str) -> None:
    said = await bot.says(line)

    assert said.reply.tone != "bad", said.text
    assert said.reply.place or line in {"", "versions myapp", "nodes", "whoami"}


@pytest.mark.parametrize("part", PARTS)
async def test_each_part_is_shown(bot: Bot, part: str) -> None:
    said = await bot.says(f"show {part}")

    assert said.reply.tone != "bad", said.text
    assert part.partition("/")[2] in said.text


async def test_a_log_crosses_the_way_over_the_kubelet(bot: Bot) -> None:
    said = await bot.says("logs myapp")

    assert "Starting myapp v1" in said.text


async def test_the_secret_shows_its_keys_to_nobody_who_may_not_see_them(bot: Bot) -> None:
    said = await bot.says("show secret/myapp-secrets")

    assert "not-a-real-password" not in said.text
    assert "secrets" in said.text


async def test_the_figures_are_those_of_the_metrics_api(dev: Real, bot: Bot) -> None:
    async def measured() -> bool:
        return "Mi" in (await bot.says("top myapp")).text

    await eventually(measured)
    assert DEV in (await bot.says("top myapp")).reply.place
