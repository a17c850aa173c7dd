"""POST, PUT, PATCH, DELETE and the subresources, as the real API server answers them."""

from __future__ import annotations

import pytest
from rigs.apiserver import APPLY, JSON_PATCH, MERGE, STRATEGIC, Api, deployment, eventually, pod

from bot.demo.objects import Json

DEPLOYMENTS = "/apis/apps/v1/namespaces/shop/deployments"
WEB = f"{DEPLOYMENTS}/web"
PODS = "/api/v1/namespaces/shop/pods"


async def _web(api: Api) -> Json:
    reply = await api.post(DEPLOYMENTS, deployment())
    assert reply.code == 201
    body: Json = reply.body
    return body


def _main(obj: Json) -> Json:
    container: Json = obj["spec"]["template"]["spec"]["containers"][0]
    return container


# -- create ------------------------------------------------------------------------------------------------------------


async def test_a_created_deployment_comes_back_with_the_servers_defaults(api: Api) -> None:
    made = (await api.post(DEPLOYMENTS, deployment(replicas=None))).body
    assert made["metadata"]["generation"] == 1
    assert made["metadata"]["uid"]
    spec = made["spec"]
    assert (spec["replicas"], spec["revisionHistoryLimit"], spec["progressDeadlineSeconds"]) == (1, 10, 600)
    assert spec["strategy"] == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}
    assert _main(made) == {
        "name": "main",
        "image": "web:v1",
        "imagePullPolicy": "IfNotPresent",
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
    }


async def test_creating_twice_is_a_conflict(api: Api) -> None:
    await _web(api)
    reply = await api.post(DEPLOYMENTS, deployment())
    assert (reply.code, reply.body["reason"]) == (409, "AlreadyExists")
    assert reply.body["message"] == 'deployments.apps "web" already exists'


async def test_a_namespace_that_is_not_there_takes_nothing(api: Api) -> None:
    reply = await api.post("/apis/apps/v1/namespaces/none/deployments", deployment())
    assert (reply.code, reply.body["message"]) == (404, 'namespaces "none" not found')


async def test_a_secrets_plain_strings_become_data(api: Api) -> None:
    secret = {"metadata": {"name": "s"}, "stringData": {"PASSWORD": "not-a-real-one"}}  # pragma: allowlist secret
    made = (await api.post("/api/v1/namespaces/shop/secrets", secret)).body
    assert made["type"] == "Opaque"
    assert made["data"] == {"PASSWORD": "bm90LWEtcmVhbC1vbmU="}  # pragma: allowlist secret
    assert "stringData" not in made


async def test_quantities_are_written_back_canonically(api: Api) -> None:
    asked = deployment()
    _main(asked)["resources"] = {"limits": {"cpu": "0.5", "memory": "1024Mi"}, "requests": {"cpu": "1000m"}}
    reply = await api.post(DEPLOYMENTS, asked)
    assert reply.code == 422
    said = 'spec.template.spec.containers[0].resources.requests: Invalid value: "1": must be less than or equal to cpu'
    assert said in reply.body["message"]
    _main(asked)["resources"] = {"limits": {"cpu": "0.5", "memory": "1024Mi"}}
    made = (await api.post(DEPLOYMENTS, asked)).body
    assert _main(made)["resources"] == {"limits": {"cpu": "500m", "memory": "1Gi"}}


def _with(change: str) -> Json:
    obj = deployment()
    spec, containers = obj["spec"], obj["spec"]["template"]["spec"]["containers"]
    match change:
        case "bad name":
            obj["metadata"]["name"] = "Web_1"
        case "negative replicas":
            spec["replicas"] = -1
        case "no image":
            del containers[0]["image"]
        case "twice the same container":
            containers[1]["name"] = "main"
        case "selector of others":
            spec["selector"] = {"matchLabels": {"app": "other"}}
        case "no room to move":
            spec["strategy"] = {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": 0}}
        case "unknown volume":
            containers[0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
        case "recreate with a rolling update":
            spec["strategy"] = {"type": "Recreate", "rollingUpdate": {"maxSurge": 1}}
    return obj


@pytest.mark.parametrize(
    ("change", "field", "said"),
    [
        ("bad name", "metadata.name", "a lowercase RFC 1123 subdomain must consist of"),
        ("negative replicas", "spec.replicas", "Invalid value: -1: must be greater than or equal to 0"),
        ("no image", "spec.template.spec.containers[0].image", "Required value"),
        ("twice the same container", "spec.template.spec.containers[1].name", 'Duplicate value: "main"'),
        ("selector of others", "spec.template.metadata.labels", "`selector` does not match template `labels`"),
        ("no room to move", "spec.strategy.rollingUpdate.maxUnavailable", "may not be 0 when `maxSurge` is 0"),
        ("unknown volume", "spec.template.spec.containers[0].volumeMounts[0].name", 'Not found: "data"'),
        ("recreate with a rolling update", "spec.strategy.rollingUpdate", "may not be specified when strategy"),
    ],
)
async def test_what_is_wrong_is_said_with_its_field(api: Api, change: str, field: str, said: str) -> None:
    reply = await api.post(DEPLOYMENTS, _with(change))
    assert (reply.code, reply.body["reason"]) == (422, "Invalid")
    causes = {cause["field"]: cause["message"] for cause in reply.body["details"]["causes"]}
    assert said in causes[field]
    assert reply.body["message"].startswith('Deployment.apps "')
    assert api.cluster.store.list("deployments.apps") == []


async def test_unknown_fields_are_refused_warned_of_or_ignored_as_asked(api: Api) -> None:
    wrong = deployment()
    wrong["spec"]["colour"] = "red"
    _main(wrong)["imgae"] = "x"
    strict = await api.post(f"{DEPLOYMENTS}?fieldValidation=Strict", wrong)
    assert strict.code == 400
    assert strict.body["message"] == (
        'Deployment in version "v1" cannot be handled as a Deployment: strict decoding error: unknown field '
        '"spec.template.spec.containers[0].imgae", unknown field "spec.colour"'
    )
    warned = await api.post(f"{DEPLOYMENTS}?fieldValidation=Warn&dryRun=All", wrong)
    assert warned.code == 201
    assert warned.headers.getall("Warning") == [
        '299 - "unknown field \\"spec.template.spec.containers[0].imgae\\""',
        '299 - "unknown field \\"spec.colour\\""',
    ]
    ignored = await api.post(f"{DEPLOYMENTS}?fieldValidation=Ignore", wrong)
    assert "Warning" not in ignored.headers
    assert "colour" not in ignored.body["spec"]


async def test_a_value_of_the_wrong_type_is_a_400_in_gos_words(api: Api) -> None:
    wrong = deployment()
    wrong["spec"]["replicas"] = "three"
    reply = await api.post(DEPLOYMENTS, wrong)
    assert reply.code == 400
    assert (
        "cannot unmarshal string into Go struct field DeploymentSpec.spec.replicas of type int32"
        in (reply.body["message"])
    )


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'"text"', b"\xff\xfe"])
async def test_a_body_that_is_no_object_is_a_400(api: Api, body: bytes) -> None:
    async with api.raw("POST", DEPLOYMENTS, data=body, headers={"Content-Type": "application/json"}) as response:
        assert response.status in {400, 422}
        assert (await response.json())["kind"] == "Status"


# -- update and patch --------------------------------------------------------------------------------------------------


async def test_an_update_with_an_old_version_is_a_conflict_and_changes_nothing(api: Api) -> None:
    made = await _web(api)
    await api.patch(WEB, {"spec": {"replicas": 5}})
    made["spec"]["replicas"] = 9
    reply = await api.put(WEB, made)
    assert (reply.code, reply.body["reason"]) == (409, "Conflict")
    assert "the object has been modified" in reply.body["message"]
    assert (await api.get(WEB)).body["spec"]["replicas"] == 5


async def test_a_selector_cannot_be_changed(api: Api) -> None:
    made = await _web(api)
    made["spec"]["selector"]["matchLabels"]["tier"] = "x"
    made["spec"]["template"]["metadata"]["labels"]["tier"] = "x"
    reply = await api.put(WEB, made)
    assert reply.code == 422
    assert "field is immutable" in reply.body["message"]


async def test_a_strategic_patch_changes_one_container_and_leaves_the_other(api: Api) -> None:
    await _web(api)
    body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:v2"}]}}}}
    patched = (await api.patch(WEB, body)).body
    assert [one["image"] for one in patched["spec"]["template"]["spec"]["containers"]] == ["web:v2", "side:1"]
    assert patched["metadata"]["generation"] == 2


async def test_a_merge_patch_replaces_lists_and_null_deletes(api: Api) -> None:
    await _web(api)
    await api.patch(WEB, {"metadata": {"annotations": {"a": "1", "b": "2"}}}, MERGE)
    patched = (await api.patch(WEB, {"metadata": {"annotations": {"a": None}}}, MERGE)).body
    assert patched["metadata"]["annotations"] == {"b": "2"}
    assert patched["metadata"]["generation"] == 3  # a Deployment counts its annotations
    lost = await api.patch(WEB, {"spec": {"template": {"spec": {"containers": [{"name": "main"}]}}}}, MERGE)
    assert lost.code == 422


async def test_a_json_patch_whose_test_fails_is_a_422_and_changes_nothing(api: Api) -> None:
    made = await _web(api)
    operations: list[Json] = [
        {"op": "test", "path": "/metadata/resourceVersion", "value": "1"},
        {"op": "replace", "path": "/spec/replicas", "value": 7},
    ]
    assert (await api.patch(WEB, operations, JSON_PATCH)).code == 422
    assert (await api.get(WEB)).body == made
    operations[0]["value"] = made["metadata"]["resourceVersion"]
    assert (await api.patch(WEB, operations, JSON_PATCH)).body["spec"]["replicas"] == 7


async def test_a_patch_that_changes_nothing_keeps_the_version(api: Api) -> None:
    made = await _web(api)
    patched = (await api.patch(WEB, {"spec": {"replicas": 2}})).body
    assert patched["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


async def test_a_version_inside_a_patch_locks_it(api: Api) -> None:
    made = await _web(api)
    stale = {"metadata": {"resourceVersion": made["metadata"]["resourceVersion"]}, "spec": {"replicas": 3}}
    assert (await api.patch(WEB, stale, MERGE)).code == 200
    again = await api.patch(WEB, {**stale, "spec": {"replicas": 4}}, MERGE)
    assert (again.code, again.body["reason"]) == (409, "Conflict")


async def test_a_strict_patch_with_an_unknown_field_is_a_422(api: Api) -> None:
    await _web(api)
    reply = await api.patch(f"{WEB}?fieldValidation=Strict", {"spec": {"colour": "red"}})
    assert reply.code == 422
    assert reply.body["message"] == (
        ' "" is invalid: patch: Invalid value: "map[spec:map[colour:red]]": strict decoding error: unknown field '
        '"spec.colour"'
    )


async def test_an_unknown_patch_type_is_a_415(api: Api) -> None:
    await _web(api)
    assert (await api.patch(WEB, {}, "application/x-patch")).code == 415


async def test_a_status_write_leaves_the_spec_and_a_spec_write_leaves_the_status(api: Api) -> None:
    await _web(api)
    both = {"spec": {"replicas": 9}, "status": {"replicas": 4}}
    patched = (await api.patch(f"{WEB}/status", both, MERGE)).body
    assert (patched["spec"]["replicas"], patched["status"]["replicas"]) == (2, 4)
    assert patched["metadata"]["generation"] == 1
    patched = (await api.patch(WEB, {"spec": {"replicas": 9}, "status": {"replicas": 0}}, MERGE)).body
    assert (patched["spec"]["replicas"], patched["status"]["replicas"]) == (9, 4)


# -- dry run -----------------------------------------------------------------------------------------------------------


async def test_a_dry_run_answers_like_the_write_and_stores_nothing(api: Api) -> None:
    made = await _web(api)
    before = api.cluster.store.resource_version
    body = {"spec": {"replicas": 6}}
    dry = (await api.patch(f"{WEB}?dryRun=All", body)).body
    assert (dry["spec"]["replicas"], dry["metadata"]["generation"]) == (6, 2)
    assert dry["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert (await api.get(WEB)).body == made
    created = (await api.post(f"{DEPLOYMENTS}?dryRun=All", deployment("other"))).body
    assert created["metadata"]["uid"]
    assert "resourceVersion" not in created["metadata"]
    assert (await api.delete(f"{WEB}?dryRun=All")).code == 200
    assert (await api.put(f"{WEB}/scale?dryRun=All", {"spec": {"replicas": 8}})).body["spec"]["replicas"] == 8
    assert (await api.patch(f"{WEB}?dryRun=All&fieldManager=x", deployment(), APPLY)).code == 200
    assert api.cluster.store.resource_version == before
    assert (await api.patch(f"{WEB}?dryRun=Some", body)).code == 422


# -- server-side apply -------------------------------------------------------------------------------------------------


def _applied(**spec: object) -> Json:
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": spec}


async def test_apply_creates_and_records_who_owns_what(api: Api) -> None:
    reply = await api.patch(f"{WEB}?fieldManager=bot", deployment(), APPLY)
    assert reply.code == 201
    (entry,) = reply.body["metadata"]["managedFields"]
    assert (entry["manager"], entry["operation"]) == ("bot", "Apply")
    containers = entry["fieldsV1"]["f:spec"]["f:template"]["f:spec"]["f:containers"]
    assert containers['k:{"name":"main"}'] == {".": {}, "f:name": {}, "f:image": {}}


async def test_apply_on_anothers_field_is_a_conflict_unless_forced(api: Api) -> None:
    await api.patch(f"{WEB}?fieldManager=first", deployment(), APPLY)
    reply = await api.patch(f"{WEB}?fieldManager=second", _applied(replicas=5), APPLY)
    assert (reply.code, reply.body["reason"]) == (409, "Conflict")
    assert reply.body["message"] == 'Apply failed with 1 conflict: conflict with "first": .spec.replicas'
    (cause,) = reply.body["details"]["causes"]
    assert (cause["reason"], cause["field"]) == ("FieldManagerConflict", ".spec.replicas")
    assert (await api.patch(f"{WEB}?fieldManager=second", _applied(replicas=2), APPLY)).code == 200
    forced = await api.patch(f"{WEB}?fieldManager=second&force=true", _applied(replicas=5), APPLY)
    assert forced.body["spec"]["replicas"] == 5
    again = await api.patch(f"{WEB}?fieldManager=first", deployment(), APPLY)
    assert 'conflict with "second": .spec.replicas' in again.body["message"]


async def test_an_imperative_change_takes_the_field_from_the_applier(api: Api) -> None:
    await api.patch(f"{WEB}?fieldManager=gitops", deployment(), APPLY)
    body = {"spec": {"template": {"spec": {"containers": [{"name": "main", "image": "web:v9"}]}}}}
    await api.patch(f"{WEB}?fieldManager=steersman", body)
    reply = await api.patch(f"{WEB}?fieldManager=gitops", deployment(), APPLY)
    assert 'conflict with "steersman" using apps/v1' in reply.body["message"]
    assert '.spec.template.spec.containers[name="main"].image' in reply.body["message"]


async def test_what_is_no_longer_applied_goes_unless_somebody_else_owns_it(api: Api) -> None:
    first = deployment()
    first["metadata"]["labels"] = {"team": "a", "tier": "web"}
    await api.patch(f"{WEB}?fieldManager=bot", first, APPLY)
    await api.patch(f"{WEB}?fieldManager=other", {**_applied(), "metadata": {"labels": {"tier": "web"}}}, APPLY)
    second = deployment()
    del second["spec"]["template"]["spec"]["containers"][1]
    applied = (await api.patch(f"{WEB}?fieldManager=bot", second, APPLY)).body
    assert applied["metadata"]["labels"] == {"tier": "web"}
    assert [one["name"] for one in applied["spec"]["template"]["spec"]["containers"]] == ["main"]


async def test_apply_twice_changes_nothing(api: Api) -> None:
    first = await api.patch(f"{WEB}?fieldManager=bot", deployment(), APPLY)
    second = await api.patch(f"{WEB}?fieldManager=bot", deployment(), APPLY)
    assert second.body["metadata"]["resourceVersion"] == first.body["metadata"]["resourceVersion"]


async def test_apply_wants_a_manager_and_declared_fields(api: Api) -> None:
    assert "fieldManager: Required value" in (await api.patch(WEB, deployment(), APPLY)).body["message"]
    reply = await api.patch(f"{WEB}?fieldManager=bot", _applied(colour="red"), APPLY)
    assert (reply.code, reply.body["message"]) == (
        500,
        "failed to create typed patch object (shop/web; apps/v1, Kind=Deployment): .spec.colour: field not declared in"
        " schema",
    )


# -- scale and eviction ------------------------------------------------------------------------------------------------


async def test_a_scale_carries_the_workloads_version_and_locks_with_it(api: Api) -> None:
    made = await _web(api)
    scale = (await api.get(f"{WEB}/scale")).body
    assert scale["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]
    assert (scale["spec"], scale["status"]["selector"]) == ({"replicas": 2}, "app=web")
    scale["spec"]["replicas"] = 4
    assert (await api.put(f"{WEB}/scale", scale)).body["spec"] == {"replicas": 4}
    stale = await api.put(f"{WEB}/scale", scale)
    assert (stale.code, stale.body["reason"]) == (409, "Conflict")


async def test_a_scale_of_zero_is_not_written_and_a_negative_one_refused(api: Api) -> None:
    await _web(api)
    zero = await api.patch(f"{WEB}/scale", {"spec": {"replicas": 0}}, MERGE)
    assert zero.body["spec"] == {}
    assert (await api.get(WEB)).body["spec"]["replicas"] == 0
    refused = await api.patch(f"{WEB}/scale", {"spec": {"replicas": -1}}, STRATEGIC)
    assert (refused.code, refused.body["message"]) == (
        422,
        'Scale.autoscaling "web" is invalid: spec.replicas: Invalid value: -1: must be greater than or equal to 0',
    )


async def test_a_budget_stops_an_eviction_with_429(api: Api) -> None:
    store = api.cluster.store
    for name in ("a", "b"):
        ready = pod(name, node="n1", labels={"app": "web"})
        ready["status"] = {"phase": "Running", "conditions": [{"type": "Ready", "status": "True"}]}
        store.create("pods", ready)
    budget = {"metadata": {"name": "web"}, "spec": {"minAvailable": 1, "selector": {"matchLabels": {"app": "web"}}}}
    await api.post("/apis/policy/v1/namespaces/shop/poddisruptionbudgets", budget)
    eviction = {"apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": "a"}}
    assert (await api.post(f"{PODS}/a/eviction", eviction)).code == 201
    refused = await api.post(f"{PODS}/b/eviction", {})
    assert (refused.code, refused.body["reason"]) == (429, "TooManyRequests")
    assert refused.headers["Retry-After"] == "10"
    assert "violate the pod's disruption budget" in refused.body["message"]


# -- quota -------------------------------------------------------------------------------------------------------------


async def test_a_quota_refuses_what_exceeds_it_in_the_servers_words(api: Api) -> None:
    hard = {"pods": "1", "requests.cpu": "500m"}
    await api.post("/api/v1/namespaces/shop/resourcequotas", {"metadata": {"name": "small"}, "spec": {"hard": hard}})
    silent = await api.post(PODS, pod("a"))
    assert silent.body["message"] == ('pods "a" is forbidden: failed quota: small: must specify requests.cpu for: main')
    asking = pod("a")
    asking["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "200m"}}
    assert (await api.post(PODS, asking)).code == 201
    asking["metadata"]["name"] = "b"
    asking["spec"]["containers"][0]["resources"] = {"requests": {"cpu": "400m"}}
    refused = await api.post(PODS, asking)
    assert (refused.code, refused.body["reason"]) == (403, "Forbidden")
    assert refused.body["message"] == (
        'pods "b" is forbidden: exceeded quota: small, requested: pods=1,requests.cpu=400m, used: pods=1,'
        "requests.cpu=200m, limited: pods=1,requests.cpu=500m"
    )


# -- delete ------------------------------------------------------------------------------------------------------------


def _owned(name: str, owner: Json, *, blocks: bool = False) -> Json:
    reference = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": blocks,
    }
    return {"metadata": {"name": name, "namespace": "shop", "ownerReferences": [reference]}, "data": {}}


async def test_a_deleted_owner_takes_its_dependents_with_it(api: Api) -> None:
    owner, store = await _web(api), api.cluster.store
    store.create("configmaps", _owned("child", owner))
    reply = await api.delete(WEB)
    assert reply.body["status"] == "Success"
    assert reply.body["details"] == {
        "name": "web",
        "group": "apps",
        "kind": "deployments",
        "uid": owner["metadata"]["uid"],
    }
    await eventually(lambda: store.find("configmaps", "shop", "child") is None)


async def test_orphaned_dependents_stay_and_forget_their_owner(api: Api) -> None:
    owner, store = await _web(api), api.cluster.store
    store.create("configmaps", _owned("child", owner))
    await api.delete(WEB, {"propagationPolicy": "Orphan"})
    await eventually(lambda: store.find("deployments.apps", "shop", "web") is None)
    assert "ownerReferences" not in store.get("configmaps", "shop", "child")["metadata"]


async def test_a_foreground_deletion_waits_for_what_blocks_it(api: Api) -> None:
    owner, store = await _web(api), api.cluster.store
    child = _owned("child", owner, blocks=True)
    child["metadata"]["finalizers"] = ["example.com/hold"]
    store.create("configmaps", child)
    reply = await api.delete(f"{WEB}?propagationPolicy=Foreground")
    assert reply.body["metadata"]["finalizers"] == ["foregroundDeletion"]
    await eventually(lambda: "deletionTimestamp" in store.get("configmaps", "shop", "child")["metadata"])
    assert store.find("deployments.apps", "shop", "web") is not None
    await api.patch("/api/v1/namespaces/shop/configmaps/child", {"metadata": {"finalizers": None}}, MERGE)
    await eventually(lambda: store.find("deployments.apps", "shop", "web") is None)


async def test_an_object_whose_owner_never_was_is_collected(api: Api) -> None:
    store = api.cluster.store
    store.create("configmaps", _owned("lost", {"metadata": {"name": "ghost", "uid": "no-such-uid"}}))
    await eventually(lambda: store.find("configmaps", "shop", "lost") is None)


async def test_a_deletion_with_a_wrong_precondition_deletes_nothing(api: Api) -> None:
    await _web(api)
    reply = await api.delete(WEB, {"preconditions": {"uid": "another"}})
    assert (reply.code, reply.body["reason"]) == (409, "Conflict")
    assert (await api.get(WEB)).code == 200


async def test_a_running_pod_is_terminating_until_its_kubelet_lets_it_go(api: Api) -> None:
    store = api.cluster.store
    store.create("pods", pod("a", node="n1"))
    marked = (await api.delete(f"{PODS}/a?gracePeriodSeconds=5")).body
    assert marked["metadata"]["deletionGracePeriodSeconds"] == 5
    assert store.find("pods", "shop", "a") is not None
    await api.delete(f"{PODS}/a?gracePeriodSeconds=0")
    assert store.find("pods", "shop", "a") is None


async def test_a_collection_is_deleted_by_selector(api: Api) -> None:
    for name in ("a", "b"):
        api.cluster.store.create("pods", pod(name, labels={"app": name}))
    assert (await api.delete(f"{PODS}?labelSelector=app%3Da")).body["kind"] == "PodList"
    assert [one["metadata"]["name"] for one in api.cluster.store.list("pods")] == ["b"]


async def test_a_namespace_goes_when_it_is_empty_and_takes_nothing_meanwhile(api: Api) -> None:
    store = api.cluster.store
    held = pod("held", node="n1")
    store.create("pods", held)
    await _web(api)
    assert (await api.delete("/api/v1/namespaces/shop")).body["status"]["phase"] == "Terminating"
    await eventually(lambda: store.find("deployments.apps", "shop", "web") is None)
    refused = await api.post(DEPLOYMENTS, deployment("late"))
    assert refused.code == 403
    assert "because it is being terminated" in refused.body["message"]
    store.delete("pods", "shop", "held", grace=0)
    await eventually(lambda: store.find("namespaces", "", "shop") is None)


async def test_methods_and_paths_that_do_not_exist_are_said_so(api: Api) -> None:
    assert (await api.post(WEB, {})).code == 405
    assert (await api.get("/apis/apps/v1/namespaces/shop/gadgets")).code == 404
    assert (await api.get(f"{WEB}/log")).code == 404
    assert (await api.delete(f"{WEB}/scale")).code == 405
    assert (await api.get("/nothing")).code == 404
