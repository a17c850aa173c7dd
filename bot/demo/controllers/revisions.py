"""ControllerRevisions: the remembered templates of StatefulSets and DaemonSets (pkg/controller/history)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from bot.demo.controllers.owners import adopt, owned, reference
from bot.demo.controllers.template import essence, short_hash
from bot.demo.objects import Json, annotations_of, copied, labels_of, name_of, namespace_of
from bot.demo.status import AlreadyExists
from bot.demo.store import Store

HASH_LABEL = "controller-revision-hash"

_RESOURCE = "controllerrevisions.apps"


@dataclass(frozen=True, slots=True)
class History:
    """A workload's revisions, oldest number first; ``update`` is the one of its current template."""

    all: tuple[Json, ...]
    update: Json
    collisions: int

    def named(self, name: str | None) -> Json | None:
        return next((one for one in self.all if name_of(one) == name), None)


def template_of(revision: Json) -> Json:
    """Return the pod template a revision remembers."""
    return {key: value for key, value in revision["data"]["spec"]["template"].items() if key != "$patch"}


def history(store: Store, owner: Json, hash_label: str) -> History:
    """Return the owner's revisions, having made or renumbered the one of its current template.

    A template that was there before gets the highest number again instead of a second revision. ``hash_label`` is the
    label that carries the revision's short hash.
    """
    adopt(store, owner, _RESOURCE)
    known = sorted(owned(store, owner, _RESOURCE), key=lambda one: (one["revision"], name_of(one)))
    collisions = int(owner.get("status", {}).get("collisionCount") or 0)
    wished = essence(owner["spec"]["template"])
    equal = [one for one in known if essence(template_of(one)) == wished]
    number = known[-1]["revision"] + 1 if known else 1
    if not equal:
        update, collisions = _made(store, owner, number, hash_label, collisions)
    elif equal[-1] is known[-1]:
        update = equal[-1]
    else:
        update = store.update(_RESOURCE, {**equal[-1], "revision": number})
    rest = [one for one in known if name_of(one) != name_of(update)]
    return History((*rest, update), update, collisions)


def _made(store: Store, owner: Json, number: int, hash_label: str, collisions: int) -> tuple[Json, int]:
    template = owner["spec"]["template"]
    while True:
        digest = short_hash(template, collisions)
        meta: Json = {
            "name": f"{name_of(owner)}-{digest}",
            "namespace": namespace_of(owner),
            "labels": {**(template["metadata"].get("labels") or {}), hash_label: digest},
            "ownerReferences": [reference(owner)],
        }
        notes = {
            key: value
            for key, value in annotations_of(owner).items()
            if key != "deprecated.daemonset.template.generation" or owner["kind"] == "DaemonSet"
        }
        if notes:
            meta["annotations"] = notes
        revision = {
            "apiVersion": "apps/v1",
            "kind": "ControllerRevision",
            "metadata": meta,
            "data": _sorted({"spec": {"template": {**copied(template), "$patch": "replace"}}}),
            "revision": number,
        }
        try:
            return store.create(_RESOURCE, revision), collisions
        except AlreadyExists:
            collisions += 1


def _sorted(value: Any) -> Any:
    """Sort all keys: kubectl finds the present revision by comparing its bytes with what Go would write."""
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(item) for item in value] if isinstance(value, list) else value


def truncate(store: Store, owner: Json, revisions: Sequence[Json], live: Collection[str]) -> None:
    """Delete the oldest revisions beyond the history limit, but none of those named in ``live``."""
    limit = owner["spec"].get("revisionHistoryLimit", 10)
    idle = [one for one in revisions if name_of(one) not in live]
    for one in idle[: max(0, len(idle) - limit)]:
        store.delete(_RESOURCE, namespace_of(one), name_of(one))


def hash_of(pod: Json) -> str:
    return labels_of(pod).get(HASH_LABEL, "")
