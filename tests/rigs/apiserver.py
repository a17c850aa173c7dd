"""A client that speaks plain JSON to an embedded API server, scripted sources, and small manifests."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import aiohttp
from multidict import CIMultiDictProxy

from bot.demo.objects import Json
from bot.demo.server import EmbeddedCluster

TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True)
class LogLine:
    at: datetime
    text: str


@dataclass(frozen=True)
class Used:
    cpu: int
    memory: int


class Scripted:
    """Logs and metrics as the test sets them."""

    def __init__(self) -> None:
        self.log: list[LogLine] = []

    def lines(self, pod: Json, container: str, *, previous: bool) -> list[LogLine]:
        return [LogLine(line.at, f"before: {line.text}") for line in self.log] if previous else list(self.log)

    def pod(self, pod: Json) -> Mapping[str, Used]:
        return {container["name"]: Used(12, 34 * 1024 * 1024) for container in pod["spec"]["containers"]}

    def node(self, node: Json) -> Used:
        return Used(250, 1024 * 1024 * 1024)


@dataclass(frozen=True)
class Reply:
    code: int
    body: Any
    headers: CIMultiDictProxy[str]


class Api:
    """Speaks to the cluster as one user; ``as_user`` gives the same client with another token or other headers."""

    def __init__(
        self, cluster: EmbeddedCluster, session: aiohttp.ClientSession, headers: Sequence[tuple[str, str]] = ()
    ) -> None:
        self.cluster = cluster
        self.session = session
        self.headers = headers
        self.ssl = ssl.create_default_context(cadata=cluster.ca_pem)

    def as_user(self, user: str, *groups: str) -> Api:
        token = self.cluster.token(user, groups)
        return Api(self.cluster, self.session, [("Authorization", f"Bearer {token}")])

    def speaking(self, headers: Sequence[tuple[str, str]]) -> Api:
        """Return the same client with more headers; a name may repeat."""
        return Api(self.cluster, self.session, [*self.headers, *headers])

    def raw(self, method: str, path: str, **options: Any) -> Any:
        headers = [*self.headers, *options.pop("headers", {}).items()]
        return self.session.request(method, self.cluster.url + path, ssl=self.ssl, headers=headers, **options)

    async def ask(
        self, method: str, path: str, body: Any = None, *, media: str = "application/json", accept: str = ""
    ) -> Reply:
        headers = {"Content-Type": media, **({"Accept": accept} if accept else {})}
        data = None if body is None else json.dumps(body).encode()
        async with self.raw(method, path, data=data, headers=headers) as response:
            text = await response.text()
            is_json = response.content_type == "application/json"
            return Reply(response.status, json.loads(text) if is_json else text, response.headers)

    async def get(self, path: str, accept: str = "") -> Reply:
        return await self.ask("GET", path, accept=accept)

    async def post(self, path: str, body: Any) -> Reply:
        return await self.ask("POST", path, body)

    async def put(self, path: str, body: Any) -> Reply:
        return await self.ask("PUT", path, body)

    async def patch(self, path: str, body: Any, media: str = STRATEGIC) -> Reply:
        return await self.ask("PATCH", path, body, media=media)

    async def delete(self, path: str, body: Any = None) -> Reply:
        return await self.ask("DELETE", path, body)

    async def watch(self, path: str) -> list[Json]:
        """Return the events of a watch that ends by its own timeoutSeconds."""
        async with self.raw("GET", path) as response:
            assert response.status == 200
            return [json.loads(line) for line in (await response.text()).splitlines()]


async def eventually(holds: Callable[[], bool], seconds: float = 5.0) -> None:
    """Wait until a condition holds; fails after a deadline."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110  # the store has no event for an arbitrary condition
            await asyncio.sleep(0.01)


def deployment(name: str = "web", *, replicas: int | None = 2, image: str = "web:v1") -> Json:
    spec: Json = {
        "selector": {"matchLabels": {"app": name}},
        "template": {
            "metadata": {"labels": {"app": name}},
            "spec": {"containers": [{"name": "main", "image": image}, {"name": "side", "image": "side:1"}]},
        },
    }
    if replicas is not None:
        spec["replicas"] = replicas
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": name}, "spec": spec}


def pod(name: str, *, node: str = "", labels: Mapping[str, str] | None = None) -> Json:
    spec: Json = {"containers": [{"name": "main", "image": "web:v1"}]}
    if node:
        spec["nodeName"] = node
    meta = {"name": name, "namespace": "shop", "labels": dict(labels or {})}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec}
