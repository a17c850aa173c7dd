"""Who last wrote which fields of an object, as its managedFields tell it: tools and controllers, no persons. Pure."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.describe.tree import items, mapping, text, time
from bot.core.diff import ACTION_ANNOTATION
from bot.core.plan import Json, JsonValue, split_path

_MOST: Final = 4
# Whose name in managedFields says little, by how it begins. The bookkeeping of Deployments (its revision), the status
# and an autoscaler's replicas all come from one binary, which the subresource tells apart.
_TOOLS: Final = (
    ("argocd", "Argo CD"),
    ("helm-controller", "Flux (Helm)"),
    ("helm", "Helm"),
    ("kustomize-controller", "Flux"),
    ("flux", "Flux"),
    ("HashiCorp", "Terraform"),
    ("Terraform", "Terraform"),
    ("vpa-", "the vertical autoscaler"),
    ("keda", "KEDA"),
    ("Mozilla", "a web console"),
    ("node-fetch", "Lens"),
)
CONTROLLERS: Final = frozenset({"kube-controller-manager", "kube-scheduler", "kubelet"})
"""These write status, replicas and bookkeeping without anybody having wanted a change."""
OURSELVES: Final = "steersman"
"""The field manager of our own writes."""
_OUR_MARK: Final = f'metadata.annotations."{ACTION_ANNOTATION}"'

# What people mean by a field of a pod template, the most telling first.
_TELLING: Final = ("image", "replicas", "env", "envFrom", "command", "args", "resources", "readinessProbe")
_PLAIN: Final = {"envFrom": "environment", "readinessProbe": "readiness probe", "livenessProbe": "liveness probe"}


@dataclass(frozen=True, slots=True)
class FieldsEdit:
    """What one writer holds of an object. `fields` are paths as `plan.pick` reads them; `subresource` "" = the whole.

    `at` is its last write; which of the fields it was that changed then, managedFields do not say.
    """

    manager: str
    operation: str
    subresource: str
    at: datetime | None
    fields: tuple[str, ...]

    @property
    def who(self) -> str:
        """The writer as people call it: "kubectl edit", "Argo CD", "an autoscaler"."""
        match self.manager, self.subresource, self.operation:
            case "kube-controller-manager", "scale", _:
                return "an autoscaler"
            case "kube-controller-manager", _, _:
                return "Kubernetes itself"
            case "kubectl", "scale", _:
                return "kubectl scale"
            case "kubectl", _, "Apply":
                return "kubectl apply"
            case manager, _, _:
                return tool(manager)

    @property
    def how(self) -> str:
        """Server-side apply or an update, and through which subresource."""
        way = "server-side apply" if self.operation == "Apply" else "update"
        return f"{way} of {self.subresource}" if self.subresource else way

    @property
    def wanted(self) -> bool:
        """Whether somebody, or an autoscaler, wanted it so: neither a report nor a controller's bookkeeping."""
        return self.subresource != "status" and (self.manager not in CONTROLLERS or self.subresource == "scale")


def edits(manifest: Json) -> tuple[FieldsEdit, ...]:
    """The writers of an object, the newest first; those without a time last. What cannot be read is left out."""
    found = [_edit(entry) for entry in items(manifest, "metadata.managedFields")]
    return tuple(sorted(found, key=lambda edit: edit.at.timestamp() if edit.at else 0.0, reverse=True))


def tool(manager: str) -> str:
    """`kubectl-set` → `kubectl set`: kubectl names its managers after its commands; other tools name themselves."""
    if manager.startswith("kubectl-"):
        return manager.replace("-client-side-", "-").replace("-", " ")
    return next((name for mark, name in _TOOLS if manager.startswith(mark)), manager)


def told(fields: Sequence[str]) -> str:
    """Fields for people, the most telling first: "image of web, env FOO of web, replicas and 12 more"."""
    ranked = sorted(enumerate(fields), key=lambda pair: (_rank(pair[1]), pair[0]))
    names = list(dict.fromkeys(_name(path) for _, path in ranked))
    more = len(names) - _MOST
    return ", ".join(names[:_MOST]) + (f" and {more} more" if more > 0 else "")


def _edit(entry: Json) -> FieldsEdit:
    return FieldsEdit(
        text(entry, "manager"),
        text(entry, "operation"),
        text(entry, "subresource"),
        time(entry, "time"),
        tuple(path for path in _paths("", mapping(entry, "fieldsV1")) if path != _OUR_MARK),
    )


def _paths(path: str, fields: Json) -> Iterator[str]:
    """The leaves of a fieldsV1 tree (KEP-555): `f:` a field, `k:` the keys of a list item, `v:` a value of a set."""
    for mark, below in fields.items():
        kind, _, rest = mark.partition(":")
        if kind == "f":
            step = f'"{rest}"' if any(sign in rest for sign in '.["/') else rest
            here = f"{path}.{step}" if path else step
        elif kind == "k":
            here = f"{path}{_selector(rest)}"
        else:  # "." is the item itself, and a value or an index of a list adds nothing for people
            continue
        deeper = list(_paths(here, below)) if isinstance(below, Mapping) else []
        yield from deeper or [here]


def _selector(keys: str) -> str:
    try:
        said: JsonValue = json.loads(keys)
    except ValueError:
        return ""
    if not isinstance(said, Mapping) or not said:
        return ""
    key = "name" if "name" in said else next(iter(said))
    return f"[{key}={said[key]}]"


def _rank(path: str) -> int:
    steps = [step for step in split_path(path) if isinstance(step, str)]
    if steps[:1] == ["metadata"]:
        return len(_TELLING) + 1
    return next((rank for rank, key in enumerate(_TELLING) if key in steps), len(_TELLING))


def _name(path: str) -> str:
    """`spec.template.spec.containers[name=web].env[name=FOO].value` → "env FOO of web"."""
    steps = split_path(path)
    names = [step for step in steps if isinstance(step, str) and step not in ("spec", "template")]
    if names[:1] == ["metadata"]:
        rest = names[1:3]
        return " ".join((rest[0].rstrip("s"), *rest[1:])) if len(rest) == 2 else " ".join(rest or names)
    if names[:1] == ["status"]:
        return "status"
    if names[:1] not in (["containers"], ["initContainers"]) or len(names) < 2:
        return names[0] if names else path
    chosen = [step[1] for step in steps if isinstance(step, tuple)]
    key = _PLAIN.get(names[1], names[1])
    inner = f" {chosen[1]}" if len(chosen) > 1 else ""
    return f"{key}{inner} of {chosen[0]}" if chosen else key
