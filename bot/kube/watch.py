"""The life of one object, followed over every fault of the line: list, watch, and begin again.

`kubernetes.aio.watch` hammers a server that closes at once, dies of a reset, and repeats a stale version; so the loop
stands here (the algorithm is client-go's reflector, for one object).
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from bot.core.clock import Clock
from bot.core.errors import Expired, Forbidden, Judge, NotFound, SteersmanError, TooManyRequests, Unavailable
from bot.kube.caller import Caller
from bot.kube.errors import Status, refusal, unreadable
from bot.kube.meta import Meta, Page
from bot.kube.request import Address, Query, Request

_LONGEST_PAUSE: Final = 30.0
# An API server that has just started answers before it has read its roles, and refuses everybody meanwhile.
_WAKING: Final = timedelta(seconds=10)


@dataclass(frozen=True, slots=True)
class Pace:
    """How patient a watch is.

    `seconds` is how long the server is asked to keep one watch open, `silence` how long a line may say nothing before
    it counts as dead; it is longer, so that a quiet line ends by the server's hand. `random` is uniform in [0, 1).
    """

    clock: Clock
    random: Callable[[], float]
    seconds: int = 50
    silence: float = 60.0


class _Object(msgspec.Struct, gc=False):
    metadata: Meta = msgspec.field(default_factory=Meta)


class _Event(msgspec.Struct, gc=False):
    type: str
    object: dict[str, Any]


async def versions(
    caller: Caller, address: Address, name: str, pace: Pace
) -> AsyncGenerator[dict[str, Any] | None, None]:
    """The object now and after each change, each version once; None when it is gone, and then no more.

    Resets, 410, silence, nonsense and a server that is away are retried for ever, a second apart at least and half a
    minute at most. Raises NotFound (of the API) as it comes and Forbidden once it has lasted.
    """
    selected: Query = (("fieldSelector", f"metadata.name={name}"),)
    version = last = ""  # of the collection, where a watch goes on; of the object that was last told
    quiet = 0  # attempts in a row that ended soon and without a sign of life
    refused: datetime | None = None  # since when the cluster says no
    while True:
        pause, began = 0.0, pace.clock.now()
        try:
            if not version:
                page = await caller.read(address.request("list", query=selected), Page[dict[str, Any]])
                version, refused = page.metadata.resource_version, None
                if not page.items:
                    yield None
                    return
                if (told := _version(page.items[0])) != last:
                    last = told
                    yield page.items[0]
            async with aclosing(_events(caller, address, selected, version, pace)) as events:
                async for event in events:
                    quiet, refused = 0, None
                    version = _version(event.object) or version
                    match event.type:
                        case "DELETED":
                            yield None
                            return
                        case "ADDED" | "MODIFIED" if version != last:
                            last = version
                            yield event.object
                        case _:
                            pass
        except NotFound:
            raise
        except Forbidden as error:
            refused = refused or began
            if error.judge is Judge.POLICY or pace.clock.now() - refused >= _WAKING:
                raise
        except Expired:
            version = ""
        except TooManyRequests as error:
            pause = error.retry_after
        except Unavailable:
            # A server restored from a backup counts from an older version: only a new list finds the truth again.
            version = ""
        lasted = (pace.clock.now() - began).total_seconds()
        quiet = 0 if lasted > pace.seconds / 2 else quiet + 1
        backoff = min(2.0 ** max(quiet - 1, 0), _LONGEST_PAUSE)
        await pace.clock.sleep(max(pause, backoff) * (1 + pace.random() / 4))


async def _events(
    caller: Caller, address: Address, selected: Query, version: str, pace: Pace
) -> AsyncGenerator[_Event, None]:
    request = address.request(
        "watch",
        query=(
            *selected,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            ("resourceVersion", version),
            ("timeoutSeconds", str(pace.seconds)),
        ),
    )
    async with aclosing(caller.transport.lines(request, caller.identity, silence=pace.silence)) as lines:
        async for line in lines:
            if not line.strip():
                continue
            try:
                event = msgspec.json.decode(line, type=_Event)
                if event.type == "ERROR":
                    raise _told(msgspec.convert(event.object, Status), caller, request)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise unreadable(caller.cluster, request) from None
            yield event


def _told(status: Status, caller: Caller, request: Request) -> SteersmanError:
    return refusal(status, request, caller.identity, cluster=caller.cluster)


def _version(manifest: dict[str, Any]) -> str:
    try:
        return msgspec.convert(manifest, _Object).metadata.resource_version
    except msgspec.ValidationError:
        return ""
