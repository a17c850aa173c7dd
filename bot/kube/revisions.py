"""The revisions of a workload: ReplicaSets of a Deployment, ControllerRevisions of the other two.

A revision belongs to a workload by selector and controller uid, never by its name (kubectl's `pkg/polymorphichelpers`).
"""

from typing import Any, Final

import msgspec

from bot.core.errors import Unavailable
from bot.core.masking import hidden
from bot.core.workload import Kind, Revision, Workload
from bot.kube.caller import Caller
from bot.kube.meta import Meta
from bot.kube.request import Address
from bot.kube.templates import Template

_NUMBER: Final = "deployment.kubernetes.io/revision"
_CAUSE: Final = "kubernetes.io/change-cause"


class _ReplicaSpec(msgspec.Struct, gc=False):
    template: Template = msgspec.field(default_factory=Template)


class _ReplicaStatus(msgspec.Struct, rename="camel", gc=False):
    replicas: int = 0
    ready_replicas: int = 0


class _ReplicaSet(msgspec.Struct, gc=False):
    metadata: Meta
    spec: _ReplicaSpec = msgspec.field(default_factory=_ReplicaSpec)
    status: _ReplicaStatus = msgspec.field(default_factory=_ReplicaStatus)


class _Data(msgspec.Struct, gc=False):
    spec: _ReplicaSpec = msgspec.field(default_factory=_ReplicaSpec)


class _ControllerRevision(msgspec.Struct, gc=False):
    metadata: Meta
    revision: int = 0
    data: _Data = msgspec.field(default_factory=_Data)


async def read(caller: Caller, workload: Workload) -> tuple[Revision, ...]:
    """The revisions that the workload controls, lowest number first."""
    resource = "replicasets" if workload.kind is Kind.DEPLOYMENT else "controllerrevisions"
    address = Address("apps/v1", resource, workload.ref.namespace)
    manifests = await caller.objects(address, query=(("labelSelector", workload.selector),))
    try:
        found = [_revision(workload, manifest) for manifest in manifests]
    except msgspec.ValidationError as error:
        raise Unavailable(f"{caller.cluster} sent {resource} that cannot be read.") from error
    return tuple(sorted((item for item in found if item), key=lambda item: (item.number, item.created, item.name)))


def _revision(workload: Workload, manifest: dict[str, Any]) -> Revision | None:
    """None for what another workload controls, and for a ReplicaSet whose number is no number, as in kubectl."""
    if workload.kind is Kind.DEPLOYMENT:
        replica_set = msgspec.convert(manifest, _ReplicaSet)
        meta = replica_set.metadata
        text = (meta.annotations or {}).get(_NUMBER, "0")
        if not _controls(workload, meta) or not text.removeprefix("-").isdecimal():
            return None
        return Revision(
            number=int(text),
            name=meta.name,
            uid=meta.uid,
            created=meta.created,
            containers=replica_set.spec.template.containers,
            change_cause=hidden((meta.annotations or {}).get(_CAUSE, "")),
            annotations=meta.annotations or {},
            payload=manifest["spec"]["template"],
            replicas=replica_set.status.replicas,
            ready=replica_set.status.ready_replicas,
        )
    controlled = msgspec.convert(manifest, _ControllerRevision)
    meta = controlled.metadata
    if not _controls(workload, meta):
        return None
    return Revision(
        number=controlled.revision,
        name=meta.name,
        uid=meta.uid,
        created=meta.created,
        containers=controlled.data.spec.template.containers,
        change_cause=hidden((meta.annotations or {}).get(_CAUSE, "")),
        annotations=meta.annotations or {},
        payload=manifest.get("data") or {},
    )


def _controls(workload: Workload, meta: Meta) -> bool:
    return meta.controller is not None and meta.controller.uid == workload.uid
