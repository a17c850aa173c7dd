"""The revisions of a workload: which one it stands on, and the pod template that one holds; pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.plan import Json, JsonValue, pick
from bot.core.workload import Kind, Revision, Workload

TEMPLATE_HASH: Final = "pod-template-hash"
"""The label by which a Deployment's controller tells its ReplicaSets' pods apart; never part of the template itself."""


def current(workload: Workload, revisions: Sequence[Revision]) -> Revision | None:
    """The revision that a workload stands on: kubectl's "new ReplicaSet", for the other kinds the newest equal one.

    Of a Deployment it is the oldest ReplicaSet whose template equals the Deployment's; of a StatefulSet or DaemonSet
    the highest ControllerRevision whose data does. None while the controller has not made it yet.
    """
    equal = [revision for revision in revisions if matches(workload, revision)]
    if workload.kind is Kind.DEPLOYMENT:
        return min(equal, key=lambda revision: (revision.created, revision.name), default=None)
    return max(equal, key=lambda revision: revision.number, default=None)


def matches(workload: Workload, revision: Revision) -> bool:
    """Whether a revision holds the template that the workload has now, so that going there changes nothing."""
    return _canonical(template(workload.kind, revision)) == _canonical(pick(workload.manifest, "spec.template"))


def template(kind: Kind, revision: Revision) -> Json:
    """The pod template that a revision holds, without the marks of ReplicaSets and ControllerRevisions."""
    found = revision.payload if kind is Kind.DEPLOYMENT else pick(revision.payload, "spec.template")
    if not isinstance(found, Mapping):
        return {}
    kept = {key: value for key, value in found.items() if key != "$patch"}
    labels = pick(kept, "metadata.labels")
    if isinstance(labels, Mapping) and TEMPLATE_HASH in labels:
        metadata = {**_mapping(kept["metadata"]), "labels": {k: v for k, v in labels.items() if k != TEMPLATE_HASH}}
        kept["metadata"] = metadata
    return kept


def _canonical(value: JsonValue) -> JsonValue:
    """Without what the API takes for absent: null, and empty lists and maps."""
    if isinstance(value, Mapping):
        return {key: kept for key, item in value.items() if not _absent(kept := _canonical(item))}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_canonical(item) for item in value]
    return value


def _absent(value: JsonValue) -> bool:
    return value is None or value == {} or value == []


def _mapping(value: JsonValue) -> Json:
    return value if isinstance(value, Mapping) else {}
