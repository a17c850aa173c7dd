"""What the ledger keeps of an action that is under way: no body that holds a secret, and a resumption that knows it."""

from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.core.cluster import Clusters, Stamp, Writer, Written
from bot.core.deed import Work
from bot.core.errors import Refused, Stale
from bot.core.execute import Executor, Interrupted, Resumption
from bot.core.offer import Offer
from bot.core.people import Identity, Impersonated
from bot.core.plan import ClusterWrite, Json, ObjectRef, PatchType, Plan, Preview, Risk, Verb, pick, same

ALICE = Impersonated("alice")
REF = ObjectRef("dev", "apps/v1", "Deployment", "deployments", "shop", "bank")
HIDDEN = "hunter2-and-more"
IMAGE = "spec.template.spec.containers[name=bank].image"
STAMPS = (Stamp("a1", "audit-1"),)


def body(*env: Json) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": "bank", "image": "bank:v1", "env": list(env)}]}}}}


class OneObject:
    """A cluster with one object, which takes no write."""

    def __init__(self) -> None:
        self.manifest: dict[str, Any] = {"metadata": {"uid": "u1"}, **body()}

    def writer(self, cluster: str, identity: Identity) -> Writer:
        return cast("Writer", self)

    async def read(self, target: ObjectRef) -> Json:
        return self.manifest

    async def send(self, write: ClusterWrite, **_: object) -> Written:
        raise AssertionError(f"{write.body} was sent")


class Still:
    def now(self) -> datetime:
        return datetime(2026, 11, 24, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        return None


def work(manifest: Json, change: Json) -> Work:
    write = ClusterWrite(REF, Verb.PATCH, change, PatchType.STRATEGIC, same("u1", manifest, IMAGE))
    return Work(Offer(Plan("Undo bank", (write,), Risk.CHANGE), Preview(())), STAMPS)


async def resumed(cluster: OneObject, kept: Work) -> None:
    async def held(step: int, signature: str) -> None:
        return None

    async def overtaken(target: ObjectRef) -> bool:
        return False

    executor = Executor(cast("Clusters", cluster), Still())
    await executor.resume(kept.offer.plan, ALICE, STAMPS, held, Resumption(True, ("",), overtaken))


def test_a_change_without_secrets_is_kept_whole() -> None:
    plain = work(OneObject().manifest, body({"name": "COLOR", "value": "blue"}))

    assert Work.read(plain.written()) == plain


def test_a_change_that_holds_a_secret_is_kept_without_its_body() -> None:
    kept = work(OneObject().manifest, body({"name": "DB_PASSWORD", "value": HIDDEN})).written()

    assert HIDDEN not in kept
    (step,) = Work.read(kept).offer.plan.steps
    assert (step.target, step.body) == (REF, {})


async def test_it_is_recognised_after_a_restart_when_it_was_done() -> None:
    cluster = OneObject()
    kept = Work.read(work(cluster.manifest, body({"name": "DB_PASSWORD", "value": HIDDEN})).written())
    cluster.manifest["metadata"]["annotations"] = {"steersman.dev/action-id": "a1"}

    await resumed(cluster, kept)

    assert pick(cluster.manifest, "metadata.uid") == "u1"


async def test_it_is_not_done_after_a_restart_when_it_was_not() -> None:
    cluster = OneObject()
    kept = Work.read(work(cluster.manifest, body({"name": "DB_PASSWORD", "value": HIDDEN})).written())

    with pytest.raises(Interrupted, match="keep no change that holds secrets") as stopped:
        await resumed(cluster, kept)

    assert isinstance(stopped.value.cause, Refused)
    assert stopped.value.hint == "Run the command again."


async def test_what_somebody_changed_since_is_stale_all_the_same() -> None:
    cluster = OneObject()
    kept = Work.read(work(cluster.manifest, body({"name": "DB_PASSWORD", "value": HIDDEN})).written())
    cluster.manifest["spec"]["template"]["spec"]["containers"][0]["image"] = "bank:v9"

    with pytest.raises(Interrupted) as stopped:
        await resumed(cluster, kept)

    assert isinstance(stopped.value.cause, Stale)
