"""How many pods a rollout may have: surge, unavailability, and how replicas are shared among ReplicaSets.

Pure arithmetic, a re-wording of pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from bot.demo.objects import Json, annotations_of

DESIRED = "deployment.kubernetes.io/desired-replicas"
MAX = "deployment.kubernetes.io/max-replicas"


def replicas(obj: Json) -> int:
    """Return the replicas wished for (the API's default is one)."""
    found = obj["spec"].get("replicas")
    return 1 if found is None else int(found)


def reported(obj: Json, counter: str) -> int:
    """Return a counter of the status; an absent one means zero."""
    return int(obj.get("status", {}).get(counter) or 0)


def scaled(value: int | str | None, total: int, *, up: bool) -> int:
    """Return an IntOrString in pods: a percentage is of ``total``, rounded up or down."""
    if value is None:
        return 0
    if isinstance(value, str) and value.endswith("%"):
        exact = int(value[:-1]) * total / 100
        return math.ceil(exact) if up else math.floor(exact)
    return int(value)


def is_rolling(deployment: Json) -> bool:
    return bool((deployment["spec"].get("strategy") or {}).get("type", "RollingUpdate") == "RollingUpdate")


def _fence(deployment: Json) -> tuple[int, int]:
    """Return (max surge, max unavailable); both cannot be zero, or nothing could ever move."""
    rolling = (deployment["spec"].get("strategy") or {}).get("rollingUpdate") or {}
    wished = replicas(deployment)
    surge = scaled(rolling.get("maxSurge", "25%"), wished, up=True)
    unavailable = scaled(rolling.get("maxUnavailable", "25%"), wished, up=False)
    return (surge, unavailable) if surge or unavailable else (0, 1)


def max_surge(deployment: Json) -> int:
    return _fence(deployment)[0] if is_rolling(deployment) else 0


def max_unavailable(deployment: Json) -> int:
    if not is_rolling(deployment) or not replicas(deployment):
        return 0
    return min(_fence(deployment)[1], replicas(deployment))


def new_replicas(deployment: Json, new: int, everything: int) -> int:
    """Return the size the new ReplicaSet may have now, being ``new`` while all together wish for ``everything``."""
    wished = replicas(deployment)
    if not is_rolling(deployment):
        return wished
    room = wished + max_surge(deployment) - everything
    return new if room <= 0 else new + min(room, wished - new)


def proportional(deployment: Json, active: Sequence[Json]) -> dict[str, int]:
    """Return new sizes by ReplicaSet name when a deployment is scaled in the middle of a rollout.

    Each active ReplicaSet takes its share of the difference; what rounding leaves goes to the first.
    """
    wished = replicas(deployment)
    allowed = wished + max_surge(deployment) if wished else 0
    missing = allowed - sum(replicas(one) for one in active)
    ordered = sorted(active, key=lambda one: one["metadata"]["creationTimestamp"], reverse=missing > 0)
    ordered.sort(key=replicas, reverse=True)
    sizes: dict[str, int] = {}
    added = 0
    for one in ordered:
        share = _share(deployment, one, missing, added) if missing else 0
        sizes[one["metadata"]["name"]] = replicas(one) + share
        added += share
    if ordered and missing:
        first = ordered[0]["metadata"]["name"]
        sizes[first] = max(0, sizes[first] + missing - added)
    return sizes


def _share(deployment: Json, one: Json, missing: int, added: int) -> int:
    size, wished = replicas(one), replicas(deployment)
    if size == 0 or missing == added:
        return 0
    if wished == 0:
        fraction = -size
    else:
        known = int(annotations_of(one).get(MAX) or 0) or reported(deployment, "replicas") or size
        exact = size * (wished + max_surge(deployment)) / known
        fraction = math.floor(exact + 0.5) - size
    rest = missing - added
    return min(fraction, rest) if missing > 0 else max(fraction, rest)
