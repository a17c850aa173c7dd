"""The kubelets: they run the pods bound to their nodes, tell their status, and end those that are deleted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_network

from bot.demo.controllers.conditions import Conditions, turned
from bot.demo.controllers.container import Container, Notice, Stage
from bot.demo.controllers.container_status import container_status
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.podstate import is_terminating, phase
from bot.demo.controllers.tempo import Tempo
from bot.demo.objects import Json, name_of, namespace_of, stamp
from bot.demo.store import Event, Store


@dataclass(slots=True)
class PodRun:
    """What a kubelet remembers of one pod."""

    uid: str
    ip: str
    started: datetime
    first: list[Container]  # init containers: one after the other
    main: list[Container]
    stopping: datetime | None = None

    @property
    def containers(self) -> list[Container]:
        return [*self.first, *self.main]

    @property
    def is_initialized(self) -> bool:
        return all(one.lets_others_start for one in self.first)


class Kubelet:
    """All nodes' kubelets in one; it keeps what a container runtime would know."""

    def __init__(self, store: Store, tempo: Tempo) -> None:
        self._store = store
        self._tempo = tempo
        self._events = Recorder(store, "kubelet")
        self._runs: dict[Key, PodRun] = {}
        self._addresses: Counter[str] = Counter()
        self._images: set[tuple[str, str]] = set()  # node, image

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == "pods":
            yield namespace_of(event.object), name_of(event.object)

    def reconcile(self, key: Key) -> float | None:
        pod = self._store.find("pods", *key)
        if pod is None or not pod["spec"].get("nodeName"):
            self._runs.pop(key, None)
            return None
        if phase(pod) in {"Succeeded", "Failed"} and not is_terminating(pod):
            return None
        run = self._runs.get(key)
        if run is None or run.uid != pod["metadata"]["uid"]:
            run = self._runs[key] = self._admit(pod)
        if is_terminating(pod):
            return self._stop(key, pod, run)
        self._follow_images(pod, run)
        unmounted = self._unmounted(pod) if not any(one.run for one in run.containers) else None
        if unmounted is not None:
            self._events.on(pod["spec"]["nodeName"]).tell(pod, "Warning", "FailedMount", unmounted)
        else:
            self._advance(pod, run)
        self._report(pod, run)
        return self._tempo.retry if unmounted is not None else self._wait(run)

    # -- running -------------------------------------------------------------------------------------------------------

    def _admit(self, pod: Json) -> PodRun:
        node = self._store.find("nodes", "", pod["spec"]["nodeName"])
        own = (
            ip_network(node["spec"].get("podCIDR", "10.244.0.0/16"))
            if node is not None
            else ip_network("10.244.0.0/16")
        )
        self._addresses[str(own)] += 1
        address = own[2 + self._addresses[str(own)] % (own.num_addresses - 3)]
        ip = _host(node) if pod["spec"].get("hostNetwork") else str(address)
        return PodRun(
            uid=pod["metadata"]["uid"],
            ip=ip,
            started=self._store.now,
            first=[self._container(pod, ip, spec, is_init=True) for spec in pod["spec"].get("initContainers") or ()],
            main=[self._container(pod, ip, spec) for spec in pod["spec"]["containers"]],
        )

    def _container(self, pod: Json, ip: str, spec: Json, *, is_init: bool = False, restarts: int = 0) -> Container:
        node, namespace = pod["spec"]["nodeName"], namespace_of(pod)
        return Container(
            spec,
            pod,
            ip=ip,
            tempo=self._tempo,
            problem=lambda spec: self._unconfigured(namespace, spec),
            is_present=lambda image: (node, image) in self._images,
            is_init=is_init,
            restarts=restarts,
        )

    def _follow_images(self, pod: Json, run: PodRun) -> None:
        """Start a container anew whose image was changed in place (``kubectl set image pod/…``)."""
        for specs, lives in (
            (pod["spec"].get("initContainers") or (), run.first),
            (pod["spec"]["containers"], run.main),
        ):
            for place, spec in enumerate(specs):
                if lives[place].image != spec["image"]:
                    is_init, restarts = lives[place].is_init, lives[place].restarts + 1
                    lives[place] = self._container(pod, run.ip, spec, is_init=is_init, restarts=restarts)
                    changed = f"Container {spec['name']} definition changed, will be restarted"
                    self._tell(pod, lives[place], [Notice("Normal", "Killing", changed)])

    def _advance(self, pod: Json, run: PodRun) -> None:
        now = self._store.now
        for place, one in enumerate(run.first):
            if all(earlier.lets_others_start for earlier in run.first[:place]):
                self._tell(pod, one, [*one.advance(now), *one.begin(now)])
        if run.is_initialized:
            for one in run.main:
                self._tell(pod, one, [*one.advance(now), *one.begin(now)])

    def _tell(self, pod: Json, container: Container, notices: Sequence[Notice]) -> None:
        node = pod["spec"]["nodeName"]
        if container.run is not None:
            self._images.add((node, container.image))
        part = "initContainers" if container.is_init else "containers"
        for notice in notices:
            field = f"spec.{part}{{{container.name}}}"
            self._events.on(node).tell(pod, notice.kind, notice.reason, notice.message, field=field)

    def _wait(self, run: PodRun) -> float | None:
        now = self._store.now
        waits = [(one.due - now).total_seconds() for one in run.containers if one.due is not None]
        return max(0.0, min(waits)) if waits else None

    def _stop(self, key: Key, pod: Json, run: PodRun) -> float | None:
        now = self._store.now
        if run.stopping is None:
            grace = pod["metadata"].get("deletionGracePeriodSeconds", 0)
            run.stopping = now + timedelta(seconds=min(self._tempo.stop, grace))
            for one in run.containers:
                if one.stage is Stage.RUNNING:
                    self._tell(pod, one, [Notice("Normal", "Killing", f"Stopping container {one.name}")])
        left = (run.stopping - now).total_seconds()
        if left > 0:
            return left
        if pod["metadata"].get("deletionGracePeriodSeconds") or not pod["metadata"].get("finalizers"):
            self._store.delete("pods", *key, uid=run.uid, grace=0)
        return None

    # -- what it needs -------------------------------------------------------------------------------------------------

    def _unconfigured(self, namespace: str, spec: Json) -> str | None:
        """Return the kubelet's sentence for the first ConfigMap, Secret or key the container's env lacks."""
        for source in spec.get("envFrom") or ():
            for resource, kind, ref in _references(source, "configMapRef", "secretRef"):
                if not ref.get("optional") and self._store.find(resource, namespace, ref["name"]) is None:
                    return f'{kind} "{ref["name"]}" not found'
        for variable in spec.get("env") or ():
            for resource, kind, ref in _references(variable.get("valueFrom") or {}, "configMapKeyRef", "secretKeyRef"):
                found = self._store.find(resource, namespace, ref["name"])
                if ref.get("optional"):
                    continue
                if found is None:
                    return f'{kind} "{ref["name"]}" not found'
                if ref["key"] not in {**(found.get("data") or {}), **(found.get("binaryData") or {})}:
                    name = "ConfigMap" if kind == "configmap" else "Secret"
                    return f"couldn't find key {ref['key']} in {name} {namespace}/{ref['name']}"
        return None

    def _unmounted(self, pod: Json) -> str | None:
        """Return the kubelet's sentence for the first volume whose ConfigMap or Secret is missing."""
        namespace = namespace_of(pod)
        for volume in pod["spec"].get("volumes") or ():
            for resource, kind, ref in _references(volume, "configMap", "secret"):
                name = ref.get("name") or ref.get("secretName", "")
                if not ref.get("optional") and self._store.find(resource, namespace, name) is None:
                    return f'MountVolume.SetUp failed for volume "{volume["name"]}" : {kind} "{name}" not found'
        return None

    # -- status --------------------------------------------------------------------------------------------------------

    def _report(self, pod: Json, run: PodRun) -> None:
        node = self._store.find("nodes", "", pod["spec"]["nodeName"])
        host = _host(node)
        initializing = not run.is_initialized
        status: Json = {
            **pod.get("status", {}),
            "phase": self._phase(run),
            "conditions": self._conditions(pod, run),
            **({"hostIP": host, "hostIPs": [{"ip": host}]} if host else {}),
            "startTime": stamp(run.started),
            "containerStatuses": [container_status(one, initializing=initializing) for one in run.main],
        }
        if any(one.stage is not Stage.WAITING and one.stage is not Stage.PULLING for one in run.containers):
            status |= {"podIP": run.ip, "podIPs": [{"ip": run.ip}]}
        if run.first:
            status["initContainerStatuses"] = [container_status(one, initializing=initializing) for one in run.first]
        self._store.update("pods", {**pod, "status": status}, subresource="status")

    @staticmethod
    def _phase(run: PodRun) -> str:
        if any(one.is_finished and not one.has_succeeded for one in run.first):
            return "Failed"
        if all(one.is_finished for one in run.main):
            return "Succeeded" if all(one.has_succeeded for one in run.main) else "Failed"
        if run.is_initialized and all(one.run is not None for one in run.main):
            return "Running"
        return "Pending"

    def _conditions(self, pod: Json, run: PodRun) -> list[Json]:
        now = self._store.now
        lacking = [one.name for one in run.first if not one.lets_others_start]
        unready = [one.name for one in run.main if not one.ready]
        begun = any(one.run is not None for one in run.containers)
        known: Conditions = pod.get("status", {}).get("conditions") or ()
        known = turned(known, "PodReadyToStartContainers", _flag(begun), now)
        known = turned(
            known,
            "Initialized",
            _flag(not lacking),
            now,
            reason="ContainersNotInitialized" if lacking else "",
            message=f"containers with incomplete status: [{' '.join(lacking)}]" if lacking else "",
        )
        for kind in ("Ready", "ContainersReady"):
            known = turned(
                known,
                kind,
                _flag(not unready),
                now,
                reason="ContainersNotReady" if unready else "",
                message=f"containers with unready status: [{' '.join(unready)}]" if unready else "",
            )
        order = ("PodReadyToStartContainers", "Initialized", "Ready", "ContainersReady", "PodScheduled")
        return sorted(known, key=lambda one: order.index(one["type"]) if one["type"] in order else len(order))


def _flag(holds: bool) -> str:
    return "True" if holds else "False"


def _host(node: Json | None) -> str:
    addresses = node.get("status", {}).get("addresses") or () if node is not None else ()
    return next((one["address"] for one in addresses if one["type"] == "InternalIP"), "")


def _references(source: Json, config: str, secret: str) -> Iterable[tuple[str, str, Json]]:
    """Return (resource, the kubelet's word for it, the reference) of what a source names."""
    if source.get(config):
        yield "configmaps", "configmap", source[config]
    if source.get(secret):
        yield "secrets", "secret", source[secret]
