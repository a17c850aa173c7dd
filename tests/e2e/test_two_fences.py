"""The policy and the cluster each refuse by themselves and say which of them it was, embedded and on real clusters.

The clusters keep the demo's rights throughout; what changes is the policy before them.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import TypeAlias

import pytest
from rigs.chat import Bot
from rigs.real import DEV, PROD, bot_on, real_cluster

from bot.app import demo_pipeline
from bot.core.policy import Policy, PolicyDirectory
from bot.demo.controllers.tempo import FAST
from bot.demo.policy import demo_policy
from bot.settings import Settings

ON_REAL = pytest.param("real", marks=[pytest.mark.real, pytest.mark.xdist_group("shop")])
Chat: TypeAlias = Callable[[Policy], AbstractAsyncContextManager[Bot]]


@pytest.fixture(params=["embedded", ON_REAL])
async def chat(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Chat]:
    """A chat by a policy of the test's, before `dev` and `prod` on which `myapp:v1` runs."""

    @asynccontextmanager
    async def embedded(policy: Policy) -> AsyncIterator[Bot]:
        async with demo_pipeline(Settings.model_construct(), FAST, PolicyDirectory(policy)) as (pipeline, _):
            yield Bot(pipeline)

    if request.param == "embedded":
        yield embedded
        return
    async with real_cluster(DEV, tmp_path) as dev, real_cluster(PROD, tmp_path) as prod:
        for cluster in (dev, prod):
            await cluster.seeded(anew=True)
        yield lambda policy: bot_on((dev, prod), tmp_path, policy=policy)


def commands_of(role: str, *commands: str) -> Policy:
    """The demo's policy with other commands for one role; the clusters do not hear of it."""
    base = demo_policy()
    return replace(
        base, roles=tuple(replace(one, commands=commands) if one.name == role else one for one in base.roles)
    )


async def assert_still_v1(bot: Bot) -> None:
    assert "myapp:v1" in (await bot.says("images myapp --cluster dev -n shop", by="bob")).text


async def test_eve_is_refused_with_the_reason_and_who_could_and_alice_may_in_dev(chat: Chat) -> None:
    async with chat(demo_policy()) as bot:
        refused = await bot.says("deploy myapp v2", by="eve")
        in_prod = await bot.says("deploy myapp v2 to prod", by="alice")
        await assert_still_v1(bot)
        done = await bot.says("deploy myapp v2", by="alice")

    assert refused.reply.headline == "You may not `deploy` in dev/shop."
    assert "The role deployer or sre may: ask @alice or @bob." in refused.text
    assert in_prod.reply.headline == "You may not `deploy` in prod/shop."
    assert "ask @bob" in in_prod.text
    assert "v2 rolled out" in done.reply.headline


async def test_what_the_policy_allows_and_the_cluster_forbids_is_the_clusters_refusal(chat: Chat) -> None:
    async with chat(commands_of("viewer", "*")) as bot:
        asked = await bot.says("can deploy", by="carol")
        tried = await bot.says("deploy myapp v2", by="carol")
        await assert_still_v1(bot)

    assert asked.reply.headline == "No: the policy lets you `deploy` in dev/shop, the cluster does not."
    assert "It refuses patch deployments.apps" in asked.text
    assert tried.reply.headline == "The cluster refused: carol may not patch deployments myapp in dev/shop."
    assert "Whoever runs dev can grant it: patch deployments.apps in the namespace shop." in tried.text


async def test_what_the_cluster_allows_and_the_policy_forbids_is_the_policys_refusal(chat: Chat) -> None:
    async with chat(commands_of("deployer")) as bot:
        asked = await bot.says("can deploy", by="alice")
        tried = await bot.says("deploy myapp v2", by="alice")
        await assert_still_v1(bot)

    assert asked.reply.headline == "No: the policy does not let you `deploy` in dev/shop."
    assert "The cluster itself would let you." in asked.text
    assert tried.reply.headline == "You may not `deploy` in dev/shop."
    assert "The role sre may: ask @bob." in tried.text
