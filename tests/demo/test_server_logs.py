"""A pod's log over HTTP: which run, which lines, and the kubelet's refusals."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from rigs.apiserver import Api, LogLine, Scripted, pod

LOG = "/api/v1/namespaces/shop/pods/a/log"


def _store_pod(api: Api, state: dict[str, Any], last: dict[str, Any] | None = None, *, side: bool = False) -> None:
    one = pod("a", node="n1")
    if side:
        one["spec"]["containers"].append({"name": "side", "image": "side:1"})
    seen = {"name": "main", "restartCount": 0, "state": state, **({"lastState": last} if last else {})}
    one["status"] = {"phase": "Running", "containerStatuses": [seen]}
    api.cluster.store.create("pods", one)


RUNNING = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
ENDED = {"terminated": {"exitCode": 1, "finishedAt": "2026-01-01T00:00:00Z"}}


async def test_lines_are_cut_by_tail_since_and_bytes(api: Api, sources: Scripted) -> None:
    now = datetime.now(UTC)
    sources.log = [LogLine(now - timedelta(seconds=60 * (3 - number)), f"line {number}") for number in range(3)]
    _store_pod(api, RUNNING)
    assert (await api.get(LOG)).body == "line 0\nline 1\nline 2\n"
    assert (await api.get(f"{LOG}?tailLines=1")).body == "line 2\n"
    assert (await api.get(f"{LOG}?tailLines=0")).body == ""
    assert (await api.get(f"{LOG}?sinceSeconds=90")).body == "line 2\n"
    assert (await api.get(f"{LOG}?limitBytes=8")).body == "line 0\nl"
    assert (await api.get(f"{LOG}?timestamps=true&tailLines=1")).body.endswith("000Z line 2\n")
    assert (await api.get(f"{LOG}?tailLines=-1")).code == 400


async def test_the_run_before_is_there_only_when_there_was_one(api: Api, sources: Scripted) -> None:
    sources.log = [LogLine(datetime.now(UTC), "boom")]
    _store_pod(api, {"waiting": {"reason": "CrashLoopBackOff"}}, ENDED)
    assert (await api.get(f"{LOG}?previous=true")).body == "before: boom\n"
    assert (await api.get(LOG)).code == 200


@pytest.mark.parametrize(
    ("state", "query", "said"),
    [
        ({"waiting": {"reason": "ImagePullBackOff"}}, "", "is waiting to start: trying and failing to pull image"),
        ({"waiting": {"reason": "ContainerCreating"}}, "", "is waiting to start: ContainerCreating"),
        (RUNNING, "?previous=true", 'previous terminated container "main" in pod "a" not found'),
        (RUNNING, "?container=none", "container none is not valid for pod a"),
    ],
)
async def test_a_log_that_is_not_there_is_a_400_that_says_why(
    api: Api, state: dict[str, Any], query: str, said: str
) -> None:
    _store_pod(api, state)
    reply = await api.get(f"{LOG}{query}")
    assert (reply.code, reply.body["reason"]) == (400, "BadRequest")
    assert said in reply.body["message"]


async def test_with_several_containers_one_must_be_named(api: Api) -> None:
    _store_pod(api, RUNNING, side=True)
    reply = await api.get(LOG)
    assert reply.body["message"] == "a container name must be specified for pod a, choose one of: [main side]"


async def test_a_followed_log_grows_and_ends_with_its_pod(api: Api, sources: Scripted) -> None:
    sources.log = [LogLine(datetime.now(UTC), "first")]
    _store_pod(api, RUNNING)
    async with asyncio.timeout(10), api.raw("GET", f"{LOG}?follow=true") as response:
        assert await response.content.readline() == b"first\n"
        sources.log.append(LogLine(datetime.now(UTC), "second"))
        assert await response.content.readline() == b"second\n"
        api.cluster.store.delete("pods", "shop", "a", grace=0)
        assert await response.content.read() == b""
