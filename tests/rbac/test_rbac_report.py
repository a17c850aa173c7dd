"""Who could do it without the bot, read from bindings."""

import commands
from bot.core.command import Registry
from bot.core.plan import Json
from bot.core.policy import ClusterRule, Person, Policy
from bot.rbac.manifests import Account
from bot.rbac.report import Direct, Granted, report

REGISTRY = Registry.of(commands)
POLICY = Policy("test", (ClusterRule("dev"),), (Person("U1", "alice", "alice@example.com"),), (), ())
PATCH_SCALE = {"apiGroups": ["apps"], "resources": ["deployments/scale"], "verbs": ["patch"]}


def role(name: str, *rules: Json, namespace: str = "") -> Json:
    return {"metadata": {"name": name, "namespace": namespace}, "rules": list(rules)}


def binding(to: str, *subjects: Json, kind: str = "ClusterRole", namespace: str = "") -> Json:
    return {
        "metadata": {"name": "b", "namespace": namespace},
        "roleRef": {"kind": kind, "name": to},
        "subjects": list(subjects),
    }


def user(name: str, kind: str = "User") -> Json:
    return {"kind": kind, "name": name}


Several = tuple[Json, ...]


def told(
    roles: Several = (), bindings: Several = (), *, local: Several = (), inside: Several = ()
) -> tuple[Direct, ...]:
    return report(Granted(roles, local, bindings, inside), POLICY, REGISTRY, Account())


def test_a_direct_right_is_told_with_what_it_could_and_whose_it_is() -> None:
    found = told((role("edit", PATCH_SCALE),), (binding("edit", user("alice@example.com"), user("devs", "Group")),))

    assert found == (
        Direct("Group devs", "everywhere", ("scale",), "ClusterRole edit"),
        Direct("User alice@example.com", "everywhere", ("scale",), "ClusterRole edit", "alice"),
    )


def test_a_wildcard_is_all_of_it_and_leads_further() -> None:
    (found,) = told(
        (role("admin", {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}),), (binding("admin", user("root")),)
    )

    assert {"deploy", "scale", "undo", "rollout restart", "impersonate groups"} <= set(found.could)


def test_a_role_counts_in_its_own_namespace_only() -> None:
    local = (role("edit", PATCH_SCALE, namespace="shop"),)
    here = binding("edit", user("ann"), kind="Role", namespace="shop")
    elsewhere = binding("edit", user("ben"), kind="Role", namespace="data")

    assert [(one.subject, one.where) for one in told(local=local, inside=(here, elsewhere))] == [("User ann", "shop")]


def test_a_cluster_role_that_is_bound_in_a_namespace_counts_there() -> None:
    found = told((role("edit", PATCH_SCALE),), inside=(binding("edit", user("ann"), namespace="shop"),))

    assert [one.where for one in found] == ["shop"]


def test_whoever_could_speak_as_the_bots_groups_is_told() -> None:
    speaks = {"apiGroups": [""], "resources": ["groups"], "verbs": ["impersonate"], "resourceNames": ["steersman:sre"]}

    (found,) = told((role("speaker", speaks),), (binding("speaker", user("other-bot")),))

    assert found.could == ("impersonate groups",)


def test_the_bot_its_groups_and_the_control_plane_are_left_out() -> None:
    bot = {"kind": "ServiceAccount", "namespace": "steersman", "name": "steersman"}
    controller = {"kind": "ServiceAccount", "namespace": "kube-system", "name": "deployment-controller"}
    other = {"kind": "ServiceAccount", "namespace": "ci", "name": "deployer"}
    subjects = (bot, controller, other, user("steersman:sre", "Group"), user("system:kube-controller-manager"))

    found = told((role("edit", PATCH_SCALE),), (binding("edit", *subjects, user("system:authenticated", "Group")),))

    assert [one.subject for one in found] == ["Group system:authenticated", "ServiceAccount ci/deployer"]


def test_reading_and_roles_that_are_gone_are_no_news() -> None:
    look = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["get", "list"]}

    assert told((role("view", look),), (binding("view", user("ann")), binding("gone", user("ben")))) == ()


def test_rules_of_another_shape_than_the_apis_are_survived() -> None:
    odd: Json = {"metadata": {"name": "odd"}, "rules": None}
    path = role("paths", {"nonResourceURLs": ["*"], "verbs": ["*"]})

    assert told((odd, path), (binding("odd", user("ann")), binding("paths", user("ann")))) == ()
