"""The whole bot on embedded clusters, with a policy, a clock, a ledger and weather of the test's choice."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import aiohttp
from rigs.apiserver import eventually
from rigs.chat import Bot, counter
from rigs.process_ledger import MemoryLedger
from rigs.weather import Weather

import commands
from bot.app import new_uid
from bot.core.command import Registry
from bot.core.follow import Limits as FollowLimits
from bot.core.ledger import ActionRecord, State
from bot.core.people import Directory
from bot.core.pipeline import Limits, Pipeline
from bot.core.policy import Grant, Policy, PolicyDirectory
from bot.demo import admission
from bot.demo.controllers.tempo import FAST, Tempo
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.objects import Json, name_of, namespace_of
from bot.demo.policy import demo_policy
from bot.demo.seed_people import BOT
from bot.demo.store import Store
from bot.demo.world import World
from bot.kube.clusters import Options, connect
from bot.kube.credentials import Kubeconfig

AGENT = "steersman/test"


@dataclass
class Ahead:
    """The real clock, with its hands moved on by `by`."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


class OpenLedger(MemoryLedger):
    """A ledger that can be looked into."""

    @property
    def actions(self) -> tuple[ActionRecord, ...]:
        return tuple(self._actions.values())

    @property
    def last(self) -> ActionRecord:
        return self.actions[-1]

    @property
    def states(self) -> list[State]:
        return [action.state for action in self.actions]


@dataclass
class Whole:
    """One bot and all that it stands on. `token` is its own on dev; `bugs` are what was reported."""

    bot: Bot
    world: World
    pipeline: Pipeline
    ledger: OpenLedger
    clock: Ahead
    weather: Mapping[str, Weather]
    token: str
    bugs: list[tuple[str, Exception]] = field(default_factory=list)

    async def alone(self, method: str, path: str, *, as_user: str = "", as_groups: Sequence[str] = ()) -> int:
        """The status that dev answers to the bot's bare token, or to whom it says it speaks for."""
        headers = [("Authorization", f"Bearer {self.token}"), *(("Impersonate-Group", group) for group in as_groups)]
        if as_user:
            headers.append(("Impersonate-User", as_user))
        cluster = self.world.clusters["dev"]
        tls = ssl.create_default_context(cadata=cluster.ca_pem)
        async with (
            aiohttp.ClientSession() as session,
            session.request(method, cluster.url + path, headers=headers, ssl=tls) as answer,
        ):
            return answer.status

    @property
    def dev(self) -> Weather:
        return self.weather["dev"]

    @property
    def prod(self) -> Weather:
        return self.weather["prod"]


@asynccontextmanager
async def whole_bot(
    world: World,
    *,
    policy: Policy | None = None,
    directory: Directory | None = None,
    registry: Registry | None = None,
    deadline: float = 5.0,
    answer: timedelta = timedelta(seconds=20),
    follow: FollowLimits | None = None,
) -> AsyncIterator[Whole]:
    """A bot that reaches each cluster through its own weather. `deadline` is in seconds, of one request."""
    async with AsyncExitStack() as stack:
        weather = {name: await stack.enter_async_context(Weather(cluster)) for name, cluster in world.clusters.items()}
        tokens = {name: cluster.token(BOT) for name, cluster in world.clusters.items()}
        path = Path(stack.enter_context(TemporaryDirectory(prefix="steersman-test-"))) / "kubeconfig"
        write_kubeconfig(
            path,
            [Entry(name, sky.url, sky.ca_pem, tokens[name], "steersman") for name, sky in weather.items()],
        )
        clock, ledger, rules = Ahead(), OpenLedger(), policy or demo_policy()
        clusters = await connect(
            {name: Kubeconfig(str(path), name) for name in weather},
            Options(clock=clock, random=lambda: 0.0, agent=AGENT, deadline=deadline),
        )
        stack.push_async_callback(clusters.close)
        bugs: list[tuple[str, Exception]] = []
        pipeline = Pipeline(
            registry=registry or Registry.of(commands),
            policy=rules,
            directory=directory or PolicyDirectory(rules),
            clusters=clusters,
            ledger=ledger,
            clock=clock,
            new_id=counter("a"),
            new_audit_id=new_uid,
            report=lambda reference, error: bugs.append((reference, error)),
            limits=Limits(answer=answer, follow=follow or FollowLimits()),
        )
        stack.push_async_callback(pipeline.close)
        yield Whole(Bot(pipeline), world, pipeline, ledger, clock, weather, tokens["dev"], bugs)


@asynccontextmanager
async def small_world(*apps: str, replicas: int = 3, tempo: Tempo = FAST) -> AsyncIterator[World]:
    """Both clusters without their past: only these apps run in `shop`, each at v1 of an image of its name."""
    async with World(tempo=tempo, clock=lambda: datetime.now(UTC), new_uid=new_uid, seeded=False) as world:
        for cluster in world.clusters.values():
            for app in apps:
                admission.create(cluster.store, "deployments.apps", deployment(app, replicas))
        for cluster in world.clusters.values():
            for app in apps:
                await eventually(partial(_up, cluster.store, app, replicas))
        yield world


def deployment(app: str, replicas: int = 3) -> Json:
    """A Deployment in `shop` with one container named like the app."""
    labels = {"app": app}
    containers = [{"name": app, "image": f"{app}:v1"}]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": app, "namespace": "shop", "labels": labels},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": {"containers": containers}},
        },
    }


def _up(store: Store, app: str, replicas: int) -> bool:
    status = store.get("deployments.apps", "shop", app).get("status") or {}
    return bool(status.get("availableReplicas") == replicas and status.get("observedGeneration"))


def unbind(world: World, *groups: str) -> None:
    """Take every right from these groups on dev."""
    store = world.clusters["dev"].store
    for resource in ("clusterrolebindings.rbac.authorization.k8s.io", "rolebindings.rbac.authorization.k8s.io"):
        for binding in store.list(resource):
            if any(subject["name"] in groups for subject in binding.get("subjects") or ()):
                store.delete(resource, namespace_of(binding), name_of(binding))


def granted(*more: Grant) -> Policy:
    """The demo's policy with further grants."""
    base = demo_policy()
    return replace(base, grants=(*base.grants, *more))
