"""Carrying actions out: the writes, the follow after them, and exactly one ending each, also for what others began.

What is said of an ending is recorded with it, so neither is without the other.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import partial

from bot.core.answers import bug_reply, error_reply
from bot.core.clock import Clock
from bot.core.deed import Deed
from bot.core.errors import Stale, SteersmanError, StoreUnavailable, Superseded
from bot.core.execute import Executor, Interrupted, Resumption, Step
from bot.core.follow import Limits as FollowLimits
from bot.core.follows import Follows
from bot.core.ledger import ActionRecord, Fate, Ledger, Record, RevisionFate, State
from bot.core.plan import ObjectRef
from bot.core.reply import Button, Buttons, Reply, Tone
from bot.core.revisions import current
from bot.core.rollout import status
from bot.core.voice import Voice
from bot.core.workload import Kind, Workload


class Carrier:
    """Has in hand what this process carries out and follows (`at_work`); the ledger's leases say so to the others."""

    def __init__(
        self,
        ledger: Ledger,
        executor: Executor,
        clock: Clock,
        follow_limits: FollowLimits,
        report: Callable[[str, Exception], None],
    ) -> None:
        self._ledger = ledger
        self._executor = executor
        self._clock = clock
        self._report = report
        self._writing: set[str] = set()
        self._follows = Follows(ledger, clock, self.end, follow_limits, report)

    @property
    def at_work(self) -> frozenset[str]:
        """The ids of the actions in this process's hands."""
        return self._follows.under_way | self._writing

    async def carry(self, deed: Deed) -> None:
        """From the first write to the ending, or to the follow. Raises StoreUnavailable, Superseded."""

        async def write() -> tuple[Step, ...]:
            await self._remember_healthy(deed)
            hold = partial(self._hold, deed.record)
            return await self._executor.run(deed.work.offer.plan, deed.identity, deed.work.stamps, hold)

        await self._carry(deed, write)

    async def take_up(self, deed: Deed, *, may_write: bool) -> None:
        """Go on with what another process began, from wherever it came to. Raises StoreUnavailable, Superseded."""
        if deed.record.state is State.FOLLOWING:
            self._follows.begin(deed)
            return

        async def overtaken(target: ObjectRef) -> bool:
            others = await self._ledger.changes(target)
            return any(_may_have_written_since(other, deed.record) for other in others)

        async def finish() -> tuple[Step, ...]:
            work, hold = deed.work, partial(self._hold, deed.record)
            resumption = Resumption(may_write, deed.record.sent, overtaken)
            return await self._executor.resume(work.offer.plan, deed.identity, work.stamps, hold, resumption)

        await self._carry(deed, finish)

    async def end(
        self, record: ActionRecord, state: State, result: str, voice: Voice | None = None, reply: Reply | None = None
    ) -> None:
        """Give an action its ending, and say it. Raises Stale where it has one."""
        now = self._clock.now()
        line = Record(now, state.value.upper(), record.id, record.actor, "", record.line, record.place, result)
        message = await voice.message(reply) if voice and reply else None
        messages = (message,) if message else ()
        await self._ledger.advance(replace(record, ended=now, result=result, work=""), state, line, messages)
        if voice and message:
            await voice.deliver(message)

    async def settled(self, request_id: str) -> None:
        """Wait until the follow that a request began is stuck or has ended; at once where there is none."""
        await self._follows.settled(request_id)

    async def close(self) -> None:
        """End all follows here; the rollouts themselves go on, and where the ledger lasts, the follows too."""
        for record in await self._follows.close():
            await self._let_go(record, "Steersman stopped before the verdict; the rollout goes on")

    async def _carry(self, deed: Deed, do: Callable[[], Awaitable[tuple[Step, ...]]]) -> None:
        record = deed.record
        try:
            with self._in_hand(record.id):
                steps = await do()
                await self._carried_out(deed, steps)
        except Interrupted as stop:
            await self._interrupted(deed, stop)
        except (StoreUnavailable, Superseded):
            raise  # it has no ending yet: who holds it next reads back how far it came
        except asyncio.CancelledError:
            await self._let_go(record, "Steersman stopped while executing")
            raise
        except Exception as bug:  # noqa: BLE001 - whatever broke, the action gets its ending and the person a word
            self._report(record.id, bug)
            with suppress(Stale):  # what broke came after the ending
                await self.end(record, State.UNKNOWN, "broke while executing", deed.voice, bug_reply(record.id))

    async def _carried_out(self, deed: Deed, steps: tuple[Step, ...]) -> None:
        record, offer = deed.record, deed.work.offer
        plan = offer.plan
        if plan.follow:
            work = replace(deed.work, pins=offer.pins(steps, self._clock.now()))
            record = await self._ledger.advance(replace(record, work=work.written()), State.FOLLOWING)
            self._follows.begin(replace(deed, record=record, work=work))
            return
        back = (Buttons((Button("Undo", plan.undo),)),) if plan.undo else ()
        reply = Reply(plan.done or f"{plan.summary}: done.", Tone.GOOD, (*offer.parts, *back), deed.place)
        await self.end(record, State.DONE, plan.done or plan.summary, deed.voice, reply)

    async def _interrupted(self, deed: Deed, stop: Interrupted) -> None:
        state = _ending_of(stop)
        failure = error_reply(stop, deed.record.place)
        again = (Buttons((Button("Run it again", deed.record.line),)),) if state is State.STALE else ()
        reply = replace(failure, parts=(*deed.work.offer.parts, *failure.parts, *again))
        await self.end(deed.record, state, stop.message, deed.voice, reply)

    async def _hold(self, record: ActionRecord, step: int, signature: str) -> None:
        # Those before it are done, and are known by their own signature.
        done = (*record.sent, *[""] * step)[:step]
        await self._ledger.hold(replace(record, sent=(*done, signature, *record.sent[step + 1 :])))

    async def _let_go(self, record: ActionRecord, why: str) -> None:
        with suppress(SteersmanError):  # it may have ended by itself just now
            if not await self._ledger.release(record):
                await self.end(record, State.UNKNOWN, why)

    async def _remember_healthy(self, deed: Deed) -> None:
        """What runs now, if it runs well, is good: an undo may return to it. What cannot be read is not remembered."""
        for followed in deed.work.offer.plan.follow:
            try:
                workload = await _workload(deed, followed.ref)
                revisions = await deed.reader.workloads.revisions(workload)
            except SteersmanError:
                continue
            stands = current(workload, revisions)
            if stands is not None and workload.replicas and status(workload).rolled_out:
                await self._ledger.fate(RevisionFate(workload.uid, stands.name, Fate.HEALTHY_BEFORE, self._clock.now()))

    @contextmanager
    def _in_hand(self, action_id: str) -> Iterator[None]:
        self._writing.add(action_id)
        try:
            yield
        finally:
            self._writing.discard(action_id)


async def _workload(deed: Deed, ref: ObjectRef) -> Workload:
    return await deed.reader.workloads.get(Kind.of(ref.kind), ref.namespace, ref.name)


def _may_have_written_since(other: ActionRecord, record: ActionRecord) -> bool:
    if other.id == record.id or other.began is None or record.began is None or other.state is State.STALE:
        return False
    return other.ended is None or other.ended > record.began


def _ending_of(stop: Interrupted) -> State:
    if stop.unsure:
        return State.UNKNOWN
    return State.STALE if isinstance(stop.cause, Stale) and not stop.done else State.FAILED
