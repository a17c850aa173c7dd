"""The composition root: builds every adapter, wires them, starts and stops. Knows everyone; nobody knows it."""

import asyncio
import getpass
import logging
import os
import random
import secrets
import sys
import uuid
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final, TextIO
from urllib.parse import quote

import structlog
from structlog.typing import EventDict

import commands
from bot.console.board import Board
from bot.console.chat import Chat
from bot.console.script import run_script
from bot.console.session import Session, Speaking
from bot.console.tour import END, TOUR
from bot.core.command import Registry
from bot.core.errors import NotFound, SteersmanError, StoreUnavailable
from bot.core.follow import Limits as FollowLimits
from bot.core.ledger import Ledger
from bot.core.masking import hidden
from bot.core.people import Actor, Directory, Identity, KubeconfigUser
from bot.core.pipeline import Limits, Pipeline
from bot.core.plan import Place
from bot.core.policy import ChannelRule, ClusterRule, Gate, Grant, Person, Policy, PolicyDirectory, Role
from bot.demo.controllers.tempo import Tempo
from bot.demo.policy import CHANNEL, demo_policy
from bot.demo.seed_people import PEOPLE
from bot.demo.world import World
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig, Source
from bot.kube.kubeconfig import contexts
from bot.rbac.selfaudit import ask_again, named_namespaces, refuse_overprivileged
from bot.settings import LogFormat, Settings
from bot.store.engine import Store, open_store

# Letters and digits that are not mistaken for one another when read aloud at night.
_ALPHABET: Final = "23456789abcdefghjkmnpqrstvwxyz"  # pragma: allowlist secret

_CHAT_LEASE: Final = timedelta(seconds=15)


class SystemClock:
    """The real clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class OwnDirectory(PolicyDirectory):
    """The operator's console: one person, who acts as whatever the kubeconfig logs in as."""

    async def identity(self, actor: Actor, cluster: str) -> Identity:
        await self.person(actor.id)
        return KubeconfigUser()


def run_demo(settings: Settings, script: TextIO | None) -> int:
    """Run the demo's chat, or a script against it. Returns the exit code."""
    return asyncio.run(_demo(settings, script))


def run_console(
    settings: Settings, context: str | None, namespace: str | None, assume_yes: bool, script: TextIO | None
) -> int:
    """Run the same chat on one context of a kubeconfig, as its own user. Returns the exit code."""
    path = kubeconfig_path(settings)
    state = settings.console_state.expanduser()
    return asyncio.run(_console(settings, path, state, context, namespace, assume_yes=assume_yes, script=script))


@asynccontextmanager
async def demo_pipeline(
    settings: Settings, tempo: Tempo, directory: PolicyDirectory | None = None
) -> AsyncIterator[tuple[Pipeline, World]]:
    """The whole bot on the embedded clusters, by the demo's policy or that of another directory."""
    clock = SystemClock()
    async with World(tempo=tempo, clock=clock.now, new_uid=new_uid) as world:
        with TemporaryDirectory(prefix="steersman-") as folder:
            kubeconfig = Path(folder) / "kubeconfig"
            world.write_kubeconfig(kubeconfig)
            sources = {name: Kubeconfig(str(kubeconfig), name) for name in world.clusters}
            people = directory or PolicyDirectory(demo_policy())
            async with (
                local_store(Path(folder) / "demo.db") as store,
                pipeline_on(settings, sources, people.policy, people, store.ledger, guarded=True) as pipeline,
            ):
                yield pipeline, world


async def _demo(settings: Settings, script: TextIO | None) -> int:
    log_to_stderr(settings)
    async with demo_pipeline(settings, Tempo()) as (pipeline, world):
        people = tuple(person.name for person in PEOPLE)
        session = chat_session(pipeline, Speaking(people, CHANNEL, settings.command), script)
        async with keeping(pipeline, session):
            if script is not None:
                await run_script(session, script_lines(script))
                return 0
            clusters = ", ".join(world.clusters)
            header = f"#{CHANNEL} · {clusters} (simulated) · you are @{people[0]} · Tab: become @{people[1]} · ? help"
            await Chat(session, header, TOUR, END).run()
    return 0


async def _console(
    settings: Settings,
    path: str,
    state: Path,
    context: str | None,
    namespace: str | None,
    *,
    assume_yes: bool,
    script: TextIO | None,
) -> int:
    log_to_stderr(settings)
    place = context_place(path, context)
    cluster, place = place.cluster, replace(place, namespace=namespace or place.namespace)
    me = getpass.getuser()
    policy = Policy(
        name="your own kubeconfig",
        clusters=(ClusterRule(cluster, production=True),),
        people=(Person(me, me, me),),
        roles=(Role("operator", ("*",)),),
        grants=(Grant((me,), "operator"),),
        gates=() if assume_yes else (Gate(reason="Nothing has been written yet."),),
        channels=(ChannelRule("console", place),),
    )
    sources: dict[str, Source] = {cluster: Kubeconfig(path, cluster)}
    async with (
        local_store(state / f"{quote(cluster, safe='')}.db") as store,
        pipeline_on(settings, sources, policy, OwnDirectory(policy), store.ledger) as pipeline,
        keeping(pipeline, session := chat_session(pipeline, Speaking((me,), "console", settings.command), script)),
    ):
        if script is not None:
            await run_script(session, script_lines(script), confirms=not assume_yes)
            return 0
        writes = "no write is asked about (--yes)" if assume_yes else "every write is confirmed"
        header = f"{place} · as the kubeconfig's own user · {writes} · ? help"
        await Chat(session, header, confirms=not assume_yes).run()
    return 0


def local_store(path: Path) -> AbstractAsyncContextManager[Store]:
    """The database of a chat at a terminal: several may share it, and what they say is not kept.

    Raises StoreUnavailable.
    """
    clock = SystemClock()
    return open_store(f"sqlite:///{path}", owner=new_uid(), lease=_CHAT_LEASE, outbox=False, shared=True, clock=clock)


@asynccontextmanager
async def keeping(pipeline: Pipeline, session: Session) -> AsyncIterator[None]:
    """Keep what a chat has in hand, and take up what an earlier one left, for as long as the chat lasts."""

    async def keep() -> None:
        while True:
            with suppress(StoreUnavailable):  # who types next is told; the next look may find it again
                await pipeline.keep(lambda _: session.board)
            await asyncio.sleep(_CHAT_LEASE.total_seconds() / 5)

    task = asyncio.create_task(keep(), name="keep")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


@asynccontextmanager
async def pipeline_on(
    settings: Settings,
    sources: Mapping[str, Source],
    policy: Policy,
    directory: Directory,
    ledger: Ledger,
    *,
    guarded: bool = False,
) -> AsyncIterator[Pipeline]:
    """The whole bot on these clusters. Raises what the first of them failed with where none of them can be opened.

    `guarded` asks each cluster first whether the bot's own login may do too much, and raises Forbidden then; one that
    cannot be asked is barred until it answers.
    """
    clock = SystemClock()
    registry = Registry.of(commands)
    async with AsyncExitStack() as stack:
        clusters = await open_clusters(settings, sources)
        stack.push_async_callback(clusters.close)
        if guarded:
            await stack.enter_async_context(_guarded(settings, clusters, policy))
        pipeline = Pipeline(
            registry=registry,
            policy=policy,
            directory=directory,
            clusters=clusters,
            ledger=ledger,
            clock=clock,
            new_id=new_id,
            new_audit_id=new_uid,
            report=report_bug,
            prefix=settings.command,
            limits=Limits(follow=FollowLimits(total=timedelta(seconds=settings.follow_limit_seconds))),
        )
        stack.push_async_callback(pipeline.close)
        yield pipeline


async def open_clusters(settings: Settings, sources: Mapping[str, Source]) -> KubeClusters:
    """These clusters; to be closed. Raises what the first of them failed with where none of them can be opened."""
    clusters = await connect(
        sources,
        Options(
            clock=SystemClock(),
            random=random.random,
            agent=f"steersman/{metadata.version('steersman')}",
            manager=settings.field_manager,
            deadline=settings.request_timeout_seconds,
        ),
    )
    if len(clusters.failures) == len(sources):
        await clusters.close()
        raise next(iter(clusters.failures.values()))
    return clusters


@asynccontextmanager
async def _guarded(settings: Settings, clusters: KubeClusters, policy: Policy) -> AsyncIterator[None]:
    log = structlog.get_logger()

    def told(cluster: str, error: SteersmanError) -> None:
        log.warning("nobody is spoken for on this cluster", cluster=cluster, why=error.message, cure=error.hint)

    clock, namespaces = SystemClock(), named_namespaces(policy)
    barred = await refuse_overprivileged(clusters, namespaces, allowed=settings.allow_overprivileged, told=told)
    asking = asyncio.create_task(ask_again(clusters, barred, namespaces, clock=clock, told=told), name="ask again")
    try:
        yield
    finally:
        asking.cancel()
        with suppress(asyncio.CancelledError):
            await asking


def kubeconfig_path(settings: Settings) -> str:
    """The kubeconfig that is meant, found as kubectl finds it."""
    return str(settings.kubeconfig or os.environ.get("KUBECONFIG") or Path("~/.kube/config").expanduser())


def context_place(path: str, context: str | None) -> Place:
    """The cluster (called as its context) and the namespace of a context, else of the kubeconfig's current one.

    Raises NotFound where neither is there.
    """
    chosen = next((one for one in contexts(path) if one.name == context or (context is None and one.current)), None)
    if chosen is None and context is None:
        raise NotFound("The kubeconfig has no current context.", hint="Name one with --context.")
    return Place(chosen.name if chosen else str(context), (chosen.namespace if chosen else "") or "default")


def chat_session(pipeline: Pipeline, speaking: Speaking, script: TextIO | None) -> Session:
    return Session(pipeline, Board.on_terminal() if script is None else Board.on_pipe(), speaking, new_id)


async def script_lines(script: TextIO) -> AsyncIterator[str]:
    while line := await asyncio.to_thread(script.readline):
        yield line


def new_id() -> str:
    """Eight letters and digits: short enough to be typed, and never the same twice in the life of a database."""
    return "".join(secrets.choice(_ALPHABET) for _ in range(8))


def new_uid() -> str:
    return str(uuid.uuid4())


def report_bug(reference: str, error: Exception) -> None:
    """Log a bug under the reference that the person was given."""
    structlog.get_logger().error("bug", reference=reference, exc_info=error)


def log_to_stderr(settings: Settings) -> None:
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.format_exc_info,
            _without_secrets,
            structlog.processors.JSONRenderer()
            if settings.log_format is LogFormat.JSON
            else structlog.dev.ConsoleRenderer(colors=False),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )
    logging.basicConfig(level=level, stream=sys.stderr)


def _without_secrets(_logger: object, _method: str, event: EventDict) -> EventDict:
    """The last look at a line of the log, tracebacks included: what shows by its form that it is a secret is hidden."""
    return {key: hidden(value) if isinstance(value, str) else value for key, value in event.items()}
