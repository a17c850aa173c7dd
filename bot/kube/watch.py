"""Objects followed over every fault of the line: what is there, what changes, and where to begin again.

`kubernetes.aio.watch` hammers a server that closes at once, dies of a reset, and repeats a stale version; so the loop
stands here (the algorithm is client-go's reflector). One loop serves one object and ten thousand.
"""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Generic, TypeAlias, TypeVar, assert_never

import msgspec

from bot.core.clock import Clock
from bot.core.errors import Expired, Forbidden, Invalid, Judge, NotFound, SteersmanError, TooManyRequests, Unavailable
from bot.kube.caller import Caller
from bot.kube.errors import Status, refusal, unreadable
from bot.kube.request import Address, Query

T = TypeVar("T")

_LONGEST_PAUSE: Final = 30.0
# An API server that has just started answers before it has read its roles, and refuses everybody meanwhile.
_WAKING: Final = timedelta(seconds=10)
_INITIAL_EVENTS_END: Final = "k8s.io/initial-events-end"
_STREAMED_LIST: Final = (("sendInitialEvents", "true"), ("resourceVersionMatch", "NotOlderThan"))


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


@dataclass(frozen=True, slots=True)
class Collection(Generic[T]):
    """What is watched, and the type that each object is read as.

    `streamed`: what is there comes as the first events of the watch (WatchList, KEP-3157), so that no list of it ever
    stands in memory as a whole; where the server does not do that, it is listed page by page as everything else.
    """

    address: Address
    shape: type[T]
    query: Query = ()
    streamed: bool = False


@dataclass(frozen=True, slots=True)
class Anew:
    """What is there is told from the beginning: first all `Seen`, then `Whole`."""


@dataclass(frozen=True, slots=True)
class Seen(Generic[T]):
    """An object as it is now: listed, added or changed. The same one may come twice."""

    object: T
    version: str


@dataclass(frozen=True, slots=True)
class Lost(Generic[T]):
    """An object as it was when it was deleted."""

    object: T
    version: str


@dataclass(frozen=True, slots=True)
class Whole:
    """What has not been seen since `Anew` is not there any more."""

    version: str


@dataclass(frozen=True, slots=True)
class Alive:
    """Nothing changed, and the server said so. `version` may be empty."""

    version: str


@dataclass(frozen=True, slots=True)
class Broken:
    """The line failed and is tried again; until the next word what is known may be old."""

    error: SteersmanError


Change: TypeAlias = Anew | Seen[T] | Lost[T] | Whole | Alive | Broken


class _Mark(msgspec.Struct, rename="camel", gc=False):
    resource_version: str = ""
    annotations: dict[str, str] | None = None


class _Versioned(msgspec.Struct, gc=False):
    metadata: _Mark = msgspec.field(default_factory=_Mark)


class _Head(msgspec.Struct, gc=False):
    """What every event has, whatever its object is: a watched one, a bookmark's stub, or a Status."""

    type: str
    object: _Versioned


class _Event(msgspec.Struct, Generic[T], gc=False):
    object: T


async def versions(
    caller: Caller, address: Address, name: str, pace: Pace
) -> AsyncGenerator[dict[str, Any] | None, None]:
    """One object now and after each change, each version once; None when it is gone, and then no more.

    Raises as `changes` does.
    """
    one = Collection(address, dict[str, Any], (("fieldSelector", f"metadata.name={name}"),))
    last, there = "", False
    async with aclosing(changes(caller, one, pace)) as stream:
        async for change in stream:
            match change:
                case Anew():
                    there = False
                case Seen(manifest, version):
                    there = True
                    if version != last:
                        last = version
                        yield manifest
                case Whole() if there:
                    pass
                case Lost() | Whole():
                    yield None
                    return
                case Alive() | Broken():
                    pass
                case _:
                    assert_never(change)


async def changes(caller: Caller, watched: Collection[T], pace: Pace) -> AsyncGenerator[Change[T], None]:
    """What is there, then every change of it, for ever.

    A stream that breaks is taken up where it was. After 410, and after an attempt that brought nothing, everything is
    told anew: a server that was restored from a backup counts from an older version, and only that finds the truth
    again. Attempts are a second apart at least and half a minute at most. Raises NotFound (of the API) as it comes,
    Forbidden once it has lasted, and what is wrong with the question itself (Invalid).
    """
    version = ""  # where a watch goes on; empty as long as not everything that is there has been told
    streamed = watched.streamed
    quiet = 0  # attempts in a row that ended soon and without a sign of life
    refused: datetime | None = None  # since when the cluster says no
    while True:
        pause, began, heard = 0.0, pace.clock.now(), False
        try:
            async with aclosing(_attempt(caller, watched, version, pace, streamed=streamed)) as attempt:
                async for change in attempt:
                    match change:
                        case Whole():
                            version, heard, refused = change.version, True, None
                        case Seen() | Lost() | Alive() if version:
                            version, heard, refused = change.version or version, True, None
                            quiet = 0
                        case _:  # what is told on the way to `Whole` has versions of its own
                            pass
                    yield change
            # A server that ends the stream before it has told everything does not know how to.
            streamed = streamed and bool(version)
            yield Alive(version)
        except NotFound:
            raise
        except Invalid:
            if not streamed or version:
                raise
            streamed = False
            continue
        except Forbidden as error:
            refused = refused or began
            if error.judge is Judge.POLICY or pace.clock.now() - refused >= _WAKING:
                raise
            yield Broken(error)
        except Unavailable as error:
            if isinstance(error, Expired) or not heard:
                version = ""
            if isinstance(error, TooManyRequests):
                pause = error.retry_after
            yield Broken(error)
        lasted = (pace.clock.now() - began).total_seconds()
        quiet = 0 if lasted > pace.seconds / 2 else quiet + 1
        backoff = min(2.0 ** max(quiet - 1, 0), _LONGEST_PAUSE)
        await pace.clock.sleep(max(pause, backoff) * (1 + pace.random() / 4))


async def _attempt(
    caller: Caller, watched: Collection[T], version: str, pace: Pace, *, streamed: bool
) -> AsyncGenerator[Change[T], None]:
    """One line from its opening to its end; before it what is there, where no version is known."""
    if not version:
        yield Anew()
        if not streamed:
            async with aclosing(caller.pages(watched.address, watched.shape, query=watched.query)) as pages:
                async for page in pages:
                    for item in page.items or []:
                        yield Seen(item, _version(item))
                    version = page.metadata.resource_version
            yield Whole(version)
    since = (("resourceVersion", version),) if version else _STREAMED_LIST
    request = watched.address.request(
        "watch",
        query=(
            *watched.query,
            ("watch", "true"),
            ("allowWatchBookmarks", "true"),
            *since,
            ("timeoutSeconds", str(pace.seconds)),
        ),
    )
    decoder = msgspec.json.Decoder(_Event[watched.shape])  # type: ignore[name-defined]  # made at run time
    async with aclosing(caller.lines(request, silence=pace.silence)) as lines:
        async for line in lines:
            if not line.strip():
                continue
            try:
                told = _read(line, decoder)
            except (msgspec.DecodeError, UnicodeDecodeError):
                raise unreadable(caller.cluster, request) from None
            if isinstance(told, Status):
                raise refusal(told, request, caller.identity, cluster=caller.cluster)
            yield told


def _read(line: bytes, decoder: msgspec.json.Decoder[_Event[T]]) -> Change[T] | Status:
    """What an event says; a Status where it tells a failure. Raises msgspec.DecodeError."""
    head = msgspec.json.decode(line, type=_Head)
    mark = head.object.metadata
    match head.type:
        case "ADDED" | "MODIFIED":
            return Seen(decoder.decode(line).object, mark.resource_version)
        case "DELETED":
            return Lost(decoder.decode(line).object, mark.resource_version)
        case "BOOKMARK" if _INITIAL_EVENTS_END in (mark.annotations or ()):
            return Whole(mark.resource_version)
        case "ERROR":
            return msgspec.json.decode(line, type=_Event[Status]).object
        case _:
            return Alive(mark.resource_version)


def _version(item: object) -> str:
    """The version of a listed object, whatever it was read as."""
    try:
        return msgspec.convert(item, _Versioned, from_attributes=True).metadata.resource_version
    except msgspec.ValidationError:
        return ""
