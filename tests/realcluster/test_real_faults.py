"""The real API server goes away in the middle of things, and comes back. A cluster of its own: nobody else is hurt."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.oracle_manifests import workload
from rigs.real import LONE, Real, bot_on, door_to, real_cluster
from rigs.whole_bot import granted

from bot.core.cluster import Reach
from bot.core.errors import Expired
from bot.core.people import KubeconfigUser
from bot.core.policy import ClusterRule, Grant
from bot.kube.caller import Caller
from bot.kube.request import Address
from bot.kube.watch import _events, versions

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("lone")]

DEPLOYMENTS = Address("apps/v1", "deployments", "")


@pytest.fixture
async def lone(tmp_path: Path) -> AsyncIterator[Real]:
    async with real_cluster(LONE, tmp_path) as cluster:
        yield cluster


@pytest.fixture
async def space(lone: Real) -> str:
    name = await lone.namespace()
    await lone.runs(name, workload("deploy", replicas=3))
    return name


@pytest.fixture
async def bot(lone: Real, tmp_path: Path) -> AsyncIterator[Bot]:
    rules = granted(Grant(("alice",), "deployer", (LONE,)))
    async with bot_on((lone,), tmp_path, policy=replace(rules, clusters=(ClusterRule(LONE),))) as chat:
        yield chat


@pytest.mark.parametrize(("version", "verdict"), [("v-slow", "v-slow rolled out"), ("v-bad", "image cannot be pulled")])
async def test_a_follow_outlives_its_api_server_and_ends_with_the_true_verdict(
    lone: Real, space: str, bot: Bot, version: str, verdict: str
) -> None:
    answer = await bot.says(f"deploy web {version} -n {space} --cluster {LONE}", settle=False)
    await lone.kill_apiserver()
    await asyncio.sleep(0.5)  # so that the follow meets the closed door
    await lone.revive_apiserver()

    (request,) = bot.recorder.messages
    await bot.pipeline.settled(request)

    assert verdict in answer.reply.headline


async def test_a_watch_goes_on_where_a_restarted_server_is(lone: Real, space: str) -> None:
    async with door_to(lone) as doors:
        caller = Caller(doors._transport(LONE), KubeconfigUser(), Reach(("*",)))
        told = versions(caller, replace(DEPLOYMENTS, namespace=space), "web", doors._pace)
        first = await anext(told)
        await lone.kill_apiserver()
        await lone.revive_apiserver()
        await lone.api.patch("deployments.apps", space, "web", {"metadata": {"annotations": {"seen": "yes"}}})

        async with asyncio.timeout(30):
            async for now in told:
                assert now is not None
                if now["metadata"]["annotations"].get("seen"):
                    break
        await told.aclose()
    assert first is not None


async def test_a_version_too_old_is_told_as_expired(lone: Real, space: str) -> None:
    """Neither a server that has just started nor its etcd remembers it: 410 in the middle of a watch."""
    old: str = (await lone.api.get("deployments.apps", space, "web"))["metadata"]["resourceVersion"]
    await lone.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "later", "namespace": space}})
    await lone.kill_apiserver()
    await lone.forget_the_past()
    await lone.revive_apiserver()

    async with door_to(lone) as doors:
        caller = Caller(doors._transport(LONE), KubeconfigUser(), Reach(("*",)))
        with pytest.raises(Expired):
            async for _ in _events(caller, replace(DEPLOYMENTS, namespace=space), (), old, doors._pace):
                pass
