"""A policy as Kubernetes' own rights on one cluster: roles, bindings to the bot's groups, whom the bot may speak for.

Pure and deterministic: one policy makes one text. Nothing is bound to a person; to the bot itself only the right to
impersonate, each user and group by its exact name.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.cluster import Right
from bot.core.command import Registry
from bot.core.errors import NotFound
from bot.core.plan import Json, Place
from bot.core.policy import GROUP_PREFIX, OBSERVER, PERSON_KEY, Grant, Mode, Policy, Role
from bot.core.rights import of_no_namespace
from bot.core.suggest import did_you_mean, nearest
from bot.rbac.rules import observers, rights_of, rule, rules

_API: Final = "rbac.authorization.k8s.io"
_AUTHENTICATION: Final = "authentication.k8s.io"
IMPERSONATOR: Final = "steersman-impersonator"
"""The bot's own ClusterRole. Those of the policy's roles have a colon in their names, so none of them can be this."""
MANAGED: Final = {"app.kubernetes.io/managed-by": "steersman"}


@dataclass(frozen=True, slots=True)
class Manifest:
    """One object to apply, and what its reader should know ("" where it speaks for itself)."""

    body: Json
    note: str = ""


@dataclass(frozen=True, slots=True)
class Account:
    """The ServiceAccount that the bot logs in as."""

    namespace: str = "steersman"
    name: str = "steersman"


def manifests(
    policy: Policy, registry: Registry, cluster: str, account: Account = Account(), *, constrained: bool = False
) -> tuple[Manifest, ...]:
    """All the rights of one cluster. `constrained` limits by KEP-5284 what the bot may do as others (Kubernetes 1.36).

    Raises NotFound for a cluster that the policy does not know.
    """
    known = [one.name for one in policy.clusters]
    if cluster not in known:
        hint = did_you_mean(nearest(cluster, known) or known)
        raise NotFound(f"The policy knows no cluster `{cluster}`.", hint=hint)
    held = {role: grants for role in policy.roles if (grants := _grants(policy, role, cluster))}
    made = [manifest for role, grants in held.items() for manifest in _role(policy, registry, cluster, role, grants)]
    watched = observers(registry)
    made += [_cluster_role(_group(OBSERVER), rules(watched)), _bound(_group(OBSERVER), [_to_group(OBSERVER)])]
    groups = sorted(_group(name) for name in (*(role.name for role in held), OBSERVER))
    users = _users(policy, cluster, [role.name for role in held])
    if constrained:
        used = watched.union(*(rights_of(role, policy, registry, whole_cluster=True) for role in held))
        may = [*_speaking(policy.mode, users, groups, constrained=True), *_acting(used)]
        note = "Not beside an unconstrained `impersonate`: the API server would fall back to that."
    else:
        may, note = _speaking(policy.mode, users, groups, constrained=False), ""
    bot = {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}
    return (*made, _cluster_role(IMPERSONATOR, may, note), _bound(IMPERSONATOR, [bot]))


def _role(policy: Policy, registry: Registry, cluster: str, role: Role, grants: Sequence[Grant]) -> Iterator[Manifest]:
    patterns = list(dict.fromkeys(pattern for grant in grants for pattern in grant.namespaces))
    name = _group(role.name)
    if any("*" in pattern for pattern in patterns):  # of which RBAC knows none
        rights = rights_of(role, policy, registry, whole_cluster=True)
        wide = {one for grant in grants if "*" in grant.namespaces for one in grant.people}
        yield _cluster_role(name, rules(rights), _confined(policy, grants, wide, "to their namespaces"))
        yield _bound(name, [_to_group(role.name)])
        return
    rights = rights_of(role, policy, registry, whole_cluster=False)
    inside = rules(right for right in rights if not of_no_namespace(right))
    for namespace in sorted(patterns):
        here = {one for grant in grants if namespace in grant.namespaces for one in grant.people}
        note = _confined(policy, grants, here, "out of here")
        yield Manifest(_object("Role", name, namespace, rules=inside), note)
        yield _bound(name, [_to_group(role.name)], namespace)
    if outside := rules(right for right in rights if of_no_namespace(right)):
        yield _cluster_role(f"{name}:cluster", outside, "To see what its commands name and stands in no namespace.")
        yield _bound(f"{name}:cluster", [_to_group(role.name)])


def _confined(policy: Policy, grants: Sequence[Grant], free: Collection[str], how: str) -> str:
    """Whom the cluster lets do more than the policy: a group is bound where any of its people hold the role."""
    holders = {one for grant in grants for one in grant.people}
    names = [person.name for person in policy.people if person.id in holders and person.id not in free]
    if not names:
        return ""
    return f"The policy alone keeps {', '.join(names)} {how}: for the cluster, all who hold the role are one group."


def _users(policy: Policy, cluster: str, held: Sequence[str]) -> list[str]:
    roles = {_group(name) for name in (*held, OBSERVER)}
    if policy.mode is Mode.ROLE:
        return sorted(roles)
    at = Place(cluster, "")
    return sorted({person.user for person in policy.people if policy.grants_of(person.id, at)} | {_group(OBSERVER)})


def _speaking(mode: Mode, users: Sequence[str], groups: Sequence[str], *, constrained: bool) -> list[Json]:
    """The rules to impersonate; the observer is always among the names, so that no list is empty, which meant all."""
    group, verb = (_AUTHENTICATION, "impersonate:user-info") if constrained else ("", "impersonate")
    spoken = [rule(group, ["users"], [verb], users), rule(group, ["groups"], [verb], groups)]
    if mode is Mode.ROLE:
        # Any value: it names the person for the audit log, and no right hangs on it.
        spoken.append(rule(_AUTHENTICATION, [f"userextras/{PERSON_KEY}"], [verb]))
    return spoken


def _acting(rights: frozenset[Right]) -> list[Json]:
    """What may be done as somebody else: what some role may, and what everybody may ask about themselves."""
    on = "impersonate-on:user-info:{}"
    asked = rights | {
        Right("create", "authorization.k8s.io", "selfsubjectaccessreviews"),
        Right("create", _AUTHENTICATION, "selfsubjectreviews"),
    }
    return [*rules(asked, on), {"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*"], "verbs": [on.format("get")]}]


def _grants(policy: Policy, role: Role, cluster: str) -> tuple[Grant, ...]:
    """The grants of a role that hold on a cluster, whoever holds them."""
    at = Place(cluster, "")
    found = (grant for person in policy.people for grant in policy.grants_of(person.id, at))
    return tuple(dict.fromkeys(grant for grant in found if grant.role == role.name))


def _group(role: str) -> str:
    return f"{GROUP_PREFIX}{role}"


def _to_group(role: str) -> Json:
    return {"apiGroup": _API, "kind": "Group", "name": _group(role)}


def _cluster_role(name: str, found: Sequence[Json], note: str = "") -> Manifest:
    return Manifest(_object("ClusterRole", name, rules=list(found)), note)


def _bound(name: str, subjects: Sequence[Json], namespace: str = "") -> Manifest:
    kind = "Role" if namespace else "ClusterRole"
    ref = {"apiGroup": _API, "kind": kind, "name": name}
    return Manifest(_object(f"{kind}Binding", name, namespace, roleRef=ref, subjects=list(subjects)))


def _object(kind: str, name: str, namespace: str = "", **content: Json | Sequence[Json]) -> Json:
    inside = {"namespace": namespace} if namespace else {}
    return {
        "apiVersion": f"{_API}/v1",
        "kind": kind,
        "metadata": {"name": name, **inside, "labels": dict(MANAGED)},
        **content,
    }
