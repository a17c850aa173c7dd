"""ReplicaSets: keeping the count, whom they give up first, and what they say when the server refuses."""

from datetime import UTC, datetime

import pytest
from rigs.lab import DEPLOYMENTS, SETS, SPACE, Lab, deployed, template, workload

from bot.demo.controllers.podstate import deletion_order
from bot.demo.objects import Json, name_of


@pytest.fixture
def lab() -> Lab:
    return Lab()


def quota(lab: Lab, pods: str) -> None:
    lab.create("resourcequotas", {"metadata": {"name": "small"}, "spec": {"hard": {"pods": pods}}})


def test_a_quota_that_is_full_is_told_as_an_event_and_up_to_the_deployment(lab: Lab) -> None:
    quota(lab, "2")
    lab.create(DEPLOYMENTS, workload(replicas=3))
    lab.wait()
    (one,) = lab.store.list(SETS, SPACE)
    assert len(lab.pods()) == 2
    failures = [message for reason, message in lab.events(name_of(one)) if reason == "FailedCreate"]
    assert failures
    assert "exceeded quota: small, requested: pods=1, used: pods=2, limited: pods=2" in failures[0]
    told = lab.condition(SETS, name_of(one), "ReplicaFailure")
    assert told is not None
    assert told[:2] == ("True", "FailedCreate")
    assert lab.condition(DEPLOYMENTS, "web", "ReplicaFailure") == told


def test_when_the_quota_grows_the_rest_is_made_and_the_failure_is_gone(lab: Lab) -> None:
    quota(lab, "2")
    lab.create(DEPLOYMENTS, workload(replicas=3))
    lab.wait()
    lab.store.delete("resourcequotas", SPACE, "small")
    lab.wait()
    assert len(lab.pods()) == 3
    assert lab.condition(DEPLOYMENTS, "web", "ReplicaFailure") is None


def test_a_matching_pod_without_an_owner_is_counted_instead_of_a_new_one(lab: Lab) -> None:
    lab.create("pods", {"metadata": {"name": "stray", "labels": {"app": "web"}}, "spec": template()["spec"]})
    lab.create(SETS, workload(replicas=1))
    lab.wait()
    assert [name_of(pod) for pod in lab.pods()] == ["stray"]
    assert lab.pod()["metadata"]["ownerReferences"][0]["kind"] == "ReplicaSet"


def test_scaling_down_gives_up_the_pods_that_are_not_ready(lab: Lab) -> None:
    deployed(lab, "myapp:v1", replicas=2)
    lab.change(DEPLOYMENTS, "web", replicas=4)
    lab.wait(0.3)
    lab.change(DEPLOYMENTS, "web", replicas=2)
    lab.wait()
    assert len(lab.pods()) == 2
    assert all(pod["metadata"]["creationTimestamp"] == "2026-11-23T09:00:00Z" for pod in lab.pods())


def pod(name: str, *, ready: bool = True, node: str = "a", since: int = 0, restarts: int = 0, cost: int = 0) -> Json:
    at = datetime(2026, 1, 1, 0, since, tzinfo=UTC).isoformat()
    return {
        "metadata": {
            "name": name,
            "creationTimestamp": "2026-01-01T00:00:00Z",
            "annotations": {"controller.kubernetes.io/pod-deletion-cost": str(cost)},
        },
        "spec": {"nodeName": node},
        "status": {
            "phase": "Running" if node else "Pending",
            "conditions": [{"type": "Ready", "status": "True" if ready else "False", "lastTransitionTime": at}],
            "containerStatuses": [{"restartCount": restarts}],
        },
    }


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (pod("unplaced", node=""), pod("placed")),
        (pod("unready", ready=False), pod("ready")),
        (pod("cheap", cost=-5), pod("dear", cost=5)),
        (pod("doubled", node="full"), pod("lonely", node="a")),
        (pod("younger", since=9), pod("older", since=1)),
        (pod("restarted", restarts=3), pod("steady")),
    ],
    ids=lambda one: name_of(one),
)
def test_who_is_given_up_first(first: Json, second: Json) -> None:
    neighbours = {"full": 3, "a": 1}
    assert deletion_order([second, first], neighbours) == [first, second]
    assert deletion_order([first, second], neighbours) == [first, second]
