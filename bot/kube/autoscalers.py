"""Horizontal pod autoscalers: the one that owns a workload's replicas."""

import msgspec

from bot.core.errors import NotFound
from bot.core.workload import Autoscaler, Workload
from bot.kube.caller import Caller
from bot.kube.meta import Meta
from bot.kube.request import Address


class _Target(msgspec.Struct, rename="camel", gc=False):
    kind: str = ""
    name: str = ""
    api_version: str = ""


class _Spec(msgspec.Struct, rename="camel", gc=False):
    scale_target_ref: _Target = msgspec.field(default_factory=_Target)
    min_replicas: int | None = None
    max_replicas: int = 0


class _Status(msgspec.Struct, rename="camel", gc=False):
    current_replicas: int = 0
    desired_replicas: int = 0


class _Autoscaler(msgspec.Struct, gc=False):
    metadata: Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


async def read(caller: Caller, workload: Workload) -> Autoscaler | None:
    """The autoscaler that names the workload as its target, None for none. `minimum` defaults to 1, as in the API."""
    address = Address("autoscaling/v2", "horizontalpodautoscalers", workload.ref.namespace)
    try:
        found = await caller.listed(address, _Autoscaler)
    except NotFound:
        return None  # a cluster that serves no autoscaling scales nothing by itself
    for item in found:
        target = item.spec.scale_target_ref
        same_group = target.api_version.partition("/")[0] in ("apps", "")
        if same_group and (target.kind, target.name) == (workload.kind.kind, workload.name):
            return Autoscaler(
                name=item.metadata.name,
                minimum=1 if item.spec.min_replicas is None else item.spec.min_replicas,
                maximum=item.spec.max_replicas,
                current=item.status.current_replicas,
                desired=item.status.desired_replicas,
                kind=target.kind,
                target=target.name,
            )
    return None
