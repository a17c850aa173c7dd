"""Which of the changed fields explains a fault: "the image changed from `myapp:v2` to `myapp:v-bad`". Pure.

Values of variables are never repeated: what stands in one may be a password.
"""

from collections.abc import Sequence
from typing import Final

from bot.core.fault import Fault, trim
from bot.core.pin import is_restart
from bot.core.plan import FieldChange, JsonValue, split_path

_CONTAINERS: Final = ("containers", "initContainers")
_MOST: Final = 3
_NOUNS: Final = {
    "image": "the image",
    "command": "the command",
    "args": "the arguments",
    "replicas": "the number of replicas",
    "readinessProbe": "the readiness probe",
    "livenessProbe": "the liveness probe",
    "startupProbe": "the startup probe",
    "resources": "the resources",
    "envFrom": "where the variables come from",
    "volumes": "a volume",
    "volumeMounts": "a mount",
    "securityContext": "the security context",
    "nodeSelector": "the node selector",
    "serviceAccountName": "the service account",
}


def blame(fault: Fault, changes: Sequence[FieldChange]) -> str:
    """The changed fields that can have done it, as a clause without a full stop; "" where none of them can.

    After a mere restart that is said, for then the reason lies outside the object.
    """
    if is_restart(changes):
        return "nothing but a restart, so look outside it: the registry, the configuration, the nodes"
    ranked = [
        (fault.fields.index(field), order, field, change)
        for order, change in enumerate(changes)
        if (field := _field(change, fault)) is not None
    ]
    found = sorted(ranked, key=lambda one: one[:2])
    return ", and ".join(dict.fromkeys(_words(field, change) for _, _, field, change in found[:_MOST]))


def _field(change: FieldChange, fault: Fault) -> str | None:
    """The first of the fault's fields that lies on the change's path, if the change concerns the fault's container."""
    steps = split_path(change.path)
    for at, step in enumerate(steps[:-1]):
        following = steps[at + 1]
        if step in _CONTAINERS and isinstance(following, tuple) and fault.container not in ("", following[1]):
            return None
    return next((step for step in steps if isinstance(step, str) and step in fault.fields), None)


def _words(field: str, change: FieldChange) -> str:
    steps = split_path(change.path)
    if field == "env":
        name = next((step[1] for step in steps[steps.index("env") :] if isinstance(step, tuple)), "")
        noun = f"the variable `{name}`" if name else "the variables"
        return f"{noun} {_verb(change)}"
    below = [step if isinstance(step, str) else step[1] for step in steps[steps.index(field) + 1 :]]
    noun = _NOUNS.get(field, f"`{field}`")
    if below:
        noun = f"{noun} (`{'.'.join(below)}`)"
    if _scalar(change.before) and _scalar(change.after):
        return f"{noun} changed from {_value(change.before)} to {_value(change.after)}"
    return f"{noun} {_verb(change)}"


def _verb(change: FieldChange) -> str:
    if change.before is None:
        return "was added"
    return "was removed" if change.after is None else "changed"


def _scalar(value: JsonValue) -> bool:
    return isinstance(value, str | int | float | bool)


def _value(value: JsonValue) -> str:
    return f"`{trim(str(value), 120)}`"
