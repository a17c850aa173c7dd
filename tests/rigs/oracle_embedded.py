"""Two embedded clusters for the oracle: the bot on one, through its front door; kubectl on the other, over TLS.

Both are seeded alike. kubectl is the administrator's: it is asked what it does, and a person's own kubectl need not be
allowed what the bot does for that person. Each case has a namespace of its own.
"""

import itertools
import json
import ssl
import uuid
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aiohttp
from rigs.chat import Bot
from rigs.oracle import Json, Said
from rigs.oracle_kubectl import Kubectl

from bot.app import demo_pipeline
from bot.demo.controllers.tempo import FAST
from bot.demo.server import EmbeddedCluster
from bot.demo.world import ADMIN, World
from bot.settings import Settings

CLUSTER: Final = "dev"
PERSON: Final = "alice"

_STRATEGIC: Final = "application/strategic-merge-patch+json"
_MASTERS: Final = "system:masters"


class Api:
    """The plain API of one cluster as its administrator, for what a test does and sees beside the two actors."""

    look_every = 0.03

    def __init__(self, cluster: EmbeddedCluster, session: aiohttp.ClientSession) -> None:
        self._cluster = cluster
        self._session = session
        self._ssl = ssl.create_default_context(cadata=cluster.ca_pem)
        self._token = cluster.token("oracle", (_MASTERS,))

    async def create(self, manifest: Json) -> None:
        resource = _RESOURCES[manifest["kind"]]
        namespace = manifest["metadata"].get("namespace", "")
        await self._ask("POST", _path(manifest["apiVersion"], resource, namespace), manifest)

    async def patch(self, resource: str, namespace: str, name: str, body: Json) -> None:
        path = f"{_path(_version(resource), resource, namespace)}/{name}"
        await self._ask("PATCH", path, body, _STRATEGIC)

    async def list(self, resource: str, namespace: str) -> Sequence[Json]:
        found = await self._ask("GET", _path(_version(resource), resource, namespace))
        items: Sequence[Json] = found["items"]
        # A list leaves out what each of its items is.
        return [{"kind": found["kind"].removesuffix("List"), **item} for item in items]

    async def drop(self, namespace: str) -> None:
        await self._ask("DELETE", f"{_path('v1', 'namespaces', '')}/{namespace}")

    async def _ask(self, method: str, path: str, body: Json | None = None, media: str = "application/json") -> Json:
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": media}
        data = json.dumps(body) if body is not None else None
        url = f"{self._cluster.url}{path}"
        async with self._session.request(method, url, data=data, headers=headers, ssl=self._ssl) as answer:
            found: Json = await answer.json()
            assert answer.status < 300, found
            return found


class BotSide(Api):
    """The cluster on which the bot acts."""

    def __init__(self, cluster: EmbeddedCluster, session: aiohttp.ClientSession, bot: Bot) -> None:
        super().__init__(cluster, session)
        self._bot = bot

    async def act(self, line: str, namespace: str) -> Said:
        answer = await self._bot.says(f"{line} -n {namespace} --cluster {CLUSTER}", by=PERSON)
        words = answer.all_text
        if any(button.label == "Confirm" for button in answer.reply.buttons()):
            answer = await self._bot.clicks("Confirm", by=PERSON)
            words = f"{words}\n{answer.all_text}"
        return Said(words)


class KubectlSide(Api):
    """The cluster on which kubectl acts."""

    def __init__(self, cluster: EmbeddedCluster, session: aiohttp.ClientSession, kubectl: Kubectl) -> None:
        super().__init__(cluster, session)
        self._kubectl = kubectl

    async def act(self, line: str, namespace: str) -> Said:
        printed = await self._kubectl.run(f"{line} -n {namespace}", code=None)
        return Said(printed.text, printed.code)


@dataclass(frozen=True)
class EmbeddedTwins:
    """The two sides; `worlds` lets a test ask whether a controller failed on the way."""

    bot: BotSide
    kubectl: KubectlSide
    worlds: tuple[World, World]
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def namespace(self) -> str:
        return f"case-{next(self._numbers)}"


@asynccontextmanager
async def embedded_twins(folder: Path) -> AsyncIterator[EmbeddedTwins]:
    """Run two worlds; kubectl keeps what it keeps in `folder`."""
    other = World(tempo=FAST, clock=lambda: datetime.now(UTC), new_uid=lambda: str(uuid.uuid4()))
    async with (
        demo_pipeline(Settings.model_construct(), FAST) as (pipeline, world),
        other,
        aiohttp.ClientSession() as session,
    ):
        kubeconfig = folder / "kubeconfig"
        other.write_kubeconfig(kubeconfig, ADMIN)
        yield EmbeddedTwins(
            BotSide(world.clusters[CLUSTER], session, Bot(pipeline)),
            KubectlSide(other.clusters[CLUSTER], session, Kubectl(kubeconfig, folder, CLUSTER)),
            (world, other),
        )


_RESOURCES: Final = {
    "Namespace": "namespaces",
    "Deployment": "deployments.apps",
    "ReplicaSet": "replicasets.apps",
    "StatefulSet": "statefulsets.apps",
    "DaemonSet": "daemonsets.apps",
    "HorizontalPodAutoscaler": "horizontalpodautoscalers.autoscaling",
}


def _version(resource: str) -> str:
    match resource.partition(".")[2]:
        case "":
            return "v1"
        case "autoscaling":
            return "autoscaling/v2"
        case group:
            return f"{group}/v1"


def _path(version: str, resource: str, namespace: str) -> str:
    base = f"/apis/{version}" if "/" in version else f"/api/{version}"
    inside = f"/namespaces/{namespace}" if namespace else ""
    return f"{base}{inside}/{resource.partition('.')[0]}"
