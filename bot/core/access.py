"""What a cluster itself says to rights, asked as the person: the fence beside the policy's."""

import asyncio
from collections.abc import Iterable
from typing import Final

from bot.core.cluster import Reader, Right
from bot.core.rights import of_no_namespace

_AT_ONCE: Final = 8


async def refused(reader: Reader, rights: Iterable[Right], namespace: str) -> frozenset[Right]:
    """Those of the rights that RBAC does not give in a namespace, or on the cluster where they stand in none.

    Admission may still refuse what RBAC gives. Raises what the reader raises.
    """
    gate = asyncio.Semaphore(_AT_ONCE)

    async def ask(right: Right) -> tuple[Right, bool]:
        async with gate:
            answer = await reader.can(right, "" if of_no_namespace(right) else namespace)
        return right, answer.allowed

    answers = await asyncio.gather(*(ask(right) for right in dict.fromkeys(rights)))
    return frozenset(right for right, allowed in answers if not allowed)
