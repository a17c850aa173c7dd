"""Rights made from a policy: exact names, nothing more than commands need, one text for one policy."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rigs.demo_rights import demo_rights, seed

import commands
from bot.core.command import Registry
from bot.core.errors import NotFound
from bot.core.people import Actor
from bot.core.plan import Place
from bot.core.policy import ClusterRule, Grant, Mode, Person, Policy, Role
from bot.demo.objects import Json
from bot.demo.policy import demo_policy
from bot.demo.seed_people import CLUSTERS, PEOPLE
from bot.policyfile.load import load
from bot.rbac.manifests import Account, manifests
from bot.rbac.text import text

REGISTRY = Registry.of(commands)
EXAMPLE = load((Path(__file__).parents[2] / "deploy/policy.yaml").read_bytes(), REGISTRY)


def made(policy: Policy, cluster: str = "dev", *, constrained: bool = False) -> dict[tuple[str, str, str], Json]:
    """The objects by kind, namespace and name, through the very text that is printed."""
    printed = text(manifests(policy, REGISTRY, cluster, constrained=constrained), "Rights.")
    return {
        (one["kind"], one["metadata"].get("namespace", ""), one["metadata"]["name"]): one
        for one in yaml.safe_load_all(printed)
    }


def rules(objects: dict[tuple[str, str, str], Json], *key: str) -> list[Json]:
    found = objects[key[0], key[1], key[2]]["rules"]
    assert isinstance(found, list)
    return found


def policy(*grants: Grant, mode: Mode = Mode.PERSON) -> Policy:
    return Policy(
        "test",
        (ClusterRule("dev"), ClusterRule("prod", production=True)),
        tuple(Person(name.upper(), name, f"{name}@example.com") for name in ("ann", "ben", "cat")),
        (Role("viewer"), Role("shipper", ("deploy",), reads=False)),
        grants,
        mode=mode,
    )


def test_a_role_of_one_namespace_is_a_role_there_and_what_stands_nowhere_is_only_read() -> None:
    objects = made(policy(Grant(("ANN",), "shipper", ("dev",), ("shop",))))

    assert ("ClusterRole", "", "steersman:shipper") not in objects
    assert rules(objects, "Role", "shop", "steersman:shipper") == [
        {"apiGroups": [""], "resources": ["pods/log"], "verbs": ["get"]},
        {"apiGroups": [""], "resources": ["events", "pods"], "verbs": ["list"]},
        {"apiGroups": ["apps"], "resources": ["daemonsets", "deployments", "statefulsets"]}
        | {"verbs": ["get", "list", "patch", "watch"]},
        {"apiGroups": ["apps"], "resources": ["controllerrevisions", "replicasets"], "verbs": ["list"]},
    ]
    assert rules(objects, "ClusterRole", "", "steersman:shipper:cluster") == [
        {"apiGroups": [""], "resources": ["namespaces"], "verbs": ["list"]}
    ]


def test_a_binding_is_to_the_bots_group_and_never_to_a_person() -> None:
    objects = made(EXAMPLE)
    subjects = [subject for one in objects.values() for subject in one.get("subjects", ())]

    assert {subject["kind"] for subject in subjects} == {"Group", "ServiceAccount"}
    names = {subject["name"] for subject in subjects if subject["kind"] == "Group"}
    assert names == {"steersman:viewer", "steersman:deployer", "steersman:sre", "steersman:observer"}


def test_nobody_is_given_secrets_or_a_wildcard() -> None:
    for cluster in ("dev", "prod"):
        for one in made(EXAMPLE, cluster).values():
            for rule in one.get("rules", ()):
                assert not {"*", "secrets"} & {*rule["resources"], *rule["verbs"], *rule["apiGroups"]}


@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("cluster", ["dev", "prod"])
def test_the_bot_may_speak_for_exactly_the_identities_that_the_policy_makes(mode: Mode, cluster: str) -> None:
    wanted = replace(EXAMPLE, mode=mode)
    people = [Actor(person.id, person.name) for person in wanted.people]
    identities = [wanted.identity(one, cluster) for one in people if wanted.grants_of(one.id, Place(cluster, ""))]

    users, groups, *extra = rules(made(wanted, cluster), "ClusterRole", "", "steersman-impersonator")

    assert {one.user for one in identities} <= set(users["resourceNames"])
    assert {name for one in identities for name in one.groups} | {"steersman:observer"} == set(groups["resourceNames"])
    assert bool(extra) == (mode is Mode.ROLE)
    if mode is Mode.PERSON:
        assert set(users["resourceNames"]) == {one.user for one in identities} | {"steersman:observer"}
    else:
        assert all(name.startswith("steersman:") for name in users["resourceNames"])
        assert extra[0]["resources"] == ["userextras/steersman/person"]


def test_a_cluster_without_grants_still_names_whom_the_bot_may_speak_for() -> None:
    impersonator = rules(
        made(policy(Grant(("ANN",), "viewer", ("dev",))), "prod"), "ClusterRole", "", "steersman-impersonator"
    )

    assert [rule["resourceNames"] for rule in impersonator] == [["steersman:observer"], ["steersman:observer"]]


def test_a_pattern_becomes_a_cluster_role_that_says_whom_only_the_policy_keeps_in() -> None:
    printed = text(manifests(policy(Grant(("ANN",), "viewer", ("dev",), ("team-*",))), REGISTRY, "dev"), "Rights.")

    assert "# The policy alone keeps ann to their namespaces" in printed
    assert "kind: Role\n" not in printed


def test_a_role_held_at_two_places_by_two_people_says_what_the_cluster_cannot_tell_apart() -> None:
    both = policy(Grant(("ANN",), "viewer", ("dev",), ("shop",)), Grant(("BEN",), "viewer", ("dev",), ("data",)))
    printed = text(manifests(both, REGISTRY, "dev"), "Rights.").split("---\n")
    notes = {one["metadata"]["namespace"]: said for said in printed if (one := yaml.safe_load(said))["kind"] == "Role"}

    assert "# The policy alone keeps ben out of here" in notes["shop"]
    assert "# The policy alone keeps ann out of here" in notes["data"]


def test_what_get_shows_are_kubernetes_own_kinds_and_those_of_the_policy() -> None:
    more = replace(policy(Grant(("ANN",), "viewer")), kinds=("certificates.cert-manager.io",))

    assert {"apiGroups": ["cert-manager.io"], "resources": ["certificates"], "verbs": ["get", "list"]} in rules(
        made(more), "ClusterRole", "", "steersman:viewer"
    )


def test_the_observer_looks_and_does_nothing_else() -> None:
    verbs = {verb for rule in rules(made(EXAMPLE), "ClusterRole", "", "steersman:observer") for verb in rule["verbs"]}

    assert verbs <= {"get", "list", "watch"}


def test_constrained_rights_limit_what_may_be_done_as_others_and_name_no_plain_impersonate() -> None:
    found = rules(made(EXAMPLE, constrained=True), "ClusterRole", "", "steersman-impersonator")
    said = {verb: rule for rule in found for verb in rule["verbs"]}

    assert "impersonate" not in said
    assert said["impersonate:user-info"]["apiGroups"] == ["authentication.k8s.io"]
    patched = [rule for rule in found if "impersonate-on:user-info:patch" in rule["verbs"]]
    assert {name for rule in patched for name in rule["resources"]} == {
        "daemonsets",
        "deployments",
        "deployments/scale",
        "statefulsets",
        "statefulsets/scale",
    }
    assert not [rule for rule in found if "secrets" in rule.get("resources", ())]


def test_one_policy_makes_one_text_whatever_the_order_of_its_grants() -> None:
    turned = replace(EXAMPLE, grants=EXAMPLE.grants[::-1])

    assert text(manifests(EXAMPLE, REGISTRY, "dev"), "x") == text(manifests(turned, REGISTRY, "dev"), "x")


def test_the_account_is_the_one_that_is_said() -> None:
    bound = manifests(EXAMPLE, REGISTRY, "dev", Account("bots", "steer"))[-1].body

    assert bound["subjects"] == [{"kind": "ServiceAccount", "name": "steer", "namespace": "bots"}]


def test_an_unknown_cluster_is_refused_with_the_nearest() -> None:
    with pytest.raises(NotFound) as refused:
        manifests(EXAMPLE, REGISTRY, "prd")

    assert refused.value.hint == "Did you mean `prod`?"


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_demos_rights_are_what_its_policy_makes(cluster: str) -> None:
    assert seed(cluster).read_text() == demo_rights(cluster), "run tests/rigs/demo_rights.py"


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_the_demos_people_are_in_the_groups_of_their_roles(cluster: str) -> None:
    for person in PEOPLE:
        groups = demo_policy().identity(Actor(person.name, person.name), cluster).groups
        assert set(person.groups.get(cluster, ())) == set(groups)
