"""From a plan to the cluster: the preview by the server's own dry run, and the writes with their preconditions.

The only place that holds a `Writer`. Nothing is ever overwritten: each target is read again, compared with what the
plan was decided from, and sent with the resourceVersion just read.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from bot.core.clock import Clock
from bot.core.cluster import Clusters, Stamp, Writer, Written
from bot.core.diff import ACTION_ANNOTATION, changes
from bot.core.errors import NotFound, Refused, Stale, SteersmanError, TimedOut, TooManyRequests, Unavailable
from bot.core.people import Identity
from bot.core.plan import (
    Absent,
    ClusterWrite,
    Json,
    ObjectChange,
    PatchType,
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

    async def run(self, plan: Plan, identity: Identity, stamps: Sequence[Stamp]) -> tuple[Step, ...]:
        """Carry out the steps in order, a stamp each.

        Raises `Interrupted` at the first that fails; what was done stays done.
        """
        done: list[Step] = []
        for write, stamp in zip(plan.steps, stamps, strict=True):
            try:
                written = await self._write(write, identity, stamp)
            except SteersmanError as error:
                raise Interrupted(error, tuple(done), unsure=isinstance(error, TimedOut)) from error
            done.append(Step(write, written.manifest))
        return tuple(done)

    async def _dry_run(self, write: ClusterWrite, identity: Identity) -> tuple[ObjectChange, tuple[str, ...]]:
        writer = self._clusters.writer(write.target.cluster, identity)
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

    async def _write(self, write: ClusterWrite, identity: Identity, stamp: Stamp) -> Written:
        writer = self._clusters.writer(write.target.cluster, identity)
        conflicts = 0
        waited = 0.0
        while True:
            before = await self._expected(writer, write)
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
            try:
                manifest = await writer.read(write.target)
            except NotFound:
                if write.verb is Verb.DELETE:
                    return Written({})
            except Unavailable:
                if attempt + 1 < _READ_BACKS:
                    await self._clock.sleep(_READ_BACK_PAUSE)
                    continue
                break
            except SteersmanError:
                break
            else:
                if _arrived(write, manifest, stamp):
                    return Written(manifest)
            seen = "When I looked again it had not happened, but it still may. "
            break
        raise TimedOut(error.message, hint=f"{seen}See how it stands before you repeat the command.") from error


def _arrived(write: ClusterWrite, manifest: Json, stamp: Stamp) -> bool:
    if write.target.subresource == "scale" and write.patch_type is PatchType.MERGE:
        return pick(manifest, "spec.replicas") == pick(write.body, "spec.replicas")
    return pick(manifest, f'metadata.annotations."{ACTION_ANNOTATION}"') == stamp.action


def _version(manifest: Json | None) -> str:
    return str(pick(manifest, "metadata.resourceVersion") or "") if manifest else ""
