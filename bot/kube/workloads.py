"""Deployments, StatefulSets and DaemonSets: read, listed, and watched."""

from collections.abc import AsyncIterator, Mapping
from contextlib import aclosing
from typing import Any

import msgspec

from bot.core.cluster import Gone
from bot.core.errors import Unavailable
from bot.core.masking import hidden
from bot.core.plan import JsonValue, ObjectRef, Place
from bot.core.workload import Autoscaler, Condition, Edit, Kind, Revision, Status, Strategy, Workload
from bot.kube import autoscalers, revisions
from bot.kube.caller import Caller
from bot.kube.fanout import ask_permitted
from bot.kube.meta import ManagedMeta
from bot.kube.namespaces import everywhere
from bot.kube.owners import owner
from bot.kube.request import Address
from bot.kube.selectors import Selector
from bot.kube.templates import Template
from bot.kube.watch import Pace, versions


class _RollingUpdate(msgspec.Struct, gc=False):
    partition: int | None = None


class _Strategy(msgspec.Struct, rename="camel", gc=False):
    type: str = "RollingUpdate"
    rolling_update: _RollingUpdate | None = None


class _Spec(msgspec.Struct, rename="camel", gc=False):
    """`strategy` is a Deployment's, `update_strategy` that of the other two."""

    replicas: int | None = None
    selector: Selector = msgspec.field(default_factory=Selector)
    template: Template = msgspec.field(default_factory=Template)
    strategy: _Strategy | None = None
    update_strategy: _Strategy | None = None
    paused: bool = False
    progress_deadline_seconds: int | None = None


class _Condition(msgspec.Struct, gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""


class _Status(msgspec.Struct, rename="camel", gc=False):
    """The counters of all three kinds: a DaemonSet has its own words for them."""

    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    current_revision: str = ""
    update_revision: str = ""
    desired_number_scheduled: int = 0
    updated_number_scheduled: int = 0
    number_available: int = 0
    number_ready: int = 0
    conditions: list[_Condition] | None = None

    def value(self, kind: Kind) -> Status:
        match kind:
            case Kind.DAEMON_SET:
                counters = (
                    self.desired_number_scheduled,
                    self.updated_number_scheduled,
                    self.number_ready,
                    self.number_available,
                )
            case _:
                counters = (self.replicas, self.updated_replicas, self.ready_replicas, self.available_replicas)
        replicas, updated, ready, available = counters
        return Status(
            observed_generation=self.observed_generation,
            replicas=replicas,
            updated=updated,
            ready=ready,
            available=available,
            current_revision=self.current_revision,
            update_revision=self.update_revision,
            conditions=tuple(Condition(c.type, c.status, c.reason, hidden(c.message)) for c in self.conditions or []),
        )


class _Workload(msgspec.Struct, gc=False):
    metadata: ManagedMeta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: _Status = msgspec.field(default_factory=_Status)


class ClusterWorkloads:
    """`bot.core.cluster.Workloads` on a cluster."""

    def __init__(self, caller: Caller, pace: Pace) -> None:
        self._caller = caller
        self._pace = pace

    async def get(self, kind: Kind, namespace: str, name: str) -> Workload:
        address = Address("apps/v1", kind.resource, namespace)
        manifest = await self._caller.read(address.request("get", name), dict[str, Any])
        return workload(kind, self._caller.cluster, manifest)

    async def list(self, namespace: str | None) -> tuple[Workload, ...]:
        async def of_kind(kind: Kind) -> tuple[Workload, ...]:
            async def inside(where: str) -> tuple[Workload, ...]:
                found = await self._caller.objects(Address("apps/v1", kind.resource, where))
                return tuple(workload(kind, self._caller.cluster, manifest) for manifest in found)

            if namespace:
                return await inside(namespace)
            return tuple(await everywhere(self._caller, inside, lambda item: item.ref.namespace))

        # A role may cover Deployments only: the kinds that a person may not list are not theirs to see.
        kinds = await ask_permitted(tuple(Kind), of_kind)
        return tuple(sorted((item for _, items in kinds for item in items), key=_by_name))

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        return await revisions.read(self._caller, workload)

    async def autoscaler(self, workload: Workload) -> Autoscaler | None:
        return await autoscalers.read(self._caller, workload)

    async def watch(self, ref: ObjectRef) -> AsyncIterator[Workload | Gone]:
        kind = next(kind for kind in Kind if kind.resource == ref.resource)
        uid = ""
        async with aclosing(versions(self._caller, Address.of(ref), ref.name, self._pace)) as stream:
            async for manifest in stream:
                if manifest is None:
                    yield Gone()
                    return
                seen = workload(kind, self._caller.cluster, manifest)
                if uid and seen.uid != uid:
                    yield Gone()
                    return
                uid = seen.uid
                yield seen


def _by_name(workload: Workload) -> tuple[str, str, str]:
    return workload.ref.namespace, workload.name, workload.kind.kind


def workload(kind: Kind, cluster: str, manifest: Mapping[str, JsonValue]) -> Workload:
    """A workload from the object as the server sent it. Raises Unavailable where it is not one."""
    try:
        read = msgspec.convert(manifest, _Workload)
    except msgspec.ValidationError as error:
        raise Unavailable(f"{cluster} sent a {kind.kind} that cannot be read.") from error
    meta, spec = read.metadata, read.spec
    status = read.status.value(kind)
    labels, annotations, managers = meta.labels or {}, meta.annotations or {}, meta.managed_fields or []
    strategy = (spec.strategy if kind is Kind.DEPLOYMENT else spec.update_strategy) or _Strategy()
    rolling = strategy.rolling_update
    wanted = 1 if spec.replicas is None else spec.replicas  # the API's own default
    return Workload(
        kind=kind,
        ref=kind.ref(Place(cluster, meta.namespace), meta.name),
        uid=meta.uid,
        generation=meta.generation,
        created=meta.created,
        labels=labels,
        annotations=annotations,
        selector=spec.selector.text,
        replicas=status.replicas if kind is Kind.DAEMON_SET else wanted,
        containers=spec.template.containers,
        strategy=Strategy(strategy.type, (rolling.partition or 0) if rolling else 0, rolling is not None),
        status=status,
        paused=spec.paused,
        owner=owner(kind, meta.namespace, meta.name, labels, annotations, managers),
        edits=tuple(
            Edit(entry.manager, entry.operation, entry.time)
            for entry in sorted(managers, key=lambda entry: entry.time.timestamp() if entry.time else 0.0)
            if entry.subresource != "status"  # a controller's report, not somebody's edit
        ),
        manifest=manifest,
        progress_deadline=spec.progress_deadline_seconds,
    )
