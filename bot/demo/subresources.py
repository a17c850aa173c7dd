"""The doors beside an object: its scale, its eviction."""

from __future__ import annotations

from bot.demo import admission, budgets, ownership
from bot.demo.calls import JSON_PATCH, Call
from bot.demo.cells import selector
from bot.demo.field_sets import Manager
from bot.demo.objects import Json, copied, stamp
from bot.demo.patch import json_patch, merge
from bot.demo.status import BadRequest, Conflict
from bot.demo.store import Store
from bot.demo.validation import validate_replicas

_POD = "pods"
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def scale_of(obj: Json) -> Json:
    """Return the autoscaling/v1 Scale of a workload; its resourceVersion is the workload's own.

    Zero replicas are not written (ScaleSpec.Replicas is omitempty).
    """
    meta = obj["metadata"]
    chosen = obj["spec"].get("selector") or {}
    replicas, running = obj["spec"].get("replicas", 1), (obj.get("status") or {}).get("replicas", 0)
    plain = {"matchLabels": chosen} if "matchLabels" not in chosen and "matchExpressions" not in chosen else chosen
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {key: meta[key] for key in _SHOWN if key in meta},
        "spec": {"replicas": replicas} if replicas else {},
        "status": {"replicas": running, "selector": selector(plain)},
    }


def write_scale(store: Store, call: Call) -> Json:
    """PUT or PATCH a Scale and return the new one; raises Conflict, Invalid, NotFound, BadRequest."""
    resource = call.kind.resource
    old = store.get(resource, call.namespace, call.name)
    if call.verb == "update":
        wanted = call.document()
    elif call.content_type.startswith(JSON_PATCH):
        wanted = json_patch(scale_of(old), call.value())
    else:
        wanted = merge(scale_of(old), call.document())  # a Scale has no lists: every other patch of it is a merge
    meta = wanted.get("metadata") or {}
    if meta.get("name", call.name) != call.name:
        raise BadRequest(f"the name of the object ({meta['name']}) does not match the name on the URL ({call.name})")
    if meta.get("uid", old["metadata"]["uid"]) != old["metadata"]["uid"]:
        why = f"Precondition failed: UID in precondition: {meta['uid']}, UID in object meta: {old['metadata']['uid']}"
        raise Conflict.on(resource, call.name, why)
    if meta.get("resourceVersion", old["metadata"]["resourceVersion"]) != old["metadata"]["resourceVersion"]:
        raise Conflict.stale(resource, call.name)
    replicas = (wanted.get("spec") or {}).get("replicas", 0)
    validate_replicas(call.name, replicas)
    new = copied(old)
    new["spec"]["replicas"] = replicas
    by = Manager(call.manager, "Update", call.kind.api_version, "scale", stamp(store.now))
    owned = ownership.record_update(call.kind.kind, old, new, by)
    return scale_of(admission.update(store, resource, owned, dry_run=call.is_dry_run))


def evict(store: Store, call: Call) -> Json:
    """Delete a pod unless a PodDisruptionBudget forbids it now; raises TooManyRequests (429), NotFound, BadRequest."""
    pod = store.get(_POD, call.namespace, call.name)
    body = call.document()
    options = body.get("deleteOptions") or {}
    said = (body.get("metadata") or {}).get("name", call.name)
    if said != call.name:
        raise BadRequest(f"name in URL does not match name in Eviction object: {said}")
    if (pod.get("status") or {}).get("phase") not in {"Succeeded", "Failed", "Pending"}:
        budgets.check(store, pod)
    dry_run = call.is_dry_run or "All" in (options.get("dryRun") or ())
    uid = (options.get("preconditions") or {}).get("uid")
    store.delete(_POD, call.namespace, call.name, uid=uid, grace=options.get("gracePeriodSeconds"), dry_run=dry_run)
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "code": 201}
