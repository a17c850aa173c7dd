"""Replicas of the service on one database and one embedded cluster: started, asked, killed, frozen, started again.

The cluster lives in the test's process, the replicas are processes of their own (`rigs.replica_main`). Each request is
delivered as Slack would: again, to any of them, until one has acknowledged it.
"""

import asyncio
import json
import signal
from collections import deque
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from random import Random
from typing import Any, Final, TypeAlias

from rigs.apiserver import eventually
from rigs.replica import STARTS_WITHIN, Replica, until
from rigs.replica_main import Config
from rigs.whole_bot import deployment, small_world

import commands
from bot.core.command import Registry
from bot.core.request import Request
from bot.demo import admission
from bot.demo.server import EmbeddedCluster
from bot.demo.store import Store as ClusterStore
from bot.demo.world import World
from bot.policyfile.load import load
from bot.rbac.manifests import manifests

LEASE: Final = 2.0
"""Seconds: short, so that a test need not wait for long until a dead process is taken over."""
_REPLICAS: Final = 2
_FOLLOWED: Final = 15.0  # seconds; what is scaled up with a bad image has no deadline, and never ends by itself
_DEADLINE: Final = 4  # seconds until a rollout that cannot go on has failed

POLICY: Final = """\
version: 1
name: the rig's policy
clusters: {dev: {environment: development}}
people:
  alice: {name: alice, user: alice}
  bob: {name: bob, user: bob}
  eve: {name: eve, user: eve}
roles:
  viewer: {commands: [reads]}
  deployer: {commands: [reads, "*"]}
grants:
  - {people: [alice, bob], role: deployer, clusters: [dev], namespaces: [shop]}
gates:
  - {risk: danger, confirm: true, reason: This takes something out of service.}
channels:
  shop: {cluster: dev, namespace: shop}
  night: {cluster: dev, namespace: shop}
  sre: {cluster: dev, namespace: shop}
  web: {cluster: dev, namespace: shop}
"""

_CHANNELS: Final = ("shop", "night", "sre", "web")

Post: TypeAlias = dict[str, Any]
"""One line that a replica posted: key, version, handle, headline, tone, buttons (label to id), pid …"""


@dataclass
class Fleet:
    """Replicas by their places. `asked` are the requests that were acknowledged, `apps` what they may change."""

    nursery: Path
    config: Config
    world: World
    apps: Sequence[str]
    random: Random
    replicas: dict[int, Replica] = field(default_factory=dict)
    asked: dict[str, Request] = field(default_factory=dict)
    _born: list[Replica] = field(default_factory=list)
    _asking: set[asyncio.Task[None]] = field(default_factory=set)
    _presses: dict[str, list[str]] = field(default_factory=dict)
    _ids: int = 0

    @property
    def cluster(self) -> EmbeddedCluster:
        return self.world.clusters["dev"]

    @property
    def posts(self) -> list[Post]:
        """All that was posted, oldest first."""
        file = Path(self.config.posts)
        lines = file.read_text().splitlines(keepends=True) if file.exists() else []
        return [json.loads(line) for line in lines if line.endswith("\n")]

    @property
    def logs(self) -> str:
        """What the replicas wrote to standard error."""
        file = Path(self.config.log)
        return file.read_text() if file.exists() else ""

    @property
    def asking(self) -> int:
        """How many requests nobody has acknowledged yet."""
        return len(self._asking)

    async def start(self, place: int) -> Replica:
        """Start the replica of a place (again) and wait until it serves."""
        replica = await Replica.born(self.nursery, self.config)
        self._born.append(replica)
        self.replicas[place] = replica
        await until(lambda: replica.ready.is_set() or not replica.alive, STARTS_WITHIN)
        assert replica.ready.is_set(), f"replica {place} did not start:\n{self.logs[-3000:]}"
        return replica

    def ask(
        self, text: str = "", *, by: str = "alice", button: str = "", first: int | None = None, name: str = ""
    ) -> str:
        """Deliver a line or a press until it is acknowledged, at first to the replica of a place; returns its id."""
        self._ids += 1
        request = Request(name or f"r{self._ids}", by, self.random.choice(_CHANNELS), text, button)
        task = asyncio.create_task(self._deliver(request, first), name=f"deliver {request.id}")
        self._asking.add(task)
        task.add_done_callback(self._asking.discard)
        return request.id

    async def _deliver(self, request: Request, first: int | None) -> None:
        while True:
            place = self.random.choice(list(self.replicas)) if first is None else first
            if await self.replicas[place].accepts(request):
                self.asked[request.id] = request
                return
            first = None
            await asyncio.sleep(0.05)

    async def press(self) -> None:
        """Press each Confirm that is shown, as whom it is shown to; again after a trouble of the moment."""
        while True:
            newest = {post["key"]: post for post in self.posts}
            for post in newest.values():
                button = post["buttons"].get("Confirm")
                presses = self._presses.setdefault(post["key"], [])
                answered = all(key in newest and newest[key]["tone"] == "warn" for key in presses)
                if button and answered:
                    presses.append(f"press{len(presses)}-{post['key']}")
                    self.ask(by=post["actor"], button=button, name=presses[-1])
            await asyncio.sleep(0.05)

    def write_policy(self, text: str) -> None:
        Path(self.config.policy).write_text(text)

    async def close(self) -> None:
        for task in self._asking:
            task.cancel()
        for replica in self._born:
            replica.signal(signal.SIGKILL)
            await replica.ends()


@dataclass(frozen=True, slots=True)
class Fleets:
    """Makes fleets: `nursery` is the socket where replicas are born, `folder` where what they share is kept."""

    nursery: Path
    folder: Path

    @property
    def sqlite(self) -> str:
        """The address of a database in a file."""
        return f"sqlite:///{self.folder}/steersman.db"

    @asynccontextmanager
    async def of(
        self, count: int, database: str, apps: Sequence[str], *, seed: int = 1, lease: float = LEASE
    ) -> AsyncIterator[Fleet]:
        """So many replicas on a database and on a cluster where these apps run; somebody presses each Confirm."""
        folder = self.folder
        async with AsyncExitStack() as stack:
            world = await stack.enter_async_context(small_world())
            await _prepare(world, apps)
            (folder / "policy.yaml").write_text(POLICY)
            world.write_kubeconfig(folder / "kubeconfig")
            config = Config(
                database=database,
                kubeconfig=str(folder / "kubeconfig"),
                clusters=("dev",),
                policy=str(folder / "policy.yaml"),
                posts=str(folder / "posts.jsonl"),
                log=str(folder / "replicas.log"),
                lease=lease,
                follow_limit=_FOLLOWED,
            )
            fleet = Fleet(self.nursery, config, world, apps, Random(seed))  # noqa: S311 - the same case at every run
            stack.push_async_callback(fleet.close)
            await asyncio.gather(*(fleet.start(place) for place in range(count)))
            pressing = asyncio.create_task(fleet.press(), name="press")
            stack.callback(pressing.cancel)
            yield fleet
            assert world.failures == 0


async def _prepare(world: World, apps: Sequence[str]) -> None:
    """Let the apps run, give the cluster the policy's rights, and let its audit log forget nothing."""
    cluster = world.clusters["dev"]
    cluster.audit = deque(cluster.audit)
    grant(world, POLICY)
    for app in apps:
        body = deployment(app, _REPLICAS)
        admission.create(
            cluster.store, "deployments.apps", {**body, "spec": {**body["spec"], "progressDeadlineSeconds": _DEADLINE}}
        )
    for app in apps:
        await eventually(partial(_up, cluster.store, app))


def grant(world: World, policy: str) -> None:
    """Give the cluster the rights that a policy needs, as `steersman rbac` makes them."""
    registry = Registry.of(commands)
    world.grant("dev", [dict(one.body) for one in manifests(load(policy.encode(), registry), registry, "dev")])


def _up(store: ClusterStore, app: str) -> bool:
    status = store.get("deployments.apps", "shop", app).get("status") or {}
    return bool(status.get("availableReplicas") == _REPLICAS)
