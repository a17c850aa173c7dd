"""The real control plane as tests use it: its API as an administrator, the bot and kubectl on it, fresh namespaces.

A test that uses any of this carries the marker `real` (`rigs.controlplane.around_pytest`).
"""

import asyncio
import json
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, replace
from functools import partial
from importlib import resources
from pathlib import Path
from string import Template
from typing import Final
from uuid import uuid4

import aiohttp
import yaml
from rigs.chat import Bot
from rigs.controlplane.api import MERGE, Api, Json, Refusal, login, path, path_of
from rigs.controlplane.credentials import ADMIN
from rigs.controlplane.location import SOCKET, Location, ask, locate
from rigs.line import Line
from rigs.oracle_kubectl import Kubectl
from rigs.process_ledger import MemoryLedger

from bot.app import SystemClock, pipeline_on
from bot.core.policy import Gate, Policy, PolicyDirectory
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.policy import demo_policy
from bot.demo.seed import APPS, KUBECTL
from bot.demo.seed_people import BOT
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.settings import Settings

DEV: Final = "dev"
PROD: Final = "prod"
LONE: Final = "lone"
"""A cluster for those who break it: its API server is killed while nobody else works there."""


@dataclass(frozen=True)
class Real:
    """One real cluster; `folder` keeps what kubectl and the bot keep."""

    at: Location
    api: Api
    folder: Path

    def kubeconfig(self, user: str, namespace: str = "default") -> Path:
        """Write a kubeconfig with one context, named like the cluster, as one of those who log in."""
        return write_login(self.folder / f"{uuid4()}.kubeconfig", (self.at,), user, namespace)

    def kubectl(self, user: str = ADMIN, namespace: str = "default") -> Kubectl:
        """kubectl, logged in as `user`."""
        return Kubectl(self.kubeconfig(user, namespace), self.folder)

    async def namespace(self, **labels: str) -> str:
        """Make a namespace that nobody has used before and return its name."""
        name = f"case-{uuid4().hex[:8]}"
        await self.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name, "labels": labels}})
        return name

    async def runs(self, namespace: str, *manifests: Json) -> None:
        """Create workloads in a namespace and wait until each has all its replicas ready."""
        for manifest in manifests:
            await self.api.create({**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}})
        await eventually(lambda: self._all_ready(namespace))

    async def seeded(self, *, anew: bool = False) -> None:
        """Let the demo's `myapp:v1` stand in its namespace, `shop`; `anew` without whatever was done to it before."""
        if anew:
            gone = {"propagationPolicy": "Foreground"}
            with suppress(Refusal):
                await self.api.ask("DELETE", f"{path('deployments.apps', 'shop')}/myapp", gone)
            await eventually(self._myapp_is_gone)
        await self._apply("myapp", "v1", KUBECTL)
        await eventually(lambda: self._all_ready("shop"))

    async def inhabited(self) -> None:
        """Let all of the demo's apps stand there, each at its newest release, applied by whom it is in the demo."""
        await self.seeded(anew=True)
        for app in APPS:
            if self.at.cluster in app.clusters:
                await self._apply(app.file, app.releases[-1].version, app.manager)
        for namespace in ("shop", "payments", "data", "ops"):
            await eventually(partial(self._all_ready, namespace))

    async def _apply(self, seed: str, version: str, manager: str) -> None:
        text = (resources.files("bot.demo") / "seeds" / f"{seed}.yaml").read_text()
        for manifest in yaml.safe_load_all(Template(text).safe_substitute(version=version)):
            try:
                await self.api.create(manifest, manager)
            except Refusal as no:
                if no.code != 409:
                    raise
                at = f"{path_of(manifest)}/{manifest['metadata']['name']}?fieldManager={manager}"
                await self.api.ask("PATCH", at, manifest, media=MERGE)

    async def _myapp_is_gone(self) -> bool:
        there = [*await self.api.list("deployments.apps", "shop"), *await self.api.list("pods", "shop")]
        return not any(one["metadata"].get("labels", {}).get("app") == "myapp" for one in there)

    async def _all_ready(self, namespace: str) -> bool:
        found = [
            *await self.api.list("deployments.apps", namespace),
            *await self.api.list("statefulsets.apps", namespace),
        ]
        return all(one["status"].get("readyReplicas", 0) == one["spec"]["replicas"] for one in found)

    async def forget_the_past(self) -> None:
        """Let etcd drop every version but the present, as the API server asks of it every five minutes."""
        async with aiohttp.ClientSession(trust_env=False) as session:
            async with session.post(f"{self.at.etcd}/v3/kv/range", json={"key": "AA=="}) as answer:
                now = (await answer.json())["header"]["revision"]
            async with session.post(f"{self.at.etcd}/v3/kv/compaction", json={"revision": now}) as answer:
                assert answer.status == 200, await answer.text()

    async def forget_everything(self, namespace: str) -> None:
        """Let nobody remember a version from before: neither etcd nor the API server, which starts anew."""
        meta = {"name": f"later-{uuid4()}", "namespace": namespace}
        await self.api.create({"apiVersion": "v1", "kind": "ConfigMap", "metadata": meta})
        await self.kill_apiserver()
        await self.forget_the_past()
        await self.revive_apiserver()

    def over(self, line: Line) -> "Real":
        """The same cluster, for whoever shall reach it over this line; `api` goes the direct way."""
        return replace(self, at=replace(self.at, url=line.url))

    async def kill_apiserver(self) -> None:
        await ask(os.environ[SOCKET], "kill", self.at.cluster)

    async def revive_apiserver(self) -> None:
        await ask(os.environ[SOCKET], "revive", self.at.cluster)

    def audit(self) -> list[Json]:
        """Every line of the audit log, oldest first."""
        return [json.loads(line) for line in Path(self.at.audit_log).read_text().splitlines()]


@asynccontextmanager
async def real_cluster(name: str, folder: Path) -> AsyncIterator[Real]:
    """The real cluster of this name; the rig starts it when nobody has asked for it before."""
    at = await locate(os.environ[SOCKET], name)
    async with login(at.url, at.ca_pem, at.tokens[ADMIN]) as api:
        yield Real(at, api, folder)


@asynccontextmanager
async def bot_on(
    clusters: Iterable[Real],
    folder: Path,
    *,
    policy: Policy | None = None,
    kubeconfig: Path | None = None,
    ledger: MemoryLedger | None = None,
) -> AsyncIterator[Bot]:
    """The bot on real clusters, with the demo's policy and its own token unless told otherwise."""
    places = [cluster.at for cluster in clusters]
    file = kubeconfig or write_login(folder / f"{uuid4()}.kubeconfig", places, BOT, "default")
    names = {place.cluster for place in places}
    rules = policy or demo_policy()
    rules = replace(rules, clusters=tuple(rule for rule in rules.clusters if rule.name in names))
    sources = {name: Kubeconfig(str(file), name) for name in names}
    settings = Settings.model_construct()
    async with pipeline_on(settings, sources, rules, PolicyDirectory(rules), ledger or MemoryLedger()) as pipeline:
        yield Bot(pipeline)


@asynccontextmanager
async def door_to(cluster: Real, user: str = ADMIN) -> AsyncIterator[KubeClusters]:
    """The Kubernetes door alone, as the kubeconfig's own user."""
    name = cluster.at.cluster
    options = Options(clock=SystemClock(), random=lambda: 0.0, agent="steersman/test")
    doors = await connect({name: Kubeconfig(str(cluster.kubeconfig(user)), name)}, options)
    try:
        yield doors
    finally:
        await doors.close()


def looked_at(policy: Policy) -> Policy:
    """The same policy, but that every write waits for its requester."""
    return replace(policy, gates=(Gate(reason="Look first."),))


async def eventually(holds: Callable[[], Awaitable[bool]], within: float = 15.0) -> None:
    """Wait until a condition of the cluster holds; fails after a deadline (seconds)."""
    async with asyncio.timeout(within):
        while not await holds():  # noqa: ASYNC110  # a cluster has no event for an arbitrary condition
            await asyncio.sleep(0.05)


def write_login(file: Path, places: Sequence[Location], user: str, namespace: str) -> Path:
    entries = [
        Entry(place.cluster, place.url, place.ca_pem, place.tokens[user], user.rpartition(":")[2], namespace)
        for place in places
    ]
    write_kubeconfig(file, entries)
    return file
