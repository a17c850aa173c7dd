"""Plans without a cluster: workloads and revisions built as values, a Reader that holds them, lines read as typed."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import cast

from rigs.process_ledger import MemoryLedger

from bot.core.cluster import Gone, Reader
from bot.core.command import Action, Context, Decision, Permissions, Query, Registry
from bot.core.errors import Choice, Forbidden, Judge, NotFound, SteersmanError
from bot.core.grammar import Grammar
from bot.core.people import Actor, Impersonated
from bot.core.plan import Json, JsonValue, ObjectRef, Place, Plan
from bot.core.pod import Event, Pod
from bot.core.reply import Reply
from bot.core.workload import (
    App,
    Autoscaler,
    Container,
    Kind,
    Owner,
    Revision,
    Status,
    Strategy,
    Workload,
)
from commands import deploy, history, rollout, scale, status, undo

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DEV = Place("dev", "shop")
ALICE = Actor("U1", "alice")
GRAMMAR = Grammar(
    Registry(
        [
            deploy.deploy,
            scale.scale,
            undo.undo,
            rollout.rollout_undo,
            rollout.restart,
            rollout.pause,
            rollout.resume,
            history.history,
            status.rollout_status,
        ]
    )
)


def workload(
    name: str = "myapp",
    images: Mapping[str, str] | None = None,
    *,
    kind: Kind = Kind.DEPLOYMENT,
    init: Mapping[str, str] | None = None,
    replicas: int = 3,
    place: Place = DEV,
    paused: bool = False,
    strategy: Strategy | None = None,
    owner: Owner | None = None,
    annotations: Mapping[str, str] | None = None,
    template_annotations: Mapping[str, str] | None = None,
    observed: bool = True,
    unready: int = 0,
    status: Status | None = None,
    spec: Json | None = None,
) -> Workload:
    """A workload that has rolled out; `images` are by container, the first named like the workload by default."""
    images = images or {name: "myapp:v1"}
    template = pod_template(images, init or {}, template_annotations or {})
    manifest: dict[str, JsonValue] = {
        "apiVersion": "apps/v1",
        "kind": kind.kind,
        "metadata": {"name": name, "namespace": place.namespace, "annotations": dict(annotations or {})},
        "spec": {"replicas": replicas, "template": template, **({"paused": True} if paused else {}), **(spec or {})},
    }
    return Workload(
        kind=kind,
        ref=kind.ref(place, name),
        uid=f"uid-{place.cluster}-{kind.short}-{name}",
        generation=4,
        created=NOW - timedelta(days=30),
        labels={},
        annotations=dict(annotations or {}),
        selector=f"app={name}",
        replicas=replicas,
        containers=_containers(images, init or {}),
        strategy=strategy or Strategy(),
        status=status or Status(4 if observed else 3, replicas, replicas, replicas - unready, replicas - unready),
        paused=paused,
        owner=owner,
        edits=(),
        manifest=manifest,
    )


def revision(
    of: Workload,
    number: int,
    images: Mapping[str, str] | str,
    *,
    days: float = 0,
    cause: str = "",
    annotations: Mapping[str, str] | None = None,
    template_annotations: Mapping[str, str] | None = None,
) -> Revision:
    """A revision of a workload, `days` old. An image alone is that of the container named like the workload."""
    images = {of.name: images} if isinstance(images, str) else images
    template = pod_template(images, {}, template_annotations or {})
    name = f"{of.name}-{number}"
    payload: Json = {"spec": {"template": {**template, "$patch": "replace"}}}
    if of.kind is Kind.DEPLOYMENT:
        metadata = template["metadata"]
        labels = {"app": "x", "pod-template-hash": name}
        payload = {**template, "metadata": {**(metadata if isinstance(metadata, Mapping) else {}), "labels": labels}}
    return Revision(
        number=number,
        name=name,
        uid=f"uid-{name}",
        created=NOW - timedelta(days=days),
        containers=_containers(images, {}),
        change_cause=cause,
        annotations=dict(annotations or {}),
        payload=payload,
    )


def pod_template(images: Mapping[str, str], init: Mapping[str, str], annotations: Mapping[str, str]) -> Json:
    return {
        "metadata": {"labels": {"app": "x"}, **({"annotations": dict(annotations)} if annotations else {})},
        "spec": {
            "containers": [{"name": name, "image": image} for name, image in images.items()],
            **({"initContainers": [{"name": name, "image": image} for name, image in init.items()]} if init else {}),
        },
    }


def autoscaler(minimum: int, maximum: int) -> Autoscaler:
    return Autoscaler("myapp", minimum, maximum, minimum, minimum, "Deployment", "myapp")


@dataclass
class Held:
    """A Reader of one cluster that answers from what it was given. `fails` is raised by every list."""

    cluster: str = "dev"
    there: Sequence[Workload] = ()
    past: Mapping[str, Sequence[Revision]] = field(default_factory=dict)
    scaler: Autoscaler | None = None
    may_see_scalers: bool = True
    scale_replicas: int | None = None
    later: Workload | None = None
    fails: SteersmanError | None = None
    running: Sequence[Pod] = ()
    may_see_pods: bool = True

    @property
    def workloads(self) -> "Held":
        return self

    @property
    def objects(self) -> "Held":
        return self

    @property
    def pods(self) -> "HeldPods":
        return HeldPods(self)

    @property
    def events(self) -> "HeldEvents":
        return HeldEvents()

    async def list(self, namespace: str | None) -> tuple[Workload, ...]:
        if self.fails:
            raise self.fails
        return tuple(one for one in self.there if namespace in (None, one.place.namespace))

    async def revisions(self, of: Workload) -> tuple[Revision, ...]:
        return tuple(self.past.get(of.name, ()))

    async def autoscaler(self, of: Workload) -> Autoscaler | None:
        if not self.may_see_scalers:
            raise Forbidden("You may not list autoscalers.", judge=Judge.CLUSTER)
        return self.scaler

    async def get(self, ref: ObjectRef) -> Json:
        """The Scale of a workload; like the API server it leaves out a 0."""
        if ref.subresource != "scale":
            raise NotFound(f"{ref} is not there.")
        wanted = next(one.replicas for one in self.there if one.ref == replace(ref, subresource=""))
        count = wanted if self.scale_replicas is None else self.scale_replicas
        return {"kind": "Scale", "spec": {"replicas": count} if count else {}}

    async def watch(self, ref: ObjectRef) -> AsyncIterator[Workload | Gone]:
        if self.later is None:
            yield Gone()
        else:
            yield self.later


@dataclass
class HeldPods:
    of: Held

    async def list(self, namespace: str, selector: str = "") -> tuple[Pod, ...]:
        if not self.of.may_see_pods:
            raise Forbidden("You may not list pods.", judge=Judge.CLUSTER)
        return tuple(self.of.running)


class HeldEvents:
    async def list(self, namespace: str | None, about: Sequence[tuple[str, str]] = ()) -> tuple[Event, ...]:
        return ()


@dataclass
class Desk:
    """Where lines are planned: the workloads at dev/shop, what is known of them, and a ledger."""

    reader: Held
    others: Sequence[Held] = ()
    ledger: MemoryLedger = field(default_factory=MemoryLedger)

    async def plans(self, line: str, app: str = "myapp") -> Plan:
        """The plan behind a line. The app is all workloads, or the one that a `deploy/web` names."""
        answer = await self._runs(line, app)
        assert isinstance(answer, Plan), answer
        return answer

    async def answers(self, line: str, app: str = "myapp") -> Reply:
        answer = await self._runs(line, app)
        assert isinstance(answer, Reply), answer
        return answer

    async def _runs(self, line: str, app: str) -> Plan | Reply:
        parsed = GRAMMAR.parse(line)
        context = Context(
            actor=ALICE,
            identity=Impersonated("alice"),
            place=DEV,
            target=App(app, DEV, tuple(self.reader.there)),
            reader=cast(Reader, self.reader),
            everywhere=tuple(cast(Reader, reader) for reader in (self.reader, *self.others)),
            ledger=self.ledger,
            permissions=cast(Permissions, None),
            registry=GRAMMAR.registry,
            now=NOW,
        )
        match parsed.command:
            case Action():
                return await parsed.command.plan(context, parsed.args)
            case Query():
                return await parsed.command.run(context, parsed.args)
            case Decision():
                raise AssertionError("no command here decides")


def desk(*there: Workload, revisions: Mapping[str, Sequence[Revision]] | None = None) -> Desk:
    return Desk(Held(there=there, past=revisions or {}))


def notes(plan: Plan) -> str:
    return "\n".join(note.text for note in plan.notes)


def lines_of(choices: Sequence[Choice]) -> list[str]:
    """The lines behind choices; each must be one that the grammar reads."""
    for choice in choices:
        GRAMMAR.parse(choice.line)
    return [choice.line for choice in choices]


def _containers(images: Mapping[str, str], init: Mapping[str, str]) -> tuple[Container, ...]:
    return (
        *(Container(name, image) for name, image in images.items()),
        *(Container(name, image, init=True) for name, image in init.items()),
    )
