"""A real cluster's plain API as one of its logins: for what a test does and sees beside the bot and kubectl."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, Final, TypeAlias

import aiohttp

from bot.demo.kinds import BY_RESOURCE, KINDS

Json: TypeAlias = dict[str, Any]

MERGE: Final = "application/merge-patch+json"
STRATEGIC: Final = "application/strategic-merge-patch+json"
APPLY: Final = "application/apply-patch+yaml"

_TIMEOUT = aiohttp.ClientTimeout(total=30)
_NO_END = aiohttp.ClientTimeout(total=None)
_BY_KIND = {(kind.api_version, kind.kind): kind for kind in KINDS}


class Refusal(Exception):
    """The server said no: `code` is HTTP's, the message its own."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    """One login. Open it with `login`; `resource` is as in `deployments.apps`, an empty namespace means none or all."""

    def __init__(self, url: str, token: str, session: aiohttp.ClientSession) -> None:
        self.url = url
        self._token = token
        self._session = session

    async def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        media: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> Json:
        """Send one request and return the object that came back; raises Refusal."""
        data = None if body is None else json.dumps(body).encode()
        said = {"Authorization": f"Bearer {self._token}", "Content-Type": media, **(headers or {})}
        async with self._session.request(method, f"{self.url}{path}", data=data, headers=said, timeout=_TIMEOUT) as got:
            text = await got.text()
            if got.status >= 300:
                raise Refusal(got.status, _message(text))
            found: Json = json.loads(text) if got.content_type == "application/json" else {"text": text}
            return found

    async def create(self, manifest: Json, manager: str = "rig") -> Json:
        """Create the object of a manifest as `manager`; a namespace is ready for pods when this returns."""
        created = await self.ask("POST", f"{path_of(manifest)}?fieldManager={manager}", manifest)
        if manifest["kind"] == "Namespace":
            await self._until_inhabitable(manifest["metadata"]["name"])
        return created

    async def ensure(self, manifest: Json) -> None:
        """Create or change the object of a manifest to what it says (server-side apply, by force)."""
        name = manifest["metadata"]["name"]
        path = f"{path_of(manifest)}/{name}?fieldManager=rig&force=true"
        await self.ask("PATCH", path, manifest, media=APPLY)
        if manifest["kind"] == "Namespace":
            await self._until_inhabitable(name)

    async def get(self, resource: str, namespace: str, name: str) -> Json:
        return await self.ask("GET", f"{path(resource, namespace)}/{name}")

    async def list(self, resource: str, namespace: str = "") -> Sequence[Json]:
        found = await self.ask("GET", path(resource, namespace))
        items: Sequence[Json] = found["items"]
        # A list leaves out what each of its items is.
        return [{"kind": found["kind"].removesuffix("List"), **item} for item in items]

    async def patch(self, resource: str, namespace: str, name: str, body: Json, media: str = STRATEGIC) -> Json:
        return await self.ask("PATCH", f"{path(resource, namespace)}/{name}", body, media=media)

    async def delete(self, resource: str, namespace: str, name: str) -> None:
        """Delete an object if it is there; whether it is gone at once is the server's to say."""
        try:
            await self.ask("DELETE", f"{path(resource, namespace)}/{name}", {"propagationPolicy": "Background"})
        except Refusal as no:
            if no.code != 404:
                raise

    async def watch(self, resource: str) -> AsyncIterator[tuple[str, Json]]:
        """Yield (ADDED | MODIFIED | DELETED | BOOKMARK, object) until the stream breaks: first what is there, then the
        bookmark that ends it, then every change (WatchList, KEP-3157)."""
        query = "watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true"
        headers = {"Authorization": f"Bearer {self._token}"}
        url = f"{self.url}{path(resource, '')}?{query}"
        async with self._session.get(url, headers=headers, timeout=_NO_END) as got:
            if got.status >= 300:
                raise Refusal(got.status, _message(await got.text()))
            rest = b""
            async for piece in got.content.iter_any():
                *lines, rest = (rest + piece).split(b"\n")
                for line in lines:
                    event = json.loads(line)
                    if event["type"] == "ERROR":
                        raise Refusal(event["object"].get("code", 500), event["object"].get("message", ""))
                    yield event["type"], event["object"]

    async def _until_inhabitable(self, namespace: str) -> None:
        """Pods are refused until the controllers have made the namespace's default service account."""
        async with asyncio.timeout(20):
            while True:
                try:
                    await self.get("serviceaccounts", namespace, "default")
                except Refusal:
                    await asyncio.sleep(0.02)
                else:
                    return


@asynccontextmanager
async def login(url: str, ca_pem: str, token: str) -> AsyncIterator[Api]:
    """Log in to a cluster; no proxy and nobody's settings come between."""
    trust = ssl.create_default_context(cadata=ca_pem)
    connector = aiohttp.TCPConnector(ssl=trust, limit=50)
    async with aiohttp.ClientSession(connector=connector, trust_env=False) as session:
        yield Api(url, token, session)


def path(resource: str, namespace: str) -> str:
    """The URL path of a collection."""
    kind = BY_RESOURCE[resource]
    inside = f"/namespaces/{namespace}" if namespace and kind.namespaced else ""
    return f"{kind.base}{inside}/{kind.plural}"


def path_of(manifest: Json) -> str:
    """The URL path of the collection that a manifest belongs in."""
    kind = _BY_KIND.get((manifest["apiVersion"], manifest["kind"]))
    if kind is not None:
        return path(kind.resource, manifest["metadata"].get("namespace", ""))
    # Kinds that the embedded cluster does not serve: all of them belong to the cluster and end in a plain plural.
    plural = manifest["kind"].lower()
    plural = f"{plural[:-1]}ies" if plural.endswith("y") else f"{plural}s"
    return f"/apis/{manifest['apiVersion']}/{plural}"


def _message(text: str) -> str:
    try:
        return str(json.loads(text)["message"])
    except (ValueError, KeyError, TypeError):
        return text[:500]
