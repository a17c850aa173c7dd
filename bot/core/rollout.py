"""How a rollout stands: kubectl's `rollout status`, condition by condition, and the verdict that a follow ends with.

Pure: a workload's state in, a judgement out. Why a rollout does not move is told by `cause`, not here.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from bot.core.plan import Json, digest, pick
from bot.core.workload import Kind, Revision, Workload

_DEADLINE_EXCEEDED: Final = "ProgressDeadlineExceeded"
# "No deadline" is written as the largest int32; a Deployment of before apps/v1 may lack the field altogether.
_NO_DEADLINE: Final = 2**31 - 1


class Verdict(StrEnum):
    """How a follow ends."""

    ROLLED_OUT = "rolled out"
    FAILED = "failed"
    HELD = "held"  # nothing more moves by itself: paused, OnDelete, or a partition
    SUPERSEDED = "superseded"  # somebody changed the pod template after our write
    GONE = "gone"  # deleted, or replaced by another of the same name
    UNKNOWN = "unknown"  # it could not be watched to its end


@dataclass(frozen=True, slots=True)
class RolloutStatus:
    """What `kubectl rollout status` would print now.

    `done`: kubectl stops waiting; `failed`: with an error (exit 1). It rolled out where it is done and not failed.
    """

    message: str
    done: bool
    failed: bool = False

    @property
    def rolled_out(self) -> bool:
        return self.done and not self.failed


@dataclass(frozen=True, slots=True)
class Ruling:
    """A verdict and its reason: a clause for people ("it is paused")."""

    verdict: Verdict
    reason: str = ""


def status(workload: Workload) -> RolloutStatus:
    """What kubectl would say, in its own words (kubectl, pkg/polymorphichelpers/rollout_status.go)."""
    match workload.kind:
        case Kind.DEPLOYMENT:
            return _deployment(workload)
        case Kind.DAEMON_SET:
            return _daemon_set(workload)
        case Kind.STATEFUL_SET:
            return _stateful_set(workload)


def observed(workload: Workload) -> bool:
    """Whether the controller has seen the newest spec, so that its counters speak of it."""
    seen = workload.status.observed_generation
    return workload.generation <= seen and (seen > 0 or workload.kind is not Kind.STATEFUL_SET)


def has_deadline(workload: Workload) -> bool:
    """Whether the API itself will declare a stuck rollout failed: Deployments with a progress deadline only."""
    deadline = workload.progress_deadline
    return workload.kind is Kind.DEPLOYMENT and deadline is not None and deadline < _NO_DEADLINE


def template_digest(manifest: Json) -> str:
    """What tells whether the pod template is still the one that was written; "" where the object has none (a Scale)."""
    template = pick(manifest, "spec.template")
    return digest(template) if template else ""


def rule(
    workload: Workload, revisions: Sequence[Revision], new: Revision | None, *, uid: str, generation: int, template: str
) -> Ruling | None:
    """The verdict on a write, from the workload's present state; None while it is open.

    `uid`, `generation` and `template` (its digest) are those of the write's own answer; `new` is the revision of the
    present template, among `revisions`. Somebody's scaling or annotating is not superseding: only another template is.
    """
    if workload.uid != uid:
        return Ruling(Verdict.GONE, "it was deleted and created anew")
    if workload.generation < generation:
        return None  # an older state than the answer to our write: a watch may begin with one
    if workload.generation > generation and template_digest(workload.manifest) != template:
        return Ruling(Verdict.SUPERSEDED, _by_whom(workload))
    now = status(workload)
    if _only_on_delete(workload):
        return Ruling(Verdict.HELD, _on_delete(workload)) if observed(workload) else None
    if now.failed:
        return Ruling(Verdict.FAILED, "it exceeded its progress deadline")
    if now.done:
        waiting = workload.replicas - workload.status.updated
        if workload.strategy.partition > 0 and waiting > 0:
            return Ruling(Verdict.HELD, f"partitioned roll out complete: {_pods(workload.status.updated, 'new pod')}")
        return Ruling(Verdict.ROLLED_OUT)
    if workload.paused and observed(workload) and not _settling(revisions, new):
        return Ruling(Verdict.HELD, "it is paused")
    return None


def _deployment(workload: Workload) -> RolloutStatus:
    now, name = workload.status, workload.name
    if workload.generation > now.observed_generation:
        return RolloutStatus("Waiting for deployment spec update to be observed...", done=False)
    progressing = now.condition("Progressing")
    if progressing is not None and progressing.reason == _DEADLINE_EXCEEDED:
        return RolloutStatus(f'deployment "{name}" exceeded its progress deadline', done=False, failed=True)
    waiting = f'Waiting for deployment "{name}" rollout to finish:'
    if now.updated < workload.replicas:
        return RolloutStatus(
            f"{waiting} {now.updated} out of {workload.replicas} new replicas have been updated...", done=False
        )
    if now.replicas > now.updated:
        return RolloutStatus(
            f"{waiting} {now.replicas - now.updated} old replicas are pending termination...", done=False
        )
    if now.available < now.updated:
        return RolloutStatus(
            f"{waiting} {now.available} of {now.updated} updated replicas are available...", done=False
        )
    return RolloutStatus(f'deployment "{name}" successfully rolled out', done=True)


def _daemon_set(workload: Workload) -> RolloutStatus:
    if _only_on_delete(workload):
        return _NOT_ROLLING
    now, name = workload.status, workload.name
    if workload.generation > now.observed_generation:
        return RolloutStatus("Waiting for daemon set spec update to be observed...", done=False)
    waiting = f'Waiting for daemon set "{name}" rollout to finish:'
    if now.updated < now.replicas:
        return RolloutStatus(f"{waiting} {now.updated} out of {now.replicas} new pods have been updated...", done=False)
    if now.available < now.replicas:
        return RolloutStatus(f"{waiting} {now.available} of {now.replicas} updated pods are available...", done=False)
    return RolloutStatus(f'daemon set "{name}" successfully rolled out', done=True)


def _stateful_set(workload: Workload) -> RolloutStatus:
    if _only_on_delete(workload):
        return _NOT_ROLLING
    now = workload.status
    if not observed(workload):
        return RolloutStatus("Waiting for statefulset spec update to be observed...", done=False)
    if now.ready < workload.replicas:
        return RolloutStatus(f"Waiting for {workload.replicas - now.ready} pods to be ready...", done=False)
    if workload.strategy.rolling:
        wanted = workload.replicas - workload.strategy.partition
        if now.updated < wanted:
            return RolloutStatus(
                f"Waiting for partitioned roll out to finish: {now.updated} out of {wanted} new pods have been "
                "updated...",
                done=False,
            )
        return RolloutStatus(f"partitioned roll out complete: {now.updated} new pods have been updated...", done=True)
    if now.update_revision != now.current_revision:
        return RolloutStatus(
            f"waiting for statefulset rolling update to complete {now.updated} pods at revision "
            f"{now.update_revision}...",
            done=False,
        )
    # kubectl prints currentReplicas; where both revisions are one, the controller counts every updated pod as current.
    return RolloutStatus(
        f"statefulset rolling update complete {now.updated} pods at revision {now.current_revision}...", done=True
    )


_NOT_ROLLING: Final = RolloutStatus(
    "rollout status is only available for RollingUpdate strategy type", done=True, failed=True
)


def _only_on_delete(workload: Workload) -> bool:
    return workload.kind is not Kind.DEPLOYMENT and workload.strategy.type != "RollingUpdate"


def _on_delete(workload: Workload) -> str:
    have = f"{workload.status.updated}/{workload.replicas} have it"
    return f"its strategy is OnDelete: a pod takes the new version when it is deleted, {have}"


def _settling(revisions: Sequence[Revision], new: Revision | None) -> bool:
    """Whether a paused Deployment is only being scaled, which pausing does not stop: no other revision has pods."""
    return new is not None and not any(other.replicas for other in revisions if other.name != new.name)


def _by_whom(workload: Workload) -> str:
    """The newest writer that managedFields name. Controllers write too (status, an HPA's scale): they are not meant."""
    edits = [edit for edit in workload.edits if edit.at is not None and edit.manager != "kube-controller-manager"]
    newest = max(edits, key=lambda edit: edit.at.timestamp() if edit.at else 0, default=None)
    return f"the pod template was changed again by {newest.manager}" if newest else "the pod template was changed again"


def _pods(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
