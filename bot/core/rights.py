"""The rights that commands share, said once: finding an app, reading its revisions, following it to its verdict."""

from typing import Final

from bot.core.cluster import Right
from bot.core.command import Command, get, list_, watch
from bot.core.workload import Kind

_KINDS: Final = tuple(f"{kind.resource}.apps" for kind in Kind)

FIND: Final[tuple[Right, ...]] = (*(list_(kind) for kind in _KINDS), list_("namespaces"))
"""To resolve an app and its place."""

REVISIONS: Final[tuple[Right, ...]] = (list_("replicasets.apps"), list_("controllerrevisions.apps"))
"""To read what a workload was before."""

PODS: Final[tuple[Right, ...]] = (list_("pods"), list_("events"), get("pods/log"))
"""To see why a rollout does not move."""

FOLLOW: Final[tuple[Right, ...]] = (
    *FIND,
    *(right for kind in _KINDS for right in (get(kind), watch(kind))),
    *REVISIONS,
    *PODS,
)
"""To find an app, and to watch it to its verdict."""

ANY_KIND: Final[tuple[Right, ...]] = (get("*"), list_("*"))
"""To show any kind that the person names, Secrets excepted. Nobody can be asked for it: it is granted kind by kind."""

_CLUSTER_WIDE: Final = frozenset({("", "namespaces"), ("", "nodes"), ("metrics.k8s.io", "nodes")})


def of_no_namespace(right: Right) -> bool:
    """Whether a right is on something that stands in no namespace, so that a Role cannot give it."""
    return (right.group, right.resource) in _CLUSTER_WIDE


def named_needs(command: Command) -> tuple[Right, ...]:
    """What a command needs whatever is said to it, each once: what can be granted by name and asked of a cluster."""
    return tuple(dict.fromkeys(right for right in command.needs if right not in ANY_KIND))
