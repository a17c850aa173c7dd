"""The chase of one workload from a write to its verdict: what is watched, how often it is looked at, when it is over.

It reads only, and says nothing itself: its `standing` is what `bulletin` words.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, TypeAlias

from bot.core.ages import span
from bot.core.bulletin import Ending, Phase, Standing, ending_text
from bot.core.cause import Cause
from bot.core.clock import Clock, sleep_or_wake, within
from bot.core.cluster import Gone, Reader
from bot.core.errors import Forbidden, Judge, SteersmanError
from bot.core.ledger import Fate
from bot.core.pin import Pin
from bot.core.rollout import Ruling, Verdict, has_deadline, observed, rule, status, template_digest
from bot.core.sight import Sight, look
from bot.core.workload import Kind, Workload

Remember: TypeAlias = Callable[[Pin, str, Fate], Awaitable[None]]
"""Keeps what became of a revision (its stable name)."""
ChangedBy: TypeAlias = Callable[[Workload], Awaitable[str]]
"""Who of us changed the workload after the pinned write, as a clause; "" where that is not known."""

_BETWEEN_LOOKS: Final = (0.5, 5.0)  # pods break without their workload changing; the longer it takes, the calmer
_SILENCE: Final = timedelta(seconds=5)
_LAST_LOOKS: Final = 5
# An API server that has just started refuses everybody until it has read its roles: a no counts when it lasts.
_WAKING: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Limits:
    """When a follow gives up.

    `stall`: without progress, where the API has no deadline of its own (StatefulSet, DaemonSet, a Deployment without
    one); `total`: altogether. `calm`: how long a cause must be away to be over.
    """

    stall: timedelta = timedelta(minutes=10)
    total: timedelta = timedelta(hours=2)
    calm: timedelta = timedelta(seconds=5)


class Chase:
    """One workload, from its write to its verdict. `standing` is its present state."""

    def __init__(
        self,
        reader: Reader,
        pin: Pin,
        *,
        clock: Clock,
        remember: Remember,
        changed_by: ChangedBy,
        limits: Limits,
        done: str,
        alone: bool,
        changed: asyncio.Event,
    ) -> None:
        """`done` are the plan's words of success; not `alone` = its ending must say which workload it is about."""
        self.standing = Standing(pin)
        self._reader = reader
        self._clock = clock
        self._remember = remember
        self._changed_by = changed_by
        self._limits = limits
        self._done = done
        self._alone = alone
        self._changed = changed
        self._news = asyncio.Event()
        self._latest: Workload | Gone | None = None
        self._lost: SteersmanError | None = None
        self._blind = ""  # why pods may not be read at all
        self._missed = 0  # looks that failed in a row
        self._refused: datetime | None = None  # since when looks are refused
        self._looked = clock.now()
        self._calm_since: datetime | None = None
        self._best: tuple[int, int] = (0, 0)
        self._progressed = clock.now()
        self._fate: Fate | None = None

    async def run(self) -> None:
        watcher = asyncio.create_task(self._watch(), name=f"watch {self.standing.pin.followed.ref}")
        try:
            while self.standing.ending is None:
                await self._step(watcher)
                self._changed.set()
                if self.standing.ending is None:
                    await self._wait()
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)

    async def _watch(self) -> None:
        try:
            async for seen in self._reader.workloads.watch(self.standing.pin.followed.ref):
                self._latest = seen
                self._news.set()
        except SteersmanError as error:
            self._lost = error
        self._news.set()

    async def _step(self, watcher: asyncio.Task[None]) -> None:
        now = self._clock.now()
        elapsed = now - self.standing.pin.since
        if isinstance(self._latest, Gone):
            await self._end(Ruling(Verdict.GONE, "it was deleted"))
        elif self._lost is not None:
            await self._end(Ruling(Verdict.UNKNOWN, self._lost.message.rstrip(".")))
        elif watcher.done():
            watcher.result()
            await self._end(Ruling(Verdict.UNKNOWN, "its watch ended"))
        elif self._latest is not None:
            await self._judge(self._latest, now)
        elif now - self._looked >= _SILENCE:
            trouble = f"{self._reader.cluster} does not answer yet; still trying."
            self.standing = replace(self.standing, trouble=trouble)
        if self.standing.ending is None and elapsed >= self._limits.total:
            await self._end(Ruling(Verdict.UNKNOWN, f"it has not ended after {span(elapsed)}, and I stopped watching"))

    async def _judge(self, workload: Workload, now: datetime) -> None:
        self._adopt(workload)
        pin = self.standing.pin
        sight = await self._look(workload, now)
        if self.standing.ending is not None:
            return
        ruling = rule(
            workload,
            sight.revisions,
            sight.revision,
            uid=pin.uid,
            generation=pin.generation,
            template=pin.template,
        ) or self._stalled(workload, sight, now)
        if ruling is not None and ruling.verdict is Verdict.SUPERSEDED:
            ruling = replace(ruling, reason=await self._changed_by(workload) or ruling.reason)
        if ruling is None:
            await self._weigh(sight, now)
        # The name of the revision is worth a few more looks, for an undo relies on what is remembered about it.
        elif not self._missed or self._blind or self._missed >= _LAST_LOOKS:
            cause = sight.cause or self.standing.cause
            self.standing = replace(self.standing, sight=sight)
            await self._end(ruling, cause if ruling.verdict is Verdict.FAILED else None)

    def _adopt(self, workload: Workload) -> None:
        """Take from the first look what the write's answer did not hold."""
        pin = self.standing.pin
        template = template_digest(workload.manifest) if workload.generation >= pin.generation else ""
        whole = replace(
            pin,
            uid=pin.uid or workload.uid,
            generation=pin.generation or workload.generation,
            template=pin.template or template,
        )
        self.standing = replace(self.standing, pin=whole)

    async def _look(self, workload: Workload, now: datetime) -> Sight:
        """The newest sight; where the cluster does not let us look, what was seen before with the trouble said."""
        before = self.standing.sight
        pin = self.standing.pin
        self._looked = now
        old = replace(before, workload=workload) if before else Sight(workload)
        if self._blind:
            return old
        try:
            sight = await look(self._reader, workload, now=now, since=pin.since, changes=pin.changes, before=before)
        except Forbidden as error:
            self._missed += 1
            self._refused = self._refused or now
            self.standing = replace(self.standing, trouble=f"I cannot see why, should it stop: {error.message}")
            if error.judge is Judge.POLICY or now - self._refused >= _WAKING:
                await self._check_rights(error)
            return old
        except SteersmanError as error:
            self._missed += 1
            if self._missed > 1:  # one hiccup is not worth a word
                self.standing = replace(self.standing, trouble=f"{error.message} Still trying.")
            return old
        self._missed, self._refused = 0, None
        self.standing = replace(self.standing, trouble="")
        return sight

    async def _check_rights(self, error: Forbidden) -> None:
        """Without the right to pods the workload alone is followed; without that one too nothing is left to see."""
        ref = self.standing.pin.followed.ref
        try:
            await self._reader.workloads.get(Kind.of(ref.kind), ref.namespace, ref.name)
        except Forbidden as final:
            await self._end(Ruling(Verdict.UNKNOWN, final.message.rstrip(".")))
            return
        except SteersmanError:
            return  # asked again at the next look
        self._blind = error.message

    async def _weigh(self, sight: Sight, now: datetime) -> None:
        """Stuck or moving. A crashing container looks well between two crashes, so being well must last a while."""
        if sight.cause is not None and sight.cause.certain:
            self._calm_since = None
            if not sight.cause.inherited:
                await self._note(Fate.STUCK, sight)
            self.standing = replace(self.standing, phase=Phase.STUCK, sight=sight)
            return
        if self.standing.phase is Phase.STUCK:
            self._calm_since = self._calm_since or now
            if now - self._calm_since < self._limits.calm:
                self.standing = replace(self.standing, sight=replace(sight, cause=self.standing.cause))
                return
        self.standing = replace(self.standing, phase=Phase.MOVING, sight=sight)

    def _stalled(self, workload: Workload, sight: Sight, now: datetime) -> Ruling | None:
        """The deadline that the API lacks. Only more than ever before counts as progress: crashes go in circles."""
        score = workload.status.updated + sight.ready - len(sight.old)
        if workload.generation != self._best[0] or score > self._best[1]:
            self._best, self._progressed = (workload.generation, score), now
        if has_deadline(workload) or self._missed or now - self._progressed < self._limits.stall:
            return None
        return Ruling(Verdict.FAILED, f"nothing moved for {span(self._limits.stall)}")

    async def _note(self, fate: Fate, sight: Sight | None) -> None:
        """Remember what became of the revision; a scaling says nothing about it, nor does one without pods."""
        revision = sight.revision if sight else None
        if revision is None or self.standing.pin.scales_only or fate is self._fate:
            return
        if fate.good and sight is not None and not sight.workload.replicas:
            return
        self._fate = fate
        await self._remember(self.standing.pin, revision.name, fate)

    async def _end(self, ruling: Ruling, cause: Cause | None = None) -> None:
        pin, sight = self.standing.pin, self.standing.sight
        if ruling.verdict is Verdict.ROLLED_OUT:
            await self._note(Fate.ROLLED_OUT, sight)
        elif ruling.verdict is Verdict.FAILED and not (cause and cause.inherited):
            await self._note(Fate.FAILED, sight)
        took = self._clock.now() - pin.since
        text = ending_text(pin, ruling, sight, cause, took, self._done, alone=self._alone)
        revision = sight.revision.name if sight and sight.revision else ""
        ending = Ending(pin, ruling.verdict, text, cause, revision)
        self.standing = replace(self.standing, phase=Phase.ENDED, ending=ending, trouble="")

    async def _wait(self) -> None:
        """Until the next look: at once after news that may decide, else in a while, however much the status changes."""
        now = self._clock.now()
        elapsed = (now - self.standing.pin.since).total_seconds()
        next_look = now + timedelta(seconds=within(_BETWEEN_LOOKS, elapsed / 20))
        while (left := (next_look - self._clock.now()).total_seconds()) > 0:
            await sleep_or_wake(self._clock, left, self._news)
            if self._pressing():
                return

    def _pressing(self) -> bool:
        latest, sight = self._latest, self.standing.sight
        if not isinstance(latest, Workload) or sight is None:
            return latest is not None or self._lost is not None
        now = status(latest)
        return now.done or now.failed or observed(latest) != observed(sight.workload)
