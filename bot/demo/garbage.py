"""What follows a deletion: owned objects are collected, namespaces emptied, quotas and budgets counted."""

from __future__ import annotations

import logging

from bot.demo import budgets, quota
from bot.demo.kinds import stored
from bot.demo.objects import Json, copied, name_of, namespace_of
from bot.demo.status import Conflict, NotFound
from bot.demo.store import Event, Store

_log = logging.getLogger(__name__)

FOREGROUND = "foregroundDeletion"
ORPHAN = "orphan"


class Collector:
    """Follows the store and cleans up behind it, as kube-controller-manager's garbage collector does."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def run(self) -> None:
        """Work until cancelled."""
        changes = self._store.subscribe()
        try:
            self._sweep()
            async for event in changes:
                try:
                    self._see(event)
                except Exception:  # noqa: BLE001  # one odd object must not end the cleaning for all
                    _log.exception("could not clean up after %s %s", event.resource, name_of(event.object))
        finally:
            changes.close()

    def _sweep(self) -> None:
        """Look at everything once: a seed may hold orphans and half-deleted objects."""
        for kind in stored():
            for obj in self._store.list(kind.resource):
                self._see(Event("ADDED", kind.resource, obj, None, 0))

    def _see(self, event: Event) -> None:
        obj, meta = event.object, event.object["metadata"]
        if event.type == "DELETED":
            for resource, dependent in self._store.dependents(meta["uid"]):
                self._judge(resource, dependent)
            for reference in meta.get("ownerReferences") or ():
                self._release(reference["uid"])
            if (space := namespace_of(obj)) and self._is_ending(space):
                self._empty(space)
        else:
            if meta.get("ownerReferences"):
                self._judge(event.resource, obj)
            if meta.get("deletionTimestamp"):
                self._end(event.resource, obj)
        if event.resource in {"pods", "resourcequotas", "persistentvolumeclaims"}:
            quota.refresh(self._store, namespace_of(obj))
        if event.resource in {"pods", "poddisruptionbudgets.policy"}:
            budgets.refresh(self._store, namespace_of(obj))

    def _judge(self, resource: str, obj: Json) -> None:
        """Delete an object none of whose owners is left, or drop the references to those that are gone."""
        current = self._store.find(resource, namespace_of(obj), name_of(obj))
        if current is None or current["metadata"]["uid"] != obj["metadata"]["uid"]:
            return
        references = current["metadata"].get("ownerReferences") or []
        alive = [reference for reference in references if self._store.by_uid(reference["uid"]) is not None]
        if references and not alive:
            self._delete(resource, current)
        elif len(alive) < len(references):
            updated = copied(current)
            updated["metadata"]["ownerReferences"] = alive
            self._store.update(resource, updated)

    def _end(self, resource: str, obj: Json) -> None:
        """Do what the finalizers of a deleted object wait for."""
        finalizers = obj["metadata"].get("finalizers") or []
        if resource == "namespaces":
            self._empty(name_of(obj))
        if ORPHAN in finalizers:
            self._orphan(obj["metadata"]["uid"])
            self._finish(resource, obj, ORPHAN)
        if FOREGROUND in finalizers:
            for kind, dependent in self._store.dependents(obj["metadata"]["uid"]):
                self._delete(kind, dependent)
            self._release(obj["metadata"]["uid"])

    def _orphan(self, uid: str) -> None:
        for resource, dependent in self._store.dependents(uid):
            updated = copied(dependent)
            meta = updated["metadata"]
            kept = [reference for reference in meta["ownerReferences"] if reference["uid"] != uid]
            meta["ownerReferences"] = kept
            if not kept:
                del meta["ownerReferences"]
            self._store.update(resource, updated)

    def _release(self, uid: str) -> None:
        """Let an owner that is being deleted in the foreground go when nothing that blocks it is left."""
        owner = self._store.by_uid(uid)
        if owner is None or FOREGROUND not in (owner["metadata"].get("finalizers") or ()):
            return
        blocking = [
            reference
            for _, dependent in self._store.dependents(uid)
            for reference in dependent["metadata"]["ownerReferences"]
            if reference["uid"] == uid and reference.get("blockOwnerDeletion")
        ]
        if not blocking:
            self._finish(self._store.resource_of(uid), owner, FOREGROUND)

    def _finish(self, resource: str, obj: Json, finalizer: str) -> None:
        updated = copied(obj)
        left = [known for known in updated["metadata"].get("finalizers") or () if known != finalizer]
        updated["metadata"]["finalizers"] = left
        try:
            self._store.update(resource, updated)
        except (NotFound, Conflict):
            return  # somebody was quicker; the change that did it is on its way to us

    def _delete(self, resource: str, obj: Json) -> None:
        if not obj["metadata"].get("deletionTimestamp"):
            self._store.delete(resource, namespace_of(obj), name_of(obj), uid=obj["metadata"]["uid"])

    def _is_ending(self, namespace: str) -> bool:
        found = self._store.find("namespaces", "", namespace)
        return found is not None and bool(found["metadata"].get("deletionTimestamp"))

    def _empty(self, namespace: str) -> None:
        """Delete what is in a namespace that is being deleted, and let the namespace go when nothing is left."""
        left = [
            (kind.resource, obj)
            for kind in stored()
            if kind.namespaced
            for obj in self._store.list(kind.resource, namespace)
        ]
        for resource, obj in left:
            self._delete(resource, obj)
        if any(self._store.list(resource, namespace) for resource in {resource for resource, _ in left}):
            return
        space = self._store.find("namespaces", "", namespace)
        if space is not None and space["spec"].get("finalizers"):
            updated = copied(space)
            updated["spec"]["finalizers"] = []
            self._store.update("namespaces", updated)
