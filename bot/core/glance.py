"""Looking at several clusters at once, where none of them may hold up the others."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

from bot.core.errors import SteersmanError, TimedOut

T = TypeVar("T")

_SECONDS: Final = 5.0


async def glance(
    clusters: Sequence[str], look: Callable[[str], Awaitable[T]]
) -> tuple[dict[str, T], list[SteersmanError]]:
    """Look at several clusters at once: one that fails, or does not answer soon, never holds up the others."""

    async def soon(cluster: str) -> T:
        try:
            async with asyncio.timeout(_SECONDS if len(clusters) > 1 else None):
                return await look(cluster)
        except TimeoutError:
            raise TimedOut(f"{cluster} does not answer.", hint="Name the place in full to leave it out.") from None

    found: dict[str, T] = {}
    failed: list[SteersmanError] = []
    looks = asyncio.gather(*(soon(cluster) for cluster in clusters), return_exceptions=True)
    for cluster, result in zip(clusters, await looks, strict=True):
        match result:
            case SteersmanError():
                failed.append(result)
            case BaseException():
                raise result
            case _:
                found[cluster] = result
    return found, failed
