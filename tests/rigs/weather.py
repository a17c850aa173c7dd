"""Bad weather: a reverse proxy over TLS in front of an embedded cluster, which can refuse, hang, lie, cut and delay.

It keeps its address while the API server behind it is restarted, as a load balancer would.
"""

import asyncio
import json
import ssl
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Self, TypeAlias

import aiohttp
from aiohttp import web
from multidict import CIMultiDict
from yarl import URL

from bot.demo.certificates import issue
from bot.demo.listening import Listener
from bot.demo.objects import Json
from bot.demo.server import EmbeddedCluster

_OF_ONE_LINK = frozenset({"connection", "content-length", "date", "host", "server", "transfer-encoding"})


@dataclass(frozen=True)
class Call:
    """One request as it passes by."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Json:
        found: Json = json.loads(self.body)
        return found


@dataclass(frozen=True)
class Passage:
    """A call on its way, in the hands of a fault."""

    request: web.Request
    call: Call
    cluster: EmbeddedCluster
    behind: aiohttp.ClientSession

    async def onward(self) -> web.StreamResponse:
        """Let it be carried out and answered."""
        async with self._sent() as answer:
            response = web.StreamResponse(status=answer.status)
            for name, value in answer.headers.items():
                if name.lower() not in _OF_ONE_LINK:
                    response.headers.add(name, value)
            await response.prepare(self.request)
            async for chunk in answer.content.iter_any():
                await response.write(chunk)
            await response.write_eof()
            return response

    async def unheard(self) -> None:
        """Let it be carried out, and lose the answer."""
        async with self._sent() as answer:
            await answer.read()

    def cut(self) -> web.StreamResponse:
        if self.request.transport is not None:
            self.request.transport.abort()
        return web.Response()

    def _sent(self) -> "aiohttp.client._RequestContextManager":
        headers = CIMultiDict(
            (name, value) for name, value in self.request.headers.items() if name.lower() not in _OF_ONE_LINK
        )
        tls = ssl.create_default_context(cadata=self.cluster.ca_pem)
        url = URL(self.cluster.url + self.request.path_qs, encoded=True)
        return self.behind.request(self.call.method, url, headers=headers, data=self.call.body, ssl=tls)


When: TypeAlias = Callable[[Call], bool]
Fault: TypeAlias = Callable[[Passage], Awaitable[web.StreamResponse]]


@dataclass
class _Strike:
    when: When
    fault: Fault
    left: int | None


@dataclass
class Weather:
    """An async context manager: it serves from enter to exit. `calls` are those that came by, `url` where it is."""

    cluster: EmbeddedCluster
    url: str = ""
    ca_pem: str = ""
    calls: list[Call] = field(default_factory=list)
    _strikes: list[_Strike] = field(default_factory=list)
    _listener: Listener | None = None
    _port: int = 0

    async def __aenter__(self) -> Self:
        authority = issue("weather", self.cluster.store.now)
        self._tls, self.ca_pem = authority.context, authority.ca_pem
        self._behind = aiohttp.ClientSession(auto_decompress=False)
        await self.up()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.down()
        await self._behind.close()

    async def up(self) -> None:
        """Listen, on the same port as before."""
        application = web.Application(client_max_size=4 * 1024 * 1024)
        application.router.add_route("*", "/{path:.*}", self._pass)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=0.01)
        await runner.setup()
        self._listener = Listener(runner, port=self._port, tls=self._tls)
        await self._listener.start()
        self._port, self.url = self._listener.port, self._listener.url

    async def down(self) -> None:
        """Refuse connections, and cut those that stand."""
        if self._listener is not None:
            listener, self._listener = self._listener, None
            await listener.stop()

    async def restart_cluster(self) -> None:
        """Stop the API server, forget its connections, start it over the same store."""
        await self.cluster.__aexit__(None, None, None)
        await self.cluster.__aenter__()

    def strike(self, when: When, fault: Fault, *, times: int | None = 1) -> None:
        """Let the next calls that match meet this fault; the strike that was made first comes first."""
        self._strikes.append(_Strike(when, fault, times))

    def clear(self) -> None:
        self._strikes.clear()

    def count(self, when: When) -> int:
        """How many calls like this came by."""
        return sum(when(call) for call in self.calls)

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        call = Call(request.method, request.path, dict(request.query), request.headers, await request.read())
        self.calls.append(call)
        passage = Passage(request, call, self.cluster, self._behind)
        strike = next((strike for strike in self._strikes if strike.left != 0 and strike.when(call)), None)
        try:
            if strike is None:
                return await passage.onward()
            if strike.left is not None:
                strike.left -= 1
            return await strike.fault(passage)
        except aiohttp.ClientConnectorError:
            return web.Response(status=503, text="no API server behind this balancer")
        except (aiohttp.ClientError, ConnectionError):
            return passage.cut()


# -- what may happen to a call -----------------------------------------------------------------------------------------


async def cut(passage: Passage) -> web.StreamResponse:
    """The connection breaks before anything happened."""
    return passage.cut()


async def cut_after(passage: Passage) -> web.StreamResponse:
    """It happened, and the connection broke before the answer."""
    await passage.unheard()
    return passage.cut()


async def hang(passage: Passage) -> web.StreamResponse:
    """Nothing happens, and nobody answers."""
    await asyncio.Event().wait()
    raise AssertionError("an event that nobody sets")


async def hang_after(passage: Passage) -> web.StreamResponse:
    """It happened, and nobody answers."""
    await passage.unheard()
    return await hang(passage)


def answering(status: int, text: str = "", **headers: str) -> Fault:
    """Something else answers, and nothing happens. The headers' dashes are written as underscores."""

    async def answer(passage: Passage) -> web.StreamResponse:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return web.Response(status=status, text=text, headers=named)

    return answer


def answering_after(status: int, text: str = "") -> Fault:
    """It happened, and something says that it failed."""

    async def answer(passage: Passage) -> web.StreamResponse:
        await passage.unheard()
        return web.Response(status=status, text=text)

    return answer


def refusing(code: int, reason: str, message: str) -> Fault:
    """The API server's own refusal: a metav1.Status."""
    status = {"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": code, "reason": reason}
    return answering(code, json.dumps({**status, "message": message}), Content_Type="application/json")


def late(seconds: float) -> Fault:
    async def fault(passage: Passage) -> web.StreamResponse:
        await asyncio.sleep(seconds)
        return await passage.onward()

    return fault


def overtaken(do: Callable[[], object]) -> Fault:
    """Somebody else is quicker: `do` happens just before the call is carried out."""

    async def fault(passage: Passage) -> web.StreamResponse:
        do()
        return await passage.onward()

    return fault


def cut_within(seconds: float) -> Fault:
    """A stream begins, and is cut."""

    async def fault(passage: Passage) -> web.StreamResponse:
        try:
            async with asyncio.timeout(seconds):
                return await passage.onward()
        except TimeoutError:
            return passage.cut()

    return fault


# -- which calls -------------------------------------------------------------------------------------------------------


def anything(call: Call) -> bool:
    return True


def changing(call: Call) -> bool:
    """Would change something if it were carried out."""
    return call.method in {"POST", "PUT", "PATCH", "DELETE"} and not previewing(call) and "access" not in call.path


def previewing(call: Call) -> bool:
    return "dryRun" in call.query


def watching(call: Call) -> bool:
    return "watch" in call.query


def reading(call: Call) -> bool:
    return call.method == "GET" and not watching(call)
