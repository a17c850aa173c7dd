"""The start-up audit on the embedded clusters: the bot's own login is looked at before anybody is spoken for."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

import pytest
from rigs.weather import Weather
from rigs.whole_bot import AGENT, Ahead, small_world
from rigs.wire import Standstill

from bot.app import new_uid
from bot.core.cluster import Reach, Right, Stamp
from bot.core.errors import Forbidden, SteersmanError, Unavailable
from bot.core.people import Impersonated, KubeconfigUser
from bot.core.plan import Absent, ClusterWrite, ObjectRef, PatchType, Verb
from bot.demo import admission
from bot.demo.controllers.tempo import FAST
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.objects import Json
from bot.demo.policy import demo_policy
from bot.demo.seed_people import BOT
from bot.demo.world import ADMIN, World
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.rbac.selfaudit import ask_again, named_namespaces, refuse_overprivileged

RBAC = "rbac.authorization.k8s.io"
SECRETS: Json = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}
ALICE = Impersonated("alice", ("steersman:viewer",))
SPACES = named_namespaces(demo_policy())


@asynccontextmanager
async def door(world: World, folder: Path, user: str = BOT) -> AsyncIterator[KubeClusters]:
    """Both clusters, as one of those who log in."""
    path = folder / "kubeconfig"
    world.write_kubeconfig(path, user)
    async with opened(path, world) as clusters:
        yield clusters


@asynccontextmanager
async def opened(path: Path, world: World) -> AsyncIterator[KubeClusters]:
    sources = {name: Kubeconfig(str(path), name) for name in world.clusters}
    clusters = await connect(sources, Options(Ahead(), lambda: 0.0, agent=AGENT, deadline=5.0))
    try:
        yield clusters
    finally:
        await clusters.close()


def give(world: World, kind: str, rule: Json, namespace: str = "") -> None:
    """Bind one more right to the bot itself, on prod."""
    store = world.clusters["prod"].store
    meta = {"name": "too-much", **({"namespace": namespace} if namespace else {})}
    resource = f"{kind.lower()}s.{RBAC}"
    admission.create(
        store, resource, {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": dict(meta), "rules": [rule]}
    )
    admission.create(
        store,
        f"{kind.lower()}bindings.{RBAC}",
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": dict(meta),
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": "too-much"},
            "subjects": [{"kind": "ServiceAccount", "name": "steersman", "namespace": "steersman"}],
        },
    )


def quiet(cluster: str, error: SteersmanError) -> None:
    raise AssertionError(f"{cluster}: {error.message}")


async def test_the_demos_bot_has_no_more_than_it_needs(tmp_path: Path) -> None:
    async with small_world() as world, door(world, tmp_path) as clusters:
        assert await refuse_overprivileged(clusters, SPACES, allowed=False, told=quiet) == ()


@pytest.mark.parametrize(("kind", "namespace", "where"), [("ClusterRole", "", ""), ("Role", "shop", " in shop")])
async def test_a_bot_that_may_read_secrets_somewhere_does_not_start(
    kind: str, namespace: str, where: str, tmp_path: Path
) -> None:
    async with small_world() as world, door(world, tmp_path) as clusters:
        give(world, kind, SECRETS, namespace)

        with pytest.raises(Forbidden) as refused:
            await refuse_overprivileged(clusters, SPACES, allowed=False, told=quiet)

        told = refused.value.message
        assert told == (f"On prod Steersman's own login may do what no bot should: read Secrets{where} (get secrets).")


async def test_an_administrators_login_does_not_start(tmp_path: Path) -> None:
    async with small_world() as world, door(world, tmp_path, ADMIN) as clusters:
        with pytest.raises(Forbidden, match="speak as an administrator of the cluster"):
            await refuse_overprivileged(clusters, SPACES, allowed=False, told=quiet)


async def test_nobody_is_spoken_for_on_a_cluster_that_could_not_be_asked(tmp_path: Path) -> None:
    told: list[str] = []
    path = tmp_path / "kubeconfig"
    async with small_world("web") as world, Weather(world.clusters["prod"]) as prod:
        dev = world.clusters["dev"]
        entries = [
            Entry("dev", dev.url, dev.ca_pem, dev.token(BOT), "steersman"),
            Entry("prod", prod.url, prod.ca_pem, prod.cluster.token(BOT), "steersman"),
        ]
        write_kubeconfig(path, entries)
        async with opened(path, world) as clusters:
            await prod.down()
            barred = await refuse_overprivileged(
                clusters, SPACES, allowed=False, told=lambda cluster, error: told.append(f"{cluster}: {error.message}")
            )
            await prod.up()

            assert barred == ("prod",)
            assert told[0].startswith("prod: prod is not served yet")
            assert await clusters.reader("dev", ALICE, Reach(("*",))).pods.list("shop")
            with pytest.raises(Unavailable, match="is not served yet"):
                await clusters.reader("prod", ALICE, Reach(("*",))).pods.list("shop")
            with pytest.raises(Unavailable, match="is not served yet"):
                await clusters.writer("prod", ALICE).send(
                    PAUSE, resource_version="", stamp=Stamp("a", new_uid()), dry_run=True
                )

            await ask_again(clusters, barred, SPACES, clock=Standstill(), told=quiet)

            assert await clusters.reader("prod", ALICE, Reach(("*",))).pods.list("shop")


async def test_the_bot_itself_may_ask_even_where_nobody_is_served(tmp_path: Path) -> None:
    async with small_world() as world, door(world, tmp_path) as clusters:
        clusters.bar("prod", Unavailable("closed"))

        reader = clusters.reader("prod", KubeconfigUser(), Reach(("*",)))
        assert not (await reader.can(Right("get", "", "secrets"), "")).allowed


async def test_the_audit_costs_a_start_little(tmp_path: Path) -> None:
    async with (
        World(tempo=FAST, clock=lambda: datetime.now(UTC), new_uid=new_uid) as world,
        door(world, tmp_path) as clusters,
    ):
        before = datetime.now(UTC)
        await refuse_overprivileged(clusters, SPACES, allowed=False, told=quiet)
        took = (datetime.now(UTC) - before).total_seconds()

    assert took < 1.0  # a third of the budget of a start, on a busy machine; 0.06 s on a quiet one


WEB = ObjectRef("prod", "apps/v1", "Deployment", "deployments", "shop", "web")
PAUSE = ClusterWrite(WEB, Verb.PATCH, {"spec": {"paused": True}}, PatchType.MERGE, Absent())
