"""One cluster's wire: requests with a deadline, as the identity given with each, and streams for watches.

Reads are repeated once over a dropped connection and a few times when the server asks for patience (429); writes
never: whether to repeat one is the executor's decision.
"""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import datetime, timedelta
from typing import Final

import aiohttp
from multidict import CIMultiDict
from yarl import URL

from bot.core.clock import Clock
from bot.core.errors import SteersmanError, TooManyRequests, Unavailable
from bot.core.people import Identity, Impersonated
from bot.kube import errors
from bot.kube.credentials import Credentials
from bot.kube.identity import impersonation
from bot.kube.request import Request, Response

CONNECT_SECONDS: Final = 5.0
_PATIENCE: Final = 10.0  # the longest Retry-After that a person is made to wait for
_THROTTLED: Final = 3
_REOPEN: Final = timedelta(seconds=10)  # between two attempts to open a cluster that could not be opened
_LONGEST_LINE: Final = 32 * 1024 * 1024  # etcd refuses objects over 1.5 MB; what sends more is not an API server
_AT_ONCE: Final = 100


class Transport:
    """The connection to one cluster for the life of the process; opened at the first request."""

    def __init__(
        self,
        cluster: str,
        opening: Callable[[], Awaitable[Credentials]],
        *,
        agent: str,
        deadline: float,
        clock: Clock,
    ) -> None:
        self.cluster = cluster
        self._opening = opening
        self._agent = agent
        self._deadline = deadline
        self._clock = clock
        self._lock = asyncio.Lock()
        self._seats = asyncio.Semaphore(_AT_ONCE)
        self._opened: tuple[Credentials, aiohttp.ClientSession] | None = None
        self._failure: tuple[datetime, SteersmanError] | None = None
        self._closed = False
        self.barred: SteersmanError | None = None
        """While this is set, every request that is made as a person is refused with it."""

    async def open(self) -> None:
        """Load the credentials now instead of at the first request. Raises as `open_credentials` does."""
        await self._open()

    async def close(self) -> None:
        self._closed = True
        if self._opened:
            await self._opened[1].close()

    async def send(self, request: Request, identity: Identity) -> Response:
        """One request to its end, within the deadline. Raises what `errors` makes of a failure."""
        try:
            async with asyncio.timeout(self._deadline), self._seats:
                return await self._send(request, identity)
        except TimeoutError as error:
            raise errors.broken(error, request, self.cluster) from error

    async def lines(self, request: Request, identity: Identity, *, silence: float) -> AsyncGenerator[bytes, None]:
        """The lines of a stream, without a total deadline; `silence` seconds without a byte end it with TimedOut.

        Iterate it under `contextlib.aclosing`: its connection is given back when it is closed.
        """
        credentials, session = await self._ready()
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS, sock_read=silence)
        try:
            async with await self._ask(credentials, session, request, identity, limits) as response:
                if response.status != 200:
                    async with asyncio.timeout(self._deadline):
                        body = await response.read()
                    raise self._refusal(response, body, request, identity, credentials)
                rest = b""
                async for chunk in response.content.iter_any():
                    *whole, rest = (rest + chunk).split(b"\n")
                    for line in whole:
                        yield line
                    if len(rest) > _LONGEST_LINE:
                        raise errors.unreadable(self.cluster, request)
                if rest:  # cut in the middle of a line: the reader decides what half a line is worth
                    yield rest
        except (aiohttp.ClientError, OSError) as error:
            raise errors.broken(error, request, self.cluster) from error

    async def _send(self, request: Request, identity: Identity) -> Response:
        credentials, session = await self._ready()
        limits = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_SECONDS)
        dropped = untrusted = rejected = False
        throttled = 0
        while True:
            try:
                async with await self._ask(credentials, session, request, identity, limits) as response:
                    body = await response.read()
            except aiohttp.ClientConnectorCertificateError as error:
                if untrusted:
                    raise errors.broken(error, request, self.cluster) from error
                untrusted = True
                await credentials.trust_anew()
                continue
            except (aiohttp.ClientError, OSError) as error:
                if dropped or request.changes or isinstance(error, aiohttp.ClientConnectorError | TimeoutError):
                    raise errors.broken(error, request, self.cluster) from error
                dropped = True
                continue
            if 200 <= response.status < 300:
                return Response(body, _warnings(response))
            refusal = self._refusal(response, body, request, identity, credentials)
            if request.changes:
                raise refusal
            match refusal:
                case TooManyRequests(retry_after=seconds) if seconds <= _PATIENCE and throttled < _THROTTLED:
                    throttled += 1
                    await self._clock.sleep(seconds)
                case _ if response.status == 401 and not rejected and credentials.renewable:
                    rejected = True
                case _:
                    raise refusal

    async def _ask(
        self,
        credentials: Credentials,
        session: aiohttp.ClientSession,
        request: Request,
        identity: Identity,
        limits: aiohttp.ClientTimeout,
    ) -> aiohttp.ClientResponse:
        if self.barred is not None and isinstance(identity, Impersonated):
            raise self.barred
        headers: CIMultiDict[str] = impersonation(identity)
        headers["Accept"] = request.accept
        headers["Accept-Encoding"] = "gzip"
        headers["User-Agent"] = self._agent
        if authorization := await credentials.authorization():
            headers["Authorization"] = authorization
        if request.body is not None:
            headers["Content-Type"] = request.content_type
        if request.audit:
            headers["Audit-ID"] = request.audit
        return await session.request(
            request.method,
            URL(credentials.host + request.target, encoded=True),
            headers=headers,
            data=request.body,
            timeout=limits,
            proxy=credentials.proxy,
            server_hostname=credentials.server_hostname,
            allow_redirects=False,
        )

    def _refusal(
        self,
        response: aiohttp.ClientResponse,
        body: bytes,
        request: Request,
        identity: Identity,
        credentials: Credentials,
    ) -> SteersmanError:
        if response.status == 401:
            credentials.rejected()
        return errors.failure(
            response.status,
            body,
            request,
            identity,
            cluster=self.cluster,
            retry_after=response.headers.get("Retry-After", ""),
        )

    async def _ready(self) -> tuple[Credentials, aiohttp.ClientSession]:
        try:
            return await self._open()
        except Unavailable:
            raise
        except SteersmanError as error:
            raise Unavailable(f"{self.cluster} cannot be used. {error.message}", hint=error.hint) from error

    async def _open(self) -> tuple[Credentials, aiohttp.ClientSession]:
        if self._closed:
            raise Unavailable(f"The connection to {self.cluster} is closed: Steersman is stopping.")
        if (opened := self._opened) is not None:
            return opened
        async with self._lock:
            if (opened := self._opened) is not None:  # who waited at the lock finds it done
                return opened
            if self._failure and self._clock.now() - self._failure[0] < _REOPEN:
                raise self._failure[1]
            try:
                credentials = await self._opening()
            except SteersmanError as error:
                self._failure = (self._clock.now(), error)
                raise
            session = aiohttp.ClientSession(
                # Requests have seats of their own: a hundred watches must not take the connections away from reads.
                connector=aiohttp.TCPConnector(limit=0, ssl=credentials.ssl),
                # A balancer's cookie would be carried from one person's request into another's.
                cookie_jar=aiohttp.DummyCookieJar(),
                # HTTP_PROXY and .netrc would redirect or re-sign requests behind the kubeconfig's back.
                trust_env=False,
            )
            # aiohttp would repeat a DELETE by itself over a dropped connection, and it has no public switch for that.
            session._retry_connection = False  # noqa: SLF001  # proved by a test that counts requests
            self._opened = (credentials, session)
            return self._opened


def _warnings(response: aiohttp.ClientResponse) -> tuple[str, ...]:
    """The texts of the API server's warnings: `Warning: 299 - "text"` (RFC 7234 §5.5, KEP-1693)."""
    texts = []
    for value in response.headers.getall("Warning", ()):
        code, _, rest = value.partition(" ")
        if code == "299":
            quoted = rest.partition(" ")[2].strip()
            text = quoted[1:].rpartition('"')[0] if quoted.startswith('"') else quoted
            texts.append(errors.tidy(text.replace('\\"', '"').replace("\\\\", "\\")))
    return tuple(texts)
