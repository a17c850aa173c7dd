"""`status` says what `kubectl rollout status` says, in its order, for the three kinds."""

import pytest
from rigs.rollouts import workload

from bot.core.rollout import has_deadline, observed, status
from bot.core.workload import Condition, Kind, Status, Strategy

EXCEEDED = Condition("Progressing", "False", "ProgressDeadlineExceeded", "…")
MOVING = Condition("Progressing", "True", "ReplicaSetUpdated", "…")
NOT_ROLLING = "rollout status is only available for RollingUpdate strategy type"
ON_DELETE = Strategy("OnDelete", rolling=False)


@pytest.mark.parametrize(
    ("observed_generation", "counters", "condition", "message", "done", "failed"),
    [
        (1, Status(), EXCEEDED, "Waiting for deployment spec update to be observed...", False, False),
        (
            2,
            Status(replicas=3, updated=3, ready=3, available=3),
            EXCEEDED,
            'deployment "myapp" exceeded its progress deadline',
            False,
            True,
        ),
        (
            2,
            Status(replicas=4, updated=1, available=3),
            MOVING,
            'Waiting for deployment "myapp" rollout to finish: 1 out of 3 new replicas have been updated...',
            False,
            False,
        ),
        (
            2,
            Status(replicas=4, updated=3, available=3),
            MOVING,
            'Waiting for deployment "myapp" rollout to finish: 1 old replicas are pending termination...',
            False,
            False,
        ),
        (
            2,
            Status(replicas=3, updated=3, available=2),
            MOVING,
            'Waiting for deployment "myapp" rollout to finish: 2 of 3 updated replicas are available...',
            False,
            False,
        ),
        (
            2,
            Status(replicas=3, updated=3, available=3),
            MOVING,
            'deployment "myapp" successfully rolled out',
            True,
            False,
        ),
        (
            3,
            Status(replicas=3, updated=3, available=3),
            None,
            'deployment "myapp" successfully rolled out',
            True,
            False,
        ),
        (
            2,
            Status(replicas=3, updated=5, available=5),
            None,
            'deployment "myapp" successfully rolled out',
            True,
            False,
        ),
    ],
)
def test_a_deployment_is_judged_condition_by_condition(
    observed_generation: int, counters: Status, condition: Condition | None, message: str, done: bool, failed: bool
) -> None:
    conditions = [condition] if condition else []

    now = status(workload(observed=observed_generation, status=counters, conditions=conditions))

    assert (now.message, now.done, now.failed) == (message, done, failed)
    assert now.rolled_out is (done and not failed)


def test_a_deployment_of_no_replicas_has_rolled_out_at_once() -> None:
    assert status(workload(replicas=0, status=Status())).rolled_out


def test_a_deployment_scaled_to_none_waits_for_its_pods_to_leave() -> None:
    assert "1 old replicas are pending" in status(workload(replicas=0, status=Status(replicas=1))).message


@pytest.mark.parametrize(
    ("observed_generation", "counters", "message", "done"),
    [
        (1, Status(replicas=3, updated=3, available=3), "Waiting for daemon set spec update to be observed...", False),
        (
            2,
            Status(replicas=3, updated=2, available=3),
            'Waiting for daemon set "myapp" rollout to finish: 2 out of 3 new pods have been updated...',
            False,
        ),
        (
            2,
            Status(replicas=3, updated=3, available=2),
            'Waiting for daemon set "myapp" rollout to finish: 2 of 3 updated pods are available...',
            False,
        ),
        (2, Status(replicas=3, updated=3, available=3), 'daemon set "myapp" successfully rolled out', True),
        (2, Status(), 'daemon set "myapp" successfully rolled out', True),
    ],
)
def test_a_daemon_set_is_judged_condition_by_condition(
    observed_generation: int, counters: Status, message: str, done: bool
) -> None:
    now = status(workload(kind=Kind.DAEMON_SET, observed=observed_generation, status=counters, conditions=[EXCEEDED]))

    assert (now.message, now.done, now.failed) == (message, done, False)


@pytest.mark.parametrize(
    ("generation", "observed_generation", "counters", "strategy", "message", "done"),
    [
        (2, 1, Status(ready=3), Strategy(), "Waiting for statefulset spec update to be observed...", False),
        (0, 0, Status(ready=3), Strategy(), "Waiting for statefulset spec update to be observed...", False),
        (2, 2, Status(ready=2, updated=3), Strategy(), "Waiting for 1 pods to be ready...", False),
        (
            2,
            2,
            Status(ready=3, updated=2),
            Strategy(),
            "Waiting for partitioned roll out to finish: 2 out of 3 new pods have been updated...",
            False,
        ),
        (
            2,
            2,
            Status(ready=3, updated=0),
            Strategy(partition=2),
            "Waiting for partitioned roll out to finish: 0 out of 1 new pods have been updated...",
            False,
        ),
        (
            2,
            2,
            Status(ready=3, updated=1, current_revision="db-1", update_revision="db-2"),
            Strategy(partition=2),
            "partitioned roll out complete: 1 new pods have been updated...",
            True,
        ),
        (
            2,
            2,
            Status(ready=3, updated=0),
            Strategy(partition=5),
            "partitioned roll out complete: 0 new pods have been updated...",
            True,
        ),
        (
            2,
            2,
            Status(ready=3, updated=3),
            Strategy(),
            "partitioned roll out complete: 3 new pods have been updated...",
            True,
        ),
        (
            2,
            2,
            Status(ready=3, updated=2, current_revision="db-1", update_revision="db-2"),
            Strategy(rolling=False),
            "waiting for statefulset rolling update to complete 2 pods at revision db-2...",
            False,
        ),
        (
            2,
            2,
            Status(ready=3, updated=3, current_revision="db-2", update_revision="db-2"),
            Strategy(rolling=False),
            "statefulset rolling update complete 3 pods at revision db-2...",
            True,
        ),
    ],
)
def test_a_stateful_set_is_judged_condition_by_condition(
    generation: int, observed_generation: int, counters: Status, strategy: Strategy, message: str, done: bool
) -> None:
    now = status(
        workload(
            kind=Kind.STATEFUL_SET,
            generation=generation,
            observed=observed_generation,
            status=counters,
            strategy=strategy,
        )
    )

    assert (now.message, now.done, now.failed) == (message, done, False)


@pytest.mark.parametrize("kind", [Kind.STATEFUL_SET, Kind.DAEMON_SET])
def test_on_delete_has_no_rollout_to_wait_for(kind: Kind) -> None:
    now = status(workload(kind=kind, strategy=ON_DELETE))

    assert (now.message, now.done, now.failed, now.rolled_out) == (NOT_ROLLING, True, True, False)


def test_a_stateful_set_that_was_never_observed_is_not_observed() -> None:
    assert not observed(workload(kind=Kind.STATEFUL_SET, generation=0, observed=0))
    assert observed(workload(kind=Kind.DEPLOYMENT, generation=0, observed=0))


@pytest.mark.parametrize(
    ("kind", "deadline", "expected"),
    [
        (Kind.DEPLOYMENT, 600, True),
        (Kind.DEPLOYMENT, None, False),
        (Kind.DEPLOYMENT, 2**31 - 1, False),
        (Kind.STATEFUL_SET, 600, False),
        (Kind.DAEMON_SET, 600, False),
    ],
)
def test_only_a_deployment_may_have_a_deadline_of_its_own(kind: Kind, deadline: int | None, expected: bool) -> None:
    assert has_deadline(workload(kind=kind, deadline=deadline)) is expected
