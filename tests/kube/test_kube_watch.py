"""A watch survives what lines and servers do, tells each version once, and never hammers."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from aiohttp import web
from rigs.wire import Answer, Wire, reset, silence, status, streaming

from bot.core.cluster import Gone, Reach
from bot.core.errors import Forbidden, NotFound
from bot.core.people import KubeconfigUser
from bot.core.plan import Place, pick
from bot.core.workload import Kind, Workload
from bot.kube.caller import Caller
from bot.kube.clusters import KubeClusters
from bot.kube.watch import Pace
from bot.kube.workloads import ClusterWorkloads

PATH = "/apis/apps/v1/namespaces/shop/deployments"
VERSION = "metadata.resourceVersion"
REF = Kind.DEPLOYMENT.ref(Place("prod", "shop"), "web")


def web_app(version: int, uid: str = "u1") -> dict[str, Any]:
    return {"metadata": {"name": "web", "namespace": "shop", "uid": uid, "resourceVersion": str(version)}}


def event(kind: str, version: int, **more: Any) -> bytes:
    return json.dumps({"type": kind, "object": {**web_app(version), **more}}).encode() + b"\n"


ERROR_410 = json.dumps({"type": "ERROR", "object": {"kind": "Status", "code": 410, "reason": "Expired"}}).encode()


def listing(version: int, *, items: int = 1, uid: str = "u1") -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        found = [web_app(version, uid)] * items
        return web.json_response({"metadata": {"resourceVersion": str(version)}, "items": found})

    return answer


async def html_503(_: web.BaseRequest) -> web.StreamResponse:
    return web.Response(status=503, body=b"<html>upstream</html>")


async def gone_410(_: web.BaseRequest) -> web.StreamResponse:
    return status(410, "Expired", "too old resource version")


def follow(wire: Wire, clusters: KubeClusters, lists: list[Answer], watches: list[Answer]) -> None:
    """Script lists and watches apart; the last of each is answered again and again."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        queue = watches if "watch" in request.query else lists
        return await (queue.pop(0) if len(queue) > 1 else queue[0])(request)

    wire.routes[PATH] = answer


async def told(stream: AsyncIterator[Workload | Gone]) -> list[str]:
    """All that a watch tells until the object is gone."""
    return ["gone" if isinstance(seen, Gone) else str(pick(seen.manifest, VERSION)) async for seen in stream]


def watching(wire: Wire, clusters: KubeClusters, *, silence: float = 60.0) -> AsyncIterator[Workload | Gone]:
    caller = Caller(clusters.writer("prod", KubeconfigUser()).transport, KubeconfigUser(), Reach(("*",)))
    return ClusterWorkloads(caller, Pace(wire.clock, lambda: 0.0, silence=silence)).watch(REF)


async def test_a_watch_tells_the_object_now_and_each_change_until_it_is_gone(
    wire: Wire, clusters: KubeClusters
) -> None:
    lines = (event("MODIFIED", 2), event("BOOKMARK", 9), b"\n", event("MODIFIED", 12), event("DELETED", 13))
    follow(wire, clusters, [listing(1)], [streaming(*lines)])

    assert await told(watching(wire, clusters)) == ["1", "2", "12", "gone"]
    assert wire.heard[0].query == {"fieldSelector": "metadata.name=web", "limit": "500"}
    asked = wire.heard[1].query
    assert (asked["resourceVersion"], asked["allowWatchBookmarks"], asked["timeoutSeconds"]) == ("1", "true", "50")
    assert wire.clock.slept == []


async def test_an_object_that_is_not_there_is_gone(wire: Wire, clusters: KubeClusters) -> None:
    follow(wire, clusters, [listing(5, items=0)], [html_503])

    assert await told(watching(wire, clusters)) == ["gone"]


async def test_after_a_clean_end_the_watch_goes_on_where_it_was(wire: Wire, clusters: KubeClusters) -> None:
    follow(
        wire,
        clusters,
        [listing(1)],
        [streaming(event("MODIFIED", 2), event("BOOKMARK", 7)), streaming(event("DELETED", 8))],
    )

    assert await told(watching(wire, clusters)) == ["1", "2", "gone"]
    assert [heard.query.get("resourceVersion") for heard in wire.heard] == [None, "1", "7"]
    assert wire.clock.slept == [1.0]


@pytest.mark.parametrize(
    "fault",
    [
        streaming(event("MODIFIED", 2), event("MODIFIED", 3)[:40], then=reset),
        streaming(event("MODIFIED", 2), event("MODIFIED", 3)[:40]),
        streaming(event("MODIFIED", 2), b"<html>\n"),
        streaming(event("MODIFIED", 2), b'{"type": 3}\n'),
        streaming(event("MODIFIED", 2), b'{"type": "ERROR", "object": {"kind": "Status", "code": 500}}\n'),
    ],
    ids=["reset mid-line", "cut mid-line", "HTML", "another shape", "500 as an event"],
)
async def test_a_stream_that_breaks_is_taken_up_where_it_was(wire: Wire, clusters: KubeClusters, fault: Answer) -> None:
    follow(wire, clusters, [listing(1)], [fault, streaming(event("MODIFIED", 3), event("DELETED", 5))])

    assert await told(watching(wire, clusters)) == ["1", "2", "3", "gone"]
    assert [heard.query.get("resourceVersion") for heard in wire.heard] == [None, "1", "2"]
    assert wire.clock.slept == [1.0]


async def test_a_version_too_old_in_the_middle_loses_no_change_and_repeats_none(
    wire: Wire, clusters: KubeClusters
) -> None:
    expired = streaming(event("MODIFIED", 2), ERROR_410)
    follow(wire, clusters, [listing(1), listing(2), listing(4)], [expired, expired, streaming(event("DELETED", 5))])

    assert await told(watching(wire, clusters)) == ["1", "2", "4", "gone"]
    assert [("watch" in heard.query) for heard in wire.heard] == [False, True] * 3


@pytest.mark.parametrize(
    ("refusal", "asked"),
    [(gone_410, "list watch list watch list watch"), (html_503, "list watch watch list watch")],
    ids=["410", "503 with HTML"],
)
async def test_a_watch_that_brings_nothing_leads_to_a_new_list(
    wire: Wire, clusters: KubeClusters, refusal: Answer, asked: str
) -> None:
    follow(wire, clusters, [listing(1)], [refusal, refusal, streaming(event("DELETED", 5))])

    assert await told(watching(wire, clusters)) == ["1", "gone"]
    assert [("watch" if "watch" in heard.query else "list") for heard in wire.heard] == asked.split()
    assert wire.clock.slept == [1.0, 2.0]


async def test_a_server_that_closes_at_once_is_asked_ever_less_often(wire: Wire, clusters: KubeClusters) -> None:
    follow(wire, clusters, [listing(1)], [*[streaming()] * 8, streaming(event("DELETED", 5))])

    assert await told(watching(wire, clusters)) == ["1", "gone"]
    assert wire.clock.slept == [1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 30.0, 30.0]


async def test_a_server_that_is_away_is_waited_for(wire: Wire, clusters: KubeClusters) -> None:
    follow(
        wire,
        clusters,
        [listing(1), html_503, html_503, listing(2)],
        [streaming(then=reset), gone_410, streaming(event("DELETED", 5))],
    )

    assert await told(watching(wire, clusters)) == ["1", "2", "gone"]
    assert len([heard for heard in wire.heard if "watch" not in heard.query]) == 4


async def test_a_line_that_says_nothing_counts_as_dead(wire: Wire, clusters: KubeClusters) -> None:
    follow(wire, clusters, [listing(1)], [streaming(then=silence), streaming(event("DELETED", 5))])

    async with asyncio.timeout(3):
        assert await told(watching(wire, clusters, silence=0.2)) == ["1", "gone"]


async def test_a_busy_server_names_the_pause(wire: Wire, clusters: KubeClusters) -> None:
    async def busy(_: web.BaseRequest) -> web.StreamResponse:
        return status(429, "TooManyRequests", "slow down", retryAfterSeconds=17)

    follow(wire, clusters, [listing(1)], [busy, streaming(event("DELETED", 5))])

    assert await told(watching(wire, clusters)) == ["1", "gone"]
    assert wire.clock.slept == [17.0]


async def test_an_object_made_anew_under_the_same_name_is_another_one(wire: Wire, clusters: KubeClusters) -> None:
    follow(wire, clusters, [listing(1), listing(9, uid="u2")], [streaming(then=reset)])

    assert await told(watching(wire, clusters)) == ["1", "gone"]


async def test_a_lost_right_ends_the_watch(wire: Wire, clusters: KubeClusters) -> None:
    async def forbidden(_: web.BaseRequest) -> web.StreamResponse:
        message = 'User "alice" cannot watch resource "deployments" in API group "apps" in the namespace "shop"'
        return status(403, "Forbidden", message)

    follow(wire, clusters, [listing(1)], [forbidden])

    with pytest.raises(Forbidden, match="may not watch deployments"):
        await told(watching(wire, clusters))


async def test_a_refusal_that_passes_is_an_api_server_waking_up(wire: Wire, clusters: KubeClusters) -> None:
    async def forbidden(_: web.BaseRequest) -> web.StreamResponse:
        return status(403, "Forbidden", 'User "alice" cannot watch resource "deployments"')

    follow(wire, clusters, [listing(1)], [streaming(then=reset), forbidden, streaming(event("DELETED", 2))])

    assert await told(watching(wire, clusters)) == ["1", "gone"]


async def test_an_api_that_is_not_served_ends_the_watch(wire: Wire, clusters: KubeClusters) -> None:
    with pytest.raises(NotFound, match="prod does not serve deployments"):
        await told(watching(wire, clusters))


async def test_leaving_a_watch_closes_its_connection(wire: Wire, clusters: KubeClusters) -> None:
    ended = asyncio.Event()

    async def until_left(request: web.BaseRequest) -> None:
        while request.transport is not None and not request.transport.is_closing():  # noqa: ASYNC110  # aiohttp has no event for it
            await asyncio.sleep(0.01)
        ended.set()

    follow(wire, clusters, [listing(1)], [streaming(event("MODIFIED", 2), then=until_left)])
    stream = watching(wire, clusters)
    async with aclosing(stream):  # type: ignore[type-var]  # the protocol promises less than the generator is
        await anext(stream)
        await anext(stream)

    async with asyncio.timeout(3):
        await ended.wait()
