"""Rollouts without a cluster: states of a workload as values, a Reader that plays them back, and a clock held still."""

import asyncio
import heapq
import itertools
from collections.abc import AsyncIterator, Awaitable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TypeVar, cast

from bot.core.cluster import Gone, Reader
from bot.core.errors import SteersmanError
from bot.core.follow import Ending, Limits, Pin, Update, follow
from bot.core.ledger import Fate
from bot.core.plan import FieldChange, Followed, Json, JsonValue, ObjectRef, Place
from bot.core.pod import ContainerState, Event, LogRequest, Pod, Terminated, Waiting
from bot.core.rollout import template_digest
from bot.core.workload import Condition, Container, Edit, Kind, Revision, Status, Strategy, Workload

T = TypeVar("T")
BEGAN = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SHOP = Place("dev", "shop")
IMAGE_PATH = "spec.template.spec.containers[name=web].image"
CRASHED = Terminated("Error", 1, "", BEGAN)


def template(image: str, memory: str = "128Mi") -> dict[str, JsonValue]:
    limits: Json = {"limits": {"memory": memory}}
    return {"spec": {"containers": [{"name": "web", "image": image, "resources": limits}]}}


def workload(
    image: str = "myapp:v2",
    *,
    kind: Kind = Kind.DEPLOYMENT,
    name: str = "myapp",
    generation: int = 2,
    observed: int | None = None,
    replicas: int = 3,
    status: Status | None = None,
    conditions: Sequence[Condition] = (),
    paused: bool = False,
    strategy: Strategy | None = None,
    edits: tuple[Edit, ...] = (),
    uid: str = "u1",
    deadline: int | None = 600,
    spec: Mapping[str, JsonValue] | None = None,
) -> Workload:
    """A workload that has rolled out, unless `status` says otherwise; observed unless `observed` says otherwise."""
    counters = status or Status(replicas=replicas, updated=replicas, ready=replicas, available=replicas)
    seen = generation if observed is None else observed
    shown = replace(counters, observed_generation=seen, conditions=(*counters.conditions, *conditions))
    return Workload(
        kind=kind,
        ref=kind.ref(SHOP, name),
        uid=uid,
        generation=generation,
        created=BEGAN - timedelta(days=3),
        labels={},
        annotations={},
        selector=f"app={name}",
        replicas=replicas,
        containers=(Container("web", image),),
        strategy=strategy or Strategy(),
        status=shown,
        paused=paused,
        owner=None,
        edits=edits,
        manifest={"spec": {"template": template(image), **(spec or {})}},
        progress_deadline=deadline if kind is Kind.DEPLOYMENT else None,
    )


def revision(number: int, image: str, *, name: str = "", replicas: int = 0, kind: Kind = Kind.DEPLOYMENT) -> Revision:
    """Revision `number` of myapp; its name ends with its number unless it is given."""
    marked: Json = {**template(image), "metadata": {"labels": {"pod-template-hash": f"{number}"}}}
    wrapped: Json = {"spec": {"template": {**template(image), "$patch": "replace"}}}
    return Revision(
        number=number,
        name=name or f"myapp-{number}",
        uid=f"r{number}",
        created=BEGAN - timedelta(days=3 - number),
        containers=(Container("web", image),),
        change_cause="",
        annotations={},
        payload=marked if kind is Kind.DEPLOYMENT else wrapped,
        replicas=replicas,
    )


def container(
    image: str = "myapp:v2",
    *,
    name: str = "web",
    ready: bool = False,
    restarts: int = 0,
    waiting: tuple[str, str] | None = None,
    terminated: Terminated | None = None,
    last: Terminated | None = None,
    init: bool = False,
) -> ContainerState:
    stuck = Waiting(*waiting) if waiting else None
    return ContainerState(name, image, ready, restarts, stuck, terminated, last, init)


def pod(
    name: str,
    *containers: ContainerState,
    owner: str = "",
    ready: bool = False,
    created: datetime = BEGAN,
    phase: str = "Running",
    labels: Mapping[str, str] | None = None,
    unschedulable: str = "",
    reason: str = "",
    deleting: bool = False,
) -> Pod:
    """A pod; `owner` is read from its name (`myapp-2-a` belongs to `myapp-2`) unless it is given."""
    return Pod(
        name=name,
        namespace="shop",
        uid=f"uid-{name}",
        created=created,
        phase=phase,
        node="node-1",
        owner=owner or name.rpartition("-")[0],
        labels=labels or {},
        containers=containers or (container(ready=ready),),
        ready=ready,
        deleting=deleting,
        unschedulable=unschedulable,
        reason=reason,
    )


def event(
    name: str,
    reason: str,
    message: str,
    *,
    kind: str = "Pod",
    at: float = 1,
    first: float | None = None,
    container: str = "web",
) -> Event:
    """A warning, `at` seconds after the rollout began."""
    last = BEGAN + timedelta(seconds=at)
    began = last if first is None else BEGAN + timedelta(seconds=first)
    where = f"spec.containers{{{container}}}" if kind == "Pod" else ""
    return Event(kind, name, "Warning", reason, message, began, last, 1, where, "shop")


@dataclass
class HeldClock:
    """A clock that moves to the next sleeper's hour when nobody has anything left to do."""

    at: datetime = BEGAN
    _sleepers: list[tuple[datetime, int, asyncio.Future[None]]] = field(default_factory=list)
    _order: "itertools.count[int]" = field(default_factory=itertools.count)

    def now(self) -> datetime:
        return self.at

    async def sleep(self, seconds: float) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        heapq.heappush(self._sleepers, (self.at + timedelta(seconds=seconds), next(self._order), waiter))
        await waiter

    async def run(self, work: Awaitable[T]) -> T:
        task = asyncio.ensure_future(work)
        try:
            while not task.done():
                for _ in range(40):  # more turns than any chain of tasks here needs to come to rest
                    await asyncio.sleep(0)
                if not task.done():
                    self._forward()
            return await task
        finally:
            task.cancel()

    def _forward(self) -> None:
        while self._sleepers:
            due, _, waiter = heapq.heappop(self._sleepers)
            if not waiter.done():
                self.at = max(self.at, due)
                waiter.set_result(None)
                return
        raise AssertionError("everybody waits for something that never happens")


@dataclass
class Frame:
    """What the cluster looks like from a second on. An error in a field is raised by whoever reads it."""

    seen: Workload | Gone | SteersmanError
    revisions: Sequence[Revision] = ()
    pods: Sequence[Pod] | SteersmanError = ()
    events: Sequence[Event] | SteersmanError = ()
    log: str | SteersmanError = ""
    get: SteersmanError | None = None


@dataclass
class Playback:
    """A Reader that shows one frame after the other; the last one stays. `beside` holds other workloads' by name."""

    clock: HeldClock
    frames: Mapping[float, Frame]
    beside: Mapping[str, "Playback"] = field(default_factory=dict)
    logs_read: list[LogRequest] = field(default_factory=list)
    shown: Workload | Gone | None = None  # the newest state that a watch has handed out
    cluster: str = "dev"

    def of(self, name: str) -> "Playback":
        return self.beside.get(name, self)

    @property
    def frame(self) -> Frame:
        passed = (self.clock.now() - BEGAN).total_seconds()
        return self.frames[max(at for at in self.frames if at <= passed)]

    @property
    def reader(self) -> Reader:
        return cast(Reader, self)

    @property
    def workloads(self) -> "Playback":
        return self

    @property
    def pods(self) -> "_PodsOf":
        return _PodsOf(self)

    @property
    def events(self) -> "_EventsOf":
        return _EventsOf(self)

    async def get(self, kind: Kind, namespace: str, name: str) -> Workload:
        frame = self.of(name).frame
        if frame.get is not None:
            raise frame.get
        assert isinstance(frame.seen, Workload)
        return frame.seen

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        return tuple(self.of(workload.name).frame.revisions)

    async def watch(self, ref: ObjectRef) -> AsyncIterator[Workload | Gone]:
        shown: Workload | Gone | None = None
        frames = self.of(ref.name).frames
        for at in sorted(frames):
            wait = at - (self.clock.now() - BEGAN).total_seconds()
            if wait > 0:
                await self.clock.sleep(wait)
            seen = frames[at].seen
            if isinstance(seen, SteersmanError):
                raise seen
            if seen is not shown:
                shown = self.shown = seen
                yield seen
            if isinstance(seen, Gone):
                return
        while True:
            await self.clock.sleep(3600)


@dataclass
class _PodsOf:
    play: Playback

    async def list(self, namespace: str, selector: str = "") -> tuple[Pod, ...]:
        return tuple(_or_raise(self.play.of(selector.removeprefix("app=")).frame.pods))

    async def logs(self, namespace: str, request: LogRequest) -> str:
        self.play.logs_read.append(request)
        return "".join(_or_raise(self.play.frame.log))


@dataclass
class _EventsOf:
    play: Playback

    async def list(self, namespace: str | None, about: Sequence[tuple[str, str]] = ()) -> tuple[Event, ...]:
        found = _or_raise(self.play.of(about[0][1]).frame.events)
        return tuple(one for one in found if (one.kind, one.name) in about)


def _or_raise(value: Sequence[T] | SteersmanError) -> Sequence[T]:
    if isinstance(value, SteersmanError):
        raise value
    return value


def pin_to(written: Workload, *, version: str = "v2", before: str = "myapp:v1", undo: str = "undo myapp") -> Pin:
    """The pin of a deploy that has just written this workload."""
    changes = (FieldChange(IMAGE_PATH, before, written.containers[0].image),)
    followed = Followed(written.ref, version)
    digest = template_digest(written.manifest)
    return Pin(followed, written.uid, written.generation, BEGAN, changes, undo, digest)


@dataclass
class Story:
    """What one follow said, remembered and ended with; `times` are the seconds at which it said each update."""

    updates: list[Update]
    times: list[float]
    fates: list[tuple[str, Fate]]
    endings: tuple[Ending, ...]
    play: Playback

    @property
    def last(self) -> Update:
        return self.updates[-1]

    @property
    def only(self) -> Ending:
        (ending,) = self.endings
        return ending

    @property
    def phases(self) -> list[str]:
        """Without repetitions."""
        return [phase for phase, _ in itertools.groupby(update.phase.value for update in self.updates)]


async def played(
    frames: Mapping[float, Frame],
    *pins: Pin,
    limits: Limits | None = None,
    done: str = "",
    changed_by: str = "",
    beside: Mapping[str, Mapping[float, Frame]] | None = None,
) -> Story:
    """Follow the pins through the frames, to their endings."""
    clock = HeldClock()
    play = Playback(clock, frames, {name: Playback(clock, others) for name, others in (beside or {}).items()})
    updates: list[Update] = []
    times: list[float] = []
    fates: list[tuple[str, Fate]] = []

    async def tell(update: Update) -> None:
        updates.append(update)
        times.append((clock.now() - BEGAN).total_seconds())

    async def remember(pin: Pin, revision: str, fate: Fate) -> None:
        fates.append((revision, fate))

    async def author(_: Workload) -> str:
        return changed_by

    endings = await clock.run(
        follow(
            play.reader,
            pins,
            tell=tell,
            clock=clock,
            remember=remember,
            changed_by=author,
            done=done,
            limits=limits or Limits(),
        )
    )
    return Story(updates, times, fates, endings, play)
