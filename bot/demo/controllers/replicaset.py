"""ReplicaSets: so many pods of one template, no more and no fewer (pkg/controller/replicaset)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.demo.controllers import podstate
from bot.demo.controllers.conditions import find, without
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.owners import adopt, controller_of, owned, owner_keys
from bot.demo.controllers.shares import replicas
from bot.demo.controllers.template import CreatePod, pod_from
from bot.demo.objects import Json, labels_of, name_of, namespace_of, stamp
from bot.demo.status import ApiError
from bot.demo.store import Event, Store

_OWN = "replicasets.apps"

_BURST = 20  # pods made at one look; each of them makes the next look happen


class ReplicaSetController:
    def __init__(self, store: Store, create_pod: CreatePod, *, retry: float) -> None:
        self._store = store
        self._create_pod = create_pod
        self._retry = retry
        self._events = Recorder(store, "replicaset-controller")

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == _OWN:
            yield namespace_of(event.object), name_of(event.object)
        elif event.resource == "pods":
            yield from owner_keys(self._store, event, "ReplicaSet", _OWN)

    def reconcile(self, key: Key) -> float | None:
        one = self._store.find(_OWN, *key)
        if one is None:
            return None
        adopt(self._store, one, "pods")
        before = self._active(one)
        failure = None
        if not one["metadata"].get("deletionTimestamp"):
            failure = self._fit(one, before)
        now, seconds = self._store.now, one["spec"].get("minReadySeconds", 0)
        active = self._active(one)
        self._report(one, active, failure, len(before))
        return self._retry if failure else podstate.next_available(active, seconds, now)

    def _active(self, one: Json) -> list[Json]:
        return [pod for pod in owned(self._store, one, "pods") if podstate.is_active(pod)]

    def _fit(self, one: Json, active: Sequence[Json]) -> ApiError | None:
        """Create or delete what is missing or too much; return the server's refusal, if it refused."""
        surplus = len(active) - replicas(one)
        try:
            for _ in range(min(-surplus, _BURST)):
                pod = self._create_pod(pod_from(one, one["spec"]["template"]))
                self._events.tell(one, "Normal", "SuccessfulCreate", f"Created pod: {name_of(pod)}")
        except ApiError as refusal:
            self._events.tell(one, "Warning", "FailedCreate", f"Error creating: {refusal.message}")
            return refusal
        if surplus > 0:
            for pod in podstate.deletion_order(active, self._neighbours(one))[:surplus]:
                self._store.delete("pods", namespace_of(pod), name_of(pod))
                self._events.tell(one, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")
        return None

    def _neighbours(self, one: Json) -> Counter[str]:
        """Count the active pods of the same owner (all ReplicaSets of a deployment) by node."""
        owner = controller_of(one)
        parent = self._store.by_uid(owner["uid"]) if owner is not None else None
        family = owned(self._store, parent, _OWN) if parent is not None else [one]
        return Counter(pod["spec"].get("nodeName", "") for relative in family for pod in self._active(relative))

    def _report(self, one: Json, active: Sequence[Json], failure: ApiError | None, before: int) -> None:
        now, seconds = self._store.now, one["spec"].get("minReadySeconds", 0)
        template = one["spec"]["template"]["metadata"].get("labels") or {}
        status: Json = {"replicas": len(active), "observedGeneration": one["metadata"]["generation"]}
        counters = {
            "fullyLabeledReplicas": sum(template.items() <= labels_of(pod).items() for pod in active),
            "readyReplicas": sum(podstate.is_ready(pod) for pod in active),
            "availableReplicas": sum(podstate.is_available(pod, seconds, now) for pod in active),
        }
        status |= {counter: number for counter, number in counters.items() if number}
        conditions: Sequence[Json] = one.get("status", {}).get("conditions") or ()
        if failure is None:
            conditions = without(conditions, "ReplicaFailure")
        elif find(conditions, "ReplicaFailure") is None:
            conditions = [
                *conditions,
                {
                    "type": "ReplicaFailure",
                    "status": "True",
                    "lastTransitionTime": stamp(now),
                    "reason": "FailedCreate" if before < replicas(one) else "FailedDelete",
                    "message": failure.message,
                },
            ]
        if conditions:
            status["conditions"] = list(conditions)
        self._store.update(_OWN, {**one, "status": status}, subresource="status")
