"""Rows of the cluster's furniture: nodes, namespaces, events, network, configuration and storage."""

from __future__ import annotations

from datetime import datetime

from bot.demo.cells import Printer, age, columns, joined, pairs, selector, since
from bot.demo.objects import Json, annotations_of, labels_of, name_of


def _node(obj: Json, now: datetime) -> list[object]:
    status = obj.get("status") or {}
    known = {item["type"]: item["status"] for item in status.get("conditions") or ()}
    word = {"True": "Ready", "False": "NotReady"}.get(known.get("Ready", ""), "Unknown")
    if (obj.get("spec") or {}).get("unschedulable"):
        word += ",SchedulingDisabled"
    prefix = "node-role.kubernetes.io/"
    roles = sorted(key.removeprefix(prefix) for key in labels_of(obj) if key.startswith(prefix))
    addresses = {item["type"]: item["address"] for item in status.get("addresses") or ()}
    info = status.get("nodeInfo") or {}
    return [
        name_of(obj),
        word,
        joined(roles),
        age(obj, now),
        info.get("kubeletVersion", ""),
        addresses.get("InternalIP", "<none>"),
        addresses.get("ExternalIP", "<none>"),
        info.get("osImage", "<unknown>"),
        info.get("kernelVersion", "<unknown>"),
        info.get("containerRuntimeVersion", "<unknown>"),
    ]


def _namespace(obj: Json, now: datetime) -> list[object]:
    return [name_of(obj), (obj.get("status") or {}).get("phase", ""), age(obj, now)]


def _event(obj: Json, now: datetime) -> list[object]:
    first = obj.get("firstTimestamp") or obj.get("eventTime")
    last = (obj.get("series") or {}).get("lastObservedTime") or obj.get("lastTimestamp") or first
    involved, source = obj.get("involvedObject") or {}, obj.get("source") or {}
    reporter = source.get("component") or obj.get("reportingComponent") or ""
    host = source.get("host") or obj.get("reportingInstance") or ""
    return [
        since(last, now),
        obj.get("type", ""),
        obj.get("reason", ""),
        f"{involved.get('kind', '').lower()}/{involved.get('name', '')}",
        involved.get("fieldPath", ""),
        ", ".join(filter(None, (reporter, host))),
        str(obj.get("message", "")).strip(),
        since(first, now),
        (obj.get("series") or {}).get("count") or obj.get("count") or 1,
        name_of(obj),
    ]


def _service(obj: Json, now: datetime) -> list[object]:
    spec = obj["spec"]
    ports = [
        f"{port['port']}{':' + str(port['nodePort']) if port.get('nodePort') else ''}/{port.get('protocol', 'TCP')}"
        for port in spec.get("ports") or ()
    ]
    return [
        name_of(obj),
        spec.get("type", "ClusterIP"),
        spec.get("clusterIP") or "<none>",
        _external(obj),
        joined(ports),
        age(obj, now),
        pairs(spec.get("selector")),
    ]


def _external(obj: Json) -> str:
    spec = obj["spec"]
    given = list(spec.get("externalIPs") or ())
    match spec.get("type"):
        case "LoadBalancer":
            points = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
            given = [*(point.get("ip") or point.get("hostname") or "" for point in points), *given]
            return joined(given, "<pending>")
        case "ExternalName":
            return str(spec.get("externalName", ""))
        case _:
            return joined(given)


def _ingress(obj: Json, now: datetime) -> list[object]:
    spec = obj.get("spec") or {}
    hosts = [rule["host"] for rule in spec.get("rules") or () if rule.get("host")]
    points = ((obj.get("status") or {}).get("loadBalancer") or {}).get("ingress") or ()
    return [
        name_of(obj),
        spec.get("ingressClassName") or annotations_of(obj).get("kubernetes.io/ingress.class") or "<none>",
        joined(hosts, "*"),
        joined((point.get("ip") or point.get("hostname") or "" for point in points), ""),
        "80, 443" if spec.get("tls") else "80",
        age(obj, now),
    ]


def _config_map(obj: Json, now: datetime) -> list[object]:
    return [name_of(obj), len(obj.get("data") or ()) + len(obj.get("binaryData") or ()), age(obj, now)]


def _secret(obj: Json, now: datetime) -> list[object]:
    return [name_of(obj), obj.get("type", ""), len(obj.get("data") or ()), age(obj, now)]


_MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}


def _modes(modes: list[str] | None) -> str:
    return ",".join(_MODES.get(mode, mode) for mode in modes or ())


def _claim(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    is_bound = bool(spec.get("volumeName"))
    return [
        name_of(obj),
        "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", ""),
        spec.get("volumeName", ""),
        (status.get("capacity") or {}).get("storage", "") if is_bound else "",
        _modes(status.get("accessModes")) if is_bound else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or "<unset>",
        age(obj, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def _volume(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    claim = spec.get("claimRef")
    return [
        name_of(obj),
        (spec.get("capacity") or {}).get("storage", ""),
        _modes(spec.get("accessModes")),
        spec.get("persistentVolumeReclaimPolicy", ""),
        "Terminating" if obj["metadata"].get("deletionTimestamp") else status.get("phase", ""),
        f"{claim.get('namespace', '')}/{claim['name']}" if claim else "",
        spec.get("storageClassName", ""),
        spec.get("volumeAttributesClassName") or "<unset>",
        status.get("reason", ""),
        age(obj, now),
        spec.get("volumeMode", "Filesystem"),
    ]


def _storage_class(obj: Json, now: datetime) -> list[object]:
    is_default = annotations_of(obj).get("storageclass.kubernetes.io/is-default-class") == "true"
    return [
        f"{name_of(obj)} (default)" if is_default else name_of(obj),
        obj.get("provisioner", ""),
        obj.get("reclaimPolicy", "Delete"),
        obj.get("volumeBindingMode", "Immediate"),
        str(bool(obj.get("allowVolumeExpansion"))).lower(),
        age(obj, now),
    ]


def _listed(items: list[str]) -> str:
    return joined(items[:3]) + (f" + {len(items) - 3} more..." if len(items) > 3 else "")


def _endpoints(obj: Json, now: datetime) -> list[object]:
    found = [
        f"{address['ip']}:{port['port']}"
        for subset in obj.get("subsets") or ()
        for port in subset.get("ports") or ()
        for address in subset.get("addresses") or ()
    ]
    return [name_of(obj), _listed(found), age(obj, now)]


def _endpoint_slice(obj: Json, now: datetime) -> list[object]:
    ports = [str(port.get("port", "*")) for port in obj.get("ports") or ()]
    found = [address for endpoint in obj.get("endpoints") or () for address in endpoint.get("addresses") or ()]
    return [name_of(obj), obj.get("addressType", ""), joined(ports, "<unset>"), _listed(found), age(obj, now)]


def _network_policy(obj: Json, now: datetime) -> list[object]:
    return [name_of(obj), selector((obj.get("spec") or {}).get("podSelector")), age(obj, now)]


def _ingress_class(obj: Json, now: datetime) -> list[object]:
    spec = obj.get("spec") or {}
    parameters = spec.get("parameters")
    told = f"{parameters['kind']}/{parameters['name']}" if parameters else "<none>"
    return [name_of(obj), spec.get("controller", ""), told, age(obj, now)]


CLUSTER: dict[str, Printer] = {
    "nodes": Printer(
        columns(
            *("Name", "Status", "Roles", "Age", "Version"),
            *("+Internal-IP", "+External-IP", "+OS-Image", "+Kernel-Version", "+Container-Runtime"),
        ),
        _node,
    ),
    "namespaces": Printer(columns("Name", "Status", "Age"), _namespace),
    "events": Printer(
        columns(
            *("Last Seen", "Type", "Reason", "Object", "+Subobject", "+Source", "Message"),
            *("+First Seen", "+#Count", "+Name"),
        ),
        _event,
    ),
    "services": Printer(columns("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age", "+Selector"), _service),
    "ingresses.networking.k8s.io": Printer(columns("Name", "Class", "Hosts", "Address", "Ports", "Age"), _ingress),
    "ingressclasses.networking.k8s.io": Printer(columns("Name", "Controller", "Parameters", "Age"), _ingress_class),
    "networkpolicies.networking.k8s.io": Printer(columns("Name", "Pod-Selector", "Age"), _network_policy),
    "configmaps": Printer(columns("Name", "#Data", "Age"), _config_map),
    "secrets": Printer(columns("Name", "Type", "#Data", "Age"), _secret),
    "persistentvolumeclaims": Printer(
        columns(
            *("Name", "Status", "Volume", "Capacity", "Access Modes", "StorageClass", "VolumeAttributesClass", "Age"),
            "+VolumeMode",
        ),
        _claim,
    ),
    "persistentvolumes": Printer(
        columns(
            *("Name", "Capacity", "Access Modes", "Reclaim Policy", "Status", "Claim", "StorageClass"),
            *("VolumeAttributesClass", "Reason", "Age", "+VolumeMode"),
        ),
        _volume,
    ),
    "storageclasses.storage.k8s.io": Printer(
        columns("Name", "Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"),
        _storage_class,
    ),
    "endpoints": Printer(columns("Name", "Endpoints", "Age"), _endpoints),
    "endpointslices.discovery.k8s.io": Printer(
        columns("Name", "AddressType", "Ports", "Endpoints", "Age"), _endpoint_slice
    ),
}
