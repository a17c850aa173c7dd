"""The line to a server, byte by byte: it can be held, so that nobody hears anything and nothing breaks, and be cut."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field

from yarl import URL

from bot.demo.listening import stop_listening

_PIECE = 64 * 1024


@dataclass
class Line:
    """A TCP proxy before `behind`; TLS is between the two ends. `url` is where it listens.

    `heard` are the bytes that came from behind.
    """

    behind: str
    url: str = ""
    heard: int = 0
    _flows: asyncio.Event = field(default_factory=asyncio.Event)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    @asynccontextmanager
    async def standing(self) -> AsyncIterator["Line"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.url = str(URL(self.behind).with_port(server.sockets[0].getsockname()[1]))
        self._flows.set()
        try:
            yield self
        finally:
            await stop_listening(server)
            await self.cut()

    def hold(self) -> None:
        """From now on no byte passes, and what happens behind is not noticed: a half-open connection."""
        self._flows.clear()

    async def cut(self) -> None:
        """Break every connection that stands; a new one passes."""
        connections = tuple(self._connections)
        for connection in connections:
            connection.cancel()
        await asyncio.gather(*connections, return_exceptions=True)
        self._flows.set()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = asyncio.ensure_future(self._connect(reader, writer))
        self._connections.add(connection)
        await asyncio.wait([connection])
        self._connections.discard(connection)

    async def _connect(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await self._flows.wait()
            at = URL(self.behind)
            from_behind, to_behind = await asyncio.open_connection(at.host, at.port)
            try:
                async with asyncio.TaskGroup() as both:
                    both.create_task(self._pass(reader, to_behind))
                    both.create_task(self._pass(from_behind, writer, counted=True))
            finally:
                await _hang_up(to_behind)
        except* OSError:
            pass
        finally:
            await _hang_up(writer)

    async def _pass(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, counted: bool = False) -> None:
        while piece := await reader.read(_PIECE):
            await self._flows.wait()
            if counted:
                self.heard += len(piece)
            writer.write(piece)
            await writer.drain()
        await self._flows.wait()
        raise ConnectionResetError("one end has hung up")


async def _hang_up(writer: asyncio.StreamWriter) -> None:
    writer.transport.abort()
    with suppress(OSError):
        await writer.wait_closed()
