"""The follows under way: a task for each action whose rollout is watched, from its write to the action's ending."""

import asyncio
from collections.abc import Callable, Sequence
from functools import partial
from typing import Protocol

from bot.core.author import changed_since
from bot.core.clock import Clock
from bot.core.deed import Deed
from bot.core.errors import SteersmanError, StoreUnavailable, Superseded
from bot.core.follow import Ending, Limits, Phase, Pin, Update, follow
from bot.core.ledger import ActionRecord, Fate, Ledger, RevisionFate, State
from bot.core.reply import Reply, Text, Tone
from bot.core.rollout import Verdict
from bot.core.voice import Voice
from bot.core.workload import Workload


class End(Protocol):
    """Gives an action its ending, with the words of its result, and says it. Raises `Stale` where it has one."""

    async def __call__(self, record: ActionRecord, state: State, result: str, voice: Voice, reply: Reply) -> None: ...


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

    @property
    def under_way(self) -> frozenset[str]:
        """The ids of the actions that are followed here."""
        return frozenset(self._tasks)

    def begin(self, deed: Deed) -> None:
        """Follow an action whose writes are done; where it was followed under an earlier epoch, that ends."""
        record = deed.record
        if record.id in self._tasks:
            self._tasks[record.id][0].cancel()
        settled = self._settled.setdefault(record.request, asyncio.Event())
        task = asyncio.create_task(self._follow(deed, settled), name=f"follow {record.id}")
        self._tasks[record.id] = (task, record)
        task.add_done_callback(partial(self._forget, record))

    async def settled(self, request_id: str) -> None:
        """Wait until the follow that a request began is stuck or has ended; at once where there is none."""
        if event := self._settled.get(request_id):
            await event.wait()

    async def close(self) -> tuple[ActionRecord, ...]:
        """Stop following; returns the actions that were."""
        following = list(self._tasks.values())
        for task, _ in following:
            task.cancel()
        await asyncio.gather(*(task for task, _ in following), return_exceptions=True)
        return tuple(record for _, record in following)

    def _forget(self, record: ActionRecord, task: "asyncio.Task[None]") -> None:
        if self._tasks.get(record.id) == (task, record):
            del self._tasks[record.id]
            self._settled.pop(record.request).set()  # a task that was stopped before its first step could not
        if task.cancelled() or isinstance(error := task.exception(), StoreUnavailable | Superseded | None):
            return
        if isinstance(error, Exception):
            self._report(record.id, error)  # not even the end could be said

    async def _follow(self, deed: Deed, settled: asyncio.Event) -> None:
        record, plan = deed.record, deed.work.offer.plan
        parts = deed.work.offer.parts
        last = Reply(plan.summary, Tone.WAIT, parts, deed.place)

        async def tell(update: Update) -> None:
            nonlocal last
            last = Reply(update.headline, update.tone, (*parts, *update.parts), deed.place)
            if update.phase is not Phase.ENDED:  # the verdict is said with the action's ending
                await deed.voice(last)
            if update.phase is Phase.STUCK:
                settled.set()

        async def remember(pin: Pin, revision: str, fate: Fate) -> None:
            await self._ledger.fate(RevisionFate(pin.uid, revision, fate, self._clock.now(), record.actor, record.id))

        async def changed_by(workload: Workload) -> str:
            return await changed_since(self._ledger, workload, record.created)

        try:
            endings = await follow(
                deed.reader,
                deed.work.pins,
                tell=tell,
                clock=self._clock,
                remember=remember,
                changed_by=changed_by,
                done=plan.done,
                limits=self._limits,
            )
        except (StoreUnavailable, Superseded):
            raise  # it has no ending yet: it is followed again by whoever holds it next
        except Exception as error:  # noqa: BLE001 - a follow must end with a word, whatever broke
            self._report(record.id, error)
            what = error.message if isinstance(error, SteersmanError) else f"reference {record.id}"
            text = Text("What was written stays written; `status` tells how it stands.")
            lost = Reply(f"I lost sight of this rollout: {what}", Tone.WARN, (*parts, text), deed.place)
            await self._end(record, State.UNKNOWN, "the follow broke", deed.voice, lost)
            return
        result = "; ".join(ending.text for ending in endings)
        await self._end(record, _state_of(endings), result, deed.voice, last)


def _state_of(endings: Sequence[Ending]) -> State:
    verdicts = {ending.verdict for ending in endings}
    if Verdict.FAILED in verdicts:
        return State.FAILED
    return State.UNKNOWN if Verdict.UNKNOWN in verdicts else State.DONE
