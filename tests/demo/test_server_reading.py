"""GET, LIST and WATCH as a client of the real API server knows them."""

from __future__ import annotations

import asyncio
import json

from rigs.apiserver import TABLE, Api, pod

from bot.demo.objects import Json

PODS = "/api/v1/namespaces/shop/pods"


async def _some_pods(api: Api, count: int) -> None:
    for number in range(count):
        api.cluster.store.create("pods", pod(f"p{number}", labels={"n": str(number), "app": "web"}))


def _names(listed: Json) -> list[str]:
    return [item["metadata"]["name"] for item in listed["items"]]


async def test_a_missing_object_is_a_404_in_the_servers_words(api: Api) -> None:
    reply = await api.get("/apis/apps/v1/namespaces/shop/deployments/nope")
    assert reply.code == 404
    assert reply.body["message"] == 'deployments.apps "nope" not found'
    assert reply.body["details"] == {"name": "nope", "group": "apps", "kind": "deployments"}


async def test_list_items_carry_no_kind_because_the_list_says_it(api: Api) -> None:
    await _some_pods(api, 1)
    listed = (await api.get(PODS)).body
    assert (listed["kind"], listed["apiVersion"]) == ("PodList", "v1")
    assert "kind" not in listed["items"][0]
    assert listed["metadata"]["resourceVersion"] == api.cluster.store.resource_version


async def test_label_and_field_selectors_narrow_a_list(api: Api) -> None:
    await _some_pods(api, 4)
    api.cluster.store.create("pods", pod("bound", node="n1"))
    assert _names((await api.get(f"{PODS}?labelSelector=n+in+(1,3),app%3Dweb")).body) == ["p1", "p3"]
    assert _names((await api.get(f"{PODS}?labelSelector=!app")).body) == ["bound"]
    assert _names((await api.get(f"{PODS}?labelSelector=n!%3D0,n")).body) == ["p1", "p2", "p3"]
    assert _names((await api.get(f"{PODS}?fieldSelector=spec.nodeName%3Dn1")).body) == ["bound"]
    assert _names((await api.get(f"{PODS}?fieldSelector=metadata.name!%3Dbound&labelSelector=n%3D2")).body) == ["p2"]


async def test_an_unknown_field_selector_is_refused(api: Api) -> None:
    reply = await api.get(f"{PODS}?fieldSelector=spec.colour%3Dred")
    assert reply.code == 400
    assert '"spec.colour" is not a known field selector' in reply.body["message"]


async def test_pages_show_the_list_as_it_was_when_the_first_was_read(api: Api) -> None:
    await _some_pods(api, 5)
    first = (await api.get(f"{PODS}?limit=2")).body
    assert _names(first) == ["p0", "p1"]
    assert first["metadata"]["remainingItemCount"] == 3
    api.cluster.store.delete("pods", "shop", "p3")
    api.cluster.store.create("pods", pod("p2a"))
    token = first["metadata"]["continue"]
    second = (await api.get(f"{PODS}?limit=2&continue={token}")).body
    assert _names(second) == ["p2", "p3"]
    assert second["metadata"]["resourceVersion"] == first["metadata"]["resourceVersion"]
    third = (await api.get(f"{PODS}?limit=2&continue={second['metadata']['continue']}")).body
    assert _names(third) == ["p4"]
    assert "continue" not in third["metadata"]


async def test_a_continue_token_expires_with_the_history(api: Api) -> None:
    await _some_pods(api, 3)
    token = (await api.get(f"{PODS}?limit=1")).body["metadata"]["continue"]
    api.cluster.store.create("pods", pod("later"))
    api.cluster.store.compact()
    reply = await api.get(f"{PODS}?limit=1&continue={token}")
    assert (reply.code, reply.body["reason"]) == (410, "Expired")
    assert (await api.get(f"{PODS}?continue=nonsense")).code == 400


async def test_a_version_from_the_future_is_a_timeout_with_retry_after(api: Api) -> None:
    reply = await api.get(f"{PODS}?resourceVersion=99999999&resourceVersionMatch=NotOlderThan")
    assert (reply.code, reply.body["reason"]) == (504, "Timeout")
    assert reply.headers["Retry-After"] == "1"


async def test_a_table_has_kubectls_columns_and_only_as_much_object_as_asked_for(api: Api) -> None:
    await _some_pods(api, 1)
    bare = (await api.get(f"{PODS}?includeObject=None", TABLE)).body
    assert [column["name"] for column in bare["columnDefinitions"]][:5] == [
        "Name",
        "Ready",
        "Status",
        "Restarts",
        "Age",
    ]
    assert bare["rows"][0]["cells"][:4] == ["p0", "0/1", "", "0"]
    assert bare["rows"][0]["object"] is None
    default = (await api.get(PODS, TABLE)).body["rows"][0]["object"]
    assert default["kind"] == "PartialObjectMetadata"
    whole = (await api.get(f"{PODS}?includeObject=Object", TABLE)).body["rows"][0]["object"]
    assert whole["spec"]["containers"][0]["image"] == "web:v1"


async def test_a_pods_status_cell_names_what_keeps_it(api: Api) -> None:
    waiting = pod("stuck", node="n1")
    waiting["status"] = {
        "phase": "Pending",
        "containerStatuses": [
            {"name": "main", "restartCount": 0, "state": {"waiting": {"reason": "ImagePullBackOff"}}},
        ],
    }
    crashing = pod("zz-crash", node="n1")
    crashing["status"] = {
        "phase": "Running",
        "containerStatuses": [
            {
                "name": "main",
                "restartCount": 3,
                "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                "lastState": {"terminated": {"exitCode": 1, "finishedAt": "2020-01-01T00:00:00Z"}},
            },
        ],
    }
    for one in (waiting, crashing):
        api.cluster.store.create("pods", one)
    rows = (await api.get(f"{PODS}?includeObject=None", TABLE)).body["rows"]
    assert rows[0]["cells"][2] == "ImagePullBackOff"
    assert rows[1]["cells"][2] == "CrashLoopBackOff"
    assert rows[1]["cells"][3].startswith("3 (")


async def test_partial_metadata_leaves_spec_and_status_out(api: Api) -> None:
    await _some_pods(api, 1)
    listed = (await api.get(PODS, "application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io")).body
    assert listed["kind"] == "PartialObjectMetadataList"
    assert set(listed["items"][0]) == {"kind", "apiVersion", "metadata"}


async def test_only_protobuf_is_not_acceptable(api: Api) -> None:
    assert (await api.get(PODS, "application/vnd.kubernetes.protobuf")).code == 406


# -- watches -----------------------------------------------------------------------------------------------------------


async def test_a_watch_from_a_version_tells_what_came_after_it(api: Api) -> None:
    store = api.cluster.store
    await _some_pods(api, 1)
    version = store.resource_version
    store.create("pods", pod("new"))
    store.delete("pods", "shop", "new")
    store.create("configmaps", {"metadata": {"name": "other", "namespace": "shop"}})
    events = await api.watch(f"{PODS}?watch=1&resourceVersion={version}&timeoutSeconds=1")
    assert [(event["type"], event["object"]["metadata"]["name"]) for event in events] == [
        ("ADDED", "new"),
        ("DELETED", "new"),
    ]
    assert events[0]["object"]["kind"] == "Pod"


async def test_who_leaves_a_selector_is_deleted_for_the_watcher(api: Api) -> None:
    store = api.cluster.store
    store.create("pods", pod("a", labels={"app": "web"}))
    version = store.resource_version
    changed = pod("a", labels={"app": "db"})
    store.update("pods", changed)
    store.update("pods", pod("a", labels={"app": "web"}))
    path = f"{PODS}?watch=1&labelSelector=app%3Dweb&resourceVersion={version}&timeoutSeconds=1"
    assert [event["type"] for event in await api.watch(path)] == ["DELETED", "ADDED"]


async def test_a_watch_list_ends_its_initial_events_with_a_marked_bookmark(api: Api) -> None:
    await _some_pods(api, 2)
    events = await api.watch(
        f"{PODS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        "&timeoutSeconds=1"
    )
    assert [event["type"] for event in events[:3]] == ["ADDED", "ADDED", "BOOKMARK"]
    meta = events[2]["object"]["metadata"]
    assert meta["annotations"] == {"k8s.io/initial-events-end": "true"}
    assert meta["resourceVersion"] == api.cluster.store.resource_version


async def test_send_initial_events_needs_its_match(api: Api) -> None:
    reply = await api.get(f"{PODS}?watch=1&sendInitialEvents=true")
    assert (reply.code, reply.body["reason"]) == (422, "Invalid")


async def test_a_watch_from_a_forgotten_version_is_an_error_event_with_410(api: Api) -> None:
    await _some_pods(api, 2)
    api.cluster.store.compact()
    (event,) = await api.watch(f"{PODS}?watch=1&resourceVersion=2&timeoutSeconds=5")
    assert event["type"] == "ERROR"
    assert (event["object"]["code"], event["object"]["reason"]) == (410, "Expired")


async def test_a_running_watch_hears_of_changes_at_once(api: Api) -> None:
    async with api.raw("GET", f"{PODS}?watch=1&timeoutSeconds=30") as response:
        api.cluster.store.create("pods", pod("now"))
        async with asyncio.timeout(2):
            event = json.loads(await response.content.readline())
    assert (event["type"], event["object"]["metadata"]["name"]) == ("ADDED", "now")


async def test_a_watched_table_says_its_columns_once(api: Api) -> None:
    await _some_pods(api, 2)
    async with api.raw("GET", f"{PODS}?watch=1&timeoutSeconds=1&includeObject=None", headers={"Accept": TABLE}) as got:
        events = [json.loads(line) for line in (await got.text()).splitlines()]
    assert [bool(event["object"]["columnDefinitions"]) for event in events] == [True, False]


async def test_the_server_stops_while_a_client_watches(api: Api) -> None:
    async with api.raw("GET", f"{PODS}?watch=1&timeoutSeconds=600") as response:
        assert response.status == 200
        async with asyncio.timeout(5):
            await api.cluster.__aexit__(None, None, None)


# -- logs and metrics --------------------------------------------------------------------------------------------------


async def test_metrics_are_measured_per_container(api: Api) -> None:
    api.cluster.store.create("pods", pod("a", labels={"app": "web"}))
    listed = (await api.get("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods?labelSelector=app%3Dweb")).body
    assert listed["kind"] == "PodMetricsList"
    assert listed["items"][0]["containers"] == [{"name": "main", "usage": {"cpu": "12m", "memory": "34816Ki"}}]
    assert (await api.get("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods/none")).code == 404
