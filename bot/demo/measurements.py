"""metrics.k8s.io/v1beta1: what pods and nodes use, in the shape of metrics-server."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.demo.calls import Call
from bot.demo.encoding import encode
from bot.demo.objects import Json, labels_of, name_of, namespace_of, stamp
from bot.demo.reading import selection
from bot.demo.sources import MetricsSource, Usage
from bot.demo.status import NotFound
from bot.demo.store import Store

_WINDOW = "15s"


def answer(store: Store, source: MetricsSource, call: Call) -> bytes:
    """Return PodMetrics or NodeMetrics, one or a list; raises NotFound for what is not measured (yet)."""
    chosen = selection(call)
    resource = "pods" if call.kind.plural == "pods" else "nodes"
    objects = [obj for obj in store.list(resource, chosen.namespace) if chosen.matches(obj)]
    measured = [metrics for obj in objects if (metrics := _measured(store, source, call, obj)) is not None]
    if call.name:
        if not measured:
            raise NotFound.named(call.kind.resource, call.name)
        return encode({"kind": call.kind.kind, "apiVersion": call.kind.api_version, **measured[0]})
    return encode(
        {
            "kind": f"{call.kind.kind}List",
            "apiVersion": call.kind.api_version,
            "metadata": {"resourceVersion": store.resource_version},
            "items": measured,
        }
    )


def _measured(store: Store, source: MetricsSource, call: Call, obj: Json) -> Json | None:
    meta: Json = {"name": name_of(obj), "creationTimestamp": stamp(store.now)}
    if namespace := namespace_of(obj):
        meta["namespace"] = namespace
    if labels := labels_of(obj):
        meta["labels"] = dict(labels)
    found: Json = {"metadata": meta, "timestamp": stamp(store.now), "window": _WINDOW}
    if call.kind.plural == "nodes":
        return {**found, "usage": _amounts(source.node(obj))}
    containers = source.pod(obj)
    if not containers:
        return None
    return {**found, "containers": list(_containers(containers.items()))}


def _containers(usage: Iterable[tuple[str, Usage]]) -> Iterable[dict[str, Any]]:
    for name, used in usage:
        yield {"name": name, "usage": _amounts(used)}


def _amounts(used: Usage) -> Json:
    return {"cpu": f"{used.cpu}m" if used.cpu else "0", "memory": f"{used.memory // 1024}Ki"}
