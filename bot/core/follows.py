"""The follows under way: a task for each action whose rollout is watched, from its write to the action's ending."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from typing import TypeAlias

from bot.core.author import changed_since
from bot.core.clock import Clock
from bot.core.command import Context
from bot.core.errors import SteersmanError
from bot.core.follow import Ending, Limits, Phase, Pin, Update, follow
from bot.core.ledger import ActionRecord, Fate, Ledger, RevisionFate, State
from bot.core.offer import Offer
from bot.core.reply import Reply, Text, Tone
from bot.core.request import Say
from bot.core.rollout import Verdict
from bot.core.workload import Workload

End: TypeAlias = Callable[[ActionRecord, State, str], Awaitable[None]]
"""Gives an action its ending, with the words of its result. Raises `Stale` where it has one."""


class Follows:
    """Each action that is followed gets exactly one ending: the verdict, or UNKNOWN with the reason."""

    def __init__(
        self, ledger: Ledger, clock: Clock, end: End, limits: Limits, report: Callable[[str, Exception], None]
    ) -> None:
        self._ledger = ledger
        self._clock = clock
        self._end = end
        self._limits = limits
        self._report = report
        self._tasks: dict[str, tuple[asyncio.Task[None], ActionRecord]] = {}
        self._settled: dict[str, asyncio.Event] = {}

    def begin(
        self,
        request_id: str,
        context: Context,
        offer: Offer,
        pins: tuple[Pin, ...],
        record: ActionRecord,
        say: Say,
    ) -> None:
        """Follow an action that has just been carried out for a request."""
        settled = self._settled.setdefault(request_id, asyncio.Event())
        task = asyncio.create_task(self._follow(context, offer, pins, record, say, settled), name=f"follow {record.id}")
        self._tasks[record.id] = (task, record)
        task.add_done_callback(lambda _: self._forget(request_id, record.id))

    async def settled(self, request_id: str) -> None:
        """Wait until the follow that a request began is stuck or has ended; at once where there is none."""
        if event := self._settled.get(request_id):
            await event.wait()

    async def close(self) -> None:
        """End all follows; the rollouts themselves go on."""
        following = list(self._tasks.values())
        for task, _ in following:
            task.cancel()
        await asyncio.gather(*(task for task, _ in following), return_exceptions=True)
        for _, record in following:
            with suppress(SteersmanError):  # it may have ended by itself just now
                await self._end(record, State.UNKNOWN, "Steersman stopped before the verdict; the rollout goes on")

    def _forget(self, request_id: str, action_id: str) -> None:
        self._settled.pop(request_id).set()  # a task that was stopped before its first step could not
        task, _ = self._tasks.pop(action_id)
        if not task.cancelled() and isinstance(error := task.exception(), Exception):
            self._report(action_id, error)  # not even the end could be said

    async def _follow(
        self,
        context: Context,
        offer: Offer,
        pins: tuple[Pin, ...],
        record: ActionRecord,
        say: Say,
        settled: asyncio.Event,
    ) -> None:
        parts = offer.parts

        async def tell(update: Update) -> None:
            await say(Reply(update.headline, update.tone, (*parts, *update.parts), str(context.place)))
            if update.phase is Phase.STUCK:
                settled.set()

        async def remember(pin: Pin, revision: str, fate: Fate) -> None:
            await self._ledger.fate(RevisionFate(pin.uid, revision, fate, self._clock.now(), context.actor, record.id))

        async def changed_by(workload: Workload) -> str:
            return await changed_since(self._ledger, workload, record.created)

        try:
            endings = await follow(
                context.reader,
                pins,
                tell=tell,
                clock=self._clock,
                remember=remember,
                changed_by=changed_by,
                done=offer.plan.done,
                limits=self._limits,
            )
            await self._end(record, _state_of(endings), "; ".join(ending.text for ending in endings))
        except Exception as error:  # noqa: BLE001 - a follow must end with a word, whatever broke
            self._report(record.id, error)
            what = error.message if isinstance(error, SteersmanError) else f"reference {record.id}"
            text = Text("What was written stays written; `status` tells how it stands.")
            try:
                await say(Reply(f"I lost sight of this rollout: {what}", Tone.WARN, (*parts, text), str(context.place)))
            finally:
                await self._end(record, State.UNKNOWN, "the follow broke")


def _state_of(endings: Sequence[Ending]) -> State:
    verdicts = {ending.verdict for ending in endings}
    if Verdict.FAILED in verdicts:
        return State.FAILED
    return State.UNKNOWN if Verdict.UNKNOWN in verdicts else State.DONE
