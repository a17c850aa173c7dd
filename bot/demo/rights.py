"""Rights that a policy makes, put in the place of those that an earlier one made."""

from __future__ import annotations

from collections.abc import Iterable

from bot.demo import admission
from bot.demo.kinds import KINDS
from bot.demo.objects import Json, labels_of, name_of, namespace_of
from bot.demo.store import Store

_RBAC = "rbac.authorization.k8s.io"
_OURS = ("app.kubernetes.io/managed-by", "steersman")


def replace_rights(store: Store, manifests: Iterable[Json]) -> None:
    """Take away the rights that carry Steersman's label and grant these instead.

    Those in a namespace that this cluster does not have are left out: there is nothing to have a right on.
    """
    kinds = {kind.kind: kind.resource for kind in KINDS if kind.group == _RBAC}
    for resource in kinds.values():
        for known in store.list(resource):
            if labels_of(known).get(_OURS[0]) == _OURS[1]:
                store.delete(resource, namespace_of(known), name_of(known))
    for manifest in manifests:
        namespace = namespace_of(manifest)
        if not namespace or store.find("namespaces", "", namespace) is not None:
            admission.create(store, kinds[manifest["kind"]], manifest)
