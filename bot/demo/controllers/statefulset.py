"""StatefulSets: pods with names, an order and volumes of their own (pkg/controller/statefulset)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.demo.controllers import podstate, revisions
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.owners import adopt, owned, owner_keys
from bot.demo.controllers.revisions import History
from bot.demo.controllers.shares import replicas
from bot.demo.controllers.template import CreatePod, pod_from
from bot.demo.objects import Json, copied, name_of, namespace_of
from bot.demo.status import ApiError
from bot.demo.store import Event, Store

_OWN = "statefulsets.apps"
_CLAIMS = "persistentvolumeclaims"

# StatefulSet revisions carry their hash here; the pods' own label names the whole revision.
_HASH_LABEL = "controller.kubernetes.io/hash"


class StatefulSetController:
    def __init__(self, store: Store, create_pod: CreatePod, *, retry: float) -> None:
        self._store = store
        self._create_pod = create_pod
        self._retry = retry
        self._events = Recorder(store, "statefulset-controller")

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == _OWN:
            yield namespace_of(event.object), name_of(event.object)
        elif event.resource in {"pods", "controllerrevisions.apps"}:
            yield from owner_keys(self._store, event, "StatefulSet", _OWN)

    def reconcile(self, key: Key) -> float | None:
        owner = self._store.find(_OWN, *key)
        if owner is None:
            return None
        adopt(self._store, owner, "pods")
        past = revisions.history(self._store, owner, _HASH_LABEL)
        current = past.named(owner.get("status", {}).get("currentRevision")) or past.update
        wait: float | None = None
        if not owner["metadata"].get("deletionTimestamp"):
            try:
                self._step(owner, current, past.update)
            except ApiError:
                wait = self._retry  # the refusal is told as an event where it happened
        pods = owned(self._store, owner, "pods")
        self._report(owner, pods, current, past)
        live = {name_of(current), name_of(past.update), *(revisions.hash_of(pod) for pod in pods)}
        revisions.truncate(self._store, owner, past.all, live)
        return wait or podstate.next_available(pods, owner["spec"].get("minReadySeconds", 0), self._store.now)

    # -- one step ------------------------------------------------------------------------------------------------------

    def _step(self, owner: Json, current: Json, update: Json) -> None:
        """Do what may be done now: everything at once (Parallel), or the first thing in order (OrderedReady)."""
        one_by_one = owner["spec"].get("podManagementPolicy", "OrderedReady") == "OrderedReady"
        pods = {_ordinal(owner, pod): pod for pod in owned(self._store, owner, "pods")}
        pods.pop(-1, None)
        start = (owner["spec"].get("ordinals") or {}).get("start", 0)
        wished = range(start, start + replicas(owner))
        for ordinal in wished:
            pod = pods.get(ordinal)
            if pod is not None and podstate.phase(pod) in {"Failed", "Succeeded"} and not podstate.is_terminating(pod):
                note = f"StatefulSet {_full(owner)} is recreating {podstate.phase(pod)} Pod {name_of(pod)}"
                self._events.tell(owner, "Warning", "RecreatingFailedPod", note)
                self._store.delete("pods", namespace_of(pod), name_of(pod))
                pod = self._store.find("pods", namespace_of(pod), name_of(pod))
            if pod is None:
                pods[ordinal] = self._create(owner, ordinal, current, update)
                if one_by_one:
                    return
            elif one_by_one and not self._is_settled(owner, pod):
                return
        condemned = sorted((number for number in pods if number not in wished), reverse=True)
        for ordinal in condemned:
            if not podstate.is_terminating(pods[ordinal]):
                self._delete(owner, pods[ordinal])
            if one_by_one:
                return
        self._replace_one(owner, pods, wished, update)

    def _replace_one(self, owner: Json, pods: Mapping[int, Json], wished: Sequence[int], update: Json) -> None:
        """Delete the highest pod of an older revision, once every pod above it is well again."""
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        for ordinal in reversed(wished):
            pod = pods[ordinal]
            if ordinal < _partition(owner):
                return
            if revisions.hash_of(pod) != name_of(update) and not podstate.is_terminating(pod):
                self._delete(owner, pod)
                return
            if not podstate.is_running_and_ready(pod) or podstate.is_terminating(pod):
                return

    def _is_settled(self, owner: Json, pod: Json) -> bool:
        seconds = owner["spec"].get("minReadySeconds", 0)
        ready = podstate.is_running_and_ready(pod) and not podstate.is_terminating(pod)
        return ready and podstate.is_available(pod, seconds, self._store.now)

    def _delete(self, owner: Json, pod: Json) -> None:
        self._store.delete("pods", namespace_of(pod), name_of(pod))
        done = f"delete Pod {name_of(pod)} in StatefulSet {name_of(owner)} successful"
        self._events.tell(owner, "Normal", "SuccessfulDelete", done)

    def _create(self, owner: Json, ordinal: int, current: Json, update: Json) -> Json:
        """Create the pod of an ordinal, with its claims; below the partition it is of the current revision."""
        revision = current if ordinal < _partition(owner) else update
        pod = pod_from(owner, revisions.template_of(revision))
        name = f"{name_of(owner)}-{ordinal}"
        del pod["metadata"]["generateName"]
        pod["metadata"]["name"] = name
        pod["metadata"]["labels"] |= {
            revisions.HASH_LABEL: name_of(revision),
            "statefulset.kubernetes.io/pod-name": name,
            "apps.kubernetes.io/pod-index": str(ordinal),
        }
        pod["spec"] |= {"hostname": name, "subdomain": owner["spec"].get("serviceName", "")}
        pod["spec"]["volumes"] = self._claimed(owner, name, pod["spec"].get("volumes") or [])
        try:
            created = self._create_pod(pod)
        except ApiError as refusal:
            failed = f"create Pod {name} in StatefulSet {name_of(owner)} failed error: {refusal.message}"
            self._events.tell(owner, "Warning", "FailedCreate", failed)
            raise
        done = f"create Pod {name} in StatefulSet {name_of(owner)} successful"
        self._events.tell(owner, "Normal", "SuccessfulCreate", done)
        return created

    def _claimed(self, owner: Json, pod: str, volumes: Sequence[Json]) -> list[Json]:
        """Make sure the pod's claims exist; return its volumes with the claims in the templates' places."""
        claims = {}
        for template in owner["spec"].get("volumeClaimTemplates") or ():
            name = f"{name_of(template)}-{pod}"
            claims[name_of(template)] = {
                "name": name_of(template),
                "persistentVolumeClaim": {"claimName": name},
            }
            if self._store.find(_CLAIMS, namespace_of(owner), name) is None:
                meta = {
                    "name": name,
                    "namespace": namespace_of(owner),
                    "labels": {
                        **template["metadata"].get("labels", {}),
                        **(owner["spec"]["selector"].get("matchLabels") or {}),
                    },
                }
                claim = {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "metadata": meta,
                    "spec": copied(template["spec"]),
                }
                self._store.create(_CLAIMS, {**claim, "status": {"phase": "Pending"}})
                done = f"create Claim {name} Pod {pod} in StatefulSet {name_of(owner)} success"
                self._events.tell(owner, "Normal", "SuccessfulCreate", done)
        return [*claims.values(), *(volume for volume in volumes if volume["name"] not in claims)]

    # -- status --------------------------------------------------------------------------------------------------------

    def _report(self, owner: Json, pods: Sequence[Json], current: Json, past: History) -> None:
        now, seconds, update = self._store.now, owner["spec"].get("minReadySeconds", 0), past.update
        ready = [pod for pod in pods if podstate.is_running_and_ready(pod)]
        lasting = [pod for pod in pods if not podstate.is_terminating(pod)]
        of_current = sum(revisions.hash_of(pod) == name_of(current) for pod in lasting)
        of_update = sum(revisions.hash_of(pod) == name_of(update) for pod in lasting)
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") == "RollingUpdate" and of_update == len(pods) == replicas(
            owner
        ) == len(ready):
            current, of_current = update, of_update
        status: Json = {
            "observedGeneration": owner["metadata"]["generation"],
            "replicas": len(pods),
            "currentRevision": name_of(current),
            "updateRevision": name_of(update),
            "collisionCount": past.collisions,
            "availableReplicas": sum(podstate.is_available(pod, seconds, now) for pod in ready),
        }
        counters = {"readyReplicas": len(ready), "currentReplicas": of_current, "updatedReplicas": of_update}
        status |= {key: value for key, value in counters.items() if value}
        self._store.update(_OWN, {**owner, "status": status}, subresource="status")


def _full(owner: Json) -> str:
    return f"{namespace_of(owner)}/{name_of(owner)}"


def _ordinal(owner: Json, pod: Json) -> int:
    """Return the pod's number, or -1 for an adopted pod of another name."""
    prefix, _, number = name_of(pod).rpartition("-")
    return int(number) if prefix == name_of(owner) and number.isdecimal() else -1


def _partition(owner: Json) -> int:
    """Return the first ordinal that may be of the update revision."""
    strategy = owner["spec"].get("updateStrategy") or {}
    start = (owner["spec"].get("ordinals") or {}).get("start", 0)
    if strategy.get("type", "RollingUpdate") != "RollingUpdate":
        return 0
    return int(start) + int((strategy.get("rollingUpdate") or {}).get("partition") or 0)
