"""Reading without a cluster: readers that hold what a test gives them, behind the real pipeline and grammar."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from rigs.chat import Bot, counter
from rigs.planning import NOW, workload
from rigs.process_ledger import MemoryLedger

import commands
from bot.core.cluster import Access, Gone, Reach, Right, ServedKind, ServerTable, TableColumn, Writer
from bot.core.command import Registry
from bot.core.errors import NotFound, SteersmanError
from bot.core.listing import NODES, PODS, SLICES, spoken
from bot.core.people import Identity
from bot.core.pipeline import Pipeline
from bot.core.plan import ClusterWrite, Json, ObjectRef, Place
from bot.core.pod import ContainerState, Event, LogRequest, Pod, Terminated, Usage, Waiting
from bot.core.policy import ChannelRule, ClusterRule, Grant, Person, Policy, PolicyDirectory, Role
from bot.core.workload import Autoscaler, Kind, Revision, Status, Workload

KINDS = (
    PODS,
    NODES,
    SLICES,
    ServedKind("v1", "Service", "services", "service", ("svc",), True, ("get", "list")),
    ServedKind("v1", "Secret", "secrets", "secret", (), True, ("get", "list")),
    ServedKind("networking.k8s.io/v1", "Ingress", "ingresses", "ingress", ("ing",), True, ("get", "list")),
    ServedKind("example.com/v1", "Widget", "widgets", "widget", (), True, ("get", "list")),
)
LABELS = {"myapp": {"app": "myapp"}, "cart-web": {"app": "cart"}, "cart-worker": {"app": "cart"}}


@dataclass
class Shelf:
    """A cluster that answers reads from what it was given. `fails` is raised by everything, `denied` by its nouns."""

    name: str = "dev"
    there: Sequence[Workload] = ()
    spaces: Sequence[str] = ("shop", "data")
    some_pods: Sequence[Pod] = ()
    tables: Mapping[tuple[str, str], Sequence[tuple[str, ...]]] = field(default_factory=dict)
    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    manifests: Mapping[str, Json] = field(default_factory=dict)
    happened: Sequence[Event] = ()
    used: Sequence[Usage] = ()
    log: str = ""
    log_error: SteersmanError | None = None
    scaler: Autoscaler | None = None
    past: Sequence[Revision] = ()
    fails: SteersmanError | None = None
    denied: Mapping[str, SteersmanError] = field(default_factory=dict)
    slow: bool = False
    asked_logs: list[LogRequest] = field(default_factory=list)

    async def answering(self, noun: str = "") -> None:
        if self.slow:
            await asyncio.Event().wait()
        if error := self.fails or self.denied.get(noun):
            raise error


@dataclass
class ShelfWorkloads:
    shelf: Shelf

    async def get(self, kind: Kind, namespace: str, name: str) -> Workload:
        return next(one for one in self.shelf.there if (one.kind, one.name) == (kind, name))

    async def list(self, namespace: str | None) -> tuple[Workload, ...]:
        await self.shelf.answering("workloads")
        return tuple(one for one in self.shelf.there if namespace in (None, one.place.namespace))

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        return tuple(self.shelf.past)

    async def autoscaler(self, workload: Workload) -> Autoscaler | None:
        await self.shelf.answering("autoscalers")
        return self.shelf.scaler

    async def watch(self, ref: ObjectRef) -> AsyncIterator[Workload | Gone]:
        yield Gone()


@dataclass
class ShelfPods:
    shelf: Shelf

    async def list(self, namespace: str, selector: str = "") -> tuple[Pod, ...]:
        await self.shelf.answering("pods")
        app = selector.removeprefix("app=")
        return tuple(pod for pod in self.shelf.some_pods if not selector or pod.labels.get("app") == app)

    async def get(self, namespace: str, name: str) -> Pod:
        found = [pod for pod in self.shelf.some_pods if pod.name == name]
        if not found:
            raise NotFound(f"There is no pod {name}.")
        return found[0]

    async def logs(self, namespace: str, request: LogRequest) -> str:
        self.shelf.asked_logs.append(request)
        if self.shelf.log_error:
            raise self.shelf.log_error
        return self.shelf.log


@dataclass
class ShelfObjects:
    shelf: Shelf

    async def kinds(self) -> tuple[ServedKind, ...]:
        return KINDS

    async def find_kind(self, word: str) -> ServedKind:
        for kind in KINDS:
            if word.lower() in (kind.resource, spoken(kind), kind.singular, kind.kind.lower(), *kind.short_names):
                return kind
        raise NotFound(f"{self.shelf.name} serves no kind {word!r}.")

    async def table(
        self, kind: ServedKind, namespace: str | None, *, name: str = "", selector: str = "", fields: str = ""
    ) -> ServerTable:
        await self.shelf.answering(kind.resource)
        titles = self.shelf.columns.get(kind.resource, ("Name", "Age"))
        columns = tuple(TableColumn(title.strip("*"), title.startswith("*")) for title in titles)
        if namespace is None and kind.namespaced:
            rows = [
                (space, *row)
                for (resource, space), some in self.shelf.tables.items()
                for row in some
                if resource == kind.resource
            ]
            return ServerTable((TableColumn("Namespace", False), *columns), tuple(rows))
        found = self.shelf.tables.get((kind.resource, namespace or ""), ())
        rows = [row for row in found if not name or row[0] == name]
        if name and not rows:
            raise NotFound(f"There is no {kind.resource}/{name}.")
        return ServerTable(columns, tuple(rows))

    async def names(self, kind: ServedKind, namespace: str) -> tuple[str, ...]:
        return tuple(row[0] for row in self.shelf.tables.get((kind.resource, namespace), ()))

    async def get(self, ref: ObjectRef) -> Json:
        await self.shelf.answering(ref.resource)
        try:
            return self.shelf.manifests[f"{ref.resource}/{ref.name}"]
        except KeyError:
            raise NotFound(f"There is no {ref}.") from None


@dataclass
class ShelfEvents:
    shelf: Shelf

    async def list(self, namespace: str | None, about: Sequence[tuple[str, str]] = ()) -> tuple[Event, ...]:
        await self.shelf.answering("events")
        return tuple(event for event in self.shelf.happened if not about or (event.kind, event.name) in about)


@dataclass
class ShelfMetrics:
    shelf: Shelf

    async def pods(self, namespace: str | None, selector: str = "") -> tuple[Usage, ...]:
        await self.shelf.answering("metrics")
        return tuple(self.shelf.used)

    async def nodes(self) -> tuple[Usage, ...]:
        await self.shelf.answering("metrics")
        return tuple(self.shelf.used)


@dataclass
class ShelfReader:
    shelf: Shelf

    @property
    def cluster(self) -> str:
        return self.shelf.name

    @property
    def workloads(self) -> ShelfWorkloads:
        return ShelfWorkloads(self.shelf)

    @property
    def pods(self) -> ShelfPods:
        return ShelfPods(self.shelf)

    @property
    def objects(self) -> ShelfObjects:
        return ShelfObjects(self.shelf)

    @property
    def events(self) -> ShelfEvents:
        return ShelfEvents(self.shelf)

    @property
    def metrics(self) -> ShelfMetrics:
        return ShelfMetrics(self.shelf)

    async def namespaces(self) -> tuple[str, ...]:
        await self.shelf.answering()
        return tuple(self.shelf.spaces)

    async def can(self, right: Right, namespace: str, name: str = "") -> Access:
        return Access(True, "")


@dataclass
class Shelves:
    """`bot.core.cluster.Clusters` over shelves. Nobody may write."""

    shelves: Mapping[str, Shelf]

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.shelves)

    def reader(self, cluster: str, identity: Identity, reach: Reach) -> ShelfReader:
        return ShelfReader(self.shelves[cluster])

    def writer(self, cluster: str, identity: Identity) -> Writer:
        raise AssertionError(f"a reading command asked to write to {cluster}: {ClusterWrite}")


class StillClock:
    """Always the same moment."""

    def now(self) -> datetime:
        return NOW

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def reading_bot(*shelves: Shelf, ledger: MemoryLedger | None = None) -> Bot:
    """A chat over these clusters; alice may do everything, the channel speaks of the first cluster's `shop`."""
    names = tuple(shelf.name for shelf in shelves)
    policy = Policy(
        "the test's",
        clusters=tuple(ClusterRule(name) for name in names),
        people=(Person("alice", "alice", "alice"),),
        roles=(Role("keeper", ("*",)),),
        grants=(Grant(("alice",), "keeper"),),
        channels=(ChannelRule("shop", Place(names[0], "shop")),),
    )

    def broke(reference: str, bug: Exception) -> None:
        raise AssertionError(f"{reference}: a bug") from bug

    pipeline = Pipeline(
        registry=Registry.of(commands),
        policy=policy,
        directory=PolicyDirectory(policy),
        clusters=Shelves({shelf.name: shelf for shelf in shelves}),
        ledger=ledger or MemoryLedger(),
        clock=StillClock(),
        new_id=counter("a"),
        new_audit_id=counter("u"),
        report=broke,
    )
    return Bot(pipeline)


def app_workload(name: str = "myapp", *, status: Status | None = None, **more: object) -> Workload:
    """A workload with the labels of its app, rolled out unless `status` says otherwise."""
    made = replace(workload(name, **more), labels=LABELS.get(name, {"app": name}))  # type: ignore[arg-type]  # passed on
    return replace(made, status=status) if status else made


def pod(
    name: str = "myapp-1",
    *states: ContainerState,
    app: str = "myapp",
    ready: bool = True,
    minutes: float = 60,
    deleting: bool = False,
    unschedulable: str = "",
) -> Pod:
    """A pod of an app, `minutes` old; one container named like the app, unless states are given."""
    return Pod(
        name=name,
        namespace="shop",
        uid=f"uid-{name}",
        created=NOW - timedelta(minutes=minutes),
        phase="Running",
        node="node-1",
        owner="myapp-rs",
        labels={"app": app},
        containers=states or (container(app, ready=ready),),
        ready=ready,
        deleting=deleting,
        unschedulable=unschedulable,
    )


def container(
    name: str = "myapp",
    *,
    ready: bool = True,
    image: str = "myapp:v1",
    image_id: str = "",
    waiting: str = "",
    message: str = "",
    exit_code: int | None = None,
    restarts: int = 0,
    init: bool = False,
) -> ContainerState:
    """A container's state: running, or `waiting` for a reason; with restarts it has a last run that failed."""
    ended = Terminated("Error", 1, "", NOW)
    return ContainerState(
        name=name,
        image=image,
        ready=ready and not waiting,
        restarts=restarts,
        waiting=Waiting(waiting, message) if waiting else None,
        terminated=Terminated("Completed", exit_code, "", NOW) if exit_code is not None else None,
        last=ended if restarts else None,
        init=init,
        image_id=image_id,
    )


def event(reason: str, name: str = "myapp-1", *, kind: str = "Pod", minutes: float = 5, warning: bool = False) -> Event:
    at = NOW - timedelta(minutes=minutes)
    return Event(kind, name, "Warning" if warning else "Normal", reason, f"{reason} happened", at, at, 1, "", "shop")
