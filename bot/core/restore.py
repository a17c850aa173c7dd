"""The write that puts an old revision's pod template back, for each kind as `kubectl rollout undo` does it."""

import asyncio
from collections.abc import AsyncGenerator, Sequence
from typing import Final

from bot.core.cluster import Reader
from bot.core.errors import Choice, Refused
from bot.core.plan import ClusterWrite, Json, JsonValue, PatchType, Verb, same
from bot.core.revisions import template
from bot.core.rollout import observed
from bot.core.workload import Kind, Revision, Workload

_OBSERVED_WITHIN: Final = 5.0
# Annotations of a Deployment that an undo never takes from the old ReplicaSet: kubectl's annotationsToSkip.
_PROTECTED: Final = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deployment.kubernetes.io/revision",
        "deployment.kubernetes.io/revision-history",
        "deployment.kubernetes.io/desired-replicas",
        "deployment.kubernetes.io/max-replicas",
        "deprecated.deployment.rollback.to",
    }
)


def restore(workload: Workload, revision: Revision) -> ClusterWrite:
    """Deployment: JSON patch of the template and, wholesale, the annotations (its own protected ones stay).

    StatefulSet and DaemonSet: the ControllerRevision's data verbatim as a strategic patch, since it carries
    `$patch: replace`. Replicas, strategy and labels of the workload are not rolled back, and ConfigMaps neither.
    """
    manifest = workload.manifest
    if workload.kind is not Kind.DEPLOYMENT:
        expects = same(workload.uid, manifest, "spec.template")
        return ClusterWrite(workload.ref, Verb.PATCH, revision.payload, PatchType.STRATEGIC, expects)
    own = {key: value for key, value in workload.annotations.items() if key in _PROTECTED}
    old = {key: value for key, value in revision.annotations.items() if key not in _PROTECTED}
    annotations: Json = {**own, **old}
    operations: Sequence[JsonValue] = [
        {"op": "replace", "path": "/spec/template", "value": template(workload.kind, revision)},
        # `add` and not `replace`: it sets the map whether or not there is one.
        {"op": "add", "path": "/metadata/annotations", "value": annotations},
    ]
    # The annotations are replaced as a whole, so somebody else's edit of them must stop this as well.
    expects = same(workload.uid, manifest, "spec.template", "spec.paused", "metadata.annotations")
    return ClusterWrite(workload.ref, Verb.PATCH, {"operations": operations}, PatchType.JSON, expects)


def not_paused(workload: Workload, resume: str) -> None:
    """Raises Refused with kubectl's sentence; `resume` is the line of the way out."""
    if workload.paused:
        raise Refused(
            f"{workload.label}: you cannot rollback a paused deployment; resume it first with `rollout resume` "
            "and try again.",
            choices=[Choice("Resume", resume)],
        )


def no_history(workload: Workload) -> str:
    """The sentence of kubectl, without a full stop, for a workload that has nothing before what it stands on."""
    if workload.kind is Kind.DEPLOYMENT:
        return f'no rollout history found for deployment "{workload.name}"'
    return "no last revision to roll back to"


async def settled(reader: Reader, workload: Workload, again: str) -> Workload:
    """The workload once its controller has seen its newest spec, so that its revisions are true.

    Right after a change the new revision is not there yet, and "the one before" would be two steps back. Waits a few
    seconds, then raises Refused; `again` is the line to try once more.
    """
    if observed(workload):
        return workload
    states = reader.workloads.watch(workload.ref)
    try:
        async with asyncio.timeout(_OBSERVED_WITHIN):
            async for now in states:
                if isinstance(now, Workload) and observed(now):
                    return now
    except TimeoutError:
        pass
    finally:
        if isinstance(states, AsyncGenerator):
            await states.aclose()
    raise Refused(
        f"The last change of {workload.label} is still being observed by its controller.",
        hint="Try again in a moment.",
        choices=[Choice("Try again", again)],
    )
