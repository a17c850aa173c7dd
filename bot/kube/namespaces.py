"""The namespaces that a person may see, and what is found in all of them.

They are what the cluster lists, within what the policy lets the person reach.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Final, TypeVar

import msgspec

from bot.core.errors import Forbidden
from bot.kube.caller import Caller
from bot.kube.fanout import ask_permitted
from bot.kube.meta import Meta
from bot.kube.request import Address

T = TypeVar("T")

# From the API server's cache, some milliseconds old: it would wait up to a tenth of a second for the very newest
# (KEP-2340), and nearly every question begins here.
_OF_A_MOMENT_AGO: Final = (("resourceVersion", "0"),)


class _Namespace(msgspec.Struct, gc=False):
    metadata: Meta


async def namespaces(caller: Caller) -> tuple[str, ...]:
    """Sorted. Where they may not be listed: those that the reach spells out, whether they exist or not.

    Raises Forbidden where they may not be listed and the reach has nothing but patterns.
    """
    try:
        found = await caller.listed(Address("v1", "namespaces"), _Namespace, query=_OF_A_MOMENT_AGO)
    except Forbidden:
        if not caller.reach.names:
            raise
        return tuple(sorted(set(caller.reach.names)))
    return tuple(sorted(item.metadata.name for item in found if caller.reach.covers(item.metadata.name)))


async def everywhere(
    caller: Caller, ask: Callable[[str], Awaitable[Sequence[T]]], namespace_of: Callable[[T], str]
) -> list[T]:
    """What `ask` finds in all namespaces within reach; it is asked with a namespace, or with "" for all at once.

    One request where the reach has a pattern and the person's rights cover the cluster; else one for each namespace,
    without those that are closed to the person. Raises Forbidden where nothing of it may be read.
    """
    if len(caller.reach.names) < len(caller.reach.patterns):
        try:
            return [item for item in await ask("") if caller.reach.covers(namespace_of(item))]
        except Forbidden:
            names = await namespaces(caller)
            if not names:
                raise
    else:
        names = tuple(sorted(set(caller.reach.names)))
    return [item for _, items in await ask_permitted(names, ask) for item in items]
