"""Logs, events, revisions and pods, from what the server sends."""

from datetime import UTC, datetime
from typing import Any

import pytest
from aiohttp import web
from rigs.wire import Wire, reading

from bot.core.errors import NotFound, Refused
from bot.core.pod import LogRequest
from bot.core.workload import Kind
from bot.kube.clusters import KubeClusters


def inside(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


async def test_the_last_lines_of_a_log_are_kept_and_made_plain(wire: Wire, clusters: KubeClusters) -> None:
    lines = [f"\x1b[31mline {n}\x1b[0m \x07\u202e" for n in range(200)]

    async def log(_: web.BaseRequest) -> web.StreamResponse:
        return web.Response(body="\r\n".join([*lines, ""]).encode() + b"\xff end")

    wire.routes[f"{inside('shop')}/web-1/log"] = log
    request = LogRequest("web-1", "web", previous=True, tail=20, since=60, limit=200, timestamps=True)

    text = await reading(clusters).pods.logs("shop", request)

    assert text.splitlines()[-2:] == ["line 199 ", "\ufffd end"]
    assert all(line.startswith("line ") for line in text.splitlines()[:-1])
    assert wire.heard[0].query == {
        "container": "web",
        "tailLines": "20",
        "limitBytes": str(20 * 4096),
        "previous": "true",
        "sinceSeconds": "60",
        "timestamps": "true",
    }


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ('previous terminated container "web" in pod "web-1" not found', NotFound, "has no previous run"),
        ("container x is not valid for pod web-1", NotFound, "has no container web"),
        (
            'container "web" in pod "web-1" is waiting to start: trying and failing to pull image',
            Refused,
            "has not started yet: trying and failing to pull image.",
        ),
    ],
)
async def test_a_log_that_is_not_there_says_why(
    wire: Wire, clusters: KubeClusters, said: str, kind: type[Exception], words: str
) -> None:
    wire.refuse(f"{inside('shop')}/web-1/log", 400, "BadRequest", said)

    with pytest.raises(kind, match=words):
        await reading(clusters).pods.logs("shop", LogRequest("web-1", "web"))


async def test_events_are_told_in_the_order_of_kubectl_events(wire: Wire, clusters: KubeClusters) -> None:
    def happened(reason: str, **times: Any) -> dict[str, Any]:
        about = {"kind": "Pod", "name": "web-1", "fieldPath": "spec.containers{web}"}
        return {"metadata": {"namespace": "shop"}, "involvedObject": about, "reason": reason, "message": "m\n", **times}

    early, late, latest = (f"2026-11-23T09:0{n}:00Z" for n in (1, 2, 3))
    events = [
        happened("Series", lastTimestamp=early, series={"count": 7, "lastObservedTime": f"{latest[:-1]}.000001Z"}),
        happened("New", lastTimestamp=None, eventTime=early),
        happened("Old", firstTimestamp=early, lastTimestamp=late, count=3, type="Warning"),
    ]
    wire.serve("/api/v1/namespaces/shop/events", {"metadata": {}, "items": events})

    found = await reading(clusters).events.list("shop")

    assert [(event.reason, event.count) for event in found] == [("New", 1), ("Old", 3), ("Series", 7)]
    assert found[1].warning
    assert found[1].first == datetime(2026, 11, 23, 9, 1, tzinfo=UTC)
    assert (found[0].message, found[0].field, found[0].namespace) == ("m", "spec.containers{web}", "shop")


async def test_events_about_few_objects_are_selected_and_about_many_are_sifted(
    wire: Wire, clusters: KubeClusters
) -> None:
    def of(name: str) -> dict[str, Any]:
        return {"metadata": {"namespace": "shop"}, "involvedObject": {"kind": "Pod", "name": name}}

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        chosen = request.query.get("fieldSelector", "").rpartition("=")[2]
        return web.json_response({"metadata": {}, "items": [of(chosen)] if chosen else [of("p1"), of("other")]})

    wire.routes["/api/v1/namespaces/shop/events"] = answer
    events = reading(clusters).events

    few = await events.list("shop", [("Pod", "p1"), ("Pod", "p2")])
    assert sorted(event.name for event in few) == ["p1", "p2"]
    assert {heard.query["fieldSelector"] for heard in wire.heard} == {
        "involvedObject.kind=Pod,involvedObject.name=p1",
        "involvedObject.kind=Pod,involvedObject.name=p2",
    }
    many = await events.list("shop", [("Pod", f"p{n}") for n in range(40)])
    assert [event.name for event in many] == ["p1"]
    assert len(wire.heard) == 3


async def test_revisions_are_those_that_the_workload_controls_whatever_their_names(
    wire: Wire, clusters: KubeClusters
) -> None:
    def replica_set(name: str, owner: str, number: str | None, *, controller: bool = True) -> dict[str, Any]:
        owners = [{"kind": "Deployment", "name": "web", "uid": owner, "controller": controller}]
        marks = {"kubernetes.io/change-cause": f"cause of {name}"}
        if number is not None:
            marks["deployment.kubernetes.io/revision"] = number
        metadata = {"name": name, "uid": name, "ownerReferences": owners, "annotations": marks}
        template = {"spec": {"containers": [{"name": "c", "image": f"app:{name}"}]}}
        return {"metadata": metadata, "spec": {"template": template}, "status": {"replicas": 2, "readyReplicas": 1}}

    selector = {
        "matchLabels": {"app": "web"},
        "matchExpressions": [
            {"key": "tier", "operator": "In", "values": ["b", "a"]},
            {"key": "old", "operator": "DoesNotExist"},
        ],
    }
    deployment = {
        "metadata": {"name": "web", "namespace": "shop", "uid": "u1"},
        "spec": {"selector": selector, "template": {"spec": {"containers": None}}},
    }
    wire.serve("/apis/apps/v1/namespaces/shop/deployments/web", deployment)
    sets = [
        replica_set("ten", "u1", "10"),
        replica_set("two", "u1", "2"),
        replica_set("foreign", "u2", "3"),
        replica_set("lent", "u1", "4", controller=False),
        replica_set("odd", "u1", "five"),
        replica_set("new", "u1", None),
    ]
    wire.serve("/apis/apps/v1/namespaces/shop/replicasets", {"metadata": {}, "items": sets})
    reader = reading(clusters).workloads
    workload = await reader.get(Kind.DEPLOYMENT, "shop", "web")

    found = await reader.revisions(workload)

    assert [(revision.number, revision.name) for revision in found] == [(0, "new"), (2, "two"), (10, "ten")]
    assert (found[1].change_cause, found[1].replicas, found[1].ready) == ("cause of two", 2, 1)
    assert found[1].containers[0].image == "app:two"
    assert wire.heard[-1].query["labelSelector"] == "app=web,tier in (a,b),!old"
    assert (workload.replicas, workload.containers) == (1, ())


async def test_a_pod_that_the_kubelet_has_not_seen_yet_has_its_containers_all_the_same(
    wire: Wire, clusters: KubeClusters
) -> None:
    unschedulable = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "no node fits"}
    pod = {
        "metadata": {"name": "web-1", "namespace": "shop", "creationTimestamp": None},
        "spec": {"containers": [{"name": "c", "image": "app:v1"}], "initContainers": [{"name": "i", "image": "init"}]},
        "status": {"phase": "Pending", "conditions": [unschedulable]},
    }
    wire.serve(f"{inside('shop')}/web-1", pod)

    found = await reading(clusters).pods.get("shop", "web-1")

    assert [(c.name, c.image, c.init, c.ready) for c in found.containers] == [
        ("c", "app:v1", False, False),
        ("i", "init", True, False),
    ]
    assert (found.unschedulable, found.ready, found.deleting) == ("no node fits", False, False)
