"""Deployments: rollouts through ReplicaSets, revisions, pausing, scaling and their history.

A re-wording of pkg/controller/deployment: the order of the steps is the original's, because kubectl's rollout commands
read what each step leaves behind.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.demo.controllers import progress, shares
from bot.demo.controllers.conditions import condition, new, put
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.family import (
    REVISION,
    SETS,
    Family,
    family_of,
    inherited,
    new_set,
    sizes,
    surplus,
    with_min_ready,
)
from bot.demo.controllers.loop import Key
from bot.demo.controllers.owners import adopt, controller_of, owned, owner_keys
from bot.demo.controllers.podstate import phase
from bot.demo.controllers.shares import replicas, reported
from bot.demo.objects import Json, annotations_of, name_of, namespace_of
from bot.demo.status import AlreadyExists
from bot.demo.store import Event, Store

_OWN = "deployments.apps"


class DeploymentController:
    def __init__(self, store: Store) -> None:
        self._store = store
        self._events = Recorder(store, "deployment-controller")

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == _OWN:
            yield namespace_of(event.object), name_of(event.object)
        elif event.resource == SETS:
            yield from owner_keys(self._store, event, "Deployment", _OWN)
        elif event.resource == "pods" and event.type == "DELETED":  # Recreate waits for the last old pod to go
            ref = controller_of(event.object)
            parent = self._store.by_uid(ref["uid"]) if ref is not None else None
            owner = controller_of(parent) if parent is not None else None
            if owner is not None and owner["kind"] == "Deployment":
                yield namespace_of(event.object), owner["name"]

    def reconcile(self, key: Key) -> float | None:
        deployment = self._store.find(_OWN, *key)
        if deployment is None:
            return None
        adopt(self._store, deployment, SETS)
        if deployment["metadata"].get("deletionTimestamp"):
            self._report(deployment, judge=False)
            return None
        deployment = self._note_pause(deployment)
        if deployment["spec"].get("paused") or self._is_scaled(deployment):
            return self._sync(deployment)
        deployment = self._roll(deployment) if shares.is_rolling(deployment) else self._recreate(deployment)
        return progress.wait_for_deadline(self._report(deployment, judge=True), self._store.now)

    # -- the three roads -----------------------------------------------------------------------------------------------

    def _sync(self, deployment: Json) -> float | None:
        """Only scale: what a paused deployment still does, and what comes first when the wished size changed."""
        deployment = self._numbered(deployment)
        self._scale(deployment, family_of(self._store, deployment))
        if deployment["spec"].get("paused"):
            self._clean(deployment, family_of(self._store, deployment).old)
        self._report(deployment, judge=False)
        return None

    def _roll(self, deployment: Json) -> Json:
        deployment = self._with_newest(deployment)
        family = family_of(self._store, deployment)
        newest = family.newest
        if newest is None:
            return deployment
        if replicas(newest) > replicas(deployment):
            target = replicas(deployment)
        else:
            total = sum(replicas(one) for one in family.everything)
            target = shares.new_replicas(deployment, replicas(newest), total)
        moved = self._resize(deployment, newest, target) or self._shrink_old(deployment, family, newest)
        if not moved and progress.is_complete(deployment, deployment.get("status", {})):
            self._clean(deployment, family.old)
        return deployment

    def _recreate(self, deployment: Json) -> Json:
        family = family_of(self._store, deployment)
        shrunk = [self._resize(deployment, one, 0) for one in family.active_old]
        if any(shrunk) or self._old_pods_live(family):
            return self._numbered(deployment)
        deployment = self._with_newest(deployment)
        family = family_of(self._store, deployment)
        if family.newest is not None:
            self._resize(deployment, family.newest, replicas(deployment))
        if progress.is_complete(deployment, deployment.get("status", {})):
            self._clean(deployment, family.old)
        return deployment

    # -- ReplicaSets ---------------------------------------------------------------------------------------------------

    def _numbered(self, deployment: Json) -> Json:
        """Give the newest ReplicaSet, if there is one, the highest revision, and the deployment the same."""
        family = family_of(self._store, deployment)
        newest = family.newest
        if newest is None:
            return deployment
        meta = {**newest["metadata"], "annotations": inherited(deployment, newest, family.next_revision)}
        spec = with_min_ready(newest["spec"], deployment["spec"].get("minReadySeconds", 0))
        newest = self._store.update(SETS, {**newest, "metadata": meta, "spec": spec})
        found = f'Found new replica set "{name_of(newest)}"'
        return self._marked(deployment, annotations_of(newest)[REVISION], "FoundNewReplicaSet", found, only_first=True)

    def _with_newest(self, deployment: Json) -> Json:
        """Make sure the ReplicaSet of the current template exists and is numbered."""
        family = family_of(self._store, deployment)
        if family.newest is not None:
            return self._numbered(deployment)
        made = new_set(deployment, family)
        try:
            self._store.create(SETS, made)
        except AlreadyExists:
            # Not ours, or another template of the same hash: the count gives the next try another name.
            count = deployment.get("status", {}).get("collisionCount", 0) + 1
            status = {**deployment.get("status", {}), "collisionCount": count}
            self._store.update(_OWN, {**deployment, "status": status}, subresource="status")
            raise
        if replicas(made):
            self._tell_scaled(deployment, made, 0, replicas(made))
        created = f'Created new replica set "{name_of(made)}"'
        return self._marked(deployment, annotations_of(made)[REVISION], "NewReplicaSetCreated", created)

    def _resize(self, deployment: Json, one: Json, size: int) -> bool:
        """Set a ReplicaSet's size and note the deployment's own; return whether the size changed."""
        before = replicas(one)
        meta = {**one["metadata"], "annotations": {**annotations_of(one), **sizes(deployment)}}
        if before != size or meta["annotations"] != annotations_of(one):
            self._store.update(SETS, {**one, "metadata": meta, "spec": {**one["spec"], "replicas": size}})
        if before != size:
            self._tell_scaled(deployment, one, before, size)
        return before != size

    def _tell_scaled(self, deployment: Json, one: Json, before: int, size: int) -> None:
        way = "up" if size > before else "down"
        message = f"Scaled {way} replica set {name_of(one)} from {before} to {size}"
        self._events.tell(deployment, "Normal", "ScalingReplicaSet", message)

    def _shrink_old(self, deployment: Json, family: Family, newest: Json) -> bool:
        """Take away old pods: broken ones first, then as many good ones as may be missing."""
        total = sum(replicas(one) for one in family.everything)
        least = replicas(deployment) - shares.max_unavailable(deployment)
        missing = replicas(newest) - reported(newest, "availableReplicas")
        allowed = total - least - missing
        if allowed <= 0 or not family.active_old:
            return False
        left = {name_of(one): replicas(one) for one in family.old}
        for one in family.active_old:
            broken = min(allowed, replicas(one) - reported(one, "availableReplicas"))
            if broken > 0:
                left[name_of(one)] -= broken
                allowed -= broken
        spare = sum(reported(one, "availableReplicas") for one in family.everything) - least
        for one in family.active_old:
            taken = max(0, min(spare, left[name_of(one)]))
            left[name_of(one)] -= taken
            spare -= taken
        moved = [self._resize(deployment, one, left[name_of(one)]) for one in family.active_old]
        return any(moved)

    def _old_pods_live(self, family: Family) -> bool:
        pods = (pod for one in family.old for pod in owned(self._store, one, "pods"))
        return any(phase(pod) not in {"Succeeded", "Failed"} for pod in pods)

    # -- scaling and cleaning ------------------------------------------------------------------------------------------

    def _is_scaled(self, deployment: Json) -> bool:
        wished = str(replicas(deployment))
        return any(
            annotations_of(one).get(shares.DESIRED, wished) != wished
            for one in family_of(self._store, deployment).everything
            if replicas(one) > 0
        )

    def _scale(self, deployment: Json, family: Family) -> None:
        newest, wished = family.newest, replicas(deployment)
        active = [one for one in family.everything if replicas(one) > 0]
        if not family.everything:
            return
        if len(active) <= 1:  # the active one, else the newest, else the latest of the old
            latest = active[0] if active else newest or family.old[-1]
            self._resize(deployment, latest, wished)
        elif newest is not None and self._is_saturated(newest, wished):
            for one in family.active_old:
                self._resize(deployment, one, 0)
        elif shares.is_rolling(deployment):
            shared = shares.proportional(deployment, active)
            for one in active:
                self._resize(deployment, one, shared[name_of(one)])

    @staticmethod
    def _is_saturated(newest: Json, wished: int) -> bool:
        desired = annotations_of(newest).get(shares.DESIRED)
        return replicas(newest) == wished == reported(newest, "availableReplicas") and desired == str(wished)

    def _clean(self, deployment: Json, old: Sequence[Json]) -> None:
        for one in surplus(deployment, old):
            self._store.delete(SETS, namespace_of(one), name_of(one))

    # -- status --------------------------------------------------------------------------------------------------------

    def _note_pause(self, deployment: Json) -> Json:
        current = condition(deployment, "Progressing")
        if not progress.has_deadline(deployment) or (current is not None and current["reason"] == progress.TIMED_OUT):
            return deployment
        paused = bool(deployment["spec"].get("paused"))
        if paused == (current is not None and current["reason"] == "DeploymentPaused"):
            return deployment
        word = "paused" if paused else "resumed"
        fresh = new(
            "Progressing", "Unknown", f"Deployment{word.capitalize()}", f"Deployment is {word}", self._store.now
        )
        return self._with_condition(deployment, fresh)

    def _with_condition(self, deployment: Json, fresh: Json) -> Json:
        status = deployment.get("status", {})
        status = {**status, "conditions": put(status.get("conditions") or (), fresh)}
        return self._store.update(_OWN, {**deployment, "status": status}, subresource="status")

    def _marked(self, deployment: Json, number: str, reason: str, message: str, *, only_first: bool = False) -> Json:
        """Write the revision on the deployment and say why it is progressing (``only_first``: unless that is known)."""
        notes = {**annotations_of(deployment), REVISION: number}
        deployment = {**deployment, "metadata": {**deployment["metadata"], "annotations": notes}}
        known = condition(deployment, "Progressing") is not None and only_first
        if progress.has_deadline(deployment) and not known:
            return self._with_condition(deployment, new("Progressing", "True", reason, message, self._store.now))
        return self._store.update(_OWN, deployment, subresource="status")

    def _report(self, deployment: Json, *, judge: bool) -> Json:
        family = family_of(self._store, deployment)
        measure = progress.judged if judge else progress.counted
        status = measure(deployment, family.newest, family.everything, self._store.now)
        return self._store.update(_OWN, {**deployment, "status": status}, subresource="status")
