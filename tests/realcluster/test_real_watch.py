"""Watches on a real API server that forgets, hangs and starts anew: one object, and all pods of a cluster."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from rigs.controlplane.api import Json
from rigs.line import Line
from rigs.oracle_manifests import workload
from rigs.real import LONE, Real, door_to

from bot.core.cluster import Reach
from bot.core.errors import Expired
from bot.core.people import KubeconfigUser
from bot.kube.caller import Caller
from bot.kube.clusters import KubeClusters
from bot.kube.pod_watch import AllKnown, PodNews, PodWatch
from bot.kube.request import Address
from bot.kube.watch import Broken, Collection, changes, versions

pytestmark = [pytest.mark.real, pytest.mark.xdist_group("lone")]

ALL = Reach(("*",))


@pytest.fixture
async def doors(lone: Real, line: Line) -> AsyncIterator[KubeClusters]:
    async with door_to(lone.over(line)) as opened:
        yield opened


@pytest.fixture
def caller(doors: KubeClusters) -> Caller:
    return Caller(doors._transport(LONE), KubeconfigUser(), ALL)


def deployments(namespace: str) -> Address:
    return Address("apps/v1", "deployments", namespace)


async def test_a_watch_goes_on_where_a_restarted_server_is(
    lone: Real, lone_space: str, caller: Caller, doors: KubeClusters
) -> None:
    async with aclosing(versions(caller, deployments(lone_space), "web", doors._pace)) as told:
        first = await anext(told)
        await lone.kill_apiserver()
        await lone.revive_apiserver()
        await lone.api.patch("deployments.apps", lone_space, "web", {"metadata": {"annotations": {"seen": "yes"}}})

        async with asyncio.timeout(30):
            async for now in told:
                assert now is not None
                if now["metadata"]["annotations"].get("seen"):
                    break
    assert first is not None


async def test_a_version_too_old_in_the_middle_is_told_as_expired_and_everything_anew(
    lone: Real, lone_space: str, line: Line, caller: Caller, doors: KubeClusters
) -> None:
    watched = Collection(deployments(lone_space), dict[str, Any])
    words: list[str] = []
    held = False
    async with asyncio.timeout(60), aclosing(changes(caller, watched, doors._pace)) as told:
        async for change in told:
            word = type(change.error).__name__ if isinstance(change, Broken) else type(change).__name__
            if words[-1:] != [word]:
                words.append(word)
            if word == "Whole" and not held:
                await lone.api.patch("deployments.apps", lone_space, "web", {"metadata": {"annotations": {"a": "b"}}})
            if words[-2:] == ["Whole", "Seen"] and not held:  # the watch is under way
                held = True
                line.hold()
                await lone.forget_everything(lone_space)
                await line.cut()
            if words.count("Whole") == 2:
                break

    assert words == ["Anew", "Seen", "Whole", "Seen", "Unavailable", Expired.__name__, "Anew", "Seen", "Whole"]


async def test_all_pods_are_known_before_and_after_the_server_forgot_everything(
    lone: Real, lone_space: str, line: Line, doors: KubeClusters
) -> None:
    watch = doors.pod_watch(LONE, KubeconfigUser(), ALL)
    async with asyncio.timeout(90), aclosing(watch.news()) as news:
        await known(lone, watch, news)
        line.hold()
        await lone.runs(lone_space, workload("deploy", name="later", replicas=2))
        await lone.api.patch("deployments.apps", lone_space, "web", {"spec": {"replicas": 1}})
        await lone.forget_everything(lone_space)
        await line.cut()

        await known(lone, watch, news)

    mine = {pod.owner.rpartition("-")[0] for pod in watch.pods.values() if pod.namespace == lone_space}
    assert mine == {"web", "later"}
    assert watch.trouble is None


async def known(cluster: Real, watch: PodWatch, news: AsyncGenerator[PodNews, None]) -> None:
    """Until the watch has told everything and knows what an administrator sees."""
    told = False
    while True:
        told = isinstance(await anext(news), AllKnown) or told
        if told and facts(watch) == await seen(cluster):
            return


def facts(watch: PodWatch) -> dict[str, tuple[str, str, bool, int]]:
    return {pod.uid: (pod.namespace, pod.name, pod.ready, pod.restarts) for pod in watch.pods.values()}


async def seen(cluster: Real) -> dict[str, tuple[str, str, bool, int]]:
    def told(pod: Json) -> tuple[str, str, bool, int]:
        status = pod.get("status", {})
        ready = any(c["type"] == "Ready" and c["status"] == "True" for c in status.get("conditions", ()))
        restarts = sum(container["restartCount"] for container in status.get("containerStatuses", ()))
        return pod["metadata"]["namespace"], pod["metadata"]["name"], ready, restarts

    return {pod["metadata"]["uid"]: told(pod) for pod in await cluster.api.list("pods")}


async def test_a_server_that_streams_no_lists_is_read_in_pages(
    lone: Real, lone_space: str, doors: KubeClusters, caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A question that the real server refuses (422), as one that does not know the way would."""
    monkeypatch.setattr("bot.kube.watch._STREAMED_LIST", (("sendInitialEvents", "true"),))
    watch = doors.pod_watch(LONE, KubeconfigUser(), ALL)
    async with asyncio.timeout(30), aclosing(watch.news()) as news:
        await known(lone, watch, news)

    watched = Collection(deployments(lone_space), dict[str, Any], streamed=True)
    async with asyncio.timeout(30), aclosing(changes(caller, watched, doors._pace)) as told:
        words = [type(await anext(told)).__name__ for _ in range(4)]
    assert words == ["Anew", "Anew", "Seen", "Whole"]
