"""What is asked for a list: pages, tables, and the namespaces that a person may see."""

from typing import Any

import pytest
from aiohttp import web
from rigs.wire import Wire, reading, status

from bot.core.cluster import Right, ServedKind
from bot.core.errors import Expired, Forbidden, Judge
from bot.core.people import Impersonated
from bot.core.workload import Kind
from bot.kube.clusters import KubeClusters

PODS = ServedKind("v1", "Pod", "pods", "pod", ("po",), namespaced=True, verbs=("get", "list"))
NODES = ServedKind("v1", "Node", "nodes", "node", ("no",), namespaced=False, verbs=("get", "list"))
COLUMNS = [{"name": "Name", "format": "name"}, {"name": "Ready"}, {"name": "IP", "priority": 1}]


def table(*rows: list[Any], then: str = "") -> dict[str, Any]:
    return {
        "kind": "Table",
        "metadata": {"continue": then} if then else {},
        "columnDefinitions": COLUMNS,
        "rows": [{"cells": row} for row in rows],
    }


def named(*names: str) -> dict[str, Any]:
    return {"metadata": {}, "items": [{"metadata": {"name": name}} for name in names]}


def no_right(verb: str, resource: str) -> str:
    return f'User "alice" cannot {verb} resource "{resource}" in API group "" at the cluster scope'


def inside(namespace: str) -> str:
    return f"/api/v1/namespaces/{namespace}/pods"


async def test_a_long_list_is_read_page_by_page(wire: Wire, clusters: KubeClusters) -> None:
    async def page(request: web.BaseRequest) -> web.StreamResponse:
        first = "continue" not in request.query
        found = named("a", "b") if first else named("c")
        found["metadata"] = {"continue": "c1"} if first else {}
        return web.json_response(found)

    wire.routes[inside("shop")] = page

    pods = await reading(clusters).pods.list("shop", "app=web")

    assert [pod.name for pod in pods] == ["a", "b", "c"]
    assert [heard.query for heard in wire.heard] == [
        {"labelSelector": "app=web", "limit": "500"},
        {"labelSelector": "app=web", "limit": "500", "continue": "c1"},
    ]


async def test_a_list_that_expires_between_two_pages_is_read_again_in_one_piece(
    wire: Wire, clusters: KubeClusters
) -> None:
    async def page(request: web.BaseRequest) -> web.StreamResponse:
        if "continue" in request.query:
            return status(410, "Expired", "too old")
        found = named("a")
        found["metadata"] = {"continue": "c1"} if "limit" in request.query else {}
        return web.json_response(found if "limit" in request.query else named("a", "b"))

    wire.routes[inside("shop")] = page

    assert [pod.name for pod in await reading(clusters).pods.list("shop")] == ["a", "b"]


async def test_a_list_that_has_expired_from_the_start_says_so(wire: Wire, clusters: KubeClusters) -> None:
    wire.refuse(inside("shop"), 410, "Expired", "too old")

    with pytest.raises(Expired):
        await reading(clusters).pods.list("shop")


async def test_a_table_is_asked_for_without_objects_and_its_cells_are_plain_text(
    wire: Wire, clusters: KubeClusters
) -> None:
    wire.serve(inside("shop"), table(["web-1", None, True], ["a\x1b[31mb\n", 2, 0.5], [["x"], "", {"k": 1}]))

    found = await reading(clusters).objects.table(PODS, "shop", selector="app=web", fields="status.phase=Running")

    assert [(column.name, column.wide) for column in found.columns] == [("Name", False), ("Ready", False), ("IP", True)]
    assert found.rows == (("web-1", "", "true"), ("ab", "2", "0.5"), ('["x"]', "", '{"k":1}'))
    asked = wire.heard[0]
    assert asked.query == {
        "labelSelector": "app=web",
        "fieldSelector": "status.phase=Running",
        "includeObject": "None",
        "limit": "500",
    }
    assert asked.headers["Accept"].startswith("application/json;as=Table;v=v1;g=meta.k8s.io")


async def test_the_table_of_all_namespaces_is_one_table_a_namespace_within_reach(
    wire: Wire, clusters: KubeClusters
) -> None:
    wire.serve("/api/v1/namespaces", named("shop", "data", "kube-system"))
    wire.serve(inside("shop"), table(["web-1", "1/1", ""]))
    wire.serve(inside("data"), table(["db-0", "1/1", ""], ["db-1", "0/1", ""]))

    found = await reading(clusters, None, "shop", "da*").objects.table(PODS, None)

    assert found.columns[0].name == "Namespace"
    assert [row[:2] for row in found.rows] == [("data", "db-0"), ("data", "db-1"), ("shop", "web-1")]
    assert "/api/v1/namespaces/kube-system/pods" not in {heard.path for heard in wire.heard}
    assert wire.heard[0].query["resourceVersion"] == "0"  # names may be of a moment ago, rows may not
    assert all("resourceVersion" not in heard.query for heard in wire.heard[1:])


async def test_where_namespaces_may_not_be_listed_those_of_the_reach_are_tried(
    wire: Wire, clusters: KubeClusters
) -> None:
    wire.refuse("/api/v1/namespaces", 403, "Forbidden", no_right("list", "namespaces"))
    wire.serve(inside("shop"), table(["web-1", "1/1", ""]))
    wire.refuse(inside("data"), 403, "Forbidden", no_right("list", "pods"))
    reader = reading(clusters, Impersonated("alice"), "shop", "data")

    assert await reader.namespaces() == ("data", "shop")
    assert [row[:2] for row in (await reader.objects.table(PODS, None)).rows] == [("shop", "web-1")]
    with pytest.raises(Forbidden, match="may not list namespaces"):
        await reading(clusters, None, "team-*").namespaces()


async def test_a_list_over_all_namespaces_shows_nothing_beyond_the_reach(wire: Wire, clusters: KubeClusters) -> None:
    def deployment(namespace: str, name: str) -> dict[str, Any]:
        return {"metadata": {"name": name, "namespace": namespace, "uid": name}}

    everything = [deployment("shop", "web"), deployment("secret-project", "x"), deployment("data", "api")]
    wire.serve("/apis/apps/v1/deployments", {"metadata": {}, "items": everything})
    wire.serve("/apis/apps/v1/statefulsets", {"metadata": {}, "items": None})
    wire.refuse("/apis/apps/v1/daemonsets", 403, "Forbidden", no_right("list", "daemonsets"))
    wire.refuse("/apis/apps/v1/namespaces/shop/daemonsets", 403, "Forbidden", no_right("list", "daemonsets"))
    wire.serve("/api/v1/namespaces", named("shop", "secret-project"))

    found = await reading(clusters, None, "shop", "d*").workloads.list(None)

    assert [str(item.place) for item in found] == ["prod/data", "prod/shop"]


async def test_rights_in_some_namespaces_only_show_those_namespaces(wire: Wire, clusters: KubeClusters) -> None:
    wire.refuse("/api/v1/events", 403, "Forbidden", no_right("list", "events"))
    wire.serve("/api/v1/namespaces", named("shop", "data", "hidden"))
    wire.refuse("/api/v1/namespaces/data/events", 403, "Forbidden", no_right("list", "events"))
    wire.serve("/api/v1/namespaces/shop/events", {"metadata": {}, "items": [{"metadata": {"namespace": "shop"}}]})

    found = await reading(clusters, None, "s*", "d*").events.list(None)

    assert [event.namespace for event in found] == ["shop"]
    assert "/api/v1/namespaces/hidden/events" not in {heard.path for heard in wire.heard}


async def test_a_cluster_scoped_kind_is_asked_for_once(wire: Wire, clusters: KubeClusters) -> None:
    wire.serve("/api/v1/nodes", table(["n1", "Ready", ""]))

    assert await reading(clusters).objects.names(NODES, "") == ("n1",)
    assert len(wire.heard) == 1


async def test_an_api_that_prints_no_tables_is_still_shown(wire: Wire, clusters: KubeClusters) -> None:
    made = {"metadata": {"name": "x", "creationTimestamp": "2026-11-01T00:00:00Z"}}
    wire.serve("/api/v1/nodes", {"kind": "NodeList", "metadata": {}, "items": [made]})

    found = await reading(clusters).objects.table(NODES, None)

    assert found.rows == (("x", "2026-11-01T00:00:00+00:00"),)


async def test_an_access_review_is_sent_as_the_person(wire: Wire, clusters: KubeClusters) -> None:
    path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews"
    wire.serve(path, {"status": {"allowed": False, "reason": "no role"}}, 201)

    access = await reading(clusters, Impersonated("alice")).can(Right("patch", "apps", "deployments", "scale"), "shop")

    assert (access.allowed, access.reason) == (False, "no role")
    sent = wire.heard[0]
    assert sent.headers["Impersonate-User"] == "alice"
    assert sent.json["spec"]["resourceAttributes"] == {
        "verb": "patch",
        "group": "apps",
        "resource": "deployments",
        "subresource": "scale",
        "namespace": "shop",
    }


async def test_a_namespace_beyond_the_reach_is_not_asked_for(wire: Wire, clusters: KubeClusters) -> None:
    reader = reading(clusters, None, "shop", "team-*")

    for ask in (
        reader.pods.list("payments"),
        reader.workloads.get(Kind.DEPLOYMENT, "payments", "web"),
        reader.workloads.list("payments"),
        reader.objects.table(PODS, "payments"),
        reader.events.list("payments"),
    ):
        with pytest.raises(Forbidden, match="policy does not open the namespace payments on prod") as told:
            await ask
        assert told.value.judge is Judge.POLICY
    assert wire.heard == []


async def test_no_namespace_means_all_within_reach_and_never_all_there_are(wire: Wire, clusters: KubeClusters) -> None:
    for path in (inside("shop"), "/api/v1/namespaces/shop/events"):
        wire.serve(path, {"kind": "Table", "metadata": {}, "items": [], "rows": []})
    wire.serve("/api/v1/namespaces", named("shop", "payments"))
    reader = reading(clusters, None, "shop")

    await reader.objects.table(PODS, "")
    await reader.events.list("")
    with pytest.raises(ValueError, match="one namespace"):
        await reader.pods.list("")

    assert {heard.path for heard in wire.heard} == {
        "/api/v1/namespaces",
        inside("shop"),
        "/api/v1/namespaces/shop/events",
    }
