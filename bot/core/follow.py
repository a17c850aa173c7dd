"""The follow: from a write to its verdict, told on the way. One chase a workload, one message for all of them.

It reads only. What it sees is judged by `rollout` and `cause`, and worded by `bulletin`.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final, TypeAlias

from bot.core.bulletin import Ending, Phase, Update, bulletin
from bot.core.chase import ChangedBy, Chase, Limits, Remember
from bot.core.clock import Clock, sleep_or_wake, within
from bot.core.cluster import Reader
from bot.core.pin import Pin
from bot.core.workload import Workload

__all__ = ["Ending", "Limits", "Phase", "Pin", "Remember", "Tell", "Update", "follow"]

Tell: TypeAlias = Callable[[Update], Awaitable[None]]
"""Shows the message; the next one replaces it."""

_BETWEEN_TELLS: Final = 1.0
_REFRESH: Final = (5.0, 15.0)  # how often a message is said again that differs in its elapsed time alone
_LEAST_WAIT: Final = 0.05  # a remainder of nanoseconds is not worth waking for
_LIMITS: Final = Limits()


async def _nobody_known(_workload: Workload) -> str:
    return ""


async def follow(
    reader: Reader,
    pins: tuple[Pin, ...],
    *,
    tell: Tell,
    clock: Clock,
    remember: Remember,
    changed_by: ChangedBy = _nobody_known,
    done: str = "",
    limits: Limits = _LIMITS,
) -> tuple[Ending, ...]:
    """Watch every pin to its verdict; exactly one Ending each, in the order of the pins.

    `tell` gets the message about all of them: at once when the phase changes, otherwise once a second at most.
    `remember` is told what became of a revision (not of a mere scaling's) before it is said; `changed_by` is asked who
    superseded a write. `done` are the plan's words of success. Failures of the cluster end as UNKNOWN; what `tell`,
    `remember` and `changed_by` raise is raised.
    """
    changed = asyncio.Event()
    alone = len(pins) == 1
    chases = [
        Chase(
            reader,
            pin,
            clock=clock,
            remember=remember,
            changed_by=changed_by,
            limits=limits,
            done=done if alone else "",
            alone=alone,
            changed=changed,
        )
        for pin in pins
    ]
    tasks = [asyncio.create_task(chase.run(), name=f"chase {chase.standing.pin.followed.ref}") for chase in chases]
    try:
        if chases:
            await _announce(chases, tasks, tell, clock, changed, done)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return tuple(chase.standing.ending for chase in chases if chase.standing.ending is not None)


async def _announce(
    chases: list[Chase], tasks: list[asyncio.Task[None]], tell: Tell, clock: Clock, changed: asyncio.Event, done: str
) -> None:
    began = clock.now()
    told: Update | None = None
    essence: Update | None = None
    told_at = began
    while True:
        for task in tasks:
            if task.done():
                task.result()  # a bug in a chase must not look like a rollout that never ends
        standings = tuple(chase.standing for chase in chases)
        now = clock.now()
        update = bulletin(standings, now, done)
        # The same message with its time standing still: does more than the seconds differ?
        still = bulletin(standings, began, done)
        since_told = (now - told_at).total_seconds()
        refresh = within(_REFRESH, (now - began).total_seconds() / 10)
        due = 0.0 if told is None or update.phase is not told.phase else _BETWEEN_TELLS if still != essence else refresh
        if any(standing.sight or standing.trouble or standing.ending for standing in standings) and since_told >= due:
            await tell(update)
            told, essence, told_at = update, still, now
            if update.phase is Phase.ENDED:
                return
            continue
        await sleep_or_wake(clock, max(due - since_told, _LEAST_WAIT) if told else refresh, changed)
