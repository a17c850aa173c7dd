"""The oracle on a real cluster: the bot in one namespace, kubectl (the administrator's) in another.

One control plane stands in for two equal ones: each side says the case's namespace and gets its own, and what it reads
back says the case's again.
"""

import itertools
import os
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

from rigs.chat import Bot
from rigs.controlplane.api import Api
from rigs.oracle import Json, Said
from rigs.oracle_embedded import PERSON
from rigs.oracle_kubectl import Kubectl
from rigs.real import DEV, bot_on, real_cluster

# Several workers share the cluster: each has names of its own.
_WORKER = "PYTEST_XDIST_WORKER"


class _Side:
    look_every = 0.15

    def __init__(self, api: Api, own: str) -> None:
        self._api = api
        self._own = own

    async def create(self, manifest: Json) -> None:
        meta = manifest["metadata"]
        key = "namespace" if "namespace" in meta else "name"
        await self._api.create({**manifest, "metadata": {**meta, key: self._mine(meta[key])}})

    async def patch(self, resource: str, namespace: str, name: str, body: Json) -> None:
        await self._api.patch(resource, self._mine(namespace), name, body)

    async def list(self, resource: str, namespace: str) -> Sequence[Json]:
        found = await self._api.list(resource, self._mine(namespace))
        return [{**obj, "metadata": {**obj["metadata"], "namespace": namespace}} for obj in found]

    async def drop(self, namespace: str) -> None:
        await self._api.delete("namespaces", "", self._mine(namespace))

    def _mine(self, namespace: str) -> str:
        return f"{self._own}-{namespace}"


class RealBotSide(_Side):
    def __init__(self, api: Api, bot: Bot) -> None:
        super().__init__(api, "bot")
        self._bot = bot

    async def act(self, line: str, namespace: str) -> Said:
        return await self._bot_says(f"{line} -n {self._mine(namespace)} --cluster {DEV}")

    async def _bot_says(self, line: str) -> Said:
        answer = await self._bot.says(line, by=PERSON)
        words = answer.all_text
        if any(button.label == "Confirm" for button in answer.reply.buttons()):
            answer = await self._bot.clicks("Confirm", by=PERSON)
            words = f"{words}\n{answer.all_text}"
        return Said(words)


class RealKubectlSide(_Side):
    def __init__(self, api: Api, kubectl: Kubectl) -> None:
        super().__init__(api, "kubectl")
        self._kubectl = kubectl

    async def act(self, line: str, namespace: str) -> Said:
        printed = await self._kubectl.run(f"{line} -n {self._mine(namespace)}", code=None)
        return Said(printed.text, printed.code)


@dataclass(frozen=True)
class RealTwins:
    bot: RealBotSide
    kubectl: RealKubectlSide
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    def namespace(self) -> str:
        return f"{os.environ.get(_WORKER, 'gw')}-case-{next(self._numbers)}"


@asynccontextmanager
async def real_twins(folder: Path) -> AsyncIterator[RealTwins]:
    """Two sides of the real `dev`; what the bot and kubectl keep goes into `folder`."""
    async with real_cluster(DEV, folder) as cluster, bot_on((cluster,), folder) as bot:
        yield RealTwins(RealBotSide(cluster.api, bot), RealKubectlSide(cluster.api, cluster.kubectl()))
