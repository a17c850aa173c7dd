"""From a plan to the cluster: nothing is overwritten, and after a lost answer the object itself is asked."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, cast

import pytest

from bot.core.cluster import Clusters, Stamp, Writer, Written
from bot.core.errors import (
    Forbidden,
    NotFound,
    Stale,
    SteersmanError,
    Superseded,
    TimedOut,
    TooManyRequests,
    Unavailable,
)
from bot.core.execute import Executor, Interrupted, Resumption, Step
from bot.core.people import Identity, Impersonated
from bot.core.plan import Absent, ClusterWrite, Json, ObjectRef, PatchType, Plan, Risk, Verb, same

ALICE = Impersonated("alice")
REF = ObjectRef("dev", "apps/v1", "Deployment", "deployments", "shop", "myapp")
ANNOTATION = "steersman.dev/action-id"
STAMPS = (Stamp("a1", "audit-1"),)


class StillClock:
    """Time passes only where somebody sleeps."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@dataclass
class OneObject:
    """A cluster with one object. `before_send` runs first at every write: it may change the object or raise."""

    manifest: dict[str, Any]
    before_send: list[Callable[["OneObject"], None]] = field(default_factory=list)
    after_send: list[Callable[["OneObject"], None]] = field(default_factory=list)
    sent: list[str] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    exists: bool = True

    def writer(self, cluster: str, identity: Identity) -> Writer:
        self.identities.append(identity)
        return cast("Writer", self)

    async def read(self, target: ObjectRef) -> Json:
        if not self.exists:
            raise NotFound(f"There is no {target}.")
        return self.manifest

    async def send(self, write: ClusterWrite, *, resource_version: str, stamp: Stamp | None, dry_run: bool) -> Written:
        if self.before_send:
            self.before_send.pop(0)(self)
        if resource_version != self.manifest["metadata"]["resourceVersion"]:
            raise Stale("The object was changed.")
        image = write.body["spec"]
        after = {**self.manifest, "spec": image}
        if not dry_run:
            annotations = {ANNOTATION: stamp.action} if stamp else {}
            metadata = {
                **self.manifest["metadata"],
                "resourceVersion": "9",
                "generation": 2,
                "annotations": annotations,
            }
            self.manifest = {**after, "metadata": metadata}
            self.sent.append(stamp.audit if stamp else "")
            after = self.manifest
        if self.after_send:
            self.after_send.pop(0)(self)
        return Written(after, ("deprecated",))


def cluster(**faults: Any) -> OneObject:
    return OneObject(
        {"kind": "Deployment", "metadata": {"uid": "u1", "resourceVersion": "1"}, "spec": {"image": "v1"}}, **faults
    )


def plan(manifest: Json, image: str = "v2") -> Plan:
    write = ClusterWrite(
        REF, Verb.PATCH, {"spec": {"image": image}}, PatchType.MERGE, same("u1", manifest, "spec.image")
    )
    return Plan("Deploy", (write,), Risk.CHANGE)


def executor(backend: OneObject, clock: StillClock | None = None) -> Executor:
    return Executor(cast("Clusters", backend), clock or StillClock())


async def held(step: int, signature: str) -> None:
    """The work is ours."""


def bump(backend: OneObject, **spec: str) -> None:
    """Somebody else writes: a status by default, the spec if one is given."""
    metadata = {
        **backend.manifest["metadata"],
        "resourceVersion": str(int(backend.manifest["metadata"]["resourceVersion"]) + 1),
    }
    backend.manifest = {**backend.manifest, "metadata": metadata, "spec": spec or backend.manifest["spec"]}


def failing(error: SteersmanError) -> Callable[[OneObject], None]:
    def fail(_: OneObject) -> None:
        raise error

    return fail


async def test_a_preview_changes_nothing_and_tells_fields_and_warnings() -> None:
    backend = cluster()

    preview = await executor(backend).preview(plan(backend.manifest), ALICE)

    assert [(field.path, field.before, field.after) for field in preview.changes[0].fields] == [
        ("spec.image", "v1", "v2")
    ]
    assert preview.warnings == ("deprecated",)
    assert backend.sent == []
    assert backend.manifest["spec"] == {"image": "v1"}


async def test_a_write_is_stamped_and_sent_as_the_person() -> None:
    backend = cluster()

    steps = await executor(backend).run(plan(backend.manifest), ALICE, STAMPS, held)

    assert backend.manifest["metadata"]["annotations"] == {ANNOTATION: "a1"}
    assert (steps[0].uid, steps[0].generation, backend.sent) == ("u1", 2, ["audit-1"])
    assert backend.identities == [ALICE]


async def test_a_status_in_between_is_looked_past() -> None:
    backend = cluster(before_send=[bump, bump])
    clock = StillClock()

    await executor(backend, clock).run(plan(backend.manifest), ALICE, STAMPS, held)

    assert backend.sent == ["audit-1"]
    assert len(clock.slept) == 2


async def test_somebody_elses_change_of_the_same_field_is_never_overwritten() -> None:
    backend = cluster(before_send=[lambda it: bump(it, image="v7")])

    with pytest.raises(Interrupted) as stopped:
        await executor(backend).run(plan(backend.manifest), ALICE, STAMPS, held)

    assert isinstance(stopped.value.cause, Stale)
    assert backend.sent == []
    assert backend.manifest["spec"] == {"image": "v7"}


async def test_an_object_made_anew_under_the_same_name_is_another_one() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    backend.manifest["metadata"]["uid"] = "u2"

    with pytest.raises(Interrupted, match="made anew"):
        await executor(backend).run(decided, ALICE, STAMPS, held)


async def test_an_object_that_is_gone_is_stale_and_one_that_is_there_is_not_created_over() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    absent = Plan("Create", (ClusterWrite(REF, Verb.CREATE, {"spec": {}}, None, Absent()),), Risk.CHANGE)

    with pytest.raises(Interrupted, match="exists already"):
        await executor(backend).run(absent, ALICE, STAMPS, held)

    backend.exists = False
    with pytest.raises(Interrupted, match="gone"):
        await executor(backend).run(decided, ALICE, STAMPS, held)
    assert backend.sent == []


async def test_a_busy_server_is_asked_again_when_it_says() -> None:
    clock = StillClock()
    backend = cluster(before_send=[failing(TooManyRequests("Busy.", retry_after=7))])

    await executor(backend, clock).run(plan(backend.manifest), ALICE, STAMPS, held)

    assert clock.slept == [7]
    assert len(backend.sent) == 1


async def test_a_lost_answer_to_a_write_that_happened_counts_as_done_once() -> None:
    backend = cluster(after_send=[failing(TimedOut("No answer."))])

    steps = await executor(backend).run(plan(backend.manifest), ALICE, STAMPS, held)

    assert steps[0].generation == 2
    assert len(backend.sent) == 1


async def test_a_lost_answer_to_a_write_that_did_not_happen_is_said_to_be_unsure() -> None:
    backend = cluster(before_send=[failing(TimedOut("No answer."))])

    with pytest.raises(Interrupted) as stopped:
        await executor(backend).run(plan(backend.manifest), ALICE, STAMPS, held)

    assert stopped.value.unsure
    assert backend.sent == []


async def test_steps_after_the_first_failure_are_not_tried_and_those_before_are_told() -> None:
    backend = cluster(before_send=[lambda _: None, failing(Unavailable("It is down."))])
    first = plan(backend.manifest).steps[0]
    second = ClusterWrite(REF, Verb.PATCH, {"spec": {"image": "v3"}}, PatchType.MERGE, same("u1", {}, "spec.nothing"))

    with pytest.raises(Interrupted) as stopped:
        await executor(backend).run(Plan("Two", (first, second, second), Risk.CHANGE), ALICE, STAMPS * 3, held)

    assert len(stopped.value.done) == 1
    assert len(backend.sent) == 1
    assert not stopped.value.unsure


async def test_who_lost_the_work_to_another_process_writes_nothing() -> None:
    backend = cluster()

    async def lost(step: int, signature: str) -> None:
        raise Superseded("Another process does it.")

    with pytest.raises(Superseded):
        await executor(backend).run(plan(backend.manifest), ALICE, STAMPS, lost)

    assert backend.sent == []


# -- taken up again after a crash --------------------------------------------------------------------------------------


async def resume(
    backend: OneObject, decided: Plan, *, may_write: bool = True, sent: tuple[str, ...] = ("",)
) -> tuple[Step, ...]:
    async def overtaken(target: ObjectRef) -> bool:
        raise AssertionError("an object that bears a signature speaks for itself")

    return await executor(backend).resume(decided, ALICE, STAMPS, held, Resumption(may_write, sent, overtaken))


async def test_what_happened_before_the_crash_is_not_repeated() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    await executor(backend).run(decided, ALICE, STAMPS, held)

    (step,) = await resume(backend, decided)

    assert step.manifest == backend.manifest
    assert backend.sent == ["audit-1"]


async def test_what_did_not_happen_before_the_crash_is_done_now() -> None:
    backend = cluster()

    await resume(backend, plan(backend.manifest))

    assert backend.sent == ["audit-1"]


async def test_what_did_not_happen_and_is_no_longer_permitted_stays_undone() -> None:
    backend = cluster()

    with pytest.raises(Interrupted) as stopped:
        await resume(backend, plan(backend.manifest), may_write=False)

    assert isinstance(stopped.value.cause, Forbidden)
    assert backend.sent == []


async def test_what_somebody_changed_since_is_stale_and_not_overwritten() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    bump(backend, image="v7")

    with pytest.raises(Interrupted) as stopped:
        await resume(backend, decided)

    assert isinstance(stopped.value.cause, Stale)
    assert not stopped.value.unsure
    assert backend.sent == []


async def test_what_another_action_of_ours_wrote_over_may_have_happened() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    bump(backend, image="v7")
    backend.manifest["metadata"]["annotations"] = {ANNOTATION: "a2"}

    with pytest.raises(Interrupted) as stopped:
        await resume(backend, decided)

    assert stopped.value.unsure
    assert backend.sent == []


async def test_what_another_action_of_ours_took_back_is_not_done_once_more() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    backend.manifest["metadata"]["annotations"] = {ANNOTATION: "a2"}  # the image is the one that it was decided from

    with pytest.raises(Interrupted) as stopped:
        await resume(backend, decided)

    assert stopped.value.unsure
    assert backend.sent == []


async def test_what_bears_the_same_signature_as_before_was_not_written_since() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    backend.manifest["metadata"]["annotations"] = {ANNOTATION: "a2"}

    await resume(backend, decided, sent=("a2",))

    assert backend.sent == ["audit-1"]


async def test_what_was_never_sent_is_known_not_to_have_happened() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    backend.manifest["metadata"]["annotations"] = {ANNOTATION: "a2"}

    await resume(backend, decided, sent=())

    assert backend.sent == ["audit-1"]


async def test_what_the_dead_process_had_sent_may_come_in_late() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    read, looks = backend.read, 0

    async def late(target: ObjectRef) -> Json:
        nonlocal looks
        looks += 1
        if looks == 2:  # after the first look, before the write
            bump(backend, image="v2")
            backend.manifest["metadata"]["annotations"] = {ANNOTATION: STAMPS[0].action}
        return await read(target)

    backend.read = late  # type: ignore[method-assign]

    (step,) = await resume(backend, decided)

    assert step.manifest == backend.manifest
    assert backend.sent == []


async def test_a_cluster_that_comes_back_late_is_waited_for() -> None:
    backend = cluster()
    decided = plan(backend.manifest)
    away = 5

    async def sometimes(target: ObjectRef) -> Json:
        nonlocal away
        away -= 1
        if away > 0:
            raise Unavailable("It is down.")
        return backend.manifest

    backend.read = sometimes  # type: ignore[method-assign]

    await resume(backend, decided)

    assert backend.sent == ["audit-1"]


async def test_a_cluster_that_stays_away_leaves_it_open() -> None:
    backend = cluster()
    decided = plan(backend.manifest)

    async def never(target: ObjectRef) -> Json:
        raise Unavailable("It is down.")

    backend.read = never  # type: ignore[method-assign]

    with pytest.raises(Interrupted) as stopped:
        await resume(backend, decided)

    assert stopped.value.unsure
