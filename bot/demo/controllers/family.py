"""A Deployment's ReplicaSets: which one is the newest, how they are numbered, and what a new one looks like.

The rules are those of pkg/controller/deployment/util/deployment_util.go.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.demo.controllers import shares
from bot.demo.controllers.owners import owned, reference
from bot.demo.controllers.shares import replicas, reported
from bot.demo.controllers.template import HASH_LABEL, essence, short_hash
from bot.demo.objects import Json, annotations_of, copied, name_of, namespace_of
from bot.demo.store import Store

SETS = "replicasets.apps"
REVISION = "deployment.kubernetes.io/revision"

_HISTORY = "deployment.kubernetes.io/revision-history"
_NOT_COPIED = frozenset(
    {
        "kubectl.kubernetes.io/last-applied-configuration",
        "deprecated.deployment.rollback.to",
        REVISION,
        _HISTORY,
        shares.DESIRED,
        shares.MAX,
    }
)


@dataclass(frozen=True, slots=True)
class Family:
    """The ReplicaSet of the current template (the oldest that equals it), and the others, oldest first."""

    newest: Json | None
    old: tuple[Json, ...]

    @property
    def everything(self) -> tuple[Json, ...]:
        return self.old if self.newest is None else (*self.old, self.newest)

    @property
    def active_old(self) -> tuple[Json, ...]:
        return tuple(one for one in self.old if replicas(one) > 0)

    @property
    def next_revision(self) -> int:
        """The number that the newest must have: above all the old ones."""
        return max((revision_of(one) for one in self.old), default=0) + 1


def family_of(store: Store, deployment: Json) -> Family:
    sets = owned(store, deployment, SETS)
    wished = essence(deployment["spec"]["template"])
    newest = next((one for one in sets if essence(one["spec"]["template"]) == wished), None)
    return Family(newest, tuple(one for one in sets if one is not newest))


def revision_of(obj: Json) -> int:
    """Return the revision an object is annotated with; none or nonsense counts as 0."""
    text = annotations_of(obj).get(REVISION, "0")
    return int(text) if text.isdecimal() else 0


def inherited(deployment: Json, newest: Json, number: int) -> dict[str, str]:
    """Return the annotations of the newest ReplicaSet: its own, the deployment's, and the revision ``number``.

    A number it had before is kept in its history; it never goes down.
    """
    wanted = dict(annotations_of(newest))
    wanted |= {key: value for key, value in annotations_of(deployment).items() if key not in _NOT_COPIED}
    if revision_of(newest) < number:
        if REVISION in wanted:
            wanted[_HISTORY] = ",".join(filter(None, (wanted.get(_HISTORY), wanted[REVISION])))
        wanted[REVISION] = str(number)
    return wanted


def sizes(deployment: Json) -> dict[str, str]:
    """Return the annotations by which a ReplicaSet remembers how large the deployment was."""
    wished = replicas(deployment)
    return {shares.DESIRED: str(wished), shares.MAX: str(wished + shares.max_surge(deployment))}


def with_min_ready(spec: Json, seconds: int) -> Json:
    """Return a ReplicaSet's spec with the deployment's minReadySeconds (zero is not written)."""
    rest = {key: value for key, value in spec.items() if key != "minReadySeconds"}
    return {**rest, "minReadySeconds": seconds} if seconds else rest


def new_set(deployment: Json, family: Family) -> Json:
    """Return the ReplicaSet of the current template as it is to be created, as large as it may be now."""
    template, selector = deployment["spec"]["template"], deployment["spec"]["selector"]
    digest = short_hash(template, deployment.get("status", {}).get("collisionCount"))
    labels = {**(template["metadata"].get("labels") or {}), HASH_LABEL: digest}
    spec: Json = {
        "replicas": shares.new_replicas(deployment, 0, sum(replicas(one) for one in family.old)),
        "selector": {**selector, "matchLabels": {**(selector.get("matchLabels") or {}), HASH_LABEL: digest}},
        "template": {**copied(template), "metadata": {**copied(template["metadata"]), "labels": labels}},
    }
    made: Json = {
        "apiVersion": "apps/v1",
        "kind": "ReplicaSet",
        "metadata": {
            "name": f"{name_of(deployment)}-{digest}",
            "namespace": namespace_of(deployment),
            "labels": labels,
            "ownerReferences": [reference(deployment)],
        },
        "spec": with_min_ready(spec, deployment["spec"].get("minReadySeconds", 0)),
    }
    made["metadata"]["annotations"] = {**inherited(deployment, made, family.next_revision), **sizes(deployment)}
    return made


def surplus(deployment: Json, old: Sequence[Json]) -> list[Json]:
    """Return the oldest empty ReplicaSets beyond the history limit; those that still have pods are left alone."""
    living = [one for one in old if not one["metadata"].get("deletionTimestamp")]
    count = max(0, len(living) - deployment["spec"].get("revisionHistoryLimit", 10))
    return [
        one
        for one in sorted(living, key=revision_of)[:count]
        if not replicas(one)
        and not reported(one, "replicas")
        and reported(one, "observedGeneration") >= one["metadata"]["generation"]
    ]
