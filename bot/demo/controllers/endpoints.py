"""Endpoints and EndpointSlices: which pods stand behind a Service, and load balancers' addresses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.demo.controllers.loop import Key
from bot.demo.controllers.owners import reference
from bot.demo.controllers.podstate import is_ready, is_terminating, phase
from bot.demo.controllers.template import short_hash
from bot.demo.controllers.tempo import Tempo
from bot.demo.objects import Json, labels_of, name_of, namespace_of
from bot.demo.selectors import LabelSelector
from bot.demo.store import Event, Store

_SLICES = "endpointslices.discovery.k8s.io"


class EndpointsController:
    """Keeps one Endpoints and one EndpointSlice for every Service that has a selector."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def concerns(self, event: Event) -> Iterable[Key]:
        namespace = namespace_of(event.object)
        if event.resource == "services":
            yield namespace, name_of(event.object)
        elif event.resource == "pods":
            for service in self._store.list("services", namespace):
                selector = service["spec"].get("selector")
                if selector and LabelSelector.from_labels(selector).matches(labels_of(event.object)):
                    yield namespace, name_of(service)

    def reconcile(self, key: Key) -> float | None:
        service = self._store.find("services", *key)
        if service is None:
            if self._store.find("endpoints", *key) is not None:
                self._store.delete("endpoints", *key)  # they have no owner; their slice has, and is collected
            return None
        if not service["spec"].get("selector"):
            return None
        selector = LabelSelector.from_labels(service["spec"]["selector"])
        pods = [
            pod
            for pod in self._store.list("pods", key[0], selector=selector)
            if pod.get("status", {}).get("podIP") and not is_terminating(pod) and phase(pod) in {"Pending", "Running"}
        ]
        self._put("endpoints", self._endpoints(service, pods))
        self._put(_SLICES, self._slice(service, pods))
        return None

    def _put(self, resource: str, wished: Json) -> None:
        known = self._store.find(resource, namespace_of(wished), name_of(wished))
        if known is None:
            self._store.create(resource, wished)
        else:
            self._store.update(resource, {**wished, "metadata": {**known["metadata"], **wished["metadata"]}})

    @staticmethod
    def _endpoints(service: Json, pods: Sequence[Json]) -> Json:
        ready = [_address(pod) for pod in pods if is_ready(pod)]
        waiting = [_address(pod) for pod in pods if not is_ready(pod)]
        subset: Json = {"ports": _ports(service, pods)}
        subset |= {key: found for key, found in (("addresses", ready), ("notReadyAddresses", waiting)) if found}
        return {
            "apiVersion": "v1",
            "kind": "Endpoints",
            "metadata": {
                "name": name_of(service),
                "namespace": namespace_of(service),
                "labels": {**labels_of(service), "endpoints.kubernetes.io/managed-by": "endpoint-controller"},
            },
            "subsets": [subset] if pods else [],
        }

    @staticmethod
    def _slice(service: Json, pods: Sequence[Json]) -> Json:
        endpoints = [
            {
                "addresses": [pod["status"]["podIP"]],
                "conditions": {"ready": is_ready(pod), "serving": is_ready(pod), "terminating": False},
                "nodeName": pod["spec"]["nodeName"],
                "targetRef": _address(pod)["targetRef"],
            }
            for pod in pods
        ]
        return {
            "apiVersion": "discovery.k8s.io/v1",
            "kind": "EndpointSlice",
            "metadata": {
                "name": f"{name_of(service)}-{short_hash(service['metadata']['uid'])[:5]}",
                "namespace": namespace_of(service),
                "labels": {
                    **labels_of(service),
                    "kubernetes.io/service-name": name_of(service),
                    "endpointslice.kubernetes.io/managed-by": "endpointslice-controller.k8s.io",
                },
                "ownerReferences": [reference(service)],
            },
            "addressType": "IPv4",
            "endpoints": endpoints,
            "ports": _ports(service, pods),
        }


def _address(pod: Json) -> Json:
    target = {"kind": "Pod", "namespace": namespace_of(pod), "name": name_of(pod), "uid": pod["metadata"]["uid"]}
    return {"ip": pod["status"]["podIP"], "nodeName": pod["spec"]["nodeName"], "targetRef": target}


def _ports(service: Json, pods: Sequence[Json]) -> list[Json]:
    """Return the service's ports as the pods have them; a named port is looked up in the first pod."""
    containers = pods[0]["spec"]["containers"] if pods else ()
    named = {port.get("name"): port["containerPort"] for one in containers for port in one.get("ports") or ()}
    found = []
    for port in service["spec"].get("ports") or ():
        target = port.get("targetPort", port["port"])
        number = named.get(target) if isinstance(target, str) else target
        if number is not None:
            name = {"name": port["name"]} if port.get("name") else {}
            found.append({**name, "port": number, "protocol": port.get("protocol", "TCP")})
    return found


class LoadBalancerController:
    """Gives every Service of type LoadBalancer an address, as a cloud would after a while."""

    def __init__(self, store: Store, tempo: Tempo) -> None:
        self._store = store
        self._tempo = tempo
        self._asked: set[str] = set()

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == "services":
            yield namespace_of(event.object), name_of(event.object)

    def reconcile(self, key: Key) -> float | None:
        service = self._store.find("services", *key)
        if service is None or service["spec"].get("type") != "LoadBalancer":
            return None
        status = service.get("status", {})
        if (status.get("loadBalancer") or {}).get("ingress"):
            return None
        uid = service["metadata"]["uid"]
        if uid not in self._asked:
            self._asked.add(uid)
            return self._tempo.provision
        self._asked.discard(uid)
        name = f"{name_of(service)}-{short_hash(uid)}.elb.example.com"
        balancer = {"ingress": [{"hostname": name}]}
        self._store.update(
            "services", {**service, "status": {**status, "loadBalancer": balancer}}, subresource="status"
        )
        return None
