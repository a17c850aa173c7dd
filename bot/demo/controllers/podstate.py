"""What a pod's state means to its controllers: active, ready, available, and which one to delete first.

The rules are those of k8s.io/kubernetes/pkg/api/v1/pod and pkg/controller/controller_utils.go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.demo.controllers.conditions import condition
from bot.demo.objects import Json, annotations_of, moment

_PHASES = {"Pending": 0, "Unknown": 1, "Running": 2}


def phase(pod: Json) -> str:
    return str(pod.get("status", {}).get("phase", "Pending"))


def is_terminating(pod: Json) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def is_active(pod: Json) -> bool:
    return phase(pod) not in {"Succeeded", "Failed"} and not is_terminating(pod)


def is_ready(pod: Json) -> bool:
    found = condition(pod, "Ready")
    return found is not None and found["status"] == "True"


def is_running_and_ready(pod: Json) -> bool:
    return phase(pod) == "Running" and is_ready(pod)


def available_in(pod: Json, min_ready_seconds: int, now: datetime) -> float | None:
    """Return the seconds until a pod that stays ready is available (0: it is now), or None when it is not ready."""
    found = condition(pod, "Ready")
    if found is None or found["status"] != "True":
        return None
    at = moment(found["lastTransitionTime"]) + timedelta(seconds=min_ready_seconds)
    return max(0.0, (at - now).total_seconds()) if min_ready_seconds else 0.0


def is_available(pod: Json, min_ready_seconds: int, now: datetime) -> bool:
    return available_in(pod, min_ready_seconds, now) == 0.0


def next_available(pods: Sequence[Json], min_ready_seconds: int, now: datetime) -> float | None:
    """Return the seconds until the next ready pod becomes available, or None when none will by itself."""
    waits = [wait for pod in pods if (wait := available_in(pod, min_ready_seconds, now))]
    return min(waits, default=None)


def deletion_order(pods: Sequence[Json], neighbours: Mapping[str, int]) -> list[Json]:
    """Return the pods in the order in which a ReplicaSet gives them up (ActivePodsWithRanks).

    ``neighbours`` counts the pods of the same owner a node: doubled-up pods go before lonely ones.
    """

    def rank(pod: Json) -> tuple[object, ...]:
        node = pod["spec"].get("nodeName", "")
        ready = condition(pod, "Ready") if is_ready(pod) else None
        restarts = max(
            (c.get("restartCount", 0) for c in pod.get("status", {}).get("containerStatuses") or ()), default=0
        )
        return (
            bool(node),
            _PHASES.get(phase(pod), 0),
            ready is not None,
            int(annotations_of(pod).get("controller.kubernetes.io/pod-deletion-cost", "0")),
            -neighbours.get(node, 0),
            -moment(ready["lastTransitionTime"]).timestamp() if ready is not None else 0.0,
            -restarts,
            -moment(pod["metadata"]["creationTimestamp"]).timestamp(),
        )

    return sorted(pods, key=rank)
