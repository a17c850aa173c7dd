"""Events: what controllers tell people, with repeats counted on one event, and forgotten after an hour."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import Literal

from bot.demo.controllers.loop import Key
from bot.demo.objects import Json, moment, name_of, namespace_of, stamp
from bot.demo.store import Event, Store

RETENTION = timedelta(hours=1)  # kube-apiserver --event-ttl

EventKind = Literal["Normal", "Warning"]


@dataclass(frozen=True, slots=True)
class Recorder:
    """Writes events as one component; ``host`` is the kubelet's node."""

    store: Store
    component: str
    host: str = ""

    def on(self, host: str) -> Recorder:
        return Recorder(self.store, self.component, host)

    def tell(self, about: Json, kind: EventKind, reason: str, message: str, *, field: str = "") -> None:
        """Record that something happened to an object; ``field`` is the part, such as ``spec.containers{web}``.

        A repeat raises the count and the last time of the event there is (client-go's EventCorrelator). The name is
        made from what makes two events the same, so finding it needs no search.
        """
        meta = about["metadata"]
        namespace = namespace_of(about) or "default"
        space = self.store.find("namespaces", "", namespace)
        if space is None or space["metadata"].get("deletionTimestamp"):
            return  # the server would refuse it
        involved: Json = {
            "kind": about["kind"],
            "namespace": namespace_of(about),
            "name": name_of(about),
            "uid": meta["uid"],
            "apiVersion": about["apiVersion"],
            "resourceVersion": meta["resourceVersion"],
            "fieldPath": field,
        }
        same = "\n".join((meta["uid"], kind, reason, message, field, self.component, self.host))
        name = f"{name_of(about)}.{sha256(same.encode()).hexdigest()[:16]}"
        now = stamp(self.store.now)
        known = self.store.find("events", namespace, name)
        if known is not None:
            self.store.update("events", {**known, "count": known["count"] + 1, "lastTimestamp": now})
            return
        self.store.create(
            "events",
            {
                "apiVersion": "v1",
                "kind": "Event",
                "metadata": {"name": name, "namespace": namespace},
                "involvedObject": {key: value for key, value in involved.items() if value},
                "reason": reason,
                "message": message,
                "source": {"component": self.component} | ({"host": self.host} if self.host else {}),
                "firstTimestamp": now,
                "lastTimestamp": now,
                "count": 1,
                "type": kind,
                "eventTime": None,
                "reportingComponent": self.component,
                "reportingInstance": self.host,
            },
        )


class EventExpiry:
    """Deletes events that nothing has added to for an hour."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == "events" and event.type == "ADDED":
            yield namespace_of(event.object), name_of(event.object)

    def reconcile(self, key: Key) -> float | None:
        event = self._store.find("events", *key)
        if event is None:
            return None
        last = event.get("lastTimestamp") or event.get("eventTime") or event["metadata"]["creationTimestamp"]
        left = (moment(last) + RETENTION - self._store.now).total_seconds()
        if left > 0:
            return left
        self._store.delete("events", *key)
        return None
