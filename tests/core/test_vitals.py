"""How an app is, in a word; and who changed it last."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.planning import ALICE, DEV, NOW, workload
from rigs.reading import app_workload

from bot.core.ledger import ActionRecord, State
from bot.core.vitals import Health, app_health, health, last_change, ready, version
from bot.core.workload import App, Condition, Edit, Kind, Status

DONE = Condition("Progressing", "True", "NewReplicaSetAvailable")
LATE = Condition("Progressing", "False", "ProgressDeadlineExceeded")


@pytest.mark.parametrize(
    ("kind", "status", "word"),
    [
        (Kind.DEPLOYMENT, Status(4, 3, 3, 3, 3), Health.UP),
        (Kind.DEPLOYMENT, Status(4, 4, 1, 3, 3), Health.ROLLING),
        (Kind.DEPLOYMENT, Status(3, 3, 3, 3, 3), Health.ROLLING),  # the controller has not looked yet
        (Kind.DEPLOYMENT, Status(4, 3, 3, 2, 2, conditions=(DONE,)), Health.DEGRADED),
        (Kind.DEPLOYMENT, Status(4, 3, 3, 0, 0, conditions=(DONE,)), Health.DOWN),
        (Kind.DEPLOYMENT, Status(4, 4, 1, 3, 3, conditions=(LATE,)), Health.STUCK),
        (Kind.STATEFUL_SET, Status(4, 3, 3, 2, 2, "r1", "r1"), Health.DEGRADED),
        (Kind.STATEFUL_SET, Status(4, 3, 1, 2, 2, "r1", "r2"), Health.ROLLING),
        (Kind.DAEMON_SET, Status(4, 3, 3, 0, 0), Health.DOWN),
        (Kind.DAEMON_SET, Status(4, 3, 1, 3, 3), Health.ROLLING),
    ],
)
def test_missing_pods_are_progress_during_a_rollout_and_a_fault_after_it(
    kind: Kind, status: Status, word: Health
) -> None:
    assert health(replace(workload(kind=kind), status=status)) is word


def test_what_was_scaled_to_nothing_is_neither_up_nor_down() -> None:
    assert health(replace(workload(replicas=0), status=Status(4))) is Health.STOPPED


def test_a_paused_one_with_all_its_pods_is_paused() -> None:
    assert health(workload(paused=True)) is Health.PAUSED


def test_an_app_is_as_its_worst_workload() -> None:
    down = replace(workload("worker"), status=Status(4, 3, 3, 0, 0, conditions=(DONE,)))
    app = App("cart", DEV, (workload("web"), down))

    assert app_health(app) is Health.DOWN
    assert ready(app) == "3/6"


def test_a_certain_cause_makes_a_rollout_stuck_before_its_deadline() -> None:
    rolling = replace(workload(), status=Status(4, 4, 1, 3, 3))

    assert app_health(App("myapp", DEV, (rolling,)), [rolling.uid]) is Health.STUCK


def test_the_version_is_that_of_the_container_named_like_the_app() -> None:
    sidecar = workload(images={"proxy": "nginx:1.27", "myapp": "myapp:v7"})

    assert version(App("myapp", DEV, (sidecar,))) == "v7"


def test_the_last_change_is_a_persons_and_no_controllers() -> None:
    edits = (
        Edit("kubectl-client-side-apply", "Update", NOW - timedelta(days=3)),
        Edit("kube-controller-manager", "Update", NOW),
        Edit("someone", "Apply", None),
    )
    app = App("myapp", DEV, (replace(app_workload(), edits=edits),))

    change = last_change(app, ())

    assert change is not None
    assert change.words(NOW) == "3 d ago by kubectl apply"


def test_our_own_write_is_told_by_the_person_behind_it() -> None:
    edits = (Edit("steersman", "Update", NOW - timedelta(seconds=58)),)
    app = App("myapp", DEV, (replace(app_workload(), edits=edits),))
    action = ActionRecord("a1", "", "deploy", ALICE, DEV, State.DONE, NOW - timedelta(seconds=60), "Deploy myapp v2")

    change, forgotten = last_change(app, [action]), last_change(app, ())

    assert change is not None
    assert forgotten is not None
    assert change.words(NOW) == "60 s ago by @alice: Deploy myapp v2"
    assert forgotten.who == "steersman"


def test_nothing_known_is_nothing_said() -> None:
    assert last_change(App("myapp", DEV, (workload(),)), ()) is None
