"""Status conditions: reading one, and replacing one without losing when it last turned."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from bot.demo.objects import Json, stamp

Conditions = Sequence[Json]


def condition(obj: Json, kind: str) -> Json | None:
    return find(obj.get("status", {}).get("conditions") or (), kind)


def find(conditions: Conditions, kind: str) -> Json | None:
    return next((item for item in conditions if item["type"] == kind), None)


def without(conditions: Conditions, kind: str) -> list[Json]:
    return [item for item in conditions if item["type"] != kind]


def new(kind: str, status: str, reason: str, message: str, now: datetime) -> Json:
    """Return a condition with both times, as Deployments have it."""
    return {
        "type": kind,
        "status": status,
        "lastUpdateTime": stamp(now),
        "lastTransitionTime": stamp(now),
        "reason": reason,
        "message": message,
    }


def put(conditions: Conditions, fresh: Json) -> list[Json]:
    """Set a condition by the Deployment's rule: same status and reason → untouched; same status → keeps its turn.

    SetDeploymentCondition, pkg/controller/deployment/util/deployment_util.go. New ones go to the end.
    """
    known = find(conditions, fresh["type"])
    if known is not None and known["status"] == fresh["status"]:
        if known.get("reason") == fresh.get("reason"):
            return list(conditions)
        fresh = {**fresh, "lastTransitionTime": known["lastTransitionTime"]}
    return [*without(conditions, fresh["type"]), fresh]


def turned(
    conditions: Conditions, kind: str, status: str, now: datetime, *, reason: str = "", message: str = ""
) -> list[Json]:
    """Set a condition in its place by the kubelet's rule: the time changes only when the status does."""
    known = find(conditions, kind)
    same = known is not None and known["status"] == status
    fresh: Json = {
        "type": kind,
        "status": status,
        "lastProbeTime": None,
        "lastTransitionTime": known["lastTransitionTime"] if known is not None and same else stamp(now),
    }
    fresh |= {key: text for key, text in (("reason", reason), ("message", message)) if text}
    if known is None:
        return [*conditions, fresh]
    return [fresh if item["type"] == kind else item for item in conditions]
