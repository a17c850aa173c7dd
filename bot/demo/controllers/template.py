"""Pod templates: when two are the same, their short hash, and the pod that is made from one."""

from __future__ import annotations

import json
from collections.abc import Callable
from hashlib import sha256
from typing import Any

from bot.demo.controllers.owners import reference
from bot.demo.objects import Json, copied, namespace_of
from bot.demo.quantity import value_of

CreatePod = Callable[[Json], Json]
"""Creates a pod through the server's own admission (defaults, quota); raises ApiError, such as Forbidden."""

HASH_LABEL = "pod-template-hash"

# k8s.io/apimachinery/pkg/util/rand.SafeEncodeString
_LETTERS = "bcdfghjklmnpqrstvwxz2456789"  # pragma: allowlist secret


def essence(template: Json) -> Any:
    """Return what is left of a template when all that has no meaning is dropped: two templates are equal if this is.

    apiequality.Semantic.DeepEqual after removing the hash label: nil equals empty, quantities compare by value.
    """
    return _pruned(_without_hash(template))


def _without_hash(template: Json) -> Json:
    meta = template.get("metadata") or {}
    labels = {key: value for key, value in (meta.get("labels") or {}).items() if key != HASH_LABEL}
    return {**template, "metadata": {**meta, "labels": labels}}


def _pruned(value: Any) -> Any:
    if isinstance(value, dict):
        kept = {}
        for key, item in value.items():
            if key in {"limits", "requests"} and isinstance(item, dict):
                item = {name: str(value_of(str(amount))) for name, amount in item.items()}
            small = _pruned(item)
            if small not in (None, "", {}, []):
                kept[key] = small
        return kept
    if isinstance(value, list):
        return [_pruned(item) for item in value]
    return value


def short_hash(value: Any, collisions: int | None = None) -> str:
    """Return a short name part for a JSON value, in the letters of Kubernetes; collisions give another one."""
    text = json.dumps(_pruned(value), sort_keys=True) + (str(collisions) if collisions else "")
    number = int.from_bytes(sha256(text.encode()).digest()[:4], "big")
    return "".join(_LETTERS[ord(digit) % len(_LETTERS)] for digit in str(number))


def pod_from(owner: Json, template: Json) -> Json:
    """Return the pod that a controller asks for: named after the owner, carrying the template's labels and spec."""
    meta = template.get("metadata") or {}
    made: Json = {
        "generateName": f"{owner['metadata']['name']}-",
        "namespace": namespace_of(owner),
        "labels": copied(meta.get("labels") or {}),
        "ownerReferences": [reference(owner)],
    }
    if meta.get("annotations"):
        made["annotations"] = copied(meta["annotations"])
    return {"apiVersion": "v1", "kind": "Pod", "metadata": made, "spec": copied(template.get("spec") or {})}
