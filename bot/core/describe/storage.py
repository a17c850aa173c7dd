"""PersistentVolumeClaim, PersistentVolume and StorageClass in words."""

from datetime import datetime

from bot.core.describe.metadata import about, conditions
from bot.core.describe.scheduling import node_terms
from bot.core.describe.tree import flat, mapping, pairs, text, words
from bot.core.masking import masked_object
from bot.core.plan import Json
from bot.core.reply import Note, Part, Tone, fields

_DEFAULT_CLASS = "storageclass.kubernetes.io/is-default-class"
# What stands in a PersistentVolume's spec beside the source of its storage.
_NOT_A_SOURCE = frozenset(
    {
        "accessModes",
        "capacity",
        "claimRef",
        "mountOptions",
        "nodeAffinity",
        "persistentVolumeReclaimPolicy",
        "storageClassName",
        "volumeAttributesClassName",
        "volumeMode",
    }
)


def claim(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """What was asked for and what it got. A claim without a volume says what it waits for."""
    spec, status = mapping(manifest, "spec"), mapping(manifest, "status")
    phase = text(status, "phase")
    asked, has = text(spec, "resources.requests.storage"), text(status, "capacity.storage")
    head = fields(
        [
            ("Status", phase),
            ("Volume", text(spec, "volumeName")),
            ("Capacity", has),
            ("Requested", asked),
            ("Access", ", ".join(words(spec, "accessModes"))),
            ("Class", text(spec, "storageClassName")),
            ("Mode", text(spec, "volumeMode")),
        ]
    )
    why = "It has no volume yet: the events below say what it waits for."
    waiting = (Note(why, Tone.WARN),) if phase == "Pending" else ()
    return (head, *waiting, about(manifest, now), *conditions(manifest, now))


def volume(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Capacity, who claims it, and where the storage really is."""
    spec = mapping(manifest, "spec")
    owner = mapping(spec, "claimRef")
    source = masked_object({key: value for key, value in spec.items() if key not in _NOT_A_SOURCE})
    head = fields(
        [
            ("Status", text(manifest, "status.phase")),
            ("Reason", text(manifest, "status.reason")),
            ("Claim", f"{text(owner, 'namespace')}/{text(owner, 'name')}" if owner else None),
            ("Capacity", text(spec, "capacity.storage")),
            ("Access", ", ".join(words(spec, "accessModes"))),
            ("Reclaim policy", text(spec, "persistentVolumeReclaimPolicy")),
            ("Class", text(spec, "storageClassName")),
            ("Source", flat(source)),
            ("Nodes", "\n".join(node_terms(mapping(spec, "nodeAffinity.required")))),
            ("Mount options", ", ".join(words(spec, "mountOptions"))),
        ]
    )
    return (head, about(manifest, now))


def storage_class(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Who makes volumes of this class, and by which rules."""
    default = text(manifest, f'metadata.annotations."{_DEFAULT_CLASS}"') == "true"
    head = fields(
        [
            ("Provisioner", text(manifest, "provisioner")),
            ("Default", "yes" if default else "no"),
            ("Reclaim policy", text(manifest, "reclaimPolicy")),
            ("Volumes are bound", text(manifest, "volumeBindingMode")),
            ("May grow", "yes" if manifest.get("allowVolumeExpansion") is True else "no"),
            ("Parameters", pairs(masked_object(mapping(manifest, "parameters")))),
            ("Mount options", ", ".join(words(manifest, "mountOptions"))),
        ]
    )
    return (head, about(manifest, now))
