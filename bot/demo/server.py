"""One embedded cluster: an HTTPS API server on the loopback, in this process and in this event loop."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import Self

from aiohttp import web

from bot.demo import discovery, watching
from bot.demo.access import ANONYMOUS, Access, Attributes, User
from bot.demo.audit import Audit
from bot.demo.calls import JSON, read, requested
from bot.demo.certificates import issue
from bot.demo.encoding import encode
from bot.demo.garbage import Collector
from bot.demo.listening import Listener
from bot.demo.resources import Answer, Resources
from bot.demo.sources import LogSource, MetricsSource
from bot.demo.status import ApiError, NotFound, TooLarge
from bot.demo.store import Store
from bot.demo.table import accepted

_log = logging.getLogger(__name__)

_LARGEST = 3 * 1024 * 1024  # bytes of a request, as the real server's limit
_AUDITED = 10_000  # requests remembered


class EmbeddedCluster:
    """An API server over a store. An async context manager: it serves from enter to exit.

    ``logs`` and ``metrics`` are asked for what containers write and use. ``url`` and ``ca_pem`` are set on entering.
    """

    def __init__(
        self,
        name: str,
        *,
        clock: Callable[[], datetime],
        new_uid: Callable[[], str],
        logs: LogSource,
        metrics: MetricsSource,
        store: Store | None = None,
    ) -> None:
        self.name = name
        self.store = store or Store(clock, new_uid)
        self.url = ""
        self.ca_pem = ""
        self.audit: deque[Audit] = deque(maxlen=_AUDITED)
        self._clock = clock
        self._new_uid = new_uid
        self._access = Access(self.store)
        self._resources = Resources(self.store, self._access, logs, metrics)
        self._listener: Listener | None = None
        self._collector: asyncio.Task[None] | None = None
        self._streams: set[asyncio.Task[object]] = set()

    def token(self, user: str, groups: tuple[str, ...] = ()) -> str:
        """Register a user and return a bearer token for it."""
        token = f"demo-{self._new_uid()}"
        self._access.register(token, User(user, groups))
        return token

    async def __aenter__(self) -> Self:
        authority = issue(self.name, self._clock())
        self.ca_pem = authority.ca_pem
        application = web.Application(client_max_size=_LARGEST)
        application.router.add_route("*", "/{path:.*}", self._handle)
        runner = web.AppRunner(application, access_log=None, handler_cancellation=True, shutdown_timeout=1.0)
        await runner.setup()
        self._listener = Listener(runner, tls=authority.context)
        await self._listener.start()
        self.url = self._listener.url
        self._collector = asyncio.create_task(Collector(self.store).run(), name=f"{self.name}: collector")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        waiting = [*self._streams, *([self._collector] if self._collector is not None else [])]
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        if self._listener is not None:
            await self._listener.stop()

    # -- one request ---------------------------------------------------------------------------------------------------

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        exchange = _Exchange(request, request.headers.get("Audit-ID") or self._new_uid(), request.method.lower())
        try:
            answer = await self._answer(exchange)
        except ApiError as refused:
            answer = Answer(refused.code, encode(refused.as_status()), retry_after=refused.retry_after)
        except Exception:  # noqa: BLE001  # the server outlives a fault of ours, and its client hears of it
            _log.exception("%s %s", request.method, request.path_qs)
            answer = Answer(500, encode(ApiError("Internal error occurred").as_status()))
        if isinstance(answer, Answer):
            self._record(exchange, answer.code)
            return _response(answer, exchange.audit_id)
        self._record(exchange, 200)
        return await self._send(exchange, answer)

    async def _answer(self, exchange: _Exchange) -> Answer | AsyncIterator[bytes]:
        """Return the one answer of a request, or the lines of a stream; raises ApiError."""
        request = exchange.request
        exchange.caller = self._access.authenticate(request.headers.get("Authorization"))
        exchange.user = self._access.impersonate(exchange.caller, list(request.headers.items()))
        asked = requested(request.method, request.path, request.query)
        if asked is None:
            return self._about(request, exchange.user)
        exchange.verb = asked.verb
        self._access.require(exchange.user, asked)
        call = replace(
            read(request.method, request.path, request.query),
            body=await self._body(request),
            content_type=request.headers.get("Content-Type", JSON),
            accept=request.headers.get("Accept", JSON),
            agent=request.headers.get("User-Agent", ""),
            user=exchange.user,
        )
        if call.verb == "watch":
            watch = watching.read(call, accepted(call.accept, call.query.get("includeObject")))
            return watching.stream(self.store, self._resources.encoder, watch)
        if call.subresource == "log" and call.flag("follow"):
            exchange.media = "text/plain"
            return self._resources.follow(call)
        return self._resources.answer(call)

    @staticmethod
    async def _body(request: web.Request) -> bytes:
        try:
            return await request.read()
        except web.HTTPRequestEntityTooLarge:
            raise TooLarge(f"Request entity too large: limit is {_LARGEST}") from None

    def _about(self, request: web.Request, user: User) -> Answer:
        """Answer for a path that is no resource's: health and discovery."""
        self._access.require(user, Attributes(request.method.lower(), path=request.path))
        if request.method not in {"GET", "HEAD"}:
            raise NotFound("the server could not find the requested resource")
        if request.path in {"/healthz", "/livez", "/readyz"}:
            return Answer(200, b"ok", "text/plain")
        document = discovery.answer(request.path, request.host)
        if document is None:
            raise NotFound("the server could not find the requested resource")
        return Answer(200, encode(document))

    async def _send(self, exchange: _Exchange, pieces: AsyncIterator[bytes]) -> web.StreamResponse:
        response = web.StreamResponse(headers=_headers(exchange.audit_id))
        response.content_type = exchange.media
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("a request is always handled in a task")
        self._streams.add(task)
        try:
            await response.prepare(exchange.request)
            async for piece in pieces:
                if piece:
                    await response.write(piece)
            await response.write_eof()
        except ConnectionError:
            _log.debug("the client left a stream: %s", exchange.request.path_qs)
        finally:
            self._streams.discard(task)
        return response

    def _record(self, exchange: _Exchange, code: int) -> None:
        request, user = exchange.request, exchange.user
        is_other = user is not exchange.caller
        self.audit.append(
            Audit(
                exchange.audit_id,
                exchange.verb,
                request.path_qs,
                exchange.caller.name,
                user.name if is_other else "",
                user.groups if is_other else (),
                code,
                request.headers.get("User-Agent", ""),
                request.query.get("dryRun") == "All",
            )
        )


@dataclass(slots=True)
class _Exchange:
    """What becomes known of a request on its way, for the audit."""

    request: web.Request
    audit_id: str
    verb: str
    caller: User = ANONYMOUS
    user: User = ANONYMOUS
    media: str = JSON


def _headers(audit_id: str) -> dict[str, str]:
    return {"Audit-Id": audit_id, "Cache-Control": "no-cache, private"}


def _response(answer: Answer, audit_id: str) -> web.Response:
    response = web.Response(
        status=answer.code,
        body=answer.body,
        content_type=answer.media,
        headers=_headers(audit_id),
    )
    for warning in answer.warnings:
        said = warning.replace("\\", "\\\\").replace('"', '\\"')
        response.headers.add("Warning", f'299 - "{said}"')
    if answer.retry_after is not None:
        response.headers["Retry-After"] = str(answer.retry_after)
    return response
