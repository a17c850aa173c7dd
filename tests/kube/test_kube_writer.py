"""Each write as it goes over the wire: where it goes, what locks it, what marks it."""

from dataclasses import replace
from typing import Any

import pytest
from aiohttp import web
from rigs.wire import Wire, status

from bot.core.cluster import Stamp
from bot.core.errors import Invalid, Refused, Stale, TimedOut
from bot.core.people import Impersonated
from bot.core.plan import Absent, ClusterWrite, Json, ObjectRef, PatchType, Precondition, Same, Verb
from bot.kube.clusters import KubeClusters
from bot.kube.request import Address
from bot.kube.writer import ClusterWriter

WEB = "/apis/apps/v1/namespaces/shop/deployments/web"
POD = "/api/v1/namespaces/shop/pods/web-1"
ACTION = "steersman.dev/action-id"
STAMP = Stamp("a-17", "audit-17")
DEPLOYMENT = ObjectRef("prod", "apps/v1", "Deployment", "deployments", "shop", "web")
PODS = ObjectRef("prod", "v1", "Pod", "pods", "shop", "web-1")


@pytest.fixture
def writer(clusters: KubeClusters) -> ClusterWriter:
    return clusters.writer("prod", Impersonated("alice", ("deployer",)))


def change(
    verb: Verb,
    body: Json,
    patch_type: PatchType | None = None,
    *,
    target: ObjectRef = DEPLOYMENT,
    expects: Precondition | None = None,
) -> ClusterWrite:
    return ClusterWrite(target, verb, body, patch_type, expects or Same("u-1", (), ""))


def answers(wire: Wire, path: str, **metadata: Any) -> None:
    wire.serve(path, {"kind": "Deployment", "metadata": {"name": "web", "resourceVersion": "7", **metadata}})


@pytest.mark.parametrize("patch_type", [PatchType.STRATEGIC, PatchType.MERGE])
async def test_a_patch_is_locked_stamped_and_strict(wire: Wire, writer: ClusterWriter, patch_type: PatchType) -> None:
    answers(wire, WEB)
    body: Json = {"metadata": {"annotations": {"a": "b"}}, "spec": {"paused": None}}
    write = change(Verb.PATCH, body, patch_type)

    written = await writer.send(write, resource_version="6", stamp=STAMP, dry_run=False)

    sent = wire.heard[0]
    assert (sent.method, sent.path) == ("PATCH", WEB)
    assert sent.query == {"fieldManager": "steersman", "fieldValidation": "Strict"}
    assert sent.headers["Content-Type"] == patch_type.value
    assert sent.headers["Audit-ID"] == "audit-17"
    assert sent.headers.getall("Impersonate-Group") == ["deployer"]
    assert sent.json == {
        "metadata": {"annotations": {"a": "b", ACTION: "a-17"}, "resourceVersion": "6"},
        "spec": {"paused": None},
    }
    assert written.manifest["metadata"] == {"name": "web", "resourceVersion": "7"}
    assert body == {"metadata": {"annotations": {"a": "b"}}, "spec": {"paused": None}}


async def test_a_dry_run_is_the_same_write_with_one_parameter_more(wire: Wire, writer: ClusterWriter) -> None:
    answers(wire, WEB)
    write = change(Verb.PATCH, {"spec": {"paused": True}}, PatchType.MERGE)

    await writer.send(write, resource_version="6", stamp=None, dry_run=True)

    assert wire.heard[0].query["dryRun"] == "All"
    assert wire.heard[0].json == {"metadata": {"resourceVersion": "6"}, "spec": {"paused": True}}
    assert "Audit-ID" not in wire.heard[0].headers


async def test_a_scale_is_locked_but_carries_no_annotation(wire: Wire, writer: ClusterWriter) -> None:
    answers(wire, f"{WEB}/scale")
    write = change(
        Verb.PATCH, {"spec": {"replicas": 3}}, PatchType.MERGE, target=replace(DEPLOYMENT, subresource="scale")
    )

    await writer.send(write, resource_version="6", stamp=STAMP, dry_run=False)

    assert wire.heard[0].path == f"{WEB}/scale"
    assert wire.heard[0].json == {"metadata": {"resourceVersion": "6"}, "spec": {"replicas": 3}}
    assert wire.heard[0].headers["Audit-ID"] == "audit-17"


@pytest.mark.parametrize(
    ("operations", "held", "stamped"),
    [
        (
            [{"op": "add", "path": "/metadata/annotations", "value": {"a": "b"}}],
            None,
            [{"op": "add", "path": "/metadata/annotations", "value": {"a": "b", ACTION: "a-17"}}],
        ),
        (
            [{"op": "remove", "path": "/metadata/annotations"}],
            None,
            [{"op": "replace", "path": "/metadata/annotations", "value": {ACTION: "a-17"}}],
        ),
        (
            [{"op": "replace", "path": "/spec/paused", "value": True}],
            {"a": "b"},
            [
                {"op": "replace", "path": "/spec/paused", "value": True},
                {"op": "add", "path": "/metadata/annotations/steersman.dev~1action-id", "value": "a-17"},
            ],
        ),
        (
            [{"op": "replace", "path": "/spec/paused", "value": True}],
            None,
            [
                {"op": "replace", "path": "/spec/paused", "value": True},
                {"op": "add", "path": "/metadata/annotations", "value": {ACTION: "a-17"}},
            ],
        ),
    ],
    ids=["sets them", "removes them", "has some", "has none"],
)
async def test_a_json_patch_tests_the_version_first_and_stamps_the_annotations_that_it_leaves(
    wire: Wire,
    writer: ClusterWriter,
    operations: list[Json],
    held: dict[str, str] | None,
    stamped: list[Json],
) -> None:
    answers(wire, WEB, **({"annotations": held} if held else {}))
    write = change(Verb.PATCH, {"operations": operations}, PatchType.JSON)

    await writer.send(write, resource_version="7", stamp=STAMP, dry_run=False)

    test = {"op": "test", "path": "/metadata/resourceVersion", "value": "7"}
    assert wire.heard[-1].json == [test, *stamped]
    assert wire.heard[-1].headers["Content-Type"] == "application/json-patch+json"


@pytest.mark.parametrize(("now", "expected"), [("8", Stale), ("7", Invalid)])
async def test_a_failed_test_of_the_version_is_told_from_a_wrong_patch(
    wire: Wire, writer: ClusterWriter, now: str, expected: type[Exception]
) -> None:
    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        if request.method == "PATCH":
            return status(422, "Invalid", "the server rejected our request due to an error in our request")
        return web.json_response({"metadata": {"name": "web", "resourceVersion": now}})

    wire.routes[WEB] = answer
    write = change(Verb.PATCH, {"operations": [{"op": "remove", "path": "/spec/x"}]}, PatchType.JSON)

    with pytest.raises(expected):
        await writer.send(write, resource_version="7", stamp=None, dry_run=False)


async def test_an_apply_names_its_content_type_and_is_never_forced(wire: Wire, writer: ClusterWriter) -> None:
    answers(wire, WEB)
    body: Json = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": {}}

    await writer.send(change(Verb.APPLY, body), resource_version="7", stamp=STAMP, dry_run=False)

    sent = wire.heard[0]
    assert (sent.method, sent.headers["Content-Type"]) == ("PATCH", "application/apply-patch+yaml")
    assert sent.json["metadata"] == {"name": "web", "resourceVersion": "7", "annotations": {ACTION: "a-17"}}
    assert "force" not in sent.query


async def test_a_create_goes_to_the_collection_and_refuses_what_is_there(wire: Wire, writer: ClusterWriter) -> None:
    collection = WEB.rpartition("/")[0]
    wire.refuse(collection, 409, "AlreadyExists", 'deployments.apps "web" already exists')
    write = change(Verb.CREATE, {"kind": "Deployment", "metadata": {"name": "web"}}, expects=Absent())

    with pytest.raises(Refused, match="There is already"):
        await writer.send(write, resource_version="", stamp=STAMP, dry_run=False)
    assert (wire.heard[0].method, wire.heard[0].path) == ("POST", collection)
    assert wire.heard[0].json["metadata"] == {"name": "web", "annotations": {ACTION: "a-17"}}


@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_delete_is_bound_to_the_object_that_was_seen(wire: Wire, writer: ClusterWriter, dry_run: bool) -> None:
    wire.serve(WEB, {"kind": "Status", "status": "Success"})
    write = change(Verb.DELETE, {"propagationPolicy": "Foreground"})

    await writer.send(write, resource_version="7", stamp=STAMP, dry_run=dry_run)

    expected: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "DeleteOptions",
        "propagationPolicy": "Foreground",
        "preconditions": {"uid": "u-1", "resourceVersion": "7"},
    }
    assert wire.heard[0].json == (expected | {"dryRun": ["All"]} if dry_run else expected)
    assert (wire.heard[0].method, wire.heard[0].path) == ("DELETE", WEB)


@pytest.mark.parametrize("subresource", ["", "eviction"])
async def test_an_eviction_is_asked_of_the_pod(wire: Wire, writer: ClusterWriter, subresource: str) -> None:
    wire.serve(f"{POD}/eviction", {"kind": "Status", "status": "Success"})
    answers(wire, POD)
    write = change(Verb.EVICT, {}, target=replace(PODS, subresource=subresource))

    assert (await writer.read(write.target))["metadata"] == {"name": "web", "resourceVersion": "7"}
    await writer.send(write, resource_version="7", stamp=STAMP, dry_run=False)

    sent = wire.heard[1].json
    assert (sent["kind"], sent["metadata"]) == ("Eviction", {"name": "web-1", "namespace": "shop"})
    assert sent["deleteOptions"]["preconditions"] == {"uid": "u-1", "resourceVersion": "7"}


async def test_a_success_that_is_not_kubernetes_leaves_a_write_in_doubt(wire: Wire, writer: ClusterWriter) -> None:
    async def login(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(text="<html>")

    wire.routes[WEB] = login
    with pytest.raises(TimedOut, match="is not known yet"):
        await writer.send(
            change(Verb.PATCH, {"spec": {}}, PatchType.MERGE), resource_version="7", stamp=None, dry_run=False
        )


@pytest.mark.parametrize(
    "write",
    [
        change(Verb.PATCH, {}, None),
        change(Verb.PATCH, {"operations": []}, PatchType.JSON),
        change(Verb.CREATE, {"metadata": {"name": "other"}}),
        change(Verb.PATCH, {"metadata": {"annotations": None}}, PatchType.MERGE),
    ],
)
async def test_a_plan_that_cannot_be_sent_as_it_stands_sends_nothing(
    wire: Wire, writer: ClusterWriter, write: ClusterWrite
) -> None:
    with pytest.raises(ValueError, match=r"without|another name|cannot carry"):
        await writer.send(write, resource_version="7", stamp=STAMP, dry_run=False)
    assert wire.heard == []


@pytest.mark.parametrize("name", ["", ".", ".."])
@pytest.mark.parametrize("verb", ["get", "patch", "delete"])
def test_a_name_that_would_reach_the_collection_never_becomes_a_path(verb: str, name: str) -> None:
    with pytest.raises(ValueError, match=r"name|path"):
        Address("apps/v1", "deployments", "shop").request(verb, name)


def test_a_name_cannot_climb_out_of_its_place() -> None:
    request = Address("v1", "pods", "shop").request("get", "../secrets/x?y#z")

    assert request.target == "/api/v1/namespaces/shop/pods/..%2Fsecrets%2Fx%3Fy%23z"
