"""The rules of roles: rights gathered into as few of them as say the same, in one order always."""

from collections.abc import Iterable, Mapping, Sequence

from bot.core.cluster import Right
from bot.core.command import Query, Registry, get, list_
from bot.core.plan import Json
from bot.core.policy import Policy, Role
from bot.core.rights import ANY_KIND, named_needs, of_no_namespace
from bot.rbac.kinds import IN_NAMESPACES, OF_CLUSTERS

READING = frozenset({"get", "list", "watch"})


def rights_of(role: Role, policy: Policy, registry: Registry, *, whole_cluster: bool) -> frozenset[Right]:
    """What a role's commands need, with the kinds of `get` and `show` spelled out.

    A role that is held in some namespaces only never changes what stands in none: it may see there what its commands
    name, such as the nodes.
    """
    covered = [command for command in registry if role.covers(command)]
    rights = {right for command in covered for right in named_needs(command)}
    if any(right in ANY_KIND for command in covered for right in command.needs):
        rights |= set(_shown(IN_NAMESPACES)) | {verb(kind) for kind in policy.kinds for verb in (get, list_)}
        rights |= set(_shown(OF_CLUSTERS)) if whole_cluster else set()
    return frozenset(right for right in rights if whole_cluster or right.verb in READING or not of_no_namespace(right))


def observers(registry: Registry) -> frozenset[Right]:
    """What the work without a person may see: all that some query names, and no Secrets among it."""
    return frozenset(right for command in registry if isinstance(command, Query) for right in named_needs(command))


def rules(rights: Iterable[Right], verb: str = "{}") -> list[Json]:
    """RBAC rules; `verb` words each verb (`impersonate-on:user-info:{}`)."""
    verbs: dict[tuple[str, str], set[str]] = {}
    for right in rights:
        name = f"{right.resource}/{right.subresource}" if right.subresource else right.resource
        verbs.setdefault((right.group, name), set()).add(verb.format(right.verb))
    together: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for (group, name), said in sorted(verbs.items()):
        together.setdefault((group, tuple(sorted(said))), []).append(name)
    return [rule(group, names, said) for (group, said), names in sorted(together.items())]


def rule(group: str, resources: Sequence[str], verbs: Sequence[str], names: Sequence[str] = ()) -> Json:
    """One rule; without `names` it holds for all of the resources."""
    only: Json = {"resourceNames": list(names)} if names else {}
    return {"apiGroups": [group], "resources": list(resources), **only, "verbs": list(verbs)}


def _shown(kinds: Mapping[str, tuple[str, ...]]) -> Iterable[Right]:
    for group, resources in kinds.items():
        for resource in resources:
            name, _, subresource = resource.partition("/")
            yield Right("get", group, name, subresource)
            if not subresource:
                yield Right("list", group, name)
