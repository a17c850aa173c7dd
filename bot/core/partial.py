"""Reading what a person may see, and going on without the rest: a reply says what it can."""

from collections.abc import Awaitable
from typing import TypeVar

from bot.core.errors import Forbidden, NotFound

T = TypeVar("T")


async def if_permitted(reading: Awaitable[T], otherwise: T) -> T:
    """What was read; `otherwise` where this person may not, or the cluster does not serve it. Outages still raise."""
    try:
        return await reading
    except (Forbidden, NotFound):
        return otherwise
