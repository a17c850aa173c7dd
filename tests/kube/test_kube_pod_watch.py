"""Many pods watched: told whole at the start, each change once, over whatever lines and servers do."""

import asyncio
import json
from collections.abc import Callable
from contextlib import aclosing
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rigs.chat import Bot
from rigs.wire import Answer, Wire, reset, silence, status, streaming

from bot.app import SystemClock
from bot.core.cluster import Reach
from bot.core.errors import Forbidden
from bot.core.people import KubeconfigUser
from bot.demo.world import ADMIN, World
from bot.kube.caller import Caller
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.kube.pod_watch import AllKnown, PodNews, PodWatch
from bot.kube.watch import Pace

PATH = "/api/v1/pods"
LIST = "list"
STREAMED = "streamed list"


def pod(name: str, version: int, *, uid: str = "", namespace: str = "shop", **status: Any) -> dict[str, Any]:
    meta = {"name": name, "namespace": namespace, "uid": uid or f"uid-{name}", "resourceVersion": str(version)}
    return {"metadata": meta, "spec": {"nodeName": "n1"}, "status": {"phase": "Running", **status}}


def event(kind: str, found: dict[str, Any]) -> bytes:
    return json.dumps({"type": kind, "object": found}).encode() + b"\n"


def bookmark(version: int, *, end: bool = False) -> bytes:
    meta: dict[str, Any] = {"resourceVersion": str(version)}
    if end:
        meta["annotations"] = {"k8s.io/initial-events-end": "true"}
    return event("BOOKMARK", {"kind": "Pod", "apiVersion": "v1", "metadata": meta})


def there(version: int, *pods: dict[str, Any]) -> bytes:
    """The beginning of a streamed list: what there is, and that this was all."""
    return b"".join(event("ADDED", one) for one in pods) + bookmark(version, end=True)


TOO_OLD = event("ERROR", {"kind": "Status", "code": 410, "reason": "Expired"})


def refusing(code: int, reason: str = "", message: str = "") -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return status(code, reason, message)

    return answer


def page(version: int, *pods: dict[str, Any], more: str = "") -> Answer:
    async def answer(_: web.BaseRequest) -> web.StreamResponse:
        return web.json_response({"metadata": {"resourceVersion": str(version), "continue": more}, "items": pods})

    return answer


def watching(
    wire: Wire, clusters: KubeClusters, *answers: Answer, reach: str = "*", patience: float = 60.0
) -> PodWatch:
    """A watch of a server that answers as it is told; the last answer is a line that stays open."""
    wire.script(PATH, *answers, streaming(then=silence))
    caller = Caller(clusters._transport("prod"), KubeconfigUser(), Reach((reach,)))
    return PodWatch(caller, Pace(wire.clock, lambda: 0.0, silence=patience))


async def until(watch: PodWatch, done: Callable[[list[str]], bool]) -> list[str]:
    """What is told until that is enough: `+web`, `~web`, `-web`, and `all` when everything is known."""
    told: list[str] = []
    async with asyncio.timeout(5), aclosing(watch.news()) as news:
        async for one in news:
            told.append(short(one))
            if done(told):
                break
    return told


def short(news: PodNews) -> str:
    if isinstance(news, AllKnown):
        return "all"
    pod = news.now or news.before
    assert pod is not None
    return f"{'-' if news.now is None else '+' if news.before is None else '~'}{pod.name}"


def names(watch: PodWatch) -> list[str]:
    return sorted(pod.name for pod in watch.pods.values())


def asked(wire: Wire) -> list[str]:
    """How the server was asked, one word a request: by list, by streamed list, or from a version on."""
    return [
        LIST
        if "watch" not in heard.query
        else STREAMED
        if "sendInitialEvents" in heard.query
        else heard.query["resourceVersion"]
        for heard in wire.heard
    ]


async def test_all_pods_are_told_then_that_this_was_all_then_each_change(wire: Wire, clusters: KubeClusters) -> None:
    web_now, web_then = pod("web", 3), pod("web", 12, phase="Failed", reason="Evicted")
    watch = watching(
        wire,
        clusters,
        streaming(
            there(10, web_now, pod("db", 7)), event("MODIFIED", web_then), event("DELETED", pod("db", 13)), then=silence
        ),
    )

    assert await until(watch, lambda told: "-db" in told) == ["+web", "+db", "all", "~web", "-db"]

    assert names(watch) == ["web"]
    assert watch.pods["uid-web"].reason == "Evicted"
    query = wire.heard[0].query
    assert query == {
        "watch": "true",
        "allowWatchBookmarks": "true",
        "sendInitialEvents": "true",
        "resourceVersionMatch": "NotOlderThan",
        "timeoutSeconds": "50",
    }


async def test_it_is_synced_once_everything_was_told_and_not_before(wire: Wire, clusters: KubeClusters) -> None:
    watch = watching(wire, clusters, streaming(there(10, pod("web", 3)), then=silence))
    before = (watch.synced, watch.heard)

    states = []
    async with asyncio.timeout(5), aclosing(watch.news()) as news:
        async for one in news:
            states.append((short(one), watch.synced))
            if isinstance(one, AllKnown):
                break

    assert before == (False, None)
    assert states == [("+web", False), ("all", True)]
    assert watch.heard == wire.clock.now()


async def test_a_cluster_without_pods_is_known_as_such(wire: Wire, clusters: KubeClusters) -> None:
    watch = watching(wire, clusters, streaming(there(10), then=silence))

    assert await until(watch, lambda told: "all" in told) == ["all"]
    assert watch.synced
    assert not watch.pods


@pytest.mark.parametrize("code", [400, 422])
async def test_a_server_that_does_not_stream_lists_is_read_in_pages(
    wire: Wire, clusters: KubeClusters, code: int
) -> None:
    watch = watching(
        wire,
        clusters,
        refusing(code, "Invalid", "sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch"),
        page(5, pod("web", 3), more="next"),
        page(5, pod("db", 4)),
        streaming(event("MODIFIED", pod("web", 6, phase="Failed"))),
        streaming(TOO_OLD),
        page(9, pod("web", 6, phase="Failed")),
    )

    told = await until(watch, lambda told: told.count("all") == 2)

    assert told == ["+web", "+db", "all", "~web", "-db", "all"]
    assert asked(wire) == [STREAMED, LIST, LIST, "5", "6", LIST]
    assert wire.heard[1].query == {"limit": "500"}
    assert wire.heard[2].query == {"limit": "500", "continue": "next"}


async def test_a_server_that_ends_the_stream_before_everything_was_told_is_read_in_pages(
    wire: Wire, clusters: KubeClusters
) -> None:
    watch = watching(wire, clusters, streaming(event("ADDED", pod("web", 3))), page(5, pod("web", 3)))

    assert await until(watch, lambda told: "all" in told) == ["+web", "all"]
    assert asked(wire) == [STREAMED, LIST]


@pytest.mark.parametrize(
    "fault",
    [
        streaming(there(10, pod("web", 3)), event("MODIFIED", pod("db", 11)), b'{"type": "MODI', then=reset),
        streaming(there(10, pod("web", 3)), event("MODIFIED", pod("db", 11)), b"<html>\n"),
        streaming(there(10, pod("web", 3)), event("MODIFIED", pod("db", 11)), b'{"type":"ADDED","object":[]}\n'),
        streaming(there(10, pod("web", 3)), event("MODIFIED", pod("db", 11))),
        streaming(there(10, pod("web", 3)), event("ADDED", pod("db", 8)), bookmark(11)),
        streaming(there(10, pod("web", 3)), event("MODIFIED", pod("db", 11)), then=silence),
    ],
    ids=["reset mid-line", "HTML", "another shape", "an end", "an end after a bookmark", "silence"],
)
async def test_a_stream_that_breaks_is_taken_up_where_it_was(wire: Wire, clusters: KubeClusters, fault: Answer) -> None:
    watch = watching(wire, clusters, fault, streaming(event("DELETED", pod("web", 14))), patience=0.2)

    assert await until(watch, lambda told: "-web" in told) == ["+web", "all", "+db", "-web"]
    assert asked(wire)[:2] == [STREAMED, "11"]
    assert names(watch) == ["db"]


async def test_a_break_before_everything_was_told_begins_anew_and_repeats_nothing(
    wire: Wire, clusters: KubeClusters
) -> None:
    watch = watching(
        wire,
        clusters,
        streaming(event("ADDED", pod("web", 3)), event("ADDED", pod("old", 4)), then=reset),
        streaming(there(20, pod("web", 3), pod("db", 15)), then=silence),
    )

    assert await until(watch, lambda told: "all" in told) == ["+web", "+old", "+db", "-old", "all"]
    assert asked(wire) == [STREAMED, STREAMED]
    assert names(watch) == ["db", "web"]


@pytest.mark.parametrize("refusal", [refusing(410, "Expired"), streaming(TOO_OLD)], ids=["at the door", "within"])
async def test_a_version_too_old_is_answered_by_a_new_list_that_tells_the_difference(
    wire: Wire, clusters: KubeClusters, refusal: Answer
) -> None:
    watch = watching(
        wire,
        clusters,
        streaming(there(10, pod("web", 3), pod("db", 4), pod("same", 5))),
        refusal,
        streaming(
            there(90, pod("web", 80, phase="Failed"), pod("db", 85, uid="another"), pod("same", 5)), then=silence
        ),
    )

    told = await until(watch, lambda told: told.count("all") == 2)

    assert told[4:] == ["~web", "+db", "-db", "all"]
    assert sorted(watch.pods) == ["another", "uid-same", "uid-web"]
    assert asked(wire) == [STREAMED, "10", STREAMED]


async def test_while_the_line_is_down_it_says_why_and_keeps_what_it_knew(wire: Wire, clusters: KubeClusters) -> None:
    watch = watching(
        wire,
        clusters,
        streaming(there(10, pod("web", 3)), then=reset),
        refusing(503, "ServiceUnavailable", "etcd is away"),
        refusing(503, "ServiceUnavailable", "etcd is away"),
        streaming(there(30, pod("web", 3), pod("db", 25)), then=silence),
    )
    during: list[tuple[str, bool, list[str]]] = []
    sleep = wire.clock.sleep

    async def looked_at(seconds: float) -> None:
        during.append((str(watch.trouble), watch.synced, names(watch)))
        await sleep(seconds)

    wire.clock.sleep = looked_at  # type: ignore[method-assign]  # somebody who looks while it waits

    told = await until(watch, lambda told: "+db" in told)

    assert told == ["+web", "all", "+db"]
    assert [why for why, _, _ in during] == [
        "The connection to prod broke before its answer came.",
        *["prod failed (HTTP 503): etcd is away"] * 2,
    ]
    assert {(synced, *known) for _, synced, known in during} == {(True, "web")}
    assert watch.trouble is None
    assert wire.clock.slept == [1.0, 2.0, 4.0]


async def test_a_lost_right_ends_it(wire: Wire, clusters: KubeClusters) -> None:
    forbidden = refusing(
        403, "Forbidden", 'User "bot" cannot watch resource "pods" in API group "" at the cluster scope'
    )
    watch = watching(wire, clusters, streaming(there(10)), *[forbidden] * 10)

    with pytest.raises(Forbidden, match="bot may not watch pods on prod"):
        await until(watch, lambda told: False)


async def test_outside_the_reach_nothing_is_asked_and_nothing_kept(wire: Wire, clusters: KubeClusters) -> None:
    watch = watching(
        wire,
        clusters,
        streaming(
            there(10, pod("web", 3), pod("key", 4, namespace="vault")),
            event("DELETED", pod("key", 12, namespace="vault")),
            event("ADDED", pod("db", 13)),
            then=silence,
        ),
        reach="sh*",
    )
    assert await until(watch, lambda told: "+db" in told) == ["+web", "all", "+db"]

    elsewhere = clusters.pod_watch("prod", KubeconfigUser(), Reach(("shop",)), "vault")
    heard = len(wire.heard)
    with pytest.raises(Forbidden, match="does not open the namespace vault"):
        await until(elsewhere, lambda told: False)
    assert len(wire.heard) == heard


async def test_a_pod_is_read_as_far_as_the_rules_of_health_look(wire: Wire, clusters: KubeClusters) -> None:
    sick = pod(
        "web",
        3,
        phase="Pending",
        conditions=[
            {"type": "Ready", "status": "False", "lastTransitionTime": "2026-11-23T08:00:00Z"},
            {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes"},
            {"type": "DisruptionTarget", "status": "True", "reason": "PreemptionByScheduler"},
        ],
        containerStatuses=[
            {
                "name": "web",
                "ready": False,
                "restartCount": 4,
                "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}},
                "lastState": {
                    "terminated": {"reason": "OOMKilled", "exitCode": 137, "finishedAt": "2026-11-23T08:01:00Z"}
                },
            },
            {
                "name": "side",
                "ready": True,
                "restartCount": 1,
                "state": {"running": {"startedAt": None}},
                "lastState": {},
            },
        ],
        initContainerStatuses=[
            {"name": "migrate", "state": {"terminated": {"reason": "Error", "exitCode": 1}}, "restartCount": 2},
        ],
    )
    sick["metadata"] |= {
        "creationTimestamp": "2026-11-23T07:00:00Z",
        "deletionTimestamp": "2026-11-23T09:00:30Z",
        "ownerReferences": [
            {"kind": "Other", "name": "x", "uid": "u0"},
            {"kind": "ReplicaSet", "name": "web-1", "uid": "u1", "controller": True},
        ],
    }
    watch = watching(wire, clusters, streaming(there(10, sick), then=silence))

    await until(watch, lambda told: "all" in told)

    (seen,) = watch.pods.values()
    assert (seen.owner_kind, seen.owner, seen.owner_uid) == ("ReplicaSet", "web-1", "u1")
    assert (seen.namespace, seen.name, seen.node, seen.phase, seen.ready) == ("shop", "web", "n1", "Pending", False)
    assert (seen.unscheduled, seen.scheduling, seen.disrupted) == (
        "Unschedulable",
        "0/3 nodes",
        "PreemptionByScheduler",
    )
    times = (seen.created, seen.ready_since, seen.deleting)
    assert [at and f"{at:%H:%M:%S}" for at in times] == ["07:00:00", "08:00:00", "09:00:30"]
    assert seen.restarts == 7
    web, side, migrate = seen.containers
    assert (web.waiting, web.ended, web.exit_code, web.ready, web.init) == (
        "CrashLoopBackOff",
        "OOMKilled",
        137,
        False,
        False,
    )
    assert web.ended_at is not None
    assert (side.waiting, side.ended, side.ready) == ("", "", True)
    assert (migrate.init, migrate.ended, migrate.exit_code, migrate.ended_at) == (True, "Error", 1, None)


async def test_the_pods_of_a_whole_cluster_are_known_through_a_rollout(demo: tuple[Bot, World], tmp_path: Path) -> None:
    bot, world = demo
    store = world.clusters["dev"].store
    world.write_kubeconfig(tmp_path / "config", ADMIN)
    doors = await connect({"dev": Kubeconfig(str(tmp_path / "config"), "dev")}, Options(SystemClock(), lambda: 0.0))
    watch = doors.pod_watch("dev", KubeconfigUser(), Reach(("*",)))

    async def known(pods: int) -> str:
        """The one ReplicaSet of myapp's pods once it has so many, and the watch knows all there is and no more."""
        async for _ in news:
            there = {pod["metadata"]["uid"] for pod in store.list("pods")}
            mine = [pod.owner for pod in watch.pods.values() if pod.name.startswith("myapp-")]
            if watch.synced and watch.pods.keys() == there and len(mine) == pods and len(set(mine)) == 1:
                return mine[0]
        raise AssertionError("the watch ended")

    try:
        async with asyncio.timeout(20), aclosing(watch.news()) as news:
            before = await known(3)
            await bot.says("deploy myapp v2")
            await bot.says("scale myapp 5")
            after = await known(5)
    finally:
        await doors.close()

    assert before != after
