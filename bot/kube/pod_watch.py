"""Thousands of pods kept up to date in little memory: what the rules of health look at, and nothing else of them.

About a kilobyte a pod: words that many pods share stand once, and no message is kept whole (a `msgspec.Raw` field would
hold on to every byte of it).
"""

from collections.abc import AsyncGenerator, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime
from sys import intern
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

import msgspec

from bot.core.errors import SteersmanError
from bot.kube.caller import Caller
from bot.kube.meta import LONG_AGO, OwnerReference
from bot.kube.pods import Condition, ContainerStatus, PodStatus
from bot.kube.request import Address
from bot.kube.watch import Alive, Anew, Broken, Collection, Lost, Pace, Seen, Whole, changes

_LONGEST_WORDS: Final = 300


class WatchedContainer(msgspec.Struct, frozen=True, gc=False):
    """One container. `waiting` is the kubelet's reason for not starting it, "" where it runs or has ended.

    `ended` is the reason (Error, OOMKilled, Completed), `exit_code` and `ended_at` the rest of its end: of the present
    one where it does not run any more, else of its last run before; "" where it has never ended.
    """

    name: str
    init: bool
    ready: bool
    restarts: int
    waiting: str
    ended: str
    exit_code: int
    ended_at: datetime | None


class WatchedPod(msgspec.Struct, frozen=True, gc=False):
    """One pod. Its owner is its controller ("" each for a bare pod), whose labels and annotations are its app's.

    `phase` and `reason` are the pod's own (Failed, Evicted). `ready_since` is when it became ready or ceased to be;
    None where its kubelet has not spoken. `deleting` is by when it should be gone. `unscheduled` is the scheduler's
    reason (Unschedulable, SchedulingGated) and `scheduling` its words while no node takes it. `disrupted` is by whose
    hand it ends (EvictionByEvictionAPI, PreemptionByScheduler …).
    """

    namespace: str
    name: str
    uid: str
    owner_kind: str
    owner: str
    owner_uid: str
    node: str
    created: datetime
    deleting: datetime | None
    phase: str
    reason: str
    ready: bool
    ready_since: datetime | None
    unscheduled: str
    scheduling: str
    disrupted: str
    containers: tuple[WatchedContainer, ...]

    @property
    def restarts(self) -> int:
        return sum(container.restarts for container in self.containers)


@dataclass(frozen=True, slots=True)
class PodChange:
    """What became of one pod: `before` is None for a new one, `now` for one that is gone."""

    before: WatchedPod | None
    now: WatchedPod | None


@dataclass(frozen=True, slots=True)
class AllKnown:
    """Every pod has been told: at the start, and again whenever the watch had to begin anew."""


PodNews: TypeAlias = PodChange | AllKnown


class PodWatch:
    """The pods of one namespace, or of a whole cluster where it is "", by uid. They live while `news` is iterated.

    Outside the caller's reach nothing is kept.
    """

    def __init__(self, caller: Caller, pace: Pace, namespace: str = "") -> None:
        self._caller = caller
        self._pace = pace
        self._namespace = namespace
        self._pods: dict[str, WatchedPod] = {}
        self._synced = False
        self._heard: datetime | None = None
        self._trouble: SteersmanError | None = None

    @property
    def pods(self) -> Mapping[str, WatchedPod]:
        """A view that changes as the cluster does; complete once `synced`."""
        return MappingProxyType(self._pods)

    @property
    def synced(self) -> bool:
        """Whether every pod has been told. It stays true: what was known is kept while the line is down."""
        return self._synced

    @property
    def heard(self) -> datetime | None:
        """When the cluster last said anything; a watch that is well hears at least every `Pace.seconds`."""
        return self._heard

    @property
    def trouble(self) -> SteersmanError | None:
        """Why the line is down, None while it is not: until it is up again nothing that was known can be trusted."""
        return self._trouble

    async def news(self) -> AsyncGenerator[PodNews, None]:
        """Each change once, `pods` being up to date when it is told; never ends by itself.

        Survives resets, 410, silence, nonsense and a server that is away. Raises Forbidden, NotFound and Invalid as
        `watch.changes` does. One iteration at a time.
        """
        everything = Collection(Address("v1", "pods", self._namespace), _Pod, streamed=True)
        missing: set[str] = set()
        async with aclosing(changes(self._caller, everything, self._pace)) as stream:
            async for change in stream:
                if isinstance(change, Broken):
                    self._trouble = change.error
                    continue
                if not isinstance(change, Anew):
                    self._heard, self._trouble = self._pace.clock.now(), None
                match change:
                    case Anew():
                        missing = set(self._pods)
                    case Seen(item) if self._caller.reach.covers(item.metadata.namespace):
                        missing.discard(item.metadata.uid)
                        if news := self._keep(_watched(item)):
                            yield news
                    case Lost(item):
                        if news := self._drop(item.metadata.uid):
                            yield news
                    case Whole():
                        for uid in missing:
                            if news := self._drop(uid):
                                yield news
                        missing.clear()
                        self._synced = True
                        yield AllKnown()
                    case Seen() | Alive():
                        pass
                    case _:
                        assert_never(change)

    def _keep(self, pod: WatchedPod) -> PodChange | None:
        before = self._pods.get(pod.uid)
        if pod == before:
            return None
        self._pods[pod.uid] = pod
        return PodChange(before, pod)

    def _drop(self, uid: str) -> PodChange | None:
        before = self._pods.pop(uid, None)
        return PodChange(before, None) if before else None


# -- as it comes over the wire -----------------------------------------------------------------------------------------


class _Meta(msgspec.Struct, rename="camel", gc=False):
    """Without labels, annotations and managed fields, which are most of a pod and would be thrown away."""

    namespace: str = ""
    name: str = ""
    uid: str = ""
    resource_version: str = ""
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    owner_references: list[OwnerReference] | None = None


class _Spec(msgspec.Struct, rename="camel", gc=False):
    node_name: str = ""


class _Pod(msgspec.Struct, gc=False):
    metadata: _Meta = msgspec.field(default_factory=_Meta)
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


_NOTHING_SAID: Final = Condition()


def _watched(item: _Pod) -> WatchedPod:
    meta, status = item.metadata, item.status
    owner = next((owner for owner in meta.owner_references or [] if owner.controller), OwnerReference())
    said = {condition.type: condition for condition in status.conditions or []}
    ready, scheduled, disrupted = (
        said.get(kind, _NOTHING_SAID) for kind in ("Ready", "PodScheduled", "DisruptionTarget")
    )
    waits = scheduled.status == "False"
    return WatchedPod(
        namespace=intern(meta.namespace),
        name=meta.name,
        uid=meta.uid,
        owner_kind=intern(owner.kind),
        owner=intern(owner.name),
        owner_uid=intern(owner.uid),
        node=intern(item.spec.node_name),
        created=meta.creation_timestamp or LONG_AGO,
        deleting=meta.deletion_timestamp,
        phase=intern(status.phase),
        reason=intern(status.reason),
        ready=ready.status == "True",
        ready_since=ready.last_transition_time,
        unscheduled=intern(scheduled.reason) if waits else "",
        scheduling=intern(scheduled.message[:_LONGEST_WORDS]) if waits else "",
        disrupted=intern(disrupted.reason) if disrupted.status == "True" else "",
        containers=(
            *_containers(status.container_statuses or (), init=False),
            *_containers(status.init_container_statuses or (), init=True),
        ),
    )


def _containers(found: Iterable[ContainerStatus], *, init: bool) -> Iterable[WatchedContainer]:
    for container in found:
        waiting, end = container.state.waiting, container.state.terminated or container.last_state.terminated
        yield WatchedContainer(
            name=intern(container.name),
            init=init,
            ready=container.ready,
            restarts=container.restart_count,
            waiting=intern(waiting.reason) if waiting else "",
            ended=intern(end.reason) if end else "",
            exit_code=end.exit_code if end else 0,
            ended_at=end.finished_at if end else None,
        )
