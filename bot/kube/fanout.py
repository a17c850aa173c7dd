"""Many requests for one question, a few at a time."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from typing import Final, TypeVar

from bot.core.errors import Forbidden

T = TypeVar("T")
Key = TypeVar("Key")

_AT_ONCE: Final = 8


async def ask_each(keys: Iterable[Key], ask: Callable[[Key], Awaitable[T]], *, at_once: int = _AT_ONCE) -> list[T]:
    """The answers in the order of the keys, some asked at once. The first failure ends it all."""
    seats = asyncio.Semaphore(at_once)

    async def one(key: Key) -> T:
        async with seats:
            return await ask(key)

    tasks = [asyncio.ensure_future(one(key)) for key in keys]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def ask_permitted(
    keys: Sequence[Key], ask: Callable[[Key], Awaitable[T]], *, at_once: int = _AT_ONCE
) -> list[tuple[Key, T]]:
    """As `ask_each`, without the keys that are forbidden. Raises Forbidden where all of them are."""

    async def one(key: Key) -> T | Forbidden:
        try:
            return await ask(key)
        except Forbidden as error:
            return error

    answers = list(zip(keys, await ask_each(keys, one, at_once=at_once), strict=True))
    refusals = [answer for _, answer in answers if isinstance(answer, Forbidden)]
    if refusals and len(refusals) == len(answers):
        raise refusals[0]
    return [(key, answer) for key, answer in answers if not isinstance(answer, Forbidden)]
