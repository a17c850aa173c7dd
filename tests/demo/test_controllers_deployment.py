"""Deployments: what an observer sees of a rollout, step by step."""

import pytest
from rigs.lab import DEPLOYMENTS, PODS, SETS, SPACE, Lab, deployed, template, workload

from bot.demo.objects import annotations_of, copied, labels_of, name_of


@pytest.fixture
def lab() -> Lab:
    return Lab()


def revision(lab: Lab) -> str:
    return annotations_of(lab.get(DEPLOYMENTS, "web"))["deployment.kubernetes.io/revision"]


def most_pods_while(lab: Lab, seconds: float) -> tuple[int, int]:
    """Let time pass in small steps; return the most pods at once, and the fewest ready ones."""
    most, fewest = 0, 99
    for _ in range(int(seconds * 20)):
        lab.wait(0.05)
        status = lab.status(DEPLOYMENTS, "web")
        most = max(most, status.get("replicas", 0))
        fewest = min(fewest, status.get("availableReplicas", 0))
    return most, fewest


def test_a_new_deployment_makes_its_replicas_and_says_so(lab: Lab) -> None:
    deployed(lab, replicas=3)
    status = lab.status(DEPLOYMENTS, "web")
    counters = {key: value for key, value in status.items() if key != "conditions"}
    assert counters == {
        "observedGeneration": 1,
        "replicas": 3,
        "updatedReplicas": 3,
        "readyReplicas": 3,
        "availableReplicas": 3,
    }
    (one,) = lab.store.list(SETS, SPACE)
    assert lab.condition(DEPLOYMENTS, "web", "Available") == (
        "True",
        "MinimumReplicasAvailable",
        "Deployment has minimum availability.",
    )
    assert lab.condition(DEPLOYMENTS, "web", "Progressing") == (
        "True",
        "NewReplicaSetAvailable",
        f'ReplicaSet "{name_of(one)}" has successfully progressed.',
    )
    assert lab.events("web") == [("ScalingReplicaSet", f"Scaled up replica set {name_of(one)} from 0 to 3")]


def test_pods_carry_the_hash_that_names_their_replicaset(lab: Lab) -> None:
    deployed(lab)
    (one,) = lab.store.list(SETS, SPACE)
    digest = labels_of(one)["pod-template-hash"]
    assert name_of(one) == f"web-{digest}"
    assert labels_of(lab.pod())["pod-template-hash"] == digest
    assert one["spec"]["selector"]["matchLabels"] == {"app": "web", "pod-template-hash": digest}


def test_before_anything_is_ready_the_deployment_is_unavailable_and_progressing(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, workload(replicas=2))
    lab.wait(0.2)
    available, progressing = (lab.condition(DEPLOYMENTS, "web", kind) for kind in ("Available", "Progressing"))
    assert available == ("False", "MinimumReplicasUnavailable", "Deployment does not have minimum availability.")
    assert progressing is not None
    assert progressing[1] == "ReplicaSetUpdated"
    assert lab.status(DEPLOYMENTS, "web")["unavailableReplicas"] == 2


@pytest.mark.parametrize(
    ("surge", "unavailable", "most", "fewest"),
    [(1, 0, 5, 4), (0, 1, 4, 3), ("50%", 0, 6, 4), ("25%", "25%", 5, 3), (0, 0, 4, 3)],
)
def test_a_rolling_update_stays_within_its_bounds(
    lab: Lab, surge: int | str, unavailable: int | str, most: int, fewest: int
) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": surge, "maxUnavailable": unavailable}}
    obj = workload(replicas=4, strategy=strategy)
    if surge == unavailable == 0:  # the server refuses this; percentages of few replicas come to the same
        obj["spec"]["strategy"]["rollingUpdate"] = {"maxSurge": "0%", "maxUnavailable": "10%"}
    lab.create(DEPLOYMENTS, obj)
    lab.wait()
    lab.image(DEPLOYMENTS, "web", "myapp:v2")
    assert most_pods_while(lab, 20) == (most, fewest)
    assert lab.images() == ["myapp:v2"] * 4


def test_recreate_lets_every_old_pod_go_before_the_first_new_one_comes(lab: Lab) -> None:
    deployed(lab, replicas=2, strategy={"type": "Recreate"})
    changes = lab.store.subscribe("pods")
    lab.image(DEPLOYMENTS, "web", "myapp:v2")
    lab.wait()
    kinds = [change.type for change in changes.drain() if change.type != "MODIFIED"]
    assert kinds == ["DELETED", "DELETED", "ADDED", "ADDED"]
    assert lab.images() == ["myapp:v2"] * 2


def test_each_template_gets_the_next_revision_and_a_return_renumbers_the_old_replicaset(lab: Lab) -> None:
    deployed(lab)
    for image in ("myapp:v2", "myapp:v3", "myapp:v1"):
        lab.image(DEPLOYMENTS, "web", image)
        lab.wait()
    assert lab.history() == {"2": "myapp:v2", "3": "myapp:v3", "4": "myapp:v1"}
    assert revision(lab) == "4"
    first = next(one for one in lab.store.list(SETS, SPACE) if one["spec"]["replicas"])
    assert annotations_of(first)["deployment.kubernetes.io/revision-history"] == "1"


def test_a_template_that_only_says_nothing_in_other_words_is_no_new_revision(lab: Lab) -> None:
    deployed(lab)
    same = copied(lab.get(DEPLOYMENTS, "web")["spec"]["template"])
    same["metadata"]["creationTimestamp"] = None
    same["metadata"]["annotations"] = {}
    same["spec"]["containers"][0] |= {"resources": {}, "env": []}
    lab.change(DEPLOYMENTS, "web", template=same)
    lab.wait()
    assert len(lab.store.list(SETS, SPACE)) == 1
    assert revision(lab) == "1"


def test_annotations_reach_the_replicaset_except_those_that_are_the_deployments_own(lab: Lab) -> None:
    deployed(lab)
    notes = {
        **annotations_of(lab.get(DEPLOYMENTS, "web")),
        "kubernetes.io/change-cause": "because",
        "kubectl.kubernetes.io/last-applied-configuration": "{}",
    }
    lab.change(DEPLOYMENTS, "web", metadata={"annotations": notes})
    lab.wait()
    (one,) = lab.store.list(SETS, SPACE)
    assert annotations_of(one)["kubernetes.io/change-cause"] == "because"
    assert "kubectl.kubernetes.io/last-applied-configuration" not in annotations_of(one)


def test_the_history_limit_deletes_the_oldest_empty_replicasets(lab: Lab) -> None:
    deployed(lab, revisionHistoryLimit=2)
    for number in range(2, 7):
        lab.image(DEPLOYMENTS, "web", f"myapp:v{number}")
        lab.wait()
    assert lab.history() == {"4": "myapp:v4", "5": "myapp:v5", "6": "myapp:v6"}


def test_a_broken_version_leaves_the_old_pods_serving_and_misses_its_deadline(lab: Lab) -> None:
    deployed(lab, replicas=3, progressDeadlineSeconds=5)
    lab.image(DEPLOYMENTS, "web", "myapp:v-bad")
    lab.wait(4)
    progressing = lab.condition(DEPLOYMENTS, "web", "Progressing")
    assert progressing is not None
    assert progressing[1] == "ReplicaSetUpdated"
    lab.wait(5)
    newest = next(one for one in lab.store.list(SETS, SPACE) if "v-bad" in str(one["spec"]))
    assert lab.condition(DEPLOYMENTS, "web", "Progressing") == (
        "False",
        "ProgressDeadlineExceeded",
        f'ReplicaSet "{name_of(newest)}" has timed out progressing.',
    )
    assert lab.status(DEPLOYMENTS, "web")["availableReplicas"] == 3


def test_a_second_bad_version_takes_the_place_of_the_first_and_the_good_pods_stay(lab: Lab) -> None:
    deployed(lab, replicas=3)
    for image in ("myapp:v-bad", "myapp:v-bad2"):
        lab.image(DEPLOYMENTS, "web", image)
        lab.wait()
    assert lab.images() == ["myapp:v-bad2", "myapp:v1", "myapp:v1", "myapp:v1"]
    lab.image(DEPLOYMENTS, "web", "myapp:v1")
    lab.wait()
    assert lab.images() == ["myapp:v1"] * 3
    assert lab.history()["4"] == "myapp:v1"


def test_a_paused_deployment_rolls_nothing_out_but_still_scales(lab: Lab) -> None:
    deployed(lab, replicas=2)
    lab.change(DEPLOYMENTS, "web", paused=True)
    lab.wait()
    assert lab.condition(DEPLOYMENTS, "web", "Progressing") == ("Unknown", "DeploymentPaused", "Deployment is paused")
    lab.image(DEPLOYMENTS, "web", "myapp:v2")
    lab.change(DEPLOYMENTS, "web", replicas=4)
    lab.wait()
    assert lab.images() == ["myapp:v1"] * 4
    assert lab.status(DEPLOYMENTS, "web")["observedGeneration"] == 4
    lab.change(DEPLOYMENTS, "web", paused=False)
    lab.wait(0.2)
    resumed = lab.condition(DEPLOYMENTS, "web", "Progressing")
    assert resumed is not None
    assert resumed[1] in {"DeploymentResumed", "NewReplicaSetCreated", "ReplicaSetUpdated"}
    lab.wait()
    assert lab.images() == ["myapp:v2"] * 4


def test_scaling_in_the_middle_of_a_rollout_shares_the_new_pods_out(lab: Lab) -> None:
    strategy = {"rollingUpdate": {"maxSurge": 2, "maxUnavailable": 0}}
    deployed(lab, replicas=4, strategy=strategy)
    lab.image(DEPLOYMENTS, "web", "myapp:v-slow")
    lab.wait(3)
    assert lab.images() == ["myapp:v-slow"] * 2 + ["myapp:v1"] * 4
    lab.change(DEPLOYMENTS, "web", replicas=10)
    lab.wait(3)
    assert len(lab.images()) == 12
    assert lab.images().count("myapp:v1") == 8


def test_to_zero_and_back(lab: Lab) -> None:
    deployed(lab, replicas=2)
    lab.change(DEPLOYMENTS, "web", replicas=0)
    lab.wait()
    assert lab.pods() == []
    assert lab.status(DEPLOYMENTS, "web").get("replicas", 0) == 0
    progressing = lab.condition(DEPLOYMENTS, "web", "Progressing")
    assert progressing is not None
    assert progressing[1] == "NewReplicaSetAvailable"
    lab.change(DEPLOYMENTS, "web", replicas=3)
    lab.wait()
    assert len(lab.pods()) == 3
    assert revision(lab) == "1"


def test_a_pod_counts_as_available_only_after_min_ready_seconds(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, workload(minReadySeconds=10))
    lab.wait(5)
    status = lab.status(DEPLOYMENTS, "web")
    assert (status["readyReplicas"], status.get("availableReplicas", 0)) == (1, 0)
    lab.wait(10)
    assert lab.status(DEPLOYMENTS, "web")["availableReplicas"] == 1


def test_without_a_deadline_nothing_is_said_of_progress(lab: Lab) -> None:
    deployed(lab, progressDeadlineSeconds=2**31 - 1)
    assert lab.condition(DEPLOYMENTS, "web", "Progressing") is None


def test_a_name_that_is_taken_makes_the_next_try_use_another_hash(lab: Lab) -> None:
    deployed(lab)
    (one,) = lab.store.list(SETS, SPACE)
    taken = Lab()
    other = {"metadata": {"labels": {"app": "other"}}, "spec": template()["spec"]}
    spec = {"replicas": 0, "selector": {"matchLabels": {"app": "other"}}, "template": other}
    taken.create(SETS, {"metadata": {"name": name_of(one)}, "spec": spec})
    taken.create(DEPLOYMENTS, workload())
    taken.wait()
    assert taken.status(DEPLOYMENTS, "web")["collisionCount"] == 1
    assert len([pod for pod in taken.pods() if pod["status"]["phase"] == "Running"]) == 1


def test_a_replicaset_is_adopted_when_the_selector_matches_and_let_go_when_it_does_not(lab: Lab) -> None:
    deployed(lab)
    (one,) = lab.store.list(SETS, SPACE)
    orphan = copied(one)
    orphan["metadata"]["ownerReferences"] = []
    lab.store.update(SETS, orphan)
    lab.wait()
    assert lab.store.list(SETS, SPACE)[0]["metadata"]["ownerReferences"][0]["name"] == "web"
    assert len(lab.store.list(SETS, SPACE)) == 1
    foreign = copied(lab.store.list(SETS, SPACE)[0])
    foreign["metadata"]["labels"] = {"app": "else"}
    lab.store.update(SETS, foreign)
    lab.wait()
    assert not lab.get(SETS, name_of(one))["metadata"].get("ownerReferences")


def test_two_deployments_do_not_see_each_others_pods(lab: Lab) -> None:
    deployed(lab, replicas=2)
    other = {"metadata": {"labels": {"app": "api"}}, "spec": template("api:v1")["spec"]}
    lab.create(
        DEPLOYMENTS,
        {"metadata": {"name": "api"}, "spec": {"selector": {"matchLabels": {"app": "api"}}, "template": other}},
    )
    lab.wait()
    lab.image(DEPLOYMENTS, "web", "myapp:v2")
    lab.wait()
    assert lab.images() == ["api:v1", "myapp:v2", "myapp:v2"]


def test_a_pod_that_is_deleted_comes_back(lab: Lab) -> None:
    deployed(lab, replicas=2)
    victim = lab.pods()[0]
    lab.delete(PODS, name_of(victim))
    lab.wait()
    assert len(lab.pods()) == 2
    assert name_of(victim) not in {name_of(pod) for pod in lab.pods()}
