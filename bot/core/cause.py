"""Why a rollout does not move: of all faults of the newest revision's pods the one to tell, and the field that did it.

Pure. Faults of containers are in `container_fault`, those around them in `pod_fault`, the field's words in `blame`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Self

from bot.core.blame import blame
from bot.core.container_fault import container_faults
from bot.core.fault import Fault
from bot.core.plan import FieldChange, pick
from bot.core.pod import Event, Pod
from bot.core.pod_fault import creation_fault, pod_faults
from bot.core.workload import Kind, Revision, Workload


@dataclass(frozen=True, slots=True)
class Cause:
    """The fault to tell. `alike` is how many more pods have the same; `blame` a clause about the changed field, or "".

    `output` are the last lines of the log that `fault.log` names, "" until somebody has read them. `inherited`: the
    pod is of an older revision and only in the way, which says nothing against the new one.
    """

    fault: Fault
    alike: int = 0
    blame: str = ""
    output: str = ""
    inherited: bool = False

    @property
    def certain(self) -> bool:
        """Whether the rollout is stuck on it; otherwise it is a hint that may pass."""
        return self.fault.certain

    def same_as(self, other: Self | None) -> bool:
        """Whether it is still the same story, so that its log need not be read again."""
        return other is not None and (self.fault.pod, self.fault.sentence) == (other.fault.pod, other.fault.sentence)


def find(
    workload: Workload,
    revision: Revision,
    pods: Sequence[Pod],
    events: Sequence[Event],
    *,
    now: datetime,
    since: datetime,
    changes: Sequence[FieldChange] = (),
) -> Cause | None:
    """The gravest fault of a revision, certain ones before hints; None where nothing is wrong.

    `pods` are those of this revision alone; `events` may be about anything, oldest first. `since` is when the rollout
    began: what was refused before is forgotten. `changes` are the fields that the write changed.
    """
    told = tuple(events)
    present = sorted((pod for pod in pods if not pod.deleting), key=lambda pod: pod.name)
    faults: list[Fault] = []
    for pod in present:
        faults.extend(container_faults(workload, pod, told, now))
        faults.extend(pod_faults(pod, told, now))
    if (refused := creation_fault(workload, revision, len(present), told, since=since)) is not None:
        faults.append(refused)
    worst = next((fault for fault in faults if fault.certain), faults[0] if faults else None)
    if worst is None:
        return None
    others = {fault.pod for fault in faults if fault.title == worst.title} - {worst.pod}
    return Cause(worst, alike=len(others), blame=blame(worst, changes))


def obstacle(workload: Workload, old: Sequence[Pod], events: Sequence[Event], *, now: datetime) -> Cause | None:
    """The broken pod of an older revision that keeps a StatefulSet from going on; None where there is none.

    One that goes in order replaces no pod before all are ready, not even the broken one (kubernetes/kubernetes#67250).
    """
    if workload.kind is not Kind.STATEFUL_SET or pick(workload.manifest, "spec.podManagementPolicy") == "Parallel":
        return None
    told = tuple(events)
    for pod in sorted(old, key=lambda pod: pod.name):
        faults = (*container_faults(workload, pod, told, now), *pod_faults(pod, told, now))
        worst = next((fault for fault in faults if fault.certain and not pod.ready), None)
        if worst is not None:
            fault = replace(
                worst,
                title=f"pod {pod.name} of an older revision is broken and stands in the way",
                sentence=f"{worst.sentence} A StatefulSet that goes in order replaces no pod before all are ready.",
                hint=f"Delete pod {pod.name}: it comes back with the new version.",
            )
            return Cause(fault, inherited=True)
    return None
