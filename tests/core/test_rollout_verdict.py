"""`rule` ends a rollout only where it has ended, and tells apart who ended it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.rollouts import BEGAN, revision, template, workload

from bot.core.plan import Json
from bot.core.rollout import Ruling, Verdict, rule, template_digest
from bot.core.workload import Condition, Edit, Kind, Revision, Status, Strategy, Workload

OLD, NEW = revision(1, "myapp:v1", replicas=2), revision(2, "myapp:v2", replicas=1)
HALF = Status(replicas=3, updated=1, ready=3, available=3)
EXCEEDED = Condition("Progressing", "False", "ProgressDeadlineExceeded")


def judged(seen: Workload, revisions: tuple[Revision, ...] = (OLD, NEW), new: Revision | None = NEW) -> Ruling | None:
    """The ruling for a write of `myapp:v2` that was answered with generation 2."""
    written: Json = {"spec": {"template": template("myapp:v2")}}
    return rule(seen, revisions, new, uid="u1", generation=2, template=template_digest(written))


def verdict(seen: Workload, revisions: tuple[Revision, ...] = (OLD, NEW), new: Revision | None = NEW) -> Verdict | None:
    ruling = judged(seen, revisions, new)
    return ruling.verdict if ruling else None


def test_a_rollout_under_way_has_no_verdict() -> None:
    assert verdict(workload(status=HALF)) is None


def test_a_complete_rollout_has_rolled_out() -> None:
    assert verdict(workload()) is Verdict.ROLLED_OUT


def test_an_exceeded_deadline_is_a_failure() -> None:
    assert verdict(workload(status=HALF, conditions=[EXCEEDED])) is Verdict.FAILED


def test_a_state_from_before_the_write_says_nothing_even_if_it_looks_complete() -> None:
    assert verdict(workload("myapp:v1", generation=1)) is None


def test_another_object_of_the_same_name_is_not_ours() -> None:
    assert verdict(workload(uid="u2")) is Verdict.GONE


def test_another_template_supersedes_and_its_writer_is_named() -> None:
    edits = (
        Edit("steersman", "Update", BEGAN),
        Edit("kubectl-edit", "Update", BEGAN + timedelta(seconds=3)),
        Edit("kube-controller-manager", "Update", BEGAN + timedelta(seconds=9)),
        Edit("ancient", "Update", None),
    )

    ruling = judged(workload("myapp:v3", generation=3, edits=edits))

    assert ruling == Ruling(Verdict.SUPERSEDED, "the pod template was changed again by kubectl-edit")


def test_somebody_scaling_or_annotating_meanwhile_does_not_supersede() -> None:
    assert verdict(workload(generation=7, replicas=5, status=HALF)) is None
    assert verdict(workload(generation=7, replicas=5)) is Verdict.ROLLED_OUT


def test_the_write_itself_is_never_taken_for_somebody_elses() -> None:
    """A server that was upgraded in between may show the very same generation with more defaults."""
    assert verdict(workload("myapp:v2 ", generation=2, status=HALF)) is None


def test_a_paused_deployment_that_has_not_begun_is_held() -> None:
    assert judged(workload(paused=True, status=Status(replicas=3)), (OLD,), None) == Ruling(
        Verdict.HELD, "it is paused"
    )


def test_a_deployment_paused_half_way_is_held() -> None:
    assert verdict(workload(paused=True, status=HALF)) is Verdict.HELD


def test_a_pause_is_not_judged_before_the_controller_has_seen_the_change() -> None:
    assert verdict(workload(paused=True, observed=1, status=HALF), (OLD,), None) is None


def test_scaling_a_paused_deployment_goes_on() -> None:
    alone = replace(NEW, replicas=5)

    assert verdict(workload(paused=True, replicas=5, status=HALF), (replace(OLD, replicas=0), alone), alone) is None


@pytest.mark.parametrize("kind", [Kind.STATEFUL_SET, Kind.DAEMON_SET])
def test_on_delete_is_held_once_observed(kind: Kind) -> None:
    strategy = Strategy("OnDelete", rolling=False)

    assert verdict(workload(kind=kind, strategy=strategy, observed=1)) is None
    assert judged(workload(kind=kind, strategy=strategy, status=HALF)) == Ruling(
        Verdict.HELD, "its strategy is OnDelete: a pod takes the new version when it is deleted, 1/3 have it"
    )


def test_a_finished_partition_is_held_with_the_count_of_new_pods() -> None:
    part = workload(kind=Kind.STATEFUL_SET, strategy=Strategy(partition=2), status=HALF)

    assert judged(part) == Ruling(Verdict.HELD, "partitioned roll out complete: 1 new pod")


def test_a_partition_with_nothing_left_behind_it_has_rolled_out() -> None:
    assert verdict(workload(kind=Kind.STATEFUL_SET, strategy=Strategy(partition=2))) is Verdict.ROLLED_OUT


def test_a_scale_has_no_template_to_compare() -> None:
    assert template_digest({"spec": {"replicas": 3}}) == ""
