"""One cluster as one person, for reading: single objects, whole lists page by page, and the lines of a watch."""

from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final, TypeVar

import msgspec

from bot.core.cluster import Reach
from bot.core.errors import Expired, Forbidden, Judge
from bot.core.people import Identity
from bot.kube import errors
from bot.kube.meta import Page
from bot.kube.request import Address, Query, Request
from bot.kube.transport import Transport

T = TypeVar("T")
R = TypeVar("R")

PAGE: Final = "500"


@dataclass(frozen=True, slots=True)
class Caller:
    """Asks one cluster as one identity. All its requests read."""

    transport: Transport
    identity: Identity
    reach: Reach

    @property
    def cluster(self) -> str:
        return self.transport.cluster

    async def raw(self, request: Request) -> bytes:
        """The body of the answer. Raises Forbidden for a namespace beyond the reach.

        Policy has spoken before; that it is looked at here too means that no command can forget to ask. Raises
        ValueError for a request that would change something.
        """
        self._check(request)
        return (await self.transport.send(request, self.identity)).body

    async def lines(self, request: Request, *, silence: float) -> AsyncGenerator[bytes, None]:
        """The lines of a stream, as `Transport.lines` gives them. Raises what `raw` does."""
        self._check(request)
        async with aclosing(self.transport.lines(request, self.identity, silence=silence)) as lines:
            async for line in lines:
                yield line

    async def read(self, request: Request, kind: type[T]) -> T:
        """The answer as a value. Raises Unavailable where it is something else (a login page, half a body)."""
        body = await self.raw(request)
        try:
            return msgspec.json.decode(body, type=kind)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Not chained: the decoder's message may quote the body.
            raise errors.unreadable(self.cluster, request) from None

    async def listed(self, address: Address, kind: type[T], *, query: Query = ()) -> list[T]:
        """All objects of a collection, as `made` reads them."""
        return await self.made(address, kind, lambda item: item, query=query)

    async def made(self, address: Address, kind: type[T], make: Callable[[T], R], *, query: Query = ()) -> list[R]:
        """What `make` makes of each object of a collection, read 500 at a time from one moment of the cluster.

        Each page is made into values before the next one is asked for: of 5,000 pods neither the read forms are kept
        nor is the loop held by all of them at once. Where the moment expires between two pages the list is read again
        in one piece, as client-go's pager does.
        """
        found: list[R] = []
        try:
            async with aclosing(self.pages(address, kind, query=query)) as pages:
                async for page in pages:
                    found.extend(make(item) for item in page.items or [])
        except Expired:
            if not found:
                raise
            whole = await self.read(address.request("list", query=query), Page[kind])  # type: ignore[valid-type]  # a generic struct made at run time
            return [make(item) for item in whole.items or []]
        return found

    async def pages(self, address: Address, kind: type[T], *, query: Query = ()) -> AsyncGenerator[Page[T], None]:
        """A collection as of one moment, 500 objects at a time. Raises Expired where that moment is forgotten."""
        token = ""
        while True:
            step = (("limit", PAGE), ("continue", token)) if token else (("limit", PAGE),)
            page = await self.read(address.request("list", query=(*query, *step)), Page[kind])  # type: ignore[valid-type]  # as above
            yield page
            token = page.metadata.next
            if not token:
                return

    async def objects(self, address: Address, *, query: Query = ()) -> list[dict[str, Any]]:
        """As `listed`, with the objects as they were sent."""
        return await self.listed(address, dict[str, Any], query=query)

    def _check(self, request: Request) -> None:
        if request.changes:
            raise ValueError("a reader was asked to write")
        if request.namespace and not self.reach.covers(request.namespace):
            raise Forbidden(
                f"The policy does not open the namespace {request.namespace} on {self.cluster} to this person.",
                judge=Judge.POLICY,
            )
