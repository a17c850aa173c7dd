"""Who could do without the bot what the policy lets people do through it: read from a cluster's roles and bindings."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.cluster import Right
from bot.core.command import Action, Registry
from bot.core.plan import Json, JsonValue, pick
from bot.core.policy import GROUP_PREFIX, Policy
from bot.core.rights import named_needs
from bot.rbac.manifests import Account
from bot.rbac.rules import READING

_OF_KUBERNETES: Final = "system:"
_EVERYWHERE: Final = "everywhere"
_BEYOND: Final = (
    Right("impersonate", "", "groups"),
    Right("impersonate", "", "users"),
    Right("escalate", "rbac.authorization.k8s.io", "clusterroles"),
    Right("bind", "rbac.authorization.k8s.io", "clusterroles"),
)
"""Rights that lead to all others: whoever speaks as the bot's groups, or widens roles, needs no approval either."""


@dataclass(frozen=True, slots=True)
class Granted:
    """What a cluster holds: its ClusterRoles and Roles, and the bindings of both."""

    cluster_roles: Sequence[Json]
    roles: Sequence[Json]
    cluster_role_bindings: Sequence[Json]
    role_bindings: Sequence[Json]


@dataclass(frozen=True, slots=True, order=True)
class Direct:
    """A subject who could do some of it directly. `person` is the policy's name for them, "" for somebody else."""

    subject: str
    where: str
    could: tuple[str, ...]
    by: str
    person: str = ""


def report(granted: Granted, policy: Policy, registry: Registry, account: Account) -> tuple[Direct, ...]:
    """Every binding of a subject other than the bot that gives a right to change what some command changes.

    Who is in a group only the cluster's login knows. The control plane's own (`system:`) is left out, and so is
    whoever is not bound at all, such as the holder of a certificate of `system:masters`.
    """
    people = {person.user: person.name for person in policy.people}
    rules = {("ClusterRole", "", _text(role, "metadata.name")): _rules(role) for role in granted.cluster_roles}
    rules |= {
        ("Role", _text(role, "metadata.namespace"), _text(role, "metadata.name")): _rules(role)
        for role in granted.roles
    }
    found = []
    for binding in (*granted.cluster_role_bindings, *granted.role_bindings):
        namespace = _text(binding, "metadata.namespace")
        kind, name = _text(binding, "roleRef.kind"), _text(binding, "roleRef.name")
        given = rules.get((kind, namespace if kind == "Role" else "", name), ())
        if not (could := tuple(_could(given, registry))):
            continue
        for subject in _outsiders(binding, account):
            person = people.get(subject.partition(" ")[2], "") if subject.startswith("User ") else ""
            found.append(Direct(subject, namespace or _EVERYWHERE, could, f"{kind} {name}", person))
    return tuple(sorted(set(found)))


def _could(rules: Sequence[Json], registry: Registry) -> Iterator[str]:
    """The commands of whose changes at least one is given, and the rights that lead to all."""
    for command in registry:
        if isinstance(command, Action):
            changes = [right for right in named_needs(command) if right.verb not in READING]
            if any(_gives(rule, right) for rule in rules for right in changes):
                yield command.name
    yield from (str(right) for right in _BEYOND if any(_gives(rule, right) for rule in rules))


def _gives(rule: Json, right: Right) -> bool:
    resource = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
    # A rule on some names only (resourceNames) gives the right on those: enough to be told.
    return (
        bool({"*", right.verb} & set(_words(rule, "verbs")))
        and bool({"*", right.group} & set(_words(rule, "apiGroups")))
        and bool(
            {"*", resource, f"*/{right.subresource}" if right.subresource else "*"} & set(_words(rule, "resources"))
        )
    )


def _outsiders(binding: Json, account: Account) -> Iterator[str]:
    for subject in _objects(binding, "subjects"):
        kind, name = _text(subject, "kind"), _text(subject, "name")
        if kind == "ServiceAccount":
            namespace = _text(subject, "namespace")
            if namespace != "kube-system" and (namespace, name) != (account.namespace, account.name):
                yield f"ServiceAccount {namespace}/{name}"
        elif not name.startswith((GROUP_PREFIX, _OF_KUBERNETES)) or name in ("system:authenticated", "system:masters"):
            yield f"{kind} {name}"


def _rules(role: Json) -> tuple[Json, ...]:
    return tuple(_objects(role, "rules"))


def _objects(value: Json, path: str) -> list[Json]:
    return [item for item in _items(pick(value, path)) if isinstance(item, Mapping)]


def _words(value: Json, path: str) -> list[str]:
    return [item for item in _items(pick(value, path)) if isinstance(item, str)]


def _items(value: JsonValue) -> Sequence[JsonValue]:
    return value if isinstance(value, Sequence) and not isinstance(value, str) else ()


def _text(value: Json, path: str) -> str:
    found = pick(value, path)
    return found if isinstance(found, str) else ""
