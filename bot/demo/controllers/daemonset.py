"""DaemonSets: one pod on every node that fits (pkg/controller/daemon)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from bot.demo.controllers import placement, podstate, revisions
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.owners import adopt, owned, owner_keys
from bot.demo.controllers.shares import scaled
from bot.demo.controllers.template import CreatePod, pod_from
from bot.demo.objects import Json, annotations_of, labels_of, name_of, namespace_of
from bot.demo.status import ApiError
from bot.demo.store import Event, Store

_OWN = "daemonsets.apps"

# What every daemon pod endures: AddOrUpdateDaemonPodTolerations, pkg/controller/daemon/util.
_TOLERATIONS: tuple[Json, ...] = (
    {"key": "node.kubernetes.io/not-ready", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/unreachable", "operator": "Exists", "effect": "NoExecute"},
    {"key": "node.kubernetes.io/disk-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/memory-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/pid-pressure", "operator": "Exists", "effect": "NoSchedule"},
    {"key": "node.kubernetes.io/unschedulable", "operator": "Exists", "effect": "NoSchedule"},
)


class DaemonSetController:
    def __init__(self, store: Store, create_pod: CreatePod, *, retry: float) -> None:
        self._store = store
        self._create_pod = create_pod
        self._retry = retry
        self._events = Recorder(store, "daemonset-controller")

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == _OWN:
            yield namespace_of(event.object), name_of(event.object)
        elif event.resource in {"pods", "controllerrevisions.apps"}:
            yield from owner_keys(self._store, event, "DaemonSet", _OWN)
        elif event.resource == "nodes":
            yield from ((namespace_of(one), name_of(one)) for one in self._store.list(_OWN))

    def reconcile(self, key: Key) -> float | None:
        owner = self._store.find(_OWN, *key)
        if owner is None:
            return None
        adopt(self._store, owner, "pods")
        past = revisions.history(self._store, owner, revisions.HASH_LABEL)
        update = labels_of(past.update)[revisions.HASH_LABEL]
        fitting = self._fitting(owner)
        wait: float | None = None
        if not owner["metadata"].get("deletionTimestamp"):
            try:
                self._place(owner, fitting, update)
                self._replace(owner, fitting, update)
            except ApiError:
                wait = self._retry  # the refusal is told as an event where it happened
        pods = owned(self._store, owner, "pods")
        self._report(owner, fitting, update, past.collisions)
        used = {revisions.hash_of(pod) for pod in pods}
        live = {name_of(one) for one in past.all if labels_of(one).get(revisions.HASH_LABEL) in used}
        revisions.truncate(self._store, owner, past.all, live | {name_of(past.update)})
        return wait or podstate.next_available(pods, owner["spec"].get("minReadySeconds", 0), self._store.now)

    def _fitting(self, owner: Json) -> frozenset[str]:
        """Return the names of the nodes where a pod of this DaemonSet belongs."""
        pod = self._pod(owner, "", "")
        del pod["spec"]["affinity"]
        if owner["spec"]["template"]["spec"].get("affinity"):
            pod["spec"]["affinity"] = owner["spec"]["template"]["spec"]["affinity"]
        return frozenset(name_of(node) for node in self._store.list("nodes") if placement.unfit(pod, node) is None)

    def _by_node(self, owner: Json) -> dict[str, list[Json]]:
        """Return the pods by the node they are on or bound for, oldest first."""
        found: dict[str, list[Json]] = {}
        for pod in owned(self._store, owner, "pods"):
            found.setdefault(_target(pod), []).append(pod)
        return found

    # -- one pod a node ------------------------------------------------------------------------------------------------

    def _place(self, owner: Json, fitting: frozenset[str], update: str) -> None:
        by_node = self._by_node(owner)
        for node in sorted(fitting):
            pods = by_node.get(node, [])
            for pod in pods:
                if podstate.phase(pod) in {"Failed", "Succeeded"} and not podstate.is_terminating(pod):
                    found = f"Found failed daemon pod {namespace_of(pod)}/{name_of(pod)} on node {node}"
                    self._events.tell(owner, "Warning", "FailedDaemonPod", f"{found}, will try to kill it")
                    self._delete(owner, pod)
            if not pods:
                self._create(owner, node, update)
        for node, pods in by_node.items():
            lasting = [pod for pod in pods if podstate.is_active(pod)]
            surplus = lasting if node not in fitting else [] if _surge(owner, len(fitting)) else lasting[1:]
            for pod in surplus:
                self._delete(owner, pod)

    def _replace(self, owner: Json, fitting: frozenset[str], update: str) -> None:
        """Go on with a rolling update: never more nodes without a good pod, or with two, than allowed."""
        strategy = owner["spec"].get("updateStrategy") or {}
        if strategy.get("type", "RollingUpdate") != "RollingUpdate":
            return
        seconds, now = owner["spec"].get("minReadySeconds", 0), self._store.now
        surge = _surge(owner, len(fitting))
        room = surge or _unavailable(owner, len(fitting))
        good: list[Json] = []  # old pods that serve, each on a node without a new one
        for node, pods in sorted(self._by_node(owner).items()):
            lasting = [pod for pod in pods if podstate.is_active(pod)]
            fresh = [pod for pod in lasting if revisions.hash_of(pod) == update]
            stale = [pod for pod in lasting if revisions.hash_of(pod) != update]
            if node not in fitting:
                continue
            if fresh and podstate.is_available(fresh[0], seconds, now):
                for pod in stale:
                    self._delete(owner, pod)
            elif fresh or not stale:
                room -= 1
            elif podstate.is_available(stale[0], seconds, now):
                good.append(stale[0])
            else:
                self._delete(owner, stale[0])
                room -= 0 if surge else 1
        for pod in good[: max(0, room)]:
            if surge:
                self._create(owner, _target(pod), update)
            else:
                self._delete(owner, pod)

    # -- pods ----------------------------------------------------------------------------------------------------------

    def _pod(self, owner: Json, node: str, update: str) -> Json:
        pod = pod_from(owner, owner["spec"]["template"])
        pod["metadata"]["labels"] |= {revisions.HASH_LABEL: update}
        generation = annotations_of(owner).get("deprecated.daemonset.template.generation")
        if generation is not None:
            pod["metadata"]["labels"]["pod-template-generation"] = generation
        pod["spec"]["tolerations"] = [*(pod["spec"].get("tolerations") or ()), *_TOLERATIONS]
        field = {"key": "metadata.name", "operator": "In", "values": [node]}
        affinity = {**(pod["spec"].get("affinity") or {})}
        affinity["nodeAffinity"] = {
            **(affinity.get("nodeAffinity") or {}),
            "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{"matchFields": [field]}]},
        }
        pod["spec"]["affinity"] = affinity
        return pod

    def _create(self, owner: Json, node: str, update: str) -> None:
        try:
            pod = self._create_pod(self._pod(owner, node, update))
        except ApiError as refusal:
            self._events.tell(owner, "Warning", "FailedCreate", f"Error creating: {refusal.message}")
            raise
        self._events.tell(owner, "Normal", "SuccessfulCreate", f"Created pod: {name_of(pod)}")

    def _delete(self, owner: Json, pod: Json) -> None:
        self._store.delete("pods", namespace_of(pod), name_of(pod))
        self._events.tell(owner, "Normal", "SuccessfulDelete", f"Deleted pod: {name_of(pod)}")

    # -- status --------------------------------------------------------------------------------------------------------

    def _report(self, owner: Json, fitting: frozenset[str], update: str, collisions: int) -> None:
        seconds, now = owner["spec"].get("minReadySeconds", 0), self._store.now
        placed: Mapping[str, Sequence[Json]] = {
            node: living
            for node, pods in self._by_node(owner).items()
            if (living := [pod for pod in pods if podstate.is_active(pod)])
        }
        here = [max(pods, key=lambda pod: podstate.is_ready(pod)) for node, pods in placed.items() if node in fitting]
        available = sum(podstate.is_available(pod, seconds, now) for pod in here)
        fresh = sum(
            any(revisions.hash_of(pod) == update for pod in pods) for node, pods in placed.items() if node in fitting
        )
        status: Json = {
            "observedGeneration": owner["metadata"]["generation"],
            "currentNumberScheduled": len(here),
            "desiredNumberScheduled": len(fitting),
            "numberMisscheduled": sum(node not in fitting for node in placed),
            "numberReady": sum(podstate.is_ready(pod) for pod in here),
        }
        counters = {
            "updatedNumberScheduled": fresh,
            "numberAvailable": available,
            "numberUnavailable": len(fitting) - available,
            "collisionCount": collisions,
        }
        status |= {key: value for key, value in counters.items() if value}
        self._store.update(_OWN, {**owner, "status": status}, subresource="status")


def _target(pod: Json) -> str:
    """Return the node a daemon pod is on, or the one its affinity names."""
    if pod["spec"].get("nodeName"):
        return str(pod["spec"]["nodeName"])
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    terms = affinity.get("requiredDuringSchedulingIgnoredDuringExecution", {}).get("nodeSelectorTerms") or ()
    fields = [field for term in terms for field in term.get("matchFields") or ()]
    return str(fields[0]["values"][0]) if fields else ""


def _rolling(owner: Json) -> Json:
    found: Json = (owner["spec"].get("updateStrategy") or {}).get("rollingUpdate") or {}
    return found


def _surge(owner: Json, nodes: int) -> int:
    return scaled(_rolling(owner).get("maxSurge"), nodes, up=True)


def _unavailable(owner: Json, nodes: int) -> int:
    """Return how many nodes may be without: a percentage is rounded up, and one must move."""
    return scaled(_rolling(owner).get("maxUnavailable", 1), nodes, up=True) or 1
