"""A node in words: what it is, what it holds, what it suffers from."""

from datetime import datetime

from bot.core.describe.metadata import about, conditions
from bot.core.describe.scheduling import taints
from bot.core.describe.tree import items, listed, mapping, text
from bot.core.plan import Json
from bot.core.reply import Note, Part, Table, Tone, fields

_ROLE = "node-role.kubernetes.io/"


def node(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Roles, versions, addresses; capacity beside allocatable; taints; conditions."""
    status, system = mapping(manifest, "status"), mapping(manifest, "status.nodeInfo")
    roles = [key.removeprefix(_ROLE) for key in mapping(manifest, "metadata.labels") if key.startswith(_ROLE)]
    head = fields(
        [
            ("Roles", ", ".join(roles) or "none"),
            ("Kubelet", text(system, "kubeletVersion")),
            ("System", " · ".join(part for key in ("osImage", "architecture") if (part := text(system, key)))),
            ("Kernel", text(system, "kernelVersion")),
            ("Runtime", text(system, "containerRuntimeVersion")),
            ("Addresses", listed(f"{text(at, 'type')} {text(at, 'address')}" for at in items(status, "addresses"))),
            ("Taints", listed(taints(mapping(manifest, "spec")))),
        ]
    )
    allocatable = mapping(status, "allocatable")
    rows = tuple((key, text(value), text(allocatable.get(key))) for key, value in mapping(status, "capacity").items())
    cordoned = (
        (Note("It is cordoned: no new pod is placed on it.", Tone.WARN),)
        if mapping(manifest, "spec").get("unschedulable") is True
        else ()
    )
    resources = (Table(("Resource", "Capacity", "Allocatable"), rows),) if rows else ()
    return (head, *cordoned, *resources, *conditions(manifest, now), about(manifest, now))
