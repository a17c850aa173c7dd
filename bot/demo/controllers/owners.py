"""Who owns whom: controller references, what an owner has, and adoption by selector."""

from __future__ import annotations

from collections.abc import Iterable

from bot.demo.controllers.loop import Key
from bot.demo.objects import Json, labels_of, name_of, namespace_of
from bot.demo.selectors import LabelSelector
from bot.demo.store import Event, Store


def controller_of(obj: Json) -> Json | None:
    """Return the one owner reference that has ``controller: true``, if any."""
    return next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)


def reference(owner: Json) -> Json:
    """Return the controller reference that an owner puts on what it makes."""
    return {
        "apiVersion": owner["apiVersion"],
        "kind": owner["kind"],
        "name": name_of(owner),
        "uid": owner["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def owned(store: Store, owner: Json, resource: str) -> list[Json]:
    """Return the owner's objects of one resource, oldest first (then by name)."""
    uid = owner["metadata"]["uid"]
    mine = [
        obj
        for kind, obj in store.dependents(uid)
        if kind == resource and (ref := controller_of(obj)) is not None and ref["uid"] == uid
    ]
    return sorted(mine, key=lambda obj: (obj["metadata"]["creationTimestamp"], name_of(obj)))


def adopt(store: Store, owner: Json, resource: str) -> None:
    """Take the orphans that the owner's selector matches, and release what it no longer matches.

    The rule of PodControllerRefManager (pkg/controller/controller_ref_manager.go); nothing that is being deleted is
    adopted, nor does anything adopt that is being deleted itself.
    """
    selector = LabelSelector.from_object(owner["spec"].get("selector"))
    if not selector.requirements or owner["metadata"].get("deletionTimestamp"):
        return
    for obj in owned(store, owner, resource):
        if not selector.matches(labels_of(obj)):
            uid = owner["metadata"]["uid"]
            rest = [ref for ref in obj["metadata"]["ownerReferences"] if ref["uid"] != uid]
            store.update(resource, {**obj, "metadata": {**obj["metadata"], "ownerReferences": rest}})
    for obj in store.list(resource, namespace_of(owner), selector=selector):
        if controller_of(obj) is None and not obj["metadata"].get("deletionTimestamp"):
            references = [*(obj["metadata"].get("ownerReferences") or ()), reference(owner)]
            store.update(resource, {**obj, "metadata": {**obj["metadata"], "ownerReferences": references}})


def owner_keys(store: Store, event: Event, kind: str, resource: str) -> Iterable[Key]:
    """Return the keys of the owners of ``kind`` that a change of one of their objects concerns.

    An orphan concerns everyone in its namespace who might adopt it; an object that changed hands concerns both.
    """
    namespace = namespace_of(event.object)
    for obj in (event.object, event.previous):
        ref = controller_of(obj) if obj is not None else None
        if ref is not None and ref["kind"] == kind:
            yield namespace, ref["name"]
    if event.type != "DELETED" and controller_of(event.object) is None:
        for owner in store.list(resource, namespace):
            if LabelSelector.from_object(owner["spec"].get("selector")).matches(labels_of(event.object)):
                yield namespace, name_of(owner)
