"""Volume claims: bound to a volume made for them, grown when asked, and what becomes of the volume afterwards."""

from __future__ import annotations

from collections.abc import Iterable

from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.scheduler import SELECTED_NODE
from bot.demo.controllers.tempo import Tempo
from bot.demo.objects import Json, annotations_of, name_of, namespace_of
from bot.demo.quantity import value_of
from bot.demo.store import Event, Store

_CLAIMS = "persistentvolumeclaims"
_VOLUMES = "persistentvolumes"
_CLASSES = "storageclasses.storage.k8s.io"

# In-tree provisioners are long gone: their names stand for the CSI drivers that took over (k8s.io/csi-translation-lib).
_DRIVERS = {"kubernetes.io/aws-ebs": "ebs.csi.aws.com"}


class VolumeController:
    """The provisioner of every storage class there is, with the binding controller's rules."""

    def __init__(self, store: Store, tempo: Tempo) -> None:
        self._store = store
        self._tempo = tempo
        self._events = Recorder(store, "persistentvolume-controller")
        self._asked: set[str] = set()  # what is being made: the second look finds it done

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == _CLAIMS:
            yield namespace_of(event.object), name_of(event.object)
            if event.type == "DELETED":
                self._release(event.object)
        elif event.resource == _CLASSES and event.type == "ADDED":
            yield from ((namespace_of(claim), name_of(claim)) for claim in self._store.list(_CLAIMS))

    def reconcile(self, key: Key) -> float | None:
        claim = self._store.find(_CLAIMS, *key)
        if claim is None or claim["metadata"].get("deletionTimestamp"):
            return None
        storage = self._store.find(_CLASSES, "", claim["spec"].get("storageClassName") or "")
        if claim.get("status", {}).get("phase") == "Bound":
            return self._grow(claim, storage)
        if storage is None:
            if claim["spec"].get("storageClassName"):
                missing = f'storageclass.storage.k8s.io "{claim["spec"]["storageClassName"]}" not found'
                self._events.tell(claim, "Warning", "ProvisioningFailed", missing)
            else:
                nothing = "no persistent volumes available for this claim and no storage class is set"
                self._events.tell(claim, "Normal", "FailedBinding", nothing)
            return None
        waits = storage.get("volumeBindingMode") == "WaitForFirstConsumer"
        if waits and SELECTED_NODE not in annotations_of(claim):
            reason = "waiting for first consumer to be created before binding"
            self._events.tell(claim, "Normal", "WaitForFirstConsumer", reason)
            return None
        if self._is_asked_first(claim):
            return self._tempo.provision
        self._provision(claim, storage)
        return None

    def _is_asked_first(self, claim: Json) -> bool:
        uid = claim["metadata"]["uid"]
        first = uid not in self._asked
        self._asked ^= {uid}
        return first

    def _provision(self, claim: Json, storage: Json) -> None:
        size = claim["spec"]["resources"]["requests"]["storage"]
        name, driver = f"pvc-{claim['metadata']['uid']}", _DRIVERS.get(storage["provisioner"], storage["provisioner"])
        shared: Json = {"accessModes": claim["spec"].get("accessModes") or [], "capacity": {"storage": size}}
        volume: Json = {
            "apiVersion": "v1",
            "kind": "PersistentVolume",
            "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": driver}},
            "spec": {
                **shared,
                "claimRef": {
                    "apiVersion": "v1",
                    "kind": "PersistentVolumeClaim",
                    "name": name_of(claim),
                    "namespace": namespace_of(claim),
                    "uid": claim["metadata"]["uid"],
                },
                "csi": {"driver": driver, "volumeHandle": name},
                "persistentVolumeReclaimPolicy": storage.get("reclaimPolicy", "Delete"),
                "storageClassName": name_of(storage),
                "volumeMode": claim["spec"].get("volumeMode", "Filesystem"),
            },
            "status": {"phase": "Bound"},
        }
        if self._store.find(_VOLUMES, "", name) is None:
            self._store.create(_VOLUMES, volume)
        notes = {
            **annotations_of(claim),
            "pv.kubernetes.io/bind-completed": "yes",
            "pv.kubernetes.io/bound-by-controller": "yes",
            "volume.kubernetes.io/storage-provisioner": driver,
        }
        meta = {**claim["metadata"], "annotations": notes}
        bound = self._store.update(_CLAIMS, {**claim, "metadata": meta, "spec": {**claim["spec"], "volumeName": name}})
        self._store.update(_CLAIMS, {**bound, "status": {"phase": "Bound", **shared}}, subresource="status")
        done = f"Successfully provisioned volume {name}"
        self._events.tell(claim, "Normal", "ProvisioningSucceeded", done)

    def _grow(self, claim: Json, storage: Json | None) -> float | None:
        size = claim["spec"]["resources"]["requests"]["storage"]
        has = (claim["status"].get("capacity") or {}).get("storage", "0")
        if value_of(size) <= value_of(has) or storage is None or not storage.get("allowVolumeExpansion"):
            return None
        if self._is_asked_first(claim):
            return self._tempo.provision
        volume = self._store.find(_VOLUMES, "", claim["spec"].get("volumeName", ""))
        if volume is not None:
            capacity = {**volume["spec"]["capacity"], "storage": size}
            self._store.update(_VOLUMES, {**volume, "spec": {**volume["spec"], "capacity": capacity}})
        status = {**claim["status"], "capacity": {**claim["status"]["capacity"], "storage": size}}
        self._store.update(_CLAIMS, {**claim, "status": status}, subresource="status")
        done = "MountVolume.NodeExpandVolume succeeded for volume"
        self._events.tell(claim, "Normal", "FileSystemResizeSuccessful", done)
        return None

    def _release(self, claim: Json) -> None:
        """Do with the volume of a claim that is gone what its reclaim policy says."""
        volume = self._store.find(_VOLUMES, "", claim["spec"].get("volumeName", ""))
        if volume is None:
            return
        if volume["spec"].get("persistentVolumeReclaimPolicy") == "Delete":
            self._store.delete(_VOLUMES, "", name_of(volume))
        else:
            self._store.update(_VOLUMES, {**volume, "status": {"phase": "Released"}}, subresource="status")
