"""Time as something passed in: what waits or asks for the hour holds a `Clock`, so that a test can hold time still."""

import asyncio
from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """The hour (with its zone), and waiting for it to change."""

    def now(self) -> datetime: ...

    async def sleep(self, seconds: float) -> None: ...


async def sleep_or_wake(clock: Clock, seconds: float, news: asyncio.Event) -> None:
    """Sleep, or wake at once on news, which counts as taken then."""
    waits = [asyncio.ensure_future(clock.sleep(seconds)), asyncio.ensure_future(news.wait())]
    try:
        await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for wait in waits:
            wait.cancel()
        await asyncio.gather(*waits, return_exceptions=True)
    news.clear()


def within(bounds: tuple[float, float], seconds: float) -> float:
    """A pause that grows with time, kept between its bounds."""
    return min(max(bounds[0], seconds), bounds[1])
