"""Who is let in, who may speak as whom, and what the audit remembers."""

from __future__ import annotations

from rigs.apiserver import Api, pod

from bot.demo.objects import Json

PODS = "/api/v1/namespaces/shop/pods"
RBAC = "/apis/rbac.authorization.k8s.io/v1"


def _rule(verbs: list[str], group: str, resources: list[str], names: list[str] | None = None) -> Json:
    return {"verbs": verbs, "apiGroups": [group], "resources": resources, **({"resourceNames": names} if names else {})}


async def _grant(api: Api, name: str, rules: list[Json], *subjects: Json, namespace: str = "") -> None:
    role, where = ("roles", f"/namespaces/{namespace}") if namespace else ("clusterroles", "")
    kind = "Role" if namespace else "ClusterRole"
    assert (await api.post(f"{RBAC}{where}/{role}", {"metadata": {"name": name}, "rules": rules})).code == 201
    binding = {
        "metadata": {"name": name},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": kind, "name": name},
        "subjects": list(subjects),
    }
    bindings = "rolebindings" if namespace else "clusterrolebindings"
    assert (await api.post(f"{RBAC}{where}/{bindings}", binding)).code == 201


def _group(name: str) -> Json:
    return {"kind": "Group", "name": name}


def _user(name: str) -> Json:
    return {"kind": "User", "name": name}


def _as(api: Api, user: str, *groups: str) -> Api:
    """The same token, speaking as somebody else."""
    said = [("Impersonate-User", user)] if user else []
    return api.speaking([*said, *(("Impersonate-Group", group) for group in groups)])


async def test_a_wrong_token_is_401_and_none_is_anonymous(api: Api) -> None:
    stranger = Api(api.cluster, api.session, [("Authorization", "Bearer wrong")])
    reply = await stranger.get(PODS)
    assert (reply.code, reply.body["reason"], reply.body["message"]) == (401, "Unauthorized", "Unauthorized")
    nobody = await Api(api.cluster, api.session).get(PODS)
    assert nobody.code == 403
    assert 'User "system:anonymous" cannot list resource "pods"' in nobody.body["message"]
    assert (await Api(api.cluster, api.session).get("/readyz")).body == "ok"


async def test_rights_come_before_what_is_served(api: Api) -> None:
    alice, scale = api.as_user("alice"), "/apis/apps/v1/namespaces/shop/daemonsets/web/scale"
    assert 'cannot patch resource "daemonsets/scale"' in (await alice.patch(scale, {})).body["message"]
    assert (await alice.get("/apis/example.com/v1/gadgets")).code == 403
    assert (await api.get("/apis/example.com/v1/gadgets")).code == 404


async def test_a_403_says_what_was_wanted_where(api: Api) -> None:
    alice = api.as_user("alice")
    assert (await alice.get(PODS)).body["message"] == (
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "shop"'
    )
    assert (await alice.patch("/apis/apps/v1/namespaces/shop/deployments/web/scale", {})).body["message"] == (
        'deployments.apps "web" is forbidden: User "alice" cannot patch resource "deployments/scale" in API group '
        '"apps" in the namespace "shop"'
    )
    assert (await alice.get("/api/v1/nodes")).body["message"].endswith('in API group "" at the cluster scope')
    assert (await alice.get("/metrics")).body["message"] == 'forbidden: User "alice" cannot get path "/metrics"'


async def test_a_role_holds_in_its_namespace_only(api: Api) -> None:
    await _grant(api, "read-pods", [_rule(["get", "list"], "", ["pods"])], _group("viewers"), namespace="shop")
    bob = api.as_user("bob", "viewers")
    assert (await bob.get(PODS)).code == 200
    assert (await bob.get("/api/v1/namespaces/default/pods")).code == 403
    assert (await bob.get("/api/v1/pods")).code == 403
    assert (await bob.get(f"{PODS}?watch=1")).code == 403
    assert (await bob.delete(f"{PODS}/x")).code == 403


async def test_subresources_and_names_are_granted_apart(api: Api) -> None:
    rules = [_rule(["get"], "", ["pods"], ["mine"]), _rule(["get"], "", ["pods/log"])]
    await _grant(api, "narrow", rules, _user("bob"))
    bob = api.as_user("bob")
    for name in ("mine", "yours"):
        api.cluster.store.create("pods", pod(name))
    assert (await bob.get(f"{PODS}/mine")).code == 200
    assert (await bob.get(f"{PODS}/yours")).code == 403
    assert (await bob.get(f"{PODS}/yours/log")).code == 400
    assert (await bob.get(PODS)).code == 403


async def test_a_list_of_one_name_is_authorised_as_that_name(api: Api) -> None:
    await _grant(api, "one", [_rule(["list", "watch"], "", ["pods"], ["mine"])], _user("bob"))
    bob = api.as_user("bob")
    assert (await bob.get(f"{PODS}?fieldSelector=metadata.name%3Dmine")).code == 200
    assert (await bob.get(f"{PODS}?fieldSelector=metadata.name%3Dyours")).code == 403


async def test_the_bot_may_speak_only_as_those_it_is_allowed_to(api: Api) -> None:
    allowed = [
        _rule(["impersonate"], "", ["users"], ["alice"]),
        _rule(["impersonate"], "", ["groups"], ["steersman:viewer", "steersman:deployer"]),
    ]
    await _grant(api, "speak", allowed, {"kind": "ServiceAccount", "name": "steersman", "namespace": "steersman"})
    await _grant(api, "view", [_rule(["list"], "", ["pods"])], _group("steersman:viewer"))
    bot = api.as_user("system:serviceaccount:steersman:steersman")
    assert (await bot.get(PODS)).code == 403
    assert (await _as(bot, "alice", "steersman:deployer", "steersman:viewer").get(PODS)).code == 200
    assert (await _as(bot, "alice", "steersman:deployer").get(PODS)).code == 403
    refused = await _as(bot, "eve", "steersman:viewer").get(PODS)
    assert refused.body["message"] == (
        'users "eve" is forbidden: User "system:serviceaccount:steersman:steersman" cannot impersonate resource '
        '"users" in API group "" at the cluster scope'
    )
    masters = await _as(bot, "alice", "steersman:viewer", "system:masters").get(PODS)
    assert masters.code == 403
    assert 'groups "system:masters" is forbidden' in masters.body["message"]
    assert (await _as(bot, "", "steersman:viewer").get(PODS)).code == 500


async def test_the_audit_names_the_bot_and_whom_it_spoke_for(api: Api) -> None:
    await _as(api, "alice", "steersman:viewer").get(PODS)
    entry = api.cluster.audit[-1]
    assert (entry.user, entry.impersonated_user, entry.code, entry.verb) == ("admin", "alice", 403, "list")
    assert entry.impersonated_groups == ("steersman:viewer", "system:authenticated")
    async with api.raw("GET", PODS, headers={"Audit-ID": "mine-1", "User-Agent": "steersman/1"}) as response:
        assert response.headers["Audit-Id"] == "mine-1"
    entry = api.cluster.audit[-1]
    assert (entry.audit_id, entry.user_agent, entry.uri, entry.code) == ("mine-1", "steersman/1", PODS, 200)


async def test_a_binding_to_a_role_that_is_gone_says_so(api: Api) -> None:
    await _grant(api, "gone", [_rule(["list"], "", ["pods"])], _user("bob"))
    await api.delete(f"{RBAC}/clusterroles/gone")
    message = (await api.as_user("bob").get(PODS)).body["message"]
    assert message.endswith(': RBAC: clusterrole.rbac.authorization.k8s.io "gone" not found')


# -- reviews -----------------------------------------------------------------------------------------------------------


async def _may(api: Api, **wanted: str) -> bool:
    body = {"spec": {"resourceAttributes": wanted}}
    reply = await api.post("/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body)
    assert reply.code == 201
    return bool(reply.body["status"]["allowed"])


async def test_a_self_review_answers_for_the_impersonated(api: Api) -> None:
    await _grant(api, "scale", [_rule(["patch"], "apps", ["deployments/scale"])], _user("alice"))
    asked = {"verb": "patch", "group": "apps", "resource": "deployments", "subresource": "scale", "namespace": "shop"}
    assert await _may(_as(api, "alice"), **asked)
    assert not await _may(_as(api, "bob"), **asked)
    assert not await _may(_as(api, "alice"), **{**asked, "subresource": ""})


async def test_a_review_of_somebody_needs_its_own_right(api: Api) -> None:
    path = "/apis/authorization.k8s.io/v1/subjectaccessreviews"
    body = {"spec": {"user": "alice", "resourceAttributes": {"verb": "get", "resource": "pods"}}}
    assert (await api.as_user("bob").post(path, body)).code == 403
    assert (await api.post(path, body)).body["status"] == {"allowed": False}
    assert (await api.post(path, {"spec": {"user": "alice"}})).code == 422


async def test_a_rules_review_lists_what_holds_in_the_namespace(api: Api) -> None:
    await _grant(api, "read", [_rule(["get"], "", ["pods"])], _user("bob"), namespace="shop")
    path = "/apis/authorization.k8s.io/v1/selfsubjectrulesreviews"
    here = (await api.as_user("bob").post(path, {"spec": {"namespace": "shop"}})).body["status"]
    assert _rule(["get"], "", ["pods"]) in here["resourceRules"]
    there = (await api.as_user("bob").post(path, {"spec": {"namespace": "default"}})).body["status"]
    assert _rule(["get"], "", ["pods"]) not in there["resourceRules"]


async def test_who_am_i_tells_name_and_groups(api: Api) -> None:
    reply = await _as(api, "alice", "a", "b").post("/apis/authentication.k8s.io/v1/selfsubjectreviews", {})
    info = reply.body["status"]["userInfo"]
    assert info == {"username": "alice", "groups": ["a", "b", "system:authenticated"]}
