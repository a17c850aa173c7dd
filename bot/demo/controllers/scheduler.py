"""The scheduler: binds each pod to the node where it fits best, or says why it fits nowhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

from bot.demo.controllers import placement
from bot.demo.controllers.conditions import turned
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.owners import controller_of
from bot.demo.controllers.placement import Room
from bot.demo.controllers.podstate import phase
from bot.demo.controllers.tempo import Tempo
from bot.demo.objects import Json, annotations_of, name_of, namespace_of
from bot.demo.store import Event, Store

SELECTED_NODE = "volume.kubernetes.io/selected-node"

_CLAIMS = "persistentvolumeclaims"
_CLASSES = "storageclasses.storage.k8s.io"


class Scheduler:
    """Knows what is taken on each node from the events it sees, so that placing a pod costs nodes, not pods."""

    def __init__(self, store: Store, tempo: Tempo) -> None:
        self._store = store
        self._tempo = tempo
        self._events = Recorder(store, "default-scheduler")
        self._placed: dict[str, tuple[str, str, Room]] = {}  # pod uid → node, owner uid, what it takes
        self._taken: dict[str, Room] = {}
        self._siblings: Counter[tuple[str, str]] = Counter()  # (owner uid, node) → pods

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource != "pods":
            return
        pod = event.object
        if event.type == "DELETED" or phase(pod) in {"Succeeded", "Failed"}:
            self._forget(pod)
        elif pod["spec"].get("nodeName"):
            self._remember(pod)
        else:
            yield namespace_of(pod), name_of(pod)

    def reconcile(self, key: Key) -> float | None:
        pod = self._store.find("pods", *key)
        if pod is None or pod["spec"].get("nodeName") or pod["metadata"].get("deletionTimestamp"):
            return None
        nodes = self._store.list("nodes")
        problems: Counter[str] = Counter()
        fitting = [node for node in nodes if self._fits(pod, node, problems)]
        missing = self._volume_problem(pod)
        if missing is not None or not fitting:
            listed = missing or ", ".join(f"{count} {why}" for why, count in sorted(problems.items()))
            self._refuse(pod, len(nodes), listed)
            return self._tempo.retry
        node = min(fitting, key=lambda one: self._cost(pod, one))
        if self._wait_for_volumes(pod, node):
            return self._tempo.provision
        self._bind(pod, node)
        return None

    def _fits(self, pod: Json, node: Json, problems: Counter[str]) -> bool:
        free = placement.allocatable(node) - self._taken.get(name_of(node), Room())
        never = placement.unfit(pod, node)
        reasons = [never] if never is not None else placement.cramped(placement.requested(pod), free)
        problems.update(reasons)
        return not reasons

    def _cost(self, pod: Json, node: Json) -> tuple[int, float, str]:
        """Rank nodes: siblings apart first, then the emptiest."""
        name = name_of(node)
        taken, has = self._taken.get(name, Room()), placement.allocatable(node)
        load = float(taken.cpu / has.cpu + taken.memory / has.memory) if has.cpu and has.memory else 0.0
        return self._siblings[_owner(pod), name], load, name

    def _refuse(self, pod: Json, nodes: int, listed: str) -> None:
        message = f"0/{nodes} nodes are available: {listed}."
        status = pod.get("status", {})
        conditions = turned(
            status.get("conditions") or (),
            "PodScheduled",
            "False",
            self._store.now,
            reason="Unschedulable",
            message=message,
        )
        self._store.update("pods", {**pod, "status": {**status, "conditions": conditions}}, subresource="status")
        self._events.tell(pod, "Warning", "FailedScheduling", message)

    def _bind(self, pod: Json, node: Json) -> None:
        bound = self._store.update("pods", {**pod, "spec": {**pod["spec"], "nodeName": name_of(node)}})
        status = bound.get("status", {})
        conditions = turned(
            [one for one in status.get("conditions") or () if one["type"] != "PodScheduled"],
            "PodScheduled",
            "True",
            self._store.now,
        )
        self._store.update("pods", {**bound, "status": {**status, "conditions": conditions}}, subresource="status")
        self._remember(bound)
        done = f"Successfully assigned {namespace_of(pod)}/{name_of(pod)} to {name_of(node)}"
        self._events.tell(pod, "Normal", "Scheduled", done)

    # -- volumes -------------------------------------------------------------------------------------------------------

    def _unbound(self, pod: Json) -> Sequence[tuple[str, Json | None]]:
        found = [(name, self._store.find(_CLAIMS, namespace_of(pod), name)) for name in claims_of(pod)]
        return [
            (name, claim) for name, claim in found if claim is None or claim.get("status", {}).get("phase") != "Bound"
        ]

    def _waits(self, claim: Json) -> bool:
        """Whether the claim's volume is only made when a pod's node is known."""
        storage = self._store.find(_CLASSES, "", claim["spec"].get("storageClassName") or "")
        return storage is not None and storage.get("volumeBindingMode") == "WaitForFirstConsumer"

    def _volume_problem(self, pod: Json) -> str | None:
        for name, claim in self._unbound(pod):
            if claim is None:
                return f'persistentvolumeclaim "{name}" not found'
            if not self._waits(claim):
                return "pod has unbound immediate PersistentVolumeClaims"
        return None

    def _wait_for_volumes(self, pod: Json, node: Json) -> bool:
        """Tell the waiting claims which node it will be; return whether there are any."""
        claims = [claim for _, claim in self._unbound(pod) if claim is not None]
        for claim in claims:
            notes = {**annotations_of(claim), SELECTED_NODE: name_of(node)}
            self._store.update(_CLAIMS, {**claim, "metadata": {**claim["metadata"], "annotations": notes}})
        return bool(claims)

    # -- what is taken -------------------------------------------------------------------------------------------------

    def _remember(self, pod: Json) -> None:
        uid, node = pod["metadata"]["uid"], pod["spec"]["nodeName"]
        if uid in self._placed:
            return
        takes = placement.requested(pod)
        self._placed[uid] = node, _owner(pod), takes
        self._taken[node] = self._taken.get(node, Room()) + takes
        self._siblings[_owner(pod), node] += 1

    def _forget(self, pod: Json) -> None:
        found = self._placed.pop(pod["metadata"]["uid"], None)
        if found is not None:
            node, owner, took = found
            self._taken[node] -= took
            self._siblings[owner, node] -= 1
            if not self._siblings[owner, node]:
                del self._siblings[owner, node]


def claims_of(pod: Json) -> list[str]:
    """Return the names of the volume claims a pod uses."""
    sources = (volume.get("persistentVolumeClaim") for volume in pod["spec"].get("volumes") or ())
    return [source["claimName"] for source in sources if source]


def _owner(pod: Json) -> str:
    owner = controller_of(pod)
    return str(owner["uid"]) if owner is not None else ""
