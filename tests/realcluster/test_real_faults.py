"""The real API server goes away in the middle of things, and comes back. A cluster of its own: nobody else is hurt."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.line import Line
from rigs.real import LONE, Real, bot_on, eventually
from rigs.whole_bot import granted

from bot.core.policy import ClusterRule, Grant

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("lone")]


@pytest.fixture
async def bot(lone: Real, line: Line, tmp_path: Path) -> AsyncIterator[Bot]:
    rules = granted(Grant(("alice",), "deployer", (LONE,)))
    rules = replace(rules, clusters=(ClusterRule(LONE),))
    async with bot_on((lone.over(line),), tmp_path, policy=rules) as chat:
        yield chat


@pytest.mark.parametrize(("version", "verdict"), [("v-slow", "v-slow rolled out"), ("v-bad", "image cannot be pulled")])
async def test_a_follow_outlives_its_api_server_and_ends_with_the_true_verdict(
    lone: Real, lone_space: str, bot: Bot, version: str, verdict: str
) -> None:
    answer = await bot.says(f"deploy web {version} -n {lone_space} --cluster {LONE}", settle=False)
    await lone.kill_apiserver()
    await asyncio.sleep(0.5)  # so that the follow meets the closed door
    await lone.revive_apiserver()

    (request,) = bot.recorder.messages
    await bot.pipeline.settled(request)

    # Meanwhile the controllers may have told that they could create no pods: that passes, and the verdict comes.
    async def told() -> bool:
        return verdict in answer.reply.headline

    await eventually(told)


async def test_a_follow_whose_version_was_forgotten_meanwhile_ends_with_the_true_verdict(
    lone: Real, lone_space: str, line: Line, bot: Bot
) -> None:
    """410 in the middle: its line hangs, the cluster goes on, forgets, and only then the line breaks."""
    answer = await bot.says(f"deploy web v-slow -n {lone_space} --cluster {LONE}", settle=False)
    await eventually(lambda: watched(lone, lone_space))
    line.hold()
    before = asked(lone, lone_space)
    await lone.forget_everything(lone_space)
    await line.cut()

    (request,) = bot.recorder.messages
    await bot.pipeline.settled(request)

    assert "v-slow rolled out" in answer.reply.headline
    assert before == ["list", "watch"]
    await eventually(lambda: begun_anew(lone, lone_space))


async def begun_anew(cluster: Real, namespace: str) -> bool:
    """Taken up where it was, refused as too old, and begun anew."""
    return asked(cluster, namespace)[:5] == ["list", "watch", "watch", "list", "watch"]


async def watched(cluster: Real, namespace: str) -> bool:
    return "watch" in asked(cluster, namespace)


def asked(cluster: Real, namespace: str) -> list[str]:
    """How the follow asked about its Deployment, by the API server's account."""
    return [
        line["verb"]
        for line in cluster.audit()
        if line["userAgent"].startswith("steersman/")
        and line["verb"] in {"list", "watch"}
        and f"/namespaces/{namespace}/deployments?fieldSelector" in line["requestURI"]
        and line["stage"] == ("ResponseStarted" if line["verb"] == "watch" else "ResponseComplete")
    ]
