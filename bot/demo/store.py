"""One cluster's objects: what etcd and the registry behind a kube-apiserver keep, and the stream of their changes.

The store knows versions, identities, finalizers and optimistic locks. It does not know defaults, validation, quota or
rights: requests reach it through ``admission`` and ``access``, controllers reach it directly.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from hashlib import sha256

from bot.demo.changes import Event as Event  # the store's callers take these from here
from bot.demo.changes import EventType, Subscription
from bot.demo.objects import Json as Json
from bot.demo.objects import annotations_of, copied, labels_of, name_of, namespace_of, stamp
from bot.demo.selectors import LabelSelector
from bot.demo.status import AlreadyExists, Conflict, Expired, NotFound

# Kinds whose strategy never sets metadata.generation (k8s.io/kubernetes/pkg/registry/*/strategy.go).
_WITHOUT_GENERATION = frozenset(
    {
        "configmaps", "secrets", "events", "namespaces", "nodes", "serviceaccounts", "services", "endpoints",
        "persistentvolumeclaims", "persistentvolumes", "resourcequotas", "controllerrevisions.apps",
        "horizontalpodautoscalers.autoscaling", "storageclasses.storage.k8s.io", "leases.coordination.k8s.io",
        "endpointslices.discovery.k8s.io", "roles.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io",
        "rolebindings.rbac.authorization.k8s.io", "clusterrolebindings.rbac.authorization.k8s.io",
    }
)  # fmt: skip

# k8s.io/apimachinery/pkg/util/rand: no vowels, so no words.
_SUFFIX_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # pragma: allowlist secret


class Store:
    """One cluster's objects; synchronous, for one event loop, without I/O.

    ``resource`` is the plural with its group, as kubectl says it: ``pods``, ``deployments.apps``. A cluster-scoped
    object has the namespace "". What goes in is copied; **what comes out is the stored object itself and must not be
    changed** (``objects.copied`` first).
    """

    def __init__(self, clock: Callable[[], datetime], new_uid: Callable[[], str], *, history: int = 4096) -> None:
        self._clock = clock
        self._new_uid = new_uid
        self._version = 1
        self._objects: dict[str, dict[str, dict[str, Json]]] = {}
        self._dependents: dict[str, set[tuple[str, str, str]]] = {}
        self._uids: dict[str, tuple[str, str, str]] = {}
        self._history: deque[Event] = deque(maxlen=history)
        self._forgotten = 1
        self._subscriptions: set[Subscription] = set()

    @property
    def resource_version(self) -> str:
        return str(self._version)

    @property
    def now(self) -> datetime:
        return self._clock()

    def new_uid(self) -> str:
        return self._new_uid()

    # -- reading -------------------------------------------------------------------------------------------------------

    def get(self, resource: str, namespace: str, name: str) -> Json:
        """Return the stored object; raises NotFound."""
        found = self.find(resource, namespace, name)
        if found is None:
            raise NotFound.named(resource, name)
        return found

    def find(self, resource: str, namespace: str, name: str) -> Json | None:
        return self._objects.get(resource, {}).get(namespace, {}).get(name)

    def list(self, resource: str, namespace: str | None = None, *, selector: LabelSelector | None = None) -> list[Json]:
        """Return the objects in key order (namespace, name), as etcd does; ``namespace`` None means all of them."""
        spaces = self._objects.get(resource, {})
        chosen = sorted(spaces) if namespace is None else [namespace]
        found = [obj for space in chosen for _, obj in sorted(spaces.get(space, {}).items())]
        if selector is None or not selector.requirements:
            return found
        return [obj for obj in found if selector.matches(labels_of(obj))]

    def list_at(self, resource: str, version: int) -> Sequence[Json]:
        """Return all objects of a resource as they were at an earlier version; raises Expired."""
        state = {(namespace_of(obj), name_of(obj)): obj for obj in self.list(resource)}
        for event in reversed(self.since(version)):
            if event.resource == resource:
                key = (namespace_of(event.object), name_of(event.object))
                if event.previous is None:
                    state.pop(key, None)
                else:
                    state[key] = event.previous
        return [obj for _, obj in sorted(state.items(), key=lambda entry: entry[0])]

    def resources(self) -> tuple[str, ...]:
        """Return the resources that have ever had an object."""
        return tuple(self._objects)

    def by_uid(self, uid: str) -> Json | None:
        key = self._uids.get(uid)
        return None if key is None else self.find(*key)

    def resource_of(self, uid: str) -> str:
        """Return the resource of the object with this uid; raises KeyError when there is none."""
        return self._uids[uid][0]

    def dependents(self, uid: str) -> Sequence[tuple[str, Json]]:
        """Return (resource, object) of everything that names this uid among its ownerReferences."""
        keys = sorted(self._dependents.get(uid, ()))
        return [(key[0], self.get(*key)) for key in keys]

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, resource: str, obj: Json, *, dry_run: bool = False) -> Json:
        """Store a new object and return it; raises AlreadyExists.

        uid and creationTimestamp are kept when given, so that a seed can have a past; requests come without them. A dry
        run returns what would be stored, without a resourceVersion.
        """
        new: Json = copied(obj)
        meta = new.setdefault("metadata", {})
        namespace = namespace_of(new)
        if not meta.get("name"):
            meta["name"] = self._generated(resource, namespace, meta.get("generateName", ""))
        name = name_of(new)
        if self.find(resource, namespace, name) is not None:
            raise AlreadyExists.named(resource, name)
        if not meta.get("uid"):
            meta["uid"] = self._new_uid()
        if not meta.get("creationTimestamp"):
            meta["creationTimestamp"] = stamp(self._clock())
        if resource not in _WITHOUT_GENERATION:
            meta["generation"] = 1
        if dry_run:
            return new
        return self._put("ADDED", resource, new, None)

    def update(self, resource: str, obj: Json, *, subresource: str = "", dry_run: bool = False) -> Json:
        """Replace an object and return what is stored now; an update that changes nothing changes no version.

        A metadata.resourceVersion in ``obj`` is an optimistic lock (raises Conflict), a metadata.uid likewise.
        ``subresource`` "" keeps the status and counts the generation when anything but metadata changed; "status" keeps
        all but the status and the metadata's labels, annotations and finalizers. Raises NotFound.
        """
        namespace, name = namespace_of(obj), name_of(obj)
        old = self.get(resource, namespace, name)
        self._check(resource, old, uid=obj["metadata"].get("uid"), rv=obj["metadata"].get("resourceVersion"))
        new = self._merged(resource, old, copied(obj), subresource)
        if _same(old, new):
            return old
        if dry_run:
            return new
        meta = new["metadata"]
        was_held = _is_held(resource, old) and not _is_held(resource, new)
        if meta.get("deletionTimestamp") and was_held and not meta.get("deletionGracePeriodSeconds"):
            return self._remove(resource, new)
        return self._put("MODIFIED", resource, new, old)

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        rv: str | None = None,
        grace: int | None = None,
        dry_run: bool = False,
    ) -> Json:
        """Delete an object, or mark it when something must happen first; raises NotFound, Conflict.

        An object with finalizers only gets its deletionTimestamp and goes when the last finalizer does. A pod that has
        a node gets a deletionTimestamp ``grace`` seconds ahead (None: its own terminationGracePeriodSeconds) and goes
        when the kubelet calls again with ``grace=0``.
        """
        old = self.get(resource, namespace, name)
        self._check(resource, old, uid=uid, rv=rv)
        seconds = self._grace(resource, old, grace)
        if not _is_held(resource, old) and seconds == 0:
            return old if dry_run else self._remove(resource, copied(old))
        known = old["metadata"].get("deletionGracePeriodSeconds")
        if old["metadata"].get("deletionTimestamp") and known is not None and seconds >= known:
            return old  # a grace period can be shortened, never prolonged
        new = copied(old)
        new["metadata"]["deletionTimestamp"] = stamp(self._clock() + timedelta(seconds=seconds))
        new["metadata"]["deletionGracePeriodSeconds"] = seconds
        if not old["metadata"].get("deletionTimestamp") and "generation" in new["metadata"]:
            new["metadata"]["generation"] += 1
        if resource == "namespaces":
            new.setdefault("status", {})["phase"] = "Terminating"
        return new if dry_run else self._put("MODIFIED", resource, new, old)

    # -- following -----------------------------------------------------------------------------------------------------

    def subscribe(self, resource: str | None = None) -> Subscription:
        """Return every change from now on, of all resources or of one."""
        return Subscription(self._subscriptions, resource)

    def since(self, version: int) -> Sequence[Event]:
        """Return the changes after a resourceVersion; raises Expired when that is further back than the history."""
        if version < self._forgotten:
            raise Expired(f"too old resource version: {version} ({self._forgotten})")
        return [event for event in self._history if event.version > version]

    def compact(self) -> None:
        """Forget the history, as etcd does every five minutes: older watches and continue tokens then expire."""
        self._history.clear()
        self._forgotten = self._version

    # -- inside --------------------------------------------------------------------------------------------------------

    def _generated(self, resource: str, namespace: str, prefix: str) -> str:
        if not prefix:
            raise ValueError("an object needs metadata.name or metadata.generateName")
        while True:
            digest = sha256(self._new_uid().encode()).digest()
            name = prefix[:58] + "".join(_SUFFIX_LETTERS[byte % len(_SUFFIX_LETTERS)] for byte in digest[:5])
            if self.find(resource, namespace, name) is None:
                return name

    def _check(self, resource: str, old: Json, *, uid: str | None, rv: str | None) -> None:
        meta, name = old["metadata"], name_of(old)
        if uid and uid != meta["uid"]:
            why = f"Precondition failed: UID in precondition: {uid}, UID in object meta: {meta['uid']}"
            raise Conflict.on(resource, name, why)
        if rv and rv != meta["resourceVersion"]:
            raise Conflict.stale(resource, name)

    @staticmethod
    def _merged(resource: str, old: Json, new: Json, subresource: str) -> Json:
        meta = new.setdefault("metadata", {})
        if subresource == "status":
            new = {**copied(old), **({"status": new["status"]} if "status" in new else {})}
            kept = {key: meta[key] for key in ("labels", "annotations", "finalizers", "managedFields") if key in meta}
            for key in ("labels", "annotations", "finalizers"):
                new["metadata"].pop(key, None)
            new["metadata"].update({key: value for key, value in kept.items() if value})
            return new
        if "status" in old:
            new["status"] = copied(old["status"])
        else:
            new.pop("status", None)
        for key in (
            "uid",
            "creationTimestamp",
            "generation",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
            "generateName",
        ):
            meta.pop(key, None)
            if key in old["metadata"]:
                meta[key] = old["metadata"][key]
        meta["resourceVersion"] = old["metadata"]["resourceVersion"]
        if "generation" in meta and not (_same_but_metadata(old, new) and _same_notes(resource, old, new)):
            meta["generation"] += 1
        return new

    def _grace(self, resource: str, old: Json, grace: int | None) -> int:
        if resource != "pods" or not old.get("spec", {}).get("nodeName"):
            return 0
        if old.get("status", {}).get("phase") in {"Succeeded", "Failed"}:
            return 0
        return int(old["spec"].get("terminationGracePeriodSeconds", 30)) if grace is None else grace

    def _put(self, kind: EventType, resource: str, new: Json, old: Json | None) -> Json:
        key = (resource, namespace_of(new), name_of(new))
        self._version += 1
        new["metadata"]["resourceVersion"] = str(self._version)
        self._objects.setdefault(resource, {}).setdefault(key[1], {})[key[2]] = new
        self._uids[new["metadata"]["uid"]] = key
        self._index(key, old, new)
        self._publish(Event(kind, resource, new, old, self._version))
        return new

    def _remove(self, resource: str, last: Json) -> Json:
        key = (resource, namespace_of(last), name_of(last))
        old = self._objects[resource][key[1]].pop(key[2])
        self._version += 1
        last["metadata"]["resourceVersion"] = str(self._version)
        self._uids.pop(last["metadata"]["uid"], None)
        self._index(key, old, None)
        self._publish(Event("DELETED", resource, last, old, self._version))
        return last

    def _index(self, key: tuple[str, str, str], old: Json | None, new: Json | None) -> None:
        before, after = _owners(old), _owners(new)
        for uid in before - after:
            self._dependents[uid].discard(key)
            if not self._dependents[uid]:
                del self._dependents[uid]
        for uid in after - before:
            self._dependents.setdefault(uid, set()).add(key)

    def _publish(self, event: Event) -> None:
        if len(self._history) == self._history.maxlen:
            self._forgotten = self._history[0].version
        self._history.append(event)
        for subscription in tuple(self._subscriptions):
            subscription.offer(event)


def _is_held(resource: str, obj: Json) -> bool:
    """Whether finalizers keep a deleted object; a namespace has its own, in the spec."""
    return bool(
        obj["metadata"].get("finalizers") or (resource == "namespaces" and obj.get("spec", {}).get("finalizers"))
    )


def _owners(obj: Json | None) -> set[str]:
    return set() if obj is None else {ref["uid"] for ref in obj["metadata"].get("ownerReferences") or ()}


def _same_but_metadata(old: Json, new: Json) -> bool:
    left = {key: value for key, value in old.items() if key not in {"metadata", "status"}}
    right = {key: value for key, value in new.items() if key not in {"metadata", "status"}}
    return left == right


def _same_notes(resource: str, old: Json, new: Json) -> bool:
    """A Deployment's annotations count as its wishes: they go to its ReplicaSets (deployment/strategy.go)."""
    return resource != "deployments.apps" or annotations_of(old) == annotations_of(new)


def _same(old: Json, new: Json) -> bool:
    """Whether nothing changed but who says so: versions and managedFields' times do not make a write."""
    ignored = {"resourceVersion", "managedFields"}
    left = {key: value for key, value in old["metadata"].items() if key not in ignored}
    right = {key: value for key, value in new["metadata"].items() if key not in ignored}
    if left != right or not _same_but_metadata(old, new) or old.get("status") != new.get("status"):
        return False
    return _ownership(old) == _ownership(new)


def _ownership(obj: Json) -> list[Json]:
    entries = obj["metadata"].get("managedFields") or ()
    return [{key: value for key, value in entry.items() if key != "time"} for entry in entries]
