"""What one look at a rollout shows: its new and old pods, and the cause where it does not move. Reads only.

A follow looks again and again; `rollout status` looks once.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from bot.core.cause import Cause, find, obstacle
from bot.core.cluster import Reader
from bot.core.diff import changes
from bot.core.errors import Forbidden, SteersmanError
from bot.core.lastgood import title
from bot.core.masking import hidden, secrets_in, without
from bot.core.plan import FieldChange
from bot.core.pod import Event, LogRequest, Pod
from bot.core.revisions import current, template
from bot.core.workload import Kind, Revision, Workload

# The events of so many pods that are not ready tell the story; a DaemonSet may have thousands.
_PODS_ASKED_ABOUT: Final = 5
_REVISION_HASH: Final = "controller-revision-hash"


@dataclass(frozen=True, slots=True)
class Sight:
    """A rollout as seen once. `revision` is that of the present template, None while its controller has not made it.

    `new` are the pods of that revision, `old` those of all others; pods that are being deleted or have
    ended are in neither (but for failed new ones, which tell something).
    """

    workload: Workload
    revisions: tuple[Revision, ...] = ()
    revision: Revision | None = None
    new: tuple[Pod, ...] = ()
    old: tuple[Pod, ...] = ()
    cause: Cause | None = None

    @property
    def ready(self) -> int:
        """How many new pods are ready, never more than are wanted."""
        return min(sum(pod.ready for pod in self.new), self.workload.replicas)

    @property
    def serving(self) -> str:
        """Which old pods still serve, as a clause: "v2 still serves 3/3"; "" where there are none."""
        ready = [pod for pod in self.old if pod.ready]
        if not ready:
            return ""
        held = [one for one in self.revisions if any(_is_of(self.workload, one, pod) for pod in ready)]
        # Several old revisions may serve side by side after a chain of failed ones.
        name = title(held[0], self.workload.containers) if len(held) == 1 else ""
        who = name if name and not name.startswith("revision ") else "the previous revision"
        return f"{who} still serves {len(ready)}/{self.workload.replicas}"


async def look(
    reader: Reader,
    workload: Workload,
    *,
    now: datetime,
    since: datetime,
    changes: Sequence[FieldChange] = (),
    before: Sight | None = None,
) -> Sight:
    """Read the revisions and pods of a workload, and its events and log where something is amiss.

    `since` is when the rollout began, `changes` what brought it about; `before` spares what a look just before has
    read already. Raises what the reader raises; events and logs that may not be read are done without.
    """
    revisions = await _revisions(reader, workload, before)
    revision = current(workload, revisions)
    pods = [
        pod
        for pod in await reader.pods.list(workload.place.namespace, workload.selector)
        if not pod.deleting and pod.phase != "Succeeded" and _belongs(workload, revisions, pod)
    ]
    new = tuple(pod for pod in pods if revision is not None and _is_of(workload, revision, pod))
    newer = {pod.name for pod in new}
    old = tuple(pod for pod in pods if pod.name not in newer and pod.phase != "Failed")
    sight = Sight(workload, revisions, revision, new, old)
    if revision is None or (sight.ready >= workload.replicas and all(pod.ready for pod in new)):
        return sight
    # Of the kinds only a StatefulSet can be held up by a pod of an older revision.
    telling = (*new, *old) if workload.kind is Kind.STATEFUL_SET else new
    events = await _events(reader, workload, revision, telling)
    cause = find(workload, revision, new, events, now=now, since=since, changes=changes)
    if cause is None or not cause.certain:
        cause = obstacle(workload, old, events, now=now) or cause
    secrets = secrets_in(workload.manifest, *(one.payload for one in revisions))
    cause = _discreet(cause, secrets)
    return replace(sight, cause=await _with_output(reader, workload, cause, before.cause if before else None, secrets))


async def examine(reader: Reader, workload: Workload, now: datetime) -> Sight:
    """A look at a workload whenever somebody asks: what its revision changed against the one before is suspected."""
    revisions = await reader.workloads.revisions(workload)
    stands = current(workload, revisions)
    return await look(
        reader,
        workload,
        now=now,
        since=stands.created if stands else workload.created,
        changes=_brought_by(workload, revisions, stands),
        before=Sight(workload, revisions, stands),
    )


def _brought_by(
    workload: Workload, revisions: tuple[Revision, ...], stands: Revision | None
) -> tuple[FieldChange, ...]:
    earlier = [revision for revision in revisions if stands and revision.number < stands.number]
    if stands is None or not earlier:
        return ()
    before = max(earlier, key=lambda revision: revision.number)
    old, new = ({"spec": {"template": template(workload.kind, revision)}} for revision in (before, stands))
    return changes(old, new)


async def _revisions(reader: Reader, workload: Workload, before: Sight | None) -> tuple[Revision, ...]:
    # A template keeps its revision; only who has how many pods changes, which matters while the workload is paused.
    if (
        before is not None
        and before.revision is not None
        and before.workload.generation == workload.generation
        and not workload.paused
    ):
        return before.revisions
    return await reader.workloads.revisions(workload)


async def _events(reader: Reader, workload: Workload, revision: Revision, pods: Sequence[Pod]) -> tuple[Event, ...]:
    maker = [("ReplicaSet", revision.name)] if workload.kind is Kind.DEPLOYMENT else []
    unready = sorted(pod.name for pod in pods if not pod.ready)[:_PODS_ASKED_ABOUT]
    about = [(workload.kind.kind, workload.name), *maker, *(("Pod", name) for name in unready)]
    try:
        return await reader.events.list(workload.place.namespace, about)
    except Forbidden:
        return ()


def _discreet(cause: Cause | None, secrets: Collection[str]) -> Cause | None:
    """The cause in words that repeat none of these values."""
    if cause is None:
        return None
    sentence, evidence = without(cause.fault.sentence, secrets), without(cause.fault.evidence, secrets)
    return replace(cause, fault=replace(cause.fault, sentence=sentence, evidence=evidence))


async def _with_output(
    reader: Reader, workload: Workload, cause: Cause | None, before: Cause | None, secrets: Collection[str]
) -> Cause | None:
    """The cause with its last log lines, read once for each story."""
    if cause is None or cause.fault.log is None:
        return cause
    if before is not None and cause.same_as(before):
        return replace(cause, output=before.output)
    # A whole channel reads these lines, which nobody in it asked for.
    output = without(hidden(await _log(reader, workload, cause.fault.log)), secrets)
    return replace(cause, output=output)


async def _log(reader: Reader, workload: Workload, request: LogRequest) -> str:
    try:
        return (await reader.pods.logs(workload.place.namespace, request)).rstrip()
    except SteersmanError:
        return ""  # not permitted, or the container was replaced in between: the cause stands without it


def _belongs(workload: Workload, revisions: Sequence[Revision], pod: Pod) -> bool:
    """Whether the workload controls the pod: a selector alone may match somebody else's."""
    if workload.kind is Kind.DEPLOYMENT:
        return any(pod.owner == revision.name for revision in revisions)
    return pod.owner == workload.name


def _is_of(workload: Workload, revision: Revision, pod: Pod) -> bool:
    """A ReplicaSet owns its pods; a ControllerRevision is named on them, a DaemonSet's by its hash alone."""
    if workload.kind is Kind.DEPLOYMENT:
        return pod.owner == revision.name
    mark = pod.labels.get(_REVISION_HASH, "")
    return bool(mark) and revision.name in (mark, f"{workload.name}-{mark}")
