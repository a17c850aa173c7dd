"""What two namespaces are compared by: their objects without noise, and whether the controllers are done with them.

Noise is what must differ between two clusters or between two writers: uids, resourceVersions, times, managedFields,
our action-id, the moment of a restart, and the names that are made from a hash of those. A name that is made from a
revision is replaced by that revision's number.
"""

import asyncio
import difflib
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol, TypeAlias

from bot.core.diff import ACTION_ANNOTATION

Json: TypeAlias = dict[str, Any]
Snapshot: TypeAlias = dict[str, Any]
Seen: TypeAlias = Mapping[str, Sequence[Json]]

DEPLOYMENTS: Final = "deployments.apps"
SETS: Final = "replicasets.apps"
STATEFUL: Final = "statefulsets.apps"
DAEMONS: Final = "daemonsets.apps"
HISTORY: Final = "controllerrevisions.apps"
PODS: Final = "pods"
SCALERS: Final = "horizontalpodautoscalers.autoscaling"
_WITH_STATUS: Final = (DEPLOYMENTS, SETS, STATEFUL, DAEMONS, PODS)
RESOURCES: Final = (DEPLOYMENTS, SETS, STATEFUL, DAEMONS, HISTORY, PODS, SCALERS)

REVISION: Final = "deployment.kubernetes.io/revision"
_RESTARTED: Final = "kubectl.kubernetes.io/restartedAt"
_TEMPLATE_HASH: Final = "pod-template-hash"
_REVISION_HASH: Final = "controller-revision-hash"
_HASHES: Final = frozenset({_TEMPLATE_HASH, _REVISION_HASH, "controller.kubernetes.io/hash"})
_NOISE: Final = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "generateName", "selfLink")
_COUNTERS: Final = ("replicas", "updatedReplicas", "observedGeneration", "updatedNumberScheduled", "collisionCount")
_FAULTS: Final = frozenset({"ErrImagePull", "ImagePullBackOff", "CreateContainerConfigError"})


class Lists(Protocol):
    async def list(self, resource: str, namespace: str) -> Sequence[Json]: ...


async def snapshot(side: Lists, namespace: str) -> Snapshot:
    """Read a namespace and leave the noise out; equal namespaces give equal values."""
    listed = await asyncio.gather(*(side.list(resource, namespace) for resource in RESOURCES))
    seen: Seen = dict(zip(RESOURCES, listed, strict=True))
    numbers = {_name(one): one["revision"] for one in seen[HISTORY]}
    return {
        "workloads": {
            f"{one['kind']}/{_name(one)}": _workload(one, numbers)
            for kind in (DEPLOYMENTS, STATEFUL, DAEMONS)
            for one in seen[kind]
        },
        "replicasets": _sorted([_replica_set(one) for one in seen[SETS]]),
        "revisions": _sorted([_revision(one) for one in seen[HISTORY]]),
        "pods": _sorted([_pod(one, seen) for one in seen[PODS]]),
        "autoscalers": _sorted([{"name": _name(one), "spec": one["spec"]} for one in seen[SCALERS]]),
    }


def difference(expected: Snapshot, found: Snapshot) -> list[str]:
    """Two snapshots as the lines of a diff."""
    left, right = (json.dumps(one, indent=1, sort_keys=True).splitlines() for one in (expected, found))
    return list(difflib.unified_diff(left, right, "kubectl", "bot", lineterm="", n=2))


def at_rest(seen: Seen) -> bool:
    """Whether every workload has rolled out, or is held, or cannot go on for the faults of its pods."""
    if not all(one.get("status") for resource in _WITH_STATUS for one in seen[resource]):
        return False  # nobody has looked at it yet
    scaled = all(_within(scaler, seen) for scaler in seen[SCALERS])
    live = [pod for pod in seen[PODS] if not pod["metadata"].get("deletionTimestamp")]
    return (
        scaled
        and len(live) == len(seen[PODS])
        and all(ready(pod) or _faulty(pod) for pod in live)
        and all(_deployment_rests(one, seen) for one in seen[DEPLOYMENTS])
        and all(_set_rests(one, seen) for one in seen[STATEFUL])
        and all(_daemon_rests(one, seen) for one in seen[DAEMONS])
    )


def ready(pod: Json) -> bool:
    return any(one["type"] == "Ready" and one["status"] == "True" for one in pod["status"].get("conditions") or ())


def owned(owner: Json, objects: Sequence[Json]) -> list[Json]:
    """Return the objects whose controller is `owner`."""
    uid = owner["metadata"]["uid"]
    return [one for one in objects if (ref := _controller(one)) is not None and ref["uid"] == uid]


# -- what is compared --------------------------------------------------------------------------------------------------


def _workload(obj: Json, numbers: Mapping[str, int]) -> Json:
    status = obj.get("status") or {}
    named = {field: numbers.get(status[field]) for field in ("currentRevision", "updateRevision") if field in status}
    return {
        "metadata": _metadata(obj),
        "spec": _spec(obj),
        "status": {field: status[field] for field in _COUNTERS if field in status} | named,
    }


def _replica_set(obj: Json) -> Json:
    """A ReplicaSet by its Deployment and its template; its own generation tells how often it was scaled on the way."""
    spec = _spec(obj)
    spec["selector"] = _without_hash(spec["selector"].get("matchLabels") or {})
    meta = {key: value for key, value in _metadata(obj).items() if key not in {"name", "generation"}}
    return {"metadata": meta, "spec": spec}


def _revision(obj: Json) -> Json:
    meta = {key: value for key, value in _metadata(obj).items() if key != "name"}
    spec = obj["data"]["spec"]
    return {"metadata": meta, "revision": obj["revision"], "data": {"spec": spec | {"template": _template(spec)}}}


def _pod(obj: Json, seen: Seen) -> Json:
    """A pod by the workload that it belongs to and what it runs."""
    ref = _controller(obj)
    if ref is not None and ref["kind"] == "ReplicaSet":
        above = next((one for one in seen[SETS] if one["metadata"]["uid"] == ref["uid"]), None)
        ref = _controller(above) if above is not None else ref
    return {
        "owner": f"{ref['kind']}/{ref['name']}" if ref else _name(obj),
        "labels": _without_place(_without_hash(obj["metadata"].get("labels") or {})),
        "images": {one["name"]: one["image"] for one in _containers(obj["spec"])},
    }


def _metadata(obj: Json) -> Json:
    meta = {key: value for key, value in obj["metadata"].items() if key not in _NOISE}
    meta["annotations"] = _annotations(meta)
    meta["labels"] = _without_hash(meta.get("labels") or {})
    meta["ownerReferences"] = [f"{one['kind']}/{one['name']}" for one in meta.get("ownerReferences") or ()]
    return meta


def _spec(obj: Json) -> Json:
    spec: Json = obj["spec"]
    return spec | {"template": _template(spec)}


def _template(spec: Json) -> Json:
    template: Json = dict(spec["template"])
    meta = template.get("metadata") or {}
    labels, notes = _without_hash(meta.get("labels") or {}), _annotations(meta)
    return template | {"metadata": {**_filled(meta), "labels": labels, "annotations": notes}}


def _annotations(meta: Json) -> Json:
    notes = {key: value for key, value in (meta.get("annotations") or {}).items() if key != ACTION_ANNOTATION}
    return notes | ({_RESTARTED: "a moment"} if _RESTARTED in notes else {})


def _filled(meta: Json) -> Json:
    """A null and an absent field are the same to the API (`creationTimestamp: null`)."""
    return {key: value for key, value in meta.items() if value is not None}


def _without_hash(labels: Mapping[str, str]) -> Json:
    return {key: value for key, value in labels.items() if key not in _HASHES}


def _without_place(labels: Mapping[str, str]) -> Json:
    """Which node a pod comes to is chance, and since Kubernetes 1.35 its labels tell."""
    return {key: value for key, value in labels.items() if not key.startswith("topology.kubernetes.io/")}


def _containers(spec: Json) -> list[Json]:
    return [*(spec.get("initContainers") or ()), *spec["containers"]]


def _sorted(values: Sequence[Json]) -> list[Json]:
    return sorted(values, key=lambda value: json.dumps(value, sort_keys=True))


def _name(obj: Json) -> str:
    return str(obj["metadata"]["name"])


def _controller(obj: Json) -> Json | None:
    refs: Sequence[Json] = obj["metadata"].get("ownerReferences") or ()
    return next((ref for ref in refs if ref.get("controller")), None)


# -- whether it is over ------------------------------------------------------------------------------------------------


def _faulty(pod: Json) -> bool:
    """Whether a container cannot start, for a reason that time does not heal."""
    status = pod["status"]
    states = [*(status.get("initContainerStatuses") or ()), *(status.get("containerStatuses") or ())]
    return any((one.get("state", {}).get("waiting") or {}).get("reason") in _FAULTS for one in states)


def _observed(obj: Json) -> bool:
    return bool(obj["status"].get("observedGeneration", 0) >= obj["metadata"]["generation"])


def _deployment_rests(obj: Json, seen: Seen) -> bool:
    sets = owned(obj, seen[SETS])
    pods = {_name(one): owned(one, seen[PODS]) for one in sets}
    if not _observed(obj) or any(
        one["spec"]["replicas"] != one["status"]["replicas"] or one["spec"]["replicas"] != len(pods[_name(one)])
        for one in sets
    ):
        return False
    if obj["status"].get("replicas", 0) != sum(one["spec"]["replicas"] for one in sets):
        return False
    if obj["spec"].get("paused"):
        return True
    wanted, revision = obj["spec"]["replicas"], (obj["metadata"].get("annotations") or {}).get(REVISION)
    newest = next((one for one in sets if (one["metadata"].get("annotations") or {}).get(REVISION) == revision), None)
    if newest is None or obj["status"].get("updatedReplicas", 0) != newest["spec"]["replicas"]:
        return False
    updated, total = newest["spec"]["replicas"], sum(one["spec"]["replicas"] for one in sets)
    if updated == total == wanted:
        return True
    # It cannot go on: as many new pods as may be, and as few old ones.
    rolling = obj["spec"]["strategy"].get("rollingUpdate") or {}
    surge, missing = (_share(rolling.get(field, 0), wanted, up=up) for field, up in _BOUNDS)
    broken = any(_faulty(pod) for pod in pods[_name(newest)])
    return broken and total == wanted + surge and total - updated == wanted - missing


_BOUNDS: Final = (("maxSurge", True), ("maxUnavailable", False))


def _share(value: int | str, total: int, *, up: bool) -> int:
    """A number of pods, also where it is given in percent."""
    if isinstance(value, int):
        return value
    part = int(value.removesuffix("%")) * total / 100
    return math.ceil(part) if up else math.floor(part)


def _set_rests(obj: Json, seen: Seen) -> bool:
    pods, spec, strategy = owned(obj, seen[PODS]), obj["spec"], obj["spec"].get("updateStrategy") or {}
    update = obj["status"].get("updateRevision")
    if not _observed(obj) or obj["status"].get("replicas", 0) != len(pods):
        return False
    faulty = [pod for pod in pods if _faulty(pod)]
    if faulty and spec["podManagementPolicy"] == "OrderedReady":
        return True  # a broken pod stops everything, whatever revision it is of
    fresh = [pod for pod in pods if pod["metadata"]["labels"].get(_REVISION_HASH) == update]
    if len(pods) != spec["replicas"] or obj["status"].get("updatedReplicas", 0) != len(fresh):
        return False
    if strategy.get("type") == "OnDelete" or any(pod in fresh for pod in faulty):
        return True
    held = (strategy.get("rollingUpdate") or {}).get("partition") or 0
    upper = [pod for pod in pods if int(_name(pod).rpartition("-")[2]) >= held]
    return all(pod in fresh for pod in upper) and (held > 0 or obj["status"].get("currentRevision") == update)


def _daemon_rests(obj: Json, seen: Seen) -> bool:
    pods, status = owned(obj, seen[PODS]), obj["status"]
    if not _observed(obj) or len(pods) != status.get("desiredNumberScheduled", 0):
        return False
    if obj["spec"]["updateStrategy"].get("type") == "OnDelete":
        return True
    past = owned(obj, seen[HISTORY])
    newest = max(past, key=lambda one: int(one["revision"]))["metadata"]["labels"][_REVISION_HASH]
    fresh = [pod for pod in pods if pod["metadata"]["labels"][_REVISION_HASH] == newest]
    return status.get("updatedNumberScheduled", 0) == len(fresh) and (
        len(fresh) == len(pods) or any(_faulty(pod) for pod in fresh)
    )


def _within(scaler: Json, seen: Seen) -> bool:
    name, spec = scaler["spec"]["scaleTargetRef"]["name"], scaler["spec"]
    target = next((one for one in (*seen[DEPLOYMENTS], *seen[STATEFUL]) if _name(one) == name), None)
    if target is None:
        return True
    now = target["spec"]["replicas"]
    return now == 0 or bool(spec.get("minReplicas", 1) <= now <= spec["maxReplicas"])
