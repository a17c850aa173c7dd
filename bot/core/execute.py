"""From a plan to the cluster: the preview by the server's own dry run, and the writes with their preconditions.

The only place that holds a `Writer`. Nothing is ever overwritten: each target is read again, compared with what the
plan was decided from, and sent with the resourceVersion just read.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Final, TypeAlias

from bot.core.arrival import Overtaken, arrived, signature, signed
from bot.core.clock import Clock
from bot.core.cluster import Clusters, Stamp, Writer, Written
from bot.core.diff import changes
from bot.core.discreet import DiscreetWriter
from bot.core.errors import (
    Forbidden,
    Judge,
    NotFound,
    Refused,
    Stale,
    SteersmanError,
    StoreUnavailable,
    Superseded,
    TimedOut,
    TooManyRequests,
    Unavailable,
)
from bot.core.people import Identity
from bot.core.plan import (
    Absent,
    ClusterWrite,
    Json,
    ObjectChange,
    ObjectRef,
    Plan,
    Preview,
    Same,
    Verb,
    fields_digest,
    pick,
)

# kubectl's own scale retries a conflict every second for five minutes; a chat is answered sooner.
_CONFLICT_PAUSE: Final = 0.2
_CONFLICT_TRIES: Final = 25
_BUSY_SECONDS: Final = 30.0  # the longest that a person waits for a server that asks for patience (429)
_READ_BACKS: Final = 3
_READ_BACK_PAUSE: Final = 1.0


@dataclass(frozen=True, slots=True)
class Step:
    """A step that was carried out, and the object after it."""

    write: ClusterWrite
    manifest: Json

    @property
    def uid(self) -> str:
        return str(pick(self.manifest, "metadata.uid") or "")

    @property
    def generation(self) -> int:
        value = pick(self.manifest, "metadata.generation")
        return value if isinstance(value, int) else 0


class Interrupted(SteersmanError):
    """A plan that stopped at a step. `done` are the steps before it; `unsure` tells that the last may have happened."""

    def __init__(self, cause: SteersmanError, done: tuple[Step, ...], *, unsure: bool) -> None:
        super().__init__(cause.message, hint=cause.hint, choices=cause.choices)
        self.cause = cause
        self.done = done
        self.unsure = unsure


Hold: TypeAlias = Callable[[int, str], Awaitable[None]]
"""Makes sure, just before a step (0 for the first) is sent, that the work is still ours. Raises Superseded.

It keeps whose signature (an action's id, "" for none) the object bears by then.
"""


@dataclass(frozen=True, slots=True)
class Resumption:
    """How a plan is taken up again: whether its writes are still permitted, and what `hold` was told of those sent.

    `overtaken` is asked about an object that bears no signature: whether another action of ours may have written to it
    since.
    """

    may_write: bool
    sent: tuple[str, ...]
    overtaken: Callable[[ObjectRef], Awaitable[bool]]


class Executor:
    """Previews and executes plans as one identity."""

    def __init__(self, clusters: Clusters, clock: Clock) -> None:
        self._clusters = clusters
        self._clock = clock

    async def preview(self, plan: Plan, identity: Identity) -> Preview:
        """Ask the API server what every step would do: admission and rights speak before anybody consents."""
        results = await asyncio.gather(*(self._dry_run(step, identity) for step in plan.steps))
        warnings = dict.fromkeys(warning for _, written in results for warning in written)
        return Preview(tuple(change for change, _ in results if change.fields), tuple(warnings))

    async def run(self, plan: Plan, identity: Identity, stamps: Sequence[Stamp], hold: Hold) -> tuple[Step, ...]:
        """Carry out the steps in order, a stamp each.

        Raises `Interrupted` at the first that fails; what was done stays done. What `hold` raises is raised.
        """
        done: list[Step] = []
        for number, (write, stamp) in enumerate(zip(plan.steps, stamps, strict=True)):
            try:
                written = await self._write(write, identity, stamp, partial(hold, number))
            except (StoreUnavailable, Superseded):
                raise
            except SteersmanError as error:
                raise Interrupted(error, tuple(done), unsure=isinstance(error, TimedOut)) from error
            done.append(Step(write, written.manifest))
        return tuple(done)

    async def resume(
        self, plan: Plan, identity: Identity, stamps: Sequence[Stamp], hold: Hold, resumption: Resumption
    ) -> tuple[Step, ...]:
        """Finish what another process began: a step whose object says that it happened is not repeated.

        Raises as `run` does. Where the object can no longer say whether a step happened, the interruption is `unsure`.
        """
        done: list[Step] = []
        for number, (write, stamp) in enumerate(zip(plan.steps, stamps, strict=True)):
            sent = resumption.sent[number] if number < len(resumption.sent) else None
            try:
                manifest = await self._finish(write, identity, stamp, partial(hold, number), resumption, sent)
            except (StoreUnavailable, Superseded):
                raise
            except SteersmanError as error:
                unsure = isinstance(error, Unavailable | Overtaken)
                raise Interrupted(error, tuple(done), unsure=unsure) from error
            done.append(Step(write, manifest or {}))
        return tuple(done)

    async def _finish(
        self,
        write: ClusterWrite,
        identity: Identity,
        stamp: Stamp,
        hold: Callable[[str], Awaitable[None]],
        resumption: Resumption,
        sent: str | None,
    ) -> Json | None:
        """The target with the write on it. Raises `Overtaken` where it cannot say whether it ever was."""
        manifest = await self._seen(write, identity)
        if sent is not None:
            if arrived(write, manifest, stamp):
                return manifest
            # Before the precondition: who came after may have brought back what this was decided from.
            if await self._overtaken(write, manifest, resumption, sent):
                raise Overtaken(write.target)
        if not resumption.may_write:
            raise Forbidden("This is no longer permitted.", judge=Judge.POLICY)
        if not write.body and write.verb not in (Verb.DELETE, Verb.EVICT):  # see `Work.written`
            await self._expected(self._clusters.writer(write.target.cluster, identity), write)
            raise Refused(
                f"{write.target} was not changed: I was restarted, and keep no change that holds secrets.",
                hint="Run the command again.",
            )
        try:
            return (await self._write(write, identity, stamp, hold)).manifest
        except Stale:
            if sent is None:
                raise
            manifest = await self._seen(write, identity)
            if arrived(write, manifest, stamp):
                return manifest  # what the dead process had sent came in only now
            if not signed(write) or await self._overtaken(write, manifest, resumption, sent):
                raise Overtaken(write.target) from None
            raise

    async def _overtaken(self, write: ClusterWrite, manifest: Json | None, resumption: Resumption, sent: str) -> bool:
        if not signed(write):
            return await resumption.overtaken(write.target)
        gone = manifest is None and not isinstance(write.expects, Absent)
        return gone or signature(manifest) != sent

    async def _seen(self, write: ClusterWrite, identity: Identity) -> Json | None:
        """The target now; None where it is not there. Raises Unavailable where the cluster stays away for long."""
        writer = DiscreetWriter(self._clusters.writer(write.target.cluster, identity))
        waited = 0.0
        while True:
            try:
                return await writer.read(write.target)
            except NotFound:
                return None
            except Unavailable:
                waited += _READ_BACK_PAUSE
                if waited > _BUSY_SECONDS:
                    raise
                await self._clock.sleep(_READ_BACK_PAUSE)

    async def _dry_run(self, write: ClusterWrite, identity: Identity) -> tuple[ObjectChange, tuple[str, ...]]:
        writer = DiscreetWriter(self._clusters.writer(write.target.cluster, identity))
        for attempt in range(_CONFLICT_TRIES):
            before = await self._expected(writer, write)
            try:
                written = await writer.send(write, resource_version=_version(before), stamp=None, dry_run=True)
            except Stale:
                if attempt + 1 == _CONFLICT_TRIES:
                    raise
                await self._clock.sleep(_CONFLICT_PAUSE)
                continue
            after = None if write.verb in (Verb.DELETE, Verb.EVICT) else written.manifest
            return ObjectChange(write.target, changes(before, after)), written.warnings
        raise AssertionError("the loop returns or raises")

    async def _write(
        self, write: ClusterWrite, identity: Identity, stamp: Stamp, hold: Callable[[str], Awaitable[None]]
    ) -> Written:
        writer = DiscreetWriter(self._clusters.writer(write.target.cluster, identity))
        conflicts = 0
        waited = 0.0
        while True:
            before = await self._expected(writer, write)
            await hold(signature(before))
            try:
                return await writer.send(write, resource_version=_version(before), stamp=stamp, dry_run=False)
            except Stale:
                # Somebody wrote in between, perhaps only a status: look again, and refuse if our fields changed.
                conflicts += 1
                if conflicts >= _CONFLICT_TRIES:
                    raise
                await self._clock.sleep(_CONFLICT_PAUSE)
            except TooManyRequests as error:
                pause = max(error.retry_after, _CONFLICT_PAUSE)
                waited += pause
                if waited > _BUSY_SECONDS:
                    raise
                await self._clock.sleep(pause)
            except TimedOut as error:
                return await self._read_back(writer, write, stamp, error)

    async def _expected(self, writer: Writer, write: ClusterWrite) -> Json | None:
        """The target as it stands, if it is still what the plan was decided from. Raises `Stale` if not."""
        try:
            manifest = await writer.read(write.target)
        except NotFound:
            if isinstance(write.expects, Absent):
                return None
            raise Stale(f"{write.target} is gone.", hint="Nothing was changed.") from None
        match write.expects:
            case Absent():
                raise Refused(f"{write.target} exists already.", hint="Nothing was changed.")
            case Same(uid, paths, digest):
                if pick(manifest, "metadata.uid") != uid:
                    raise Stale(f"{write.target} was deleted and made anew meanwhile.", hint="Nothing was changed.")
                if fields_digest(manifest, paths) != digest:
                    raise Stale(
                        f"{write.target} was changed by somebody else meanwhile.",
                        hint="Nothing was written. Run the command again to see the change from where it stands now.",
                    )
        return manifest

    async def _read_back(self, writer: Writer, write: ClusterWrite, stamp: Stamp, error: TimedOut) -> Written:
        """After a write without an answer: the object itself says whether it happened. Raises `TimedOut` if not."""
        seen = "I could not look again. "
        for attempt in range(_READ_BACKS):
            manifest: Json | None = None
            try:
                manifest = await writer.read(write.target)
            except NotFound:
                pass
            except Unavailable:
                if attempt + 1 < _READ_BACKS:
                    await self._clock.sleep(_READ_BACK_PAUSE)
                    continue
                break
            except SteersmanError:
                break
            if arrived(write, manifest, stamp):
                return Written(manifest or {})
            seen = "When I looked again it had not happened, but it still may. "
            break
        raise TimedOut(error.message, hint=f"{seen}See how it stands before you repeat the command.") from error


def _version(manifest: Json | None) -> str:
    return str(pick(manifest, "metadata.resourceVersion") or "") if manifest else ""
