"""The bot as a service: what a door accepts goes by the inbox to the pipeline, what is said by the outbox back.

Any number of these processes share one PostgreSQL; what one leaves behind, another takes up.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

import structlog

import commands
from bot.app import SystemClock, new_uid, pipeline_on, report_bug
from bot.core.checkpointer import Checkpointer
from bot.core.command import Registry
from bot.core.pipeline import Pipeline
from bot.core.policy import Policy, PolicyDirectory
from bot.core.request import Inbox, Request
from bot.core.sender import Poster, Sender
from bot.core.worker import Worker
from bot.kube.credentials import Source
from bot.policyfile.source import PolicySource
from bot.seal import signer
from bot.settings import Settings
from bot.store.engine import open_store

_REQUESTS_AT_ONCE: Final = 64
_LOOKS_A_LEASE: Final = 5


@dataclass(frozen=True, slots=True)
class Service:
    """What a door is given."""

    pipeline: Pipeline
    _inbox: Inbox
    _wake: Callable[[], None]

    async def accept(self, *requests: Request) -> tuple[Request, ...]:
        """Record what came in, before it is acknowledged; returns those that are new. Raises StoreUnavailable."""
        new = await self._inbox.accept(requests)
        self._wake()
        return new


@asynccontextmanager
async def serving(
    settings: Settings,
    sources: Mapping[str, Source],
    policy_file: Path,
    poster: Poster,
    *,
    emit: Callable[[str], None],
) -> AsyncIterator[Service]:
    """Serve from enter to exit; `poster` is the door's way out, `emit` takes the signed checkpoints.

    Raises BadPolicy, StoreUnavailable, and Forbidden where the bot's own login may do too much.
    """
    clock, log = SystemClock(), structlog.get_logger()
    lease = timedelta(seconds=settings.lease_seconds)
    async with AsyncExitStack() as stack:
        news: asyncio.Queue[Policy] = asyncio.Queue()
        source = await PolicySource.opened(
            policy_file,
            Registry.of(commands),
            clock,
            changed=news.put_nowait,
            refused=lambda error: log.warning("policy refused, the old one stays in force", problems=error.message),
        )
        database = settings.database_url.get_secret_value()
        store = await stack.enter_async_context(
            open_store(database, owner=new_uid(), lease=lease, outbox=True, clock=clock)
        )
        directory = PolicyDirectory(source.policy)
        pipeline = await stack.enter_async_context(
            pipeline_on(settings, sources, source.policy, directory, store.ledger, guarded=True)
        )
        sender = Sender(store.outbox, poster, clock, report_bug, lease=lease)
        worker = Worker(
            store.inbox,
            store.outbox,
            pipeline,
            clock,
            at_once=_REQUESTS_AT_ONCE,
            keep_every=settings.lease_seconds / _LOOKS_A_LEASE,
            said=sender.call,
            report=report_bug,
        )
        if settings.checkpoint_key is None:
            log.warning("no STEERSMAN_CHECKPOINT_KEY: the audit is chained, and nobody signs how far it reaches")
        else:
            checkpointer = Checkpointer(store.audit.head, signer(settings.checkpoint_key), emit, clock, report_bug)
            await stack.enter_async_context(checkpointer.at_work())
        await stack.enter_async_context(_running(sender.run))
        await stack.enter_async_context(_running(worker.run))
        await stack.enter_async_context(_running(source.watch))
        await stack.enter_async_context(_running(lambda: _adopting(news, directory, pipeline)))
        yield Service(pipeline, store.inbox, worker.call)


@asynccontextmanager
async def _running(run: Callable[[], Awaitable[None]]) -> AsyncIterator[None]:
    """A task for as long as the service stands."""
    task = asyncio.ensure_future(run())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def _adopting(news: "asyncio.Queue[Policy]", directory: PolicyDirectory, pipeline: Pipeline) -> None:
    while True:
        policy = await news.get()
        directory.adopt(policy)
        pipeline.adopt(policy)
        structlog.get_logger().warning("policy changed", policy=policy.version)
