"""A Deployment's status: its counters, and the conditions Available, Progressing and ReplicaFailure.

A re-wording of pkg/controller/deployment/progress.go and sync.go (calculateStatus); reasons and messages are theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.demo.controllers.conditions import condition, find, new, put, without
from bot.demo.controllers.shares import max_unavailable, replicas, reported
from bot.demo.objects import Json, moment, name_of

TIMED_OUT = "ProgressDeadlineExceeded"
COMPLETE = "NewReplicaSetAvailable"

_NEVER = 2**31 - 1  # MaxInt32 as a deadline means none


def has_deadline(deployment: Json) -> bool:
    return deployment["spec"].get("progressDeadlineSeconds") not in (None, _NEVER)


def counted(deployment: Json, newest: Json | None, everything: Sequence[Json], now: datetime) -> Json:
    """Return the status that follows from the ReplicaSets, with the condition Available."""
    available = sum(reported(one, "availableReplicas") for one in everything)
    wished = sum(replicas(one) for one in everything)
    old = deployment.get("status", {})
    status: Json = {"observedGeneration": deployment["metadata"]["generation"]}
    counters = {
        "replicas": sum(reported(one, "replicas") for one in everything),
        "updatedReplicas": reported(newest, "replicas") if newest is not None else 0,
        "readyReplicas": sum(reported(one, "readyReplicas") for one in everything),
        "availableReplicas": available,
        "unavailableReplicas": max(0, wished - available),
    }
    status |= {key: value for key, value in counters.items() if value}
    if "collisionCount" in old:
        status["collisionCount"] = old["collisionCount"]
    if available >= replicas(deployment) - max_unavailable(deployment):
        fresh = ("True", "MinimumReplicasAvailable", "Deployment has minimum availability.")
    else:
        fresh = ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    status["conditions"] = put(old.get("conditions") or (), new("Available", *fresh, now))
    return status


def is_complete(deployment: Json, status: Json) -> bool:
    wished = replicas(deployment)
    counters = ("updatedReplicas", "replicas", "availableReplicas")
    return all(status.get(counter, 0) == wished for counter in counters) and (
        status.get("observedGeneration", 0) >= deployment["metadata"]["generation"]
    )


def judged(deployment: Json, newest: Json | None, everything: Sequence[Json], now: datetime) -> Json:
    """Return the status with Progressing and ReplicaFailure as well: what a rollout's every step reports."""
    status = counted(deployment, newest, everything, now)
    conditions: list[Json] = status["conditions"]
    before = condition(deployment, "Progressing")
    subject = f'ReplicaSet "{name_of(newest)}"' if newest is not None else f'Deployment "{name_of(deployment)}"'
    if not has_deadline(deployment):
        conditions = without(conditions, "Progressing")
    elif not (
        status.get("replicas", 0) == status.get("updatedReplicas", 0)
        and before is not None
        and before["reason"] == COMPLETE
    ):
        if is_complete(deployment, status):
            message = f"{subject} has successfully progressed."
            conditions = put(conditions, new("Progressing", "True", COMPLETE, message, now))
        elif _moved(deployment.get("status", {}), status):
            step = new("Progressing", "True", "ReplicaSetUpdated", f"{subject} is progressing.", now)
            if before is not None and before["status"] == "True":
                step["lastTransitionTime"] = before["lastTransitionTime"]
            conditions = [*without(conditions, "Progressing"), step]  # not put(): every step renews lastUpdateTime
        elif _timed_out(deployment, before, now):
            message = f"{subject} has timed out progressing."
            conditions = put(conditions, new("Progressing", "False", TIMED_OUT, message, now))
    status["conditions"] = _with_failure(conditions, newest, everything)
    return status


def wait_for_deadline(deployment: Json, now: datetime) -> float | None:
    """Return the seconds until the deadline must be looked at, or None when nothing is waited for."""
    current = condition(deployment, "Progressing")
    if not has_deadline(deployment) or current is None or current["reason"] == TIMED_OUT:
        return None
    if is_complete(deployment, deployment.get("status", {})):
        return None
    return max(0.0, (_deadline(deployment, current) - now).total_seconds()) + 1.0


def _deadline(deployment: Json, current: Json) -> datetime:
    return moment(current["lastUpdateTime"]) + timedelta(seconds=deployment["spec"]["progressDeadlineSeconds"])


def _timed_out(deployment: Json, current: Json | None, now: datetime) -> bool:
    if current is None or current["reason"] == COMPLETE:
        return False
    return bool(current["reason"] == TIMED_OUT) or _deadline(deployment, current) < now


def _moved(before: Json, after: Json) -> bool:
    def old_ones(status: Json) -> int:
        return int(status.get("replicas", 0)) - int(status.get("updatedReplicas", 0))

    grown = any(
        after.get(counter, 0) > before.get(counter, 0)
        for counter in ("updatedReplicas", "readyReplicas", "availableReplicas")
    )
    return grown or old_ones(after) < old_ones(before)


def _with_failure(conditions: Sequence[Json], newest: Json | None, everything: Sequence[Json]) -> list[Json]:
    first = [newest] if newest is not None else []
    for one in (*first, *everything):
        failure = find(one.get("status", {}).get("conditions") or (), "ReplicaFailure")
        if failure is not None:
            copy = {**failure, "lastUpdateTime": failure["lastTransitionTime"]}
            return put(conditions, copy)
    return without(conditions, "ReplicaFailure")
