"""What goes over the wire, and what happens when the wire breaks."""

import asyncio
import socket
from dataclasses import replace
from pathlib import Path

import pytest
from aiohttp import web
from rigs.wire import Wire, kubeconfig, reading

from bot.core.cluster import Reach, Stamp
from bot.core.errors import Refused, TimedOut, TooManyRequests, Unavailable
from bot.core.people import Impersonated, KubeconfigUser
from bot.core.plan import Absent, ClusterWrite, ObjectRef, PatchType, Verb
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.kube.identity import impersonation
from bot.kube.request import Request

PODS = "/api/v1/namespaces/shop/pods"
WEB = "/apis/apps/v1/namespaces/shop/deployments/web"
EMPTY = {"kind": "PodList", "metadata": {}, "items": []}
PATCH = ClusterWrite(
    target=ObjectRef("prod", "apps/v1", "Deployment", "deployments", "shop", "web"),
    verb=Verb.PATCH,
    body={"spec": {"paused": True}},
    patch_type=PatchType.MERGE,
    expects=Absent(),
)


async def hang_up(request: web.BaseRequest) -> web.StreamResponse:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def no_pods(_: web.BaseRequest) -> web.StreamResponse:
    return web.json_response(EMPTY)


async def write(clusters: KubeClusters, *, dry_run: bool = False) -> None:
    writer = clusters.writer("prod", KubeconfigUser())
    await writer.send(PATCH, resource_version="7", stamp=Stamp("a1", "audit-1"), dry_run=dry_run)


async def test_an_impersonated_call_carries_each_group_on_its_own_line(wire: Wire, clusters: KubeClusters) -> None:
    wire.serve(PODS, EMPTY)
    alice = Impersonated("alice@corp", ("viewer", "steersman:sre"), {"Slack/User": ("U1", "U2")})

    await reading(clusters, alice).pods.list("shop")

    headers = wire.heard[0].headers
    assert headers.getall("Impersonate-User") == ["alice@corp"]
    assert headers.getall("Impersonate-Group") == ["viewer", "steersman:sre"]
    assert headers.getall("Impersonate-Extra-slack%2Fuser") == ["U1", "U2"]
    assert headers["Authorization"] == "Bearer sesame"


async def test_the_kubeconfigs_own_user_is_not_impersonated(wire: Wire, clusters: KubeClusters) -> None:
    wire.serve(PODS, EMPTY)

    await reading(clusters, KubeconfigUser()).pods.list("shop")

    assert not [name for name in wire.heard[0].headers if name.lower().startswith("impersonate")]


async def test_a_barred_cluster_is_asked_nothing_as_a_person_not_even_for_a_stream(
    wire: Wire, clusters: KubeClusters
) -> None:
    wire.serve(PODS, EMPTY)
    transport, watching = clusters._transport("prod"), Request("watch", PODS, "pods")
    clusters.bar("prod", Unavailable("Not yet."))

    with pytest.raises(Unavailable, match="Not yet"):
        await reading(clusters, Impersonated("alice")).pods.list("shop")
    with pytest.raises(Unavailable, match="Not yet"):
        await anext(transport.lines(watching, Impersonated("alice"), silence=5))
    assert wire.heard == []

    clusters.bar("prod", None)
    assert await reading(clusters, Impersonated("alice")).pods.list("shop") == ()


@pytest.mark.parametrize("user", ["alice ", "al\nice", "al\u202eice", "\tbob"])
def test_a_name_that_a_header_would_change_on_its_way_is_refused(user: str) -> None:
    with pytest.raises(Refused, match="cannot be sent"):
        impersonation(Impersonated(user))


async def test_cookies_of_a_balancer_are_not_carried_into_the_next_request(wire: Wire, clusters: KubeClusters) -> None:
    async def with_cookie(_: web.BaseRequest) -> web.StreamResponse:
        response = web.json_response(EMPTY)
        response.set_cookie("session", "of-alice")
        return response

    wire.script(PODS, with_cookie)
    await reading(clusters).pods.list("shop")
    await reading(clusters).pods.list("shop")

    assert "Cookie" not in wire.heard[1].headers
    assert wire.heard[1].headers["User-Agent"] == "steersman/test"
    assert "gzip" in wire.heard[1].headers["Accept-Encoding"]


async def test_proxy_variables_of_the_environment_do_not_redirect_requests(
    wire: Wire, clusters: KubeClusters, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    wire.serve(PODS, EMPTY)

    assert await reading(clusters).pods.list("shop") == ()


async def test_a_read_is_repeated_once_over_a_dropped_connection(wire: Wire, clusters: KubeClusters) -> None:
    wire.script(PODS, hang_up, no_pods)

    assert await reading(clusters).pods.list("shop") == ()
    assert len(wire.heard) == 2


async def test_a_read_that_is_dropped_twice_says_so(wire: Wire, clusters: KubeClusters) -> None:
    wire.script(PODS, hang_up)

    with pytest.raises(Unavailable, match="connection to prod broke"):
        await reading(clusters).pods.list("shop")
    assert len(wire.heard) == 2


async def test_a_write_without_an_answer_is_in_doubt_and_not_repeated(wire: Wire, clusters: KubeClusters) -> None:
    wire.script(WEB, hang_up)

    with pytest.raises(TimedOut, match="deployments/web in prod/shop was changed is not known"):
        await write(clusters)
    assert [heard.method for heard in wire.heard] == ["PATCH"]


async def test_even_a_delete_goes_over_the_wire_once(wire: Wire, clusters: KubeClusters) -> None:
    wire.script(WEB, hang_up)
    delete = replace(PATCH, verb=Verb.DELETE, body={}, patch_type=None)

    with pytest.raises(TimedOut):
        await clusters.writer("prod", KubeconfigUser()).send(delete, resource_version="7", stamp=None, dry_run=False)
    assert [heard.method for heard in wire.heard] == ["DELETE"]


async def test_an_error_behind_a_write_leaves_it_in_doubt_but_a_dry_run_does_not(
    wire: Wire, clusters: KubeClusters
) -> None:
    wire.refuse(WEB, 503, "ServiceUnavailable", "etcd is away")

    with pytest.raises(TimedOut, match="etcd is away"):
        await write(clusters)
    with pytest.raises(Unavailable) as told:
        await write(clusters, dry_run=True)
    assert not isinstance(told.value, TimedOut)


async def test_a_busy_server_is_given_the_time_that_it_asks_for(wire: Wire, clusters: KubeClusters) -> None:
    async def busy(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=429, text="Too many requests", headers={"Retry-After": "4"})

    wire.script(PODS, busy, busy, no_pods)

    assert await reading(clusters).pods.list("shop") == ()
    assert wire.clock.slept == [4.0, 4.0]


@pytest.mark.parametrize(("retry_after", "requests"), [("3", 4), ("120", 1)])
async def test_patience_with_a_busy_server_ends(
    wire: Wire, clusters: KubeClusters, retry_after: str, requests: int
) -> None:
    async def busy(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(status=429, headers={"Retry-After": retry_after})

    wire.script(PODS, busy)

    with pytest.raises(TooManyRequests) as told:
        await reading(clusters).pods.list("shop")
    assert told.value.retry_after == float(retry_after)
    assert len(wire.heard) == requests


async def test_a_write_that_is_throttled_is_handed_back_at_once(wire: Wire, clusters: KubeClusters) -> None:
    wire.refuse(WEB, 429, "TooManyRequests", "slow down", retryAfterSeconds=7)

    with pytest.raises(TooManyRequests) as told:
        await write(clusters)
    assert told.value.retry_after == 7
    assert wire.clock.slept == []
    assert len(wire.heard) == 1


async def test_a_server_that_says_nothing_times_out(wire: Wire, tmp_path: Path) -> None:
    released = asyncio.Event()

    async def silent(_: web.BaseRequest) -> web.StreamResponse:
        await released.wait()
        return web.Response()

    wire.script(PODS, silent)
    async with wire.connected(tmp_path, deadline=0.1) as clusters:
        with pytest.raises(TimedOut, match="prod did not answer in time"):
            await reading(clusters).pods.list("shop")
    released.set()


async def test_a_redirect_is_not_followed(wire: Wire, clusters: KubeClusters) -> None:
    async def to_login(_: web.BaseRequest) -> web.StreamResponse:
        raise web.HTTPFound("/login")

    wire.script(PODS, to_login)

    with pytest.raises(Unavailable, match="not a Kubernetes API server"):
        await reading(clusters).pods.list("shop")
    assert [heard.path for heard in wire.heard] == [PODS]


@pytest.mark.parametrize("body", [b"<html>Log in</html>", b"{", b"\xff\xfe", b"[]", b'{"items": 3}'])
async def test_a_success_that_is_not_kubernetes_is_told_without_quoting_it(
    wire: Wire, clusters: KubeClusters, body: bytes
) -> None:
    async def page(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body=body)

    wire.script(PODS, page)

    with pytest.raises(Unavailable, match="not what the Kubernetes API sends for pods"):
        await reading(clusters).pods.list("shop")


async def test_a_warning_of_the_server_reaches_the_writer(wire: Wire, clusters: KubeClusters) -> None:
    async def warned(_: web.BaseRequest) -> web.StreamResponse:
        response = web.json_response({"metadata": {"name": "web"}})
        response.headers.add("Warning", '299 - "spec.x is \\"old\\""')
        response.headers.add("Warning", '199 - "not for us"')
        response.headers.add("Warning", '299 - "and another"')
        return response

    wire.script(WEB, warned)
    written = await clusters.writer("prod", KubeconfigUser()).send(
        PATCH, resource_version="7", stamp=None, dry_run=True
    )

    assert written.warnings == ('spec.x is "old"', "and another")


async def test_a_refused_connection_is_one_sentence_and_the_others_go_on(wire: Wire, tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        nobody = f"http://127.0.0.1:{free.getsockname()[1]}"
    wire.serve(PODS, EMPTY)
    sources = {
        "down": Kubeconfig(str(kubeconfig(tmp_path / "down", nobody))),
        "lost": Kubeconfig(str(tmp_path / "missing")),
        "prod": Kubeconfig(str(kubeconfig(tmp_path / "prod", wire.url))),
    }
    clusters = await connect(sources, Options(wire.clock, lambda: 0.0))
    try:
        assert list(clusters.failures) == ["lost"]
        with pytest.raises(Unavailable, match=r"down cannot be reached: 127\.0\.0\.1:\d+ refuses"):
            await clusters.reader("down", KubeconfigUser(), Reach(("*",))).pods.list("shop")
        with pytest.raises(Unavailable, match="no kubeconfig where one was"):
            await clusters.reader("lost", KubeconfigUser(), Reach(("*",))).pods.list("shop")
        assert await reading(clusters).pods.list("shop") == ()
    finally:
        await clusters.close()


async def test_a_cluster_that_could_not_be_opened_is_tried_again_after_a_while(wire: Wire, tmp_path: Path) -> None:
    wire.serve(PODS, EMPTY)
    clusters = await connect({"prod": Kubeconfig(str(tmp_path / "config"))}, Options(wire.clock, lambda: 0.0))
    try:
        kubeconfig(tmp_path / "config", wire.url)
        with pytest.raises(Unavailable):
            await reading(clusters).pods.list("shop")
        await wire.clock.sleep(11)
        assert await reading(clusters).pods.list("shop") == ()
    finally:
        await clusters.close()


async def test_a_closed_door_says_that_it_is_closed(wire: Wire, tmp_path: Path) -> None:
    async with wire.connected(tmp_path) as clusters:
        pass

    with pytest.raises(Unavailable, match="Steersman is stopping"):
        await reading(clusters).pods.list("shop")


async def test_an_unknown_cluster_is_answered_with_the_nearest_name(clusters: KubeClusters) -> None:
    with pytest.raises(Exception, match="no cluster 'prdo'") as told:
        clusters.writer("prdo", KubeconfigUser())
    assert "prod" in getattr(told.value, "hint", "")


async def test_a_crowd_of_watches_leaves_room_for_reads(wire: Wire, clusters: KubeClusters) -> None:
    released = asyncio.Event()

    async def list_or_wait(request: web.BaseRequest) -> web.StreamResponse:
        if "watch" not in request.query:
            item = {"metadata": {"name": "web", "namespace": "shop", "uid": "u", "resourceVersion": "1"}}
            return web.json_response({"metadata": {"resourceVersion": "1"}, "items": [item]})
        await released.wait()
        return web.json_response({})

    wire.routes["/apis/apps/v1/namespaces/shop/deployments"] = list_or_wait
    wire.serve(PODS, EMPTY)

    async def follow() -> None:
        async for _ in reading(clusters).workloads.watch(PATCH.target):
            pass

    watches = [asyncio.create_task(follow()) for _ in range(150)]
    try:
        async with asyncio.timeout(10):
            while sum("watch" in heard.query for heard in wire.heard) < 150:  # noqa: ASYNC110  # the rig has no event for it
                await asyncio.sleep(0.01)
        assert await reading(clusters).pods.list("shop") == ()
    finally:
        for watch in watches:
            watch.cancel()
        await asyncio.gather(*watches, return_exceptions=True)
        released.set()
