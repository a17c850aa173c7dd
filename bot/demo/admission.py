"""The way into the store that a request takes: decode, default, validate, admit, then write.

Controllers may use ``create`` too, so that what they make is defaulted and counted against quotas like anyone's.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.demo import quota
from bot.demo.defaulting import fill
from bot.demo.kinds import BY_RESOURCE, Kind
from bot.demo.objects import Json, annotations_of, copied, name_of, namespace_of
from bot.demo.schema import conform
from bot.demo.status import BadRequest, Forbidden, NotFound
from bot.demo.store import Store
from bot.demo.validation import validate

_SERVER_OWNED = (
    "uid", "resourceVersion", "creationTimestamp", "generation", "selfLink",
    "deletionTimestamp", "deletionGracePeriodSeconds",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Decoded:
    """A request's object as its type knows it, and the sentences about fields that it does not know."""

    obj: Json
    strict: tuple[str, ...] = ()


def decode(kind: Kind, body: Json) -> Decoded:
    """Read an object of a kind; raises BadRequest for another kind or a value of the wrong type."""
    said = (body.get("apiVersion", kind.api_version), body.get("kind", kind.kind))
    if said != (kind.api_version, kind.kind):
        raise BadRequest(
            f"the API version in the data ({said[0]}) does not match the expected API version ({kind.api_version})"
            if said[0] != kind.api_version
            else f"the kind in the data ({said[1]}) does not match the expected kind ({kind.kind})"
        )
    try:
        conformed = conform(kind.kind, body)
    except BadRequest as wrong:
        raise BadRequest(cannot_handle(kind, wrong.message)) from None
    obj = {"kind": kind.kind, "apiVersion": kind.api_version, **conformed.obj}
    return Decoded(obj, tuple(f'unknown field "{path}"' for path in conformed.unknown))


def cannot_handle(kind: Kind, why: str) -> str:
    return f'{kind.kind} in version "{kind.version}" cannot be handled as a {kind.kind}: {why}'


def create(store: Store, resource: str, body: Json, *, dry_run: bool = False) -> Json:
    """Default, validate, admit and store an object as a POST does, and return it; raises ApiError.

    The status and what only the server may set are dropped first.
    """
    kind = BY_RESOURCE[resource]
    obj = decode(kind, body).obj
    for key in _SERVER_OWNED:
        obj.setdefault("metadata", {}).pop(key, None)
    if "status" in kind.subresources:
        obj.pop("status", None)
    fill(resource, obj)
    validate(kind, obj)
    if kind.namespaced:
        _check_namespace(store, resource, obj)
    _complete(store, resource, obj)
    quota.check(store, resource, obj)
    return store.create(resource, obj, dry_run=dry_run)


def update(store: Store, resource: str, body: Json, *, dry_run: bool = False) -> Json:
    """Default, validate and store a changed object as a PUT does, and return it; raises ApiError."""
    kind = BY_RESOURCE[resource]
    obj = decode(kind, body).obj
    old = store.get(resource, namespace_of(obj), name_of(obj))
    if resource == "services":
        _keep_addresses(obj, old)
    fill(resource, obj)
    validate(kind, obj, old)
    _complete(store, resource, obj)
    return store.update(resource, obj, dry_run=dry_run)


def _check_namespace(store: Store, resource: str, obj: Json) -> None:
    namespace = namespace_of(obj)
    found = store.find("namespaces", "", namespace)
    if found is None:
        raise NotFound.named("namespaces", namespace)
    if found["metadata"].get("deletionTimestamp"):
        raise Forbidden(
            f'{resource} "{name_of(obj)}" is forbidden: unable to create new content in namespace {namespace} because '
            "it is being terminated",
            resource=resource,
            name=name_of(obj),
        )


def _complete(store: Store, resource: str, obj: Json) -> None:
    """Fill in what depends on other objects: addresses, ports, the default storage class."""
    if resource == "services":
        _allocate(store, obj)
    if resource == "persistentvolumeclaims" and "storageClassName" not in obj["spec"]:
        key = "storageclass.kubernetes.io/is-default-class"
        classes = store.list("storageclasses.storage.k8s.io")
        default = next((known for known in classes if annotations_of(known).get(key) == "true"), None)
        if default is not None:
            obj["spec"]["storageClassName"] = name_of(default)


def _keep_addresses(obj: Json, old: Json) -> None:
    """An update that does not speak of addresses keeps them (service/storage.go, patchAllocatedValues)."""
    spec, before = obj.setdefault("spec", {}), old["spec"]
    for key in ("clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"):
        if key in before and spec.get("type") != "ExternalName":
            spec.setdefault(key, copied(before[key]))
    for port in spec.get("ports") or ():
        same = (known for known in before.get("ports") or () if known["port"] == port.get("port"))
        if (known := next(same, None)) is not None and "nodePort" in known and spec.get("type") != "ClusterIP":
            port.setdefault("nodePort", known["nodePort"])


def _allocate(store: Store, obj: Json) -> None:
    spec = obj["spec"]
    others = store.list("services")
    if spec["type"] != "ExternalName" and "clusterIP" not in spec:
        taken = {known["spec"].get("clusterIP") for known in others}
        host = next(number for number in range(10, 65000) if f"10.96.{number // 250}.{number % 250 + 1}" not in taken)
        spec["clusterIP"] = f"10.96.{host // 250}.{host % 250 + 1}"
    if spec.get("clusterIP"):
        spec.setdefault("clusterIPs", [spec["clusterIP"]])
    if spec["type"] in {"NodePort", "LoadBalancer"} and spec.get("allocateLoadBalancerNodePorts", True):
        used = {port.get("nodePort") for known in others for port in known["spec"].get("ports") or ()}
        free = (number for number in range(30000, 32768) if number not in used)
        for port in spec.get("ports") or ():
            if "nodePort" not in port:
                port["nodePort"] = next(free)
