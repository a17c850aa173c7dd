"""A server that writes down every request and answers as the test tells it: for facts of the wire and its faults."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml
from aiohttp import web
from multidict import CIMultiDictProxy

from bot.core.cluster import Reach
from bot.core.people import Identity, KubeconfigUser
from bot.demo.listening import Listener
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.kube.reader import ClusterReader

Answer = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]


@dataclass(frozen=True)
class Heard:
    """One request as it came over the wire."""

    method: str
    path: str
    query: dict[str, str]
    headers: CIMultiDictProxy[str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Standstill:
    """A clock that stands until somebody sleeps; `slept` are the naps, which take no time."""

    def __init__(self) -> None:
        self.time = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        self.slept: list[float] = []

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += timedelta(seconds=seconds)
        await asyncio.sleep(0)


def status(code: int, reason: str = "", message: str = "", **details: Any) -> web.Response:
    """A metav1.Status as the API server sends it."""
    body = {"kind": "Status", "status": "Failure", "code": code, "reason": reason, "message": message}
    return web.json_response({**body, "details": details} if details else body, status=code)


def streaming(*lines: bytes, then: Callable[[web.BaseRequest], Awaitable[None]] | None = None) -> Answer:
    """A stream of these lines, which ends after `then`."""

    async def answer(request: web.BaseRequest) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for line in lines:
            await response.write(line)
        if then:
            await then(request)
        return response

    return answer


async def reset(request: web.BaseRequest) -> None:
    """Break the connection."""
    await asyncio.sleep(0.02)  # lets the lines before it out of the buffers
    assert request.transport is not None
    request.transport.abort()


async def silence(_: web.BaseRequest) -> None:
    """Leave the line open and say nothing, for longer than any test waits."""
    await asyncio.sleep(5)


@dataclass
class Wire:
    """The server. `answer` is called for each request that has no entry in `routes` (path → answer)."""

    clock: Standstill = field(default_factory=Standstill)
    heard: list[Heard] = field(default_factory=list)
    routes: dict[str, Answer] = field(default_factory=dict)
    url: str = ""

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        return status(404, "", "404 page not found")

    def serve(self, path: str, body: Any, code: int = 200) -> None:
        """Answer a path with JSON, always."""

        async def fixed(_: web.BaseRequest) -> web.StreamResponse:
            return web.json_response(body, status=code)

        self.routes[path] = fixed

    def refuse(self, path: str, code: int, reason: str = "", message: str = "", **details: Any) -> None:
        """Answer a path with a Status, always."""

        async def fixed(_: web.BaseRequest) -> web.StreamResponse:
            return status(code, reason, message, **details)

        self.routes[path] = fixed

    def script(self, path: str, *answers: Answer) -> None:
        """Answer a path with one after the other; the last again and again."""
        left = list(answers)

        async def next_one(request: web.BaseRequest) -> web.StreamResponse:
            return await (left.pop(0) if len(left) > 1 else left[0])(request)

        self.routes[path] = next_one

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        body = await request.read()
        self.heard.append(Heard(request.method, request.rel_url.raw_path, dict(request.query), request.headers, body))
        return await self.routes.get(request.path, self.answer)(request)

    @asynccontextmanager
    async def serving(self) -> AsyncIterator["Wire"]:
        runner = web.ServerRunner(web.Server(self.handle), shutdown_timeout=0.1)
        await runner.setup()
        listener = Listener(runner)
        await listener.start()
        self.url = listener.url
        try:
            yield self
        finally:
            await listener.stop()

    @asynccontextmanager
    async def connected(self, folder: Path, *, deadline: float = 5.0) -> AsyncIterator[KubeClusters]:
        """Our door to this server, as the cluster `prod`."""
        source = Kubeconfig(str(kubeconfig(folder / "config", self.url)), "prod")
        options = Options(self.clock, lambda: 0.0, agent="steersman/test", deadline=deadline)
        clusters = await connect({"prod": source}, options)
        try:
            yield clusters
        finally:
            await clusters.close()


def kubeconfig(
    path: Path,
    server: str,
    *,
    user: dict[str, Any] | None = None,
    cluster: dict[str, Any] | None = None,
    context: dict[str, Any] | None = None,
) -> Path:
    """A kubeconfig with the one context `prod`; the parts may be given."""
    path.write_text(
        yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "Config",
                "current-context": "prod",
                "contexts": [{"name": "prod", "context": context or {"cluster": "here", "user": "bot"}}],
                "clusters": [{"name": "here", "cluster": {"server": server, **(cluster or {})}}],
                "users": [{"name": "bot", "user": {"token": "sesame"} if user is None else user}],
            }
        )
    )
    return path


def reading(clusters: KubeClusters, identity: Identity | None = None, *patterns: str) -> ClusterReader:
    """A reader of `prod`, by default as the kubeconfig's user who may see all."""
    return clusters.reader("prod", identity or KubeconfigUser(), Reach(patterns or ("*",)))
