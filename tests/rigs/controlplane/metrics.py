"""metrics.k8s.io on a cluster without a metrics server: custom resources of the same name, filled from what runs.

`kubectl top`, the bot and the autoscaler read them as they read a metrics server's.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from datetime import datetime
from typing import Final

import aiohttp
from rigs.controlplane.api import Api, Json, Refusal

from bot.demo.controllers.usage import Measurements, Usage
from bot.demo.objects import labels_of, name_of, namespace_of, stamp
from bot.demo.store import Store

log = logging.getLogger(__name__)

_GROUP: Final = "metrics.k8s.io"
_VERSION: Final = "v1beta1"
_BASE: Final = f"/apis/{_GROUP}/{_VERSION}"
_EVERY: Final = 1.0  # seconds between two looks for what has no figures yet


async def define(api: Api) -> None:
    """Make the API server serve `pods.metrics.k8s.io` and `nodes.metrics.k8s.io`."""
    for plural, kind, scope in (("pods", "PodMetrics", "Namespaced"), ("nodes", "NodeMetrics", "Cluster")):
        await api.create(_definition(plural, kind, scope))


def _definition(plural: str, kind: str, scope: str) -> Json:
    schema = {"openAPIV3Schema": {"type": "object", "x-kubernetes-preserve-unknown-fields": True}}
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": f"{plural}.{_GROUP}",
            "annotations": {"api-approved.kubernetes.io": "unapproved, test rig"},
        },
        "spec": {
            "group": _GROUP,
            "scope": scope,
            "names": {"plural": plural, "singular": kind.lower(), "kind": kind, "listKind": f"{kind}List"},
            "versions": [{"name": _VERSION, "served": True, "storage": True, "schema": schema}],
        },
    }


async def keep(api: Api, store: Store, clock: Callable[[], datetime]) -> None:
    """Write the figures of every pod and node once, as soon as it runs; the pod's go with the pod. Until cancelled."""
    measured = Measurements(clock, lambda: store.list("pods"))
    told: set[str] = set()
    while True:
        for obj in (*store.list("nodes"), *store.list("pods")):
            uid = obj["metadata"]["uid"]
            if uid in told or not (figures := _figures(measured, obj, stamp(clock()))):
                continue
            try:
                await api.ask("POST", _collection(obj), figures)
            except Refusal as no:
                log.debug("no figures for %s: %s", name_of(obj), no)
            except (aiohttp.ClientError, TimeoutError) as silent:
                log.debug("figures are written later: %s", silent)
                break
            told.add(uid)
        await asyncio.sleep(_EVERY)


def _collection(obj: Json) -> str:
    return f"{_BASE}/namespaces/{namespace_of(obj)}/pods" if obj["kind"] == "Pod" else f"{_BASE}/nodes"


def _figures(measured: Measurements, obj: Json, now: str) -> Json | None:
    meta: Json = {"name": name_of(obj), "labels": dict(labels_of(obj))}
    shared = {"apiVersion": f"{_GROUP}/{_VERSION}", "timestamp": now, "window": "15s"}
    if obj["kind"] == "Node":
        return {**shared, "kind": "NodeMetrics", "metadata": meta, "usage": _amounts(measured.node(obj))}
    used = measured.pod(obj)
    if not used:
        return None
    owner = {"apiVersion": "v1", "kind": "Pod", "name": name_of(obj), "uid": obj["metadata"]["uid"]}
    containers = [{"name": name, "usage": _amounts(usage)} for name, usage in used.items()]
    return {
        **shared,
        "kind": "PodMetrics",
        "metadata": {**meta, "namespace": namespace_of(obj), "ownerReferences": [owner]},
        "containers": containers,
    }


def _amounts(used: Usage) -> Json:
    return {"cpu": f"{used.cpu}m", "memory": f"{used.memory // 1024}Ki"}
