"""Listening on the loopback: where a server of the demo or of a test is heard, and how it stops without a race."""

import asyncio
import ssl

from aiohttp import web

_HOST = "127.0.0.1"


async def stop_listening(server: asyncio.Server) -> None:
    """Close a server; the connections that it has accepted stand.

    asyncio drops a connection that was accepted just before its server closed, without closing it: so whoever has been
    let in takes a seat first.
    """
    for listening in server.sockets:
        asyncio.get_running_loop().remove_reader(listening.fileno())
    await asyncio.sleep(0)
    server.close()


class Listener:
    """The port of one aiohttp runner, which is set up; `port` 0 takes a free one, and is the port from then on."""

    def __init__(self, runner: web.BaseRunner, *, port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        self.port = port
        self._runner = runner
        self._tls = tls
        self._server: asyncio.Server | None = None

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{_HOST}:{self.port}"

    async def start(self) -> None:
        """Raises OSError when the port is taken."""
        protocol = self._runner.server
        if protocol is None:
            raise RuntimeError("a runner is set up before it listens")
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(protocol, _HOST, self.port, ssl=self._tls, reuse_address=True)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Hear nobody more, then end the connections that stand."""
        if (server := self._server) is not None:
            self._server = None
            await stop_listening(server)
        await self._runner.cleanup()
