"""The demo's world at its start: two clusters with a past, and people with different rights."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml
from rigs.lab import DAEMONS, DEPLOYMENTS, SETS, STATEFUL

from bot.demo import seed
from bot.demo.access import Access, Attributes, User
from bot.demo.controllers.control_plane import ControlPlane
from bot.demo.controllers.tempo import FAST
from bot.demo.objects import Json, annotations_of, labels_of, moment, name_of
from bot.demo.seed import last_friday
from bot.demo.seed_people import BOT, CLUSTERS, PEOPLE
from bot.demo.status import Forbidden
from bot.demo.store import Store
from bot.demo.world import Dial, World


def world() -> World:
    return World(tempo=FAST, clock=lambda: datetime.now(UTC), new_uid=lambda: str(uuid.uuid4()))


@pytest.fixture(scope="module")
def stores() -> dict[str, Store]:
    """Return both clusters' objects as a visitor finds them."""
    return {name: lived(name) for name in CLUSTERS}


def lived(cluster: str) -> Store:
    dial = Dial(lambda: datetime.now(UTC))
    store = Store(dial, lambda: str(uuid.uuid4()))
    plane = ControlPlane(store, FAST)
    seed.play(store, plane, cluster, FAST, dial.turn)
    assert plane.loop.failures == 0
    return store


def workloads(store: Store) -> list[Json]:
    return [obj for resource in (DEPLOYMENTS, STATEFUL, DAEMONS) for obj in store.list(resource)]


async def test_the_world_comes_up_with_little_work() -> None:
    begun = time.process_time()
    async with world() as clusters:
        assert set(clusters.clusters) == {"dev", "prod"}
    assert time.process_time() - begun < 2  # seconds of the processor; about half a second on a quiet machine


@pytest.mark.parametrize("cluster", CLUSTERS)
def test_everything_is_rolled_out(stores: dict[str, Store], cluster: str) -> None:
    for obj in workloads(stores[cluster]):
        status = obj["status"]
        assert status["observedGeneration"] == obj["metadata"]["generation"]
        ready = status.get("readyReplicas", status.get("numberReady"))
        assert ready == obj["spec"].get("replicas", status.get("desiredNumberScheduled")), name_of(obj)
    assert {pod["status"]["phase"] for pod in stores[cluster].list("pods")} == {"Running"}


def test_myapp_runs_as_v1_since_friday_with_all_that_belongs_to_it(stores: dict[str, Store]) -> None:
    for store in stores.values():
        myapp = store.get(DEPLOYMENTS, "shop", "myapp")
        assert myapp["spec"]["template"]["spec"]["containers"][0]["image"] == "myapp:v1"
        since = moment(myapp["metadata"]["creationTimestamp"])
        assert since.weekday() == 4
        assert timedelta(0) < datetime.now(UTC) - since < timedelta(days=8)
        for resource in ("services", "ingresses.networking.k8s.io", "horizontalpodautoscalers.autoscaling"):
            assert store.find(resource, "shop", "myapp") is not None
        assert store.get("persistentvolumeclaims", "shop", "myapp-data")["status"]["phase"] == "Bound"
        assert store.find("configmaps", "shop", "myapp-config") is not None
        assert store.find("secrets", "shop", "myapp-secrets") is not None
        assert store.get("services", "shop", "myapp")["status"]["loadBalancer"]["ingress"]


def test_some_apps_have_older_revisions_and_all_pods_are_older_than_an_hour(stores: dict[str, Store]) -> None:
    store = stores["prod"]
    revisions = {
        annotations_of(one)["deployment.kubernetes.io/revision"]
        for one in store.list(SETS, "payments")
        if labels_of(one).get("app") == "payments"
    }
    assert revisions == {"1", "2", "3"}
    assert len(store.list("controllerrevisions.apps", "data")) == 2
    recent = datetime.now(UTC) - timedelta(hours=1)
    assert all(moment(pod["metadata"]["creationTimestamp"]) < recent for pod in store.list("pods"))


def test_one_app_is_in_dev_only_and_the_owners_of_others_have_signed(stores: dict[str, Store]) -> None:
    dev, prod = stores["dev"], stores["prod"]
    assert dev.find(DEPLOYMENTS, "shop", "recommender") is not None
    assert prod.find(DEPLOYMENTS, "shop", "recommender") is None
    managers = {
        name: {entry["manager"] for entry in prod.get(DEPLOYMENTS, space, name)["metadata"]["managedFields"]}
        for space, name in (("ops", "grafana"), ("shop", "storefront"), ("shop", "cart-web"))
    }
    assert managers["grafana"] >= {"helm"}
    assert managers["storefront"] >= {"argocd-controller"}
    assert managers["cart-web"] >= {"kubectl-client-side-apply"}


@pytest.mark.parametrize(
    ("today", "friday"),
    [("2026-11-23", "2026-11-20"), ("2026-11-20", "2026-11-13"), ("2026-11-21", "2026-11-20")],
)
def test_last_friday_is_before_today(today: str, friday: str) -> None:
    assert last_friday(datetime.fromisoformat(today).replace(tzinfo=UTC)).date().isoformat() == friday


PATCH_DEPLOYMENT = Attributes("patch", "apps", "deployments", "", "shop", "myapp")
LIST_PODS = Attributes("list", "", "pods", "", "shop")
GET_SECRET = Attributes("get", "", "secrets", "", "shop", "myapp-secrets")
CORDON = Attributes("patch", "", "nodes", "", "", "x")


@pytest.mark.parametrize(
    ("name", "cluster", "allowed"),
    [
        ("alice", "dev", {"deploy", "look"}),
        ("alice", "prod", {"look"}),
        ("bob", "dev", {"deploy", "look"}),
        ("bob", "prod", {"deploy", "look"}),
        ("carol", "dev", {"look"}),
        ("carol", "prod", {"look"}),
        ("eve", "dev", set()),
        ("eve", "prod", set()),
    ],
)
def test_what_each_person_may_do(stores: dict[str, Store], name: str, cluster: str, allowed: set[str]) -> None:
    person = next(person for person in PEOPLE if person.name == name)
    user = User(name, person.groups.get(cluster, ()))
    wanted = {"deploy": PATCH_DEPLOYMENT, "look": LIST_PODS, "cordon": CORDON, "secret": GET_SECRET}
    access = Access(stores[cluster])
    assert {word for word, attributes in wanted.items() if access.decide(user, attributes).allowed} == allowed


@pytest.mark.parametrize(
    ("headers", "is_allowed"),
    [
        ([("Impersonate-User", "alice")], True),
        ([("Impersonate-User", "alice"), ("Impersonate-Group", "steersman:sre")], True),
        ([("Impersonate-User", "alice"), ("Impersonate-Group", "steersman:deployer")], False),  # nobody's, in prod
        ([("Impersonate-User", "eve")], False),
        ([("Impersonate-User", "alice"), ("Impersonate-Group", "system:masters")], False),
        ([("Impersonate-User", "system:admin")], False),
        ([("Impersonate-User", "alice"), ("Impersonate-Uid", "1")], False),
    ],
)
def test_the_bot_may_only_speak_for_the_people_it_knows(
    stores: dict[str, Store], headers: list[tuple[str, str]], is_allowed: bool
) -> None:
    access = Access(stores["prod"])
    if is_allowed:
        assert access.impersonate(User(BOT), headers).name == "alice"
    else:
        with pytest.raises(Forbidden):
            access.impersonate(User(BOT), headers)


def test_the_bot_itself_may_do_nothing(stores: dict[str, Store]) -> None:
    access = Access(stores["dev"])
    for attributes in (PATCH_DEPLOYMENT, LIST_PODS, GET_SECRET, CORDON):
        assert not access.decide(User(BOT), attributes).allowed


async def test_the_kubeconfig_has_a_context_for_each_cluster_and_is_private(tmp_path: Path) -> None:
    path = tmp_path / "config"
    async with world() as clusters:
        clusters.write_kubeconfig(path)
    written = yaml.safe_load(path.read_text())
    assert [context["name"] for context in written["contexts"]] == ["dev", "prod"]
    assert written["current-context"] == "dev"
    assert path.stat().st_mode & 0o077 == 0


def test_who_applied_an_app_did_so_when_its_newest_version_came(stores: dict[str, Store]) -> None:
    edits = stores["dev"].get(DEPLOYMENTS, "shop", "cart-web")["metadata"]["managedFields"]
    applied = next(edit for edit in edits if edit["manager"] == "kubectl-client-side-apply")
    assert timedelta(days=11) < datetime.now(UTC) - moment(applied["time"]) < timedelta(days=13)
