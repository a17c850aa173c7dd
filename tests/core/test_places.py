"""Where a command speaks of and which app it means, decided from words, the channel and what the person may see."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import cast

import pytest

from bot.core.args import AppRef, Where
from bot.core.cluster import Reader
from bot.core.errors import Ambiguous, Forbidden, Judge, NotFound, Unavailable
from bot.core.places import UnknownApp, Wish, apps_of, match, resolve
from bot.core.plan import Place
from bot.core.workload import Kind, Status, Strategy, Workload


def workload(place: str, name: str, labels: Mapping[str, str] | None = None, kind: Kind = Kind.DEPLOYMENT) -> Workload:
    cluster, _, namespace = place.partition("/")
    at = Place(cluster, namespace)
    return Workload(
        kind=kind,
        ref=kind.ref(at, name),
        uid=f"{place}/{name}",
        generation=1,
        created=datetime(2026, 11, 1, tzinfo=UTC),
        labels=labels or {},
        annotations={},
        selector="",
        replicas=1,
        containers=(),
        strategy=Strategy(),
        status=Status(),
        paused=False,
        owner=None,
        edits=(),
        manifest={},
    )


class ClusterOf:
    """Reads the workloads it was given; `broken` makes every read fail."""

    def __init__(self, cluster: str, workloads: list[Workload], namespaces: tuple[str, ...], broken: bool) -> None:
        self.cluster = cluster
        self.workloads = self
        self._workloads = workloads
        self._namespaces = namespaces
        self._broken = broken
        self.reads: list[str | None] = []

    async def list(self, namespace: str | None) -> tuple[Workload, ...]:
        self.reads.append(namespace)
        if self._broken:
            raise Unavailable(f"{self.cluster} is down.")
        return tuple(item for item in self._workloads if namespace in (None, item.place.namespace))

    async def namespaces(self) -> tuple[str, ...]:
        if self._broken:
            raise Unavailable(f"{self.cluster} is down.")
        return self._namespaces


@dataclass
class Ground:
    backends: Mapping[str, ClusterOf]
    default: Place | None = None
    production_clusters: tuple[str, ...] = ("prod",)
    denied: tuple[str, ...] = ()
    closed: tuple[str, ...] = ()  # clusters that one sees, and may not do this on
    homes: Mapping[str, str] = field(default_factory=dict)

    def home(self, app: str) -> str:
        return self.homes.get(app, "")

    @property
    def clusters(self) -> tuple[str, ...]:
        return tuple(name for name in self.backends if name not in self.closed)

    @property
    def seen(self) -> tuple[str, ...]:
        return tuple(self.backends)

    async def reader(self, cluster: str) -> Reader:
        return cast("Reader", self.backends[cluster])

    def production(self, cluster: str) -> bool:
        return cluster in self.production_clusters

    def permit(self, place: Place) -> None:
        if str(place) in self.denied or place.cluster in self.closed:
            raise Forbidden(f"You may not see anything in {place}.", judge=Judge.POLICY)


def ground(
    *places_and_names: str, default: str = "", broken: tuple[str, ...] = (), denied: tuple[str, ...] = ()
) -> Ground:
    """`dev/shop:myapp` puts a Deployment there; a bare `dev/shop` only the namespace."""
    workloads: dict[str, list[Workload]] = {}
    namespaces: dict[str, dict[str, None]] = {}
    for item in places_and_names:
        where, _, name = item.partition(":")
        cluster, _, namespace = where.partition("/")
        namespaces.setdefault(cluster, {})[namespace] = None
        workloads.setdefault(cluster, []).extend([workload(where, name)] if name else [])
    backends = {
        cluster: ClusterOf(cluster, workloads[cluster], tuple(names), cluster in broken)
        for cluster, names in namespaces.items()
    }
    cluster, _, namespace = default.partition("/")
    return Ground(backends, Place(cluster, namespace) if default else None, denied=denied)


NOWHERE = Where()


def wish(app: str = "", where: Where = NOWHERE, *, writes: bool = False, namespaced: bool = True) -> Wish:
    return Wish(
        where, AppRef.parse(app) if app else None, writes, namespaced, lambda c, n: f"line --cluster {c} -n {n}"
    )


async def test_an_app_is_found_in_the_channels_default_place() -> None:
    target = await resolve(wish("myapp"), ground("dev/shop:myapp", "prod/shop:myapp", default="dev/shop"))

    assert target.place == Place("dev", "shop")
    assert target.app is not None
    assert [item.name for item in target.app.workloads] == ["myapp"]


async def test_a_said_cluster_keeps_the_default_namespace() -> None:
    where = Where(words=("prod",))

    target = await resolve(wish("myapp", where), ground("dev/shop:myapp", "prod/shop:myapp", default="dev/shop"))

    assert target.place == Place("prod", "shop")


async def test_an_app_that_the_policy_gives_a_home_is_looked_for_there_first() -> None:
    grounds = ground("dev/shop:db", "dev/data:db", default="dev/shop")
    grounds.homes = {"db": "data"}

    assert (await resolve(wish("db"), grounds)).place == Place("dev", "data")
    assert (await resolve(wish("db", Where(words=("shop",))), grounds)).place == Place("dev", "shop")


async def test_a_said_namespace_keeps_the_default_cluster() -> None:
    target = await resolve(
        wish("db", Where(words=("data",))), ground("dev/shop:db", "dev/data:db", "prod/x:y", default="dev/shop")
    )

    assert target.place == Place("dev", "data")


async def test_an_app_that_is_elsewhere_is_found_if_it_is_the_only_match() -> None:
    target = await resolve(wish("agent", writes=True), ground("dev/shop:myapp", "dev/ops:agent", default="dev/shop"))

    assert target.place == Place("dev", "ops")


async def test_a_write_never_falls_on_production_by_default() -> None:
    with pytest.raises(Ambiguous) as asked:
        await resolve(wish("ledger", writes=True), ground("dev/shop:myapp", "prod/shop:ledger", default="dev/shop"))

    assert [choice.line for choice in asked.value.choices] == ["line --cluster prod -n shop"]


async def test_a_write_may_fall_on_production_where_the_channel_is_productions_own() -> None:
    target = await resolve(wish("ledger", writes=True), ground("prod/shop:ledger", "dev/a:b", default="prod/shop"))

    assert target.place == Place("prod", "shop")


async def test_reading_may_fall_on_production() -> None:
    target = await resolve(wish("ledger"), ground("dev/shop:myapp", "prod/shop:ledger", default="dev/shop"))

    assert target.place == Place("prod", "shop")


async def test_several_matches_become_choices() -> None:
    with pytest.raises(Ambiguous) as asked:
        await resolve(wish("db"), ground("dev/data:db", "dev/ops:db", "dev/shop:x", default="dev/shop"))

    assert [choice.label for choice in asked.value.choices] == ["dev/data", "dev/ops"]


async def test_a_word_that_is_a_cluster_and_a_namespace_is_asked_about() -> None:
    with pytest.raises(Ambiguous, match="both a cluster and a namespace"):
        await resolve(wish("myapp", Where(words=("prod",))), ground("dev/prod:myapp", "prod/shop:myapp"))


async def test_an_unknown_app_gets_the_nearest_names() -> None:
    with pytest.raises(UnknownApp) as missing:
        await resolve(wish("myap"), ground("dev/shop:myapp", "dev/shop:cart", default="dev/shop"))

    assert missing.value.hint == "Did you mean `myapp`?"
    assert "cart" in missing.value.known


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (Where(cluster="prd"), "no cluster `prd`"),
        (Where(namespace="shpo"), "no namespace `shpo` on dev"),
        (Where(words=("shpo",)), "no cluster or namespace `shpo`"),
        (Where(words=("dev/shpo",)), "no namespace `shpo` on dev"),
    ],
)
async def test_an_unknown_place_gets_the_nearest_names(where: Where, message: str) -> None:
    with pytest.raises(NotFound, match=message) as missing:
        await resolve(wish("myapp", where), ground("dev/shop:myapp", "prod/shop:x", default="dev/shop"))

    assert "Did you mean" in missing.value.hint


async def test_the_place_said_twice_differently_is_refused() -> None:
    with pytest.raises(Ambiguous, match="You said both"):
        await resolve(wish("x", Where(cluster="dev", words=("prod",))), ground("dev/a:x", "prod/a:x"))


async def test_nothing_is_read_where_the_policy_denies() -> None:
    where = ground("dev/shop:myapp", default="dev/shop", denied=("dev/shop",))

    with pytest.raises(Forbidden):
        await resolve(wish("myapp"), where)

    assert where.backends["dev"].reads == []


@pytest.mark.parametrize("words", [("prod",), ("prod/shop",), ("prod", "shop"), ("shop", "prod")])
@pytest.mark.parametrize("closed", [("prod",), ("prod", "dev")])
async def test_a_cluster_that_one_sees_and_may_not_act_on_is_denied_and_not_unknown(
    words: tuple[str, ...], closed: tuple[str, ...]
) -> None:
    where = ground("dev/shop:myapp", "prod/shop:myapp", default="dev/shop")
    where.closed = closed

    with pytest.raises(Forbidden, match="in prod/shop"):
        await resolve(wish("myapp", Where(words=words)), where)

    assert where.backends["prod"].reads == []


async def test_a_broken_cluster_does_not_hide_the_others() -> None:
    with pytest.raises(Ambiguous) as asked:
        await resolve(wish("myapp"), ground("dev/shop:myapp", "old/shop:x", broken=("old",)))

    assert [choice.label for choice in asked.value.choices] == ["dev/shop"]


async def test_without_any_visible_cluster_it_says_so() -> None:
    with pytest.raises(NotFound, match="no cluster that you may see"):
        await resolve(wish("myapp"), Ground({}))


async def test_a_list_for_all_namespaces_has_no_namespace() -> None:
    target = await resolve(wish(where=Where(everywhere=True)), ground("dev/shop:x", default="dev/shop"))

    assert target.place == Place("dev", "")


def test_an_app_is_several_workloads_with_one_label() -> None:
    web = workload("dev/shop", "cart-web", {"app.kubernetes.io/part-of": "cart", "app": "cart-web"})
    worker = workload("dev/shop", "cart-worker", {"app.kubernetes.io/part-of": "cart"})
    alone = workload("dev/shop", "myapp")

    apps = apps_of(Place("dev", "shop"), [web, worker, alone])

    assert [(app.name, len(app.workloads)) for app in apps] == [("cart", 2), ("myapp", 1)]
    assert match(AppRef("cart"), [web, worker, alone]) == (web, worker)
    assert match(AppRef("cart-web"), [web, worker, alone]) == (web,)
    assert match(AppRef("cart-web", Kind.DEPLOYMENT), [web, worker, alone]) == (web,)
    assert match(AppRef("cart-web", Kind.STATEFUL_SET), [web, worker, alone]) == ()
