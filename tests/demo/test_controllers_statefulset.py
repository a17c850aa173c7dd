"""StatefulSets: names, order, claims, partitions and revisions."""

import pytest
from rigs.lab import REVISIONS, SPACE, STATEFUL, Lab, workload

from bot.demo.changes import Subscription
from bot.demo.objects import labels_of, name_of


@pytest.fixture
def lab() -> Lab:
    return Lab()


def started(lab: Lab, **spec: object) -> None:
    lab.create(STATEFUL, workload(serviceName="web", **spec))
    lab.wait()


def running(lab: Lab) -> dict[str, str]:
    return {name_of(pod): pod["spec"]["containers"][0]["image"] for pod in lab.pods()}


def numbers(lab: Lab) -> dict[str, int]:
    return {name_of(one): one["revision"] for one in lab.store.list(REVISIONS, SPACE)}


def order(changes: Subscription, kind: str) -> list[str]:
    return [name_of(one.object) for one in changes.drain() if one.resource == "pods" and one.type == kind]


def test_pods_come_one_after_the_other_each_when_the_one_before_is_ready(lab: Lab) -> None:
    lab.create(STATEFUL, workload(serviceName="web", replicas=3))
    lab.wait(0.2)
    assert list(running(lab)) == ["web-0"]
    lab.wait(2)
    assert list(running(lab)) == ["web-0", "web-1"]
    lab.wait()
    assert list(running(lab)) == ["web-0", "web-1", "web-2"]
    status = lab.status(STATEFUL, "web")
    assert status["currentRevision"] == status["updateRevision"]
    assert (status["readyReplicas"], status["currentReplicas"], status["availableReplicas"]) == (3, 3, 3)


def test_parallel_pods_come_all_at_once(lab: Lab) -> None:
    lab.create(STATEFUL, workload(serviceName="web", replicas=3, podManagementPolicy="Parallel"))
    lab.wait(0.2)
    assert len(running(lab)) == 3


def test_a_pod_knows_its_number_its_revision_and_its_service(lab: Lab) -> None:
    started(lab, replicas=1)
    pod = lab.pod()
    assert (pod["spec"]["hostname"], pod["spec"]["subdomain"]) == ("web-0", "web")
    assert labels_of(pod) == {
        "app": "web",
        "statefulset.kubernetes.io/pod-name": "web-0",
        "apps.kubernetes.io/pod-index": "0",
        "controller-revision-hash": lab.status(STATEFUL, "web")["currentRevision"],
    }


def test_scaling_down_takes_the_highest_first(lab: Lab) -> None:
    started(lab, replicas=4)
    changes = lab.store.subscribe()
    lab.change(STATEFUL, "web", replicas=1)
    lab.wait()
    assert order(changes, "DELETED") == ["web-3", "web-2", "web-1"]


def test_an_update_goes_from_the_highest_to_the_lowest(lab: Lab) -> None:
    started(lab, replicas=3)
    changes = lab.store.subscribe()
    lab.image(STATEFUL, "web", "myapp:v2")
    lab.wait()
    assert order(changes, "DELETED") == ["web-2", "web-1", "web-0"]
    assert set(running(lab).values()) == {"myapp:v2"}
    status = lab.status(STATEFUL, "web")
    assert status["currentRevision"] == status["updateRevision"]
    assert status["updatedReplicas"] == 3


def test_a_partition_keeps_the_lower_pods_as_they_are_even_when_they_are_made_anew(lab: Lab) -> None:
    strategy = {"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}
    started(lab, replicas=3, updateStrategy=strategy)
    lab.image(STATEFUL, "web", "myapp:v2")
    lab.wait()
    assert running(lab) == {"web-0": "myapp:v1", "web-1": "myapp:v1", "web-2": "myapp:v2"}
    status = lab.status(STATEFUL, "web")
    assert (status["currentReplicas"], status["updatedReplicas"]) == (2, 1)
    assert status["currentRevision"] != status["updateRevision"]
    lab.delete("pods", "web-1")
    lab.wait()
    assert running(lab)["web-1"] == "myapp:v1"


def test_on_delete_waits_until_somebody_deletes_the_pod(lab: Lab) -> None:
    started(lab, replicas=2, updateStrategy={"type": "OnDelete"})
    lab.image(STATEFUL, "web", "myapp:v2")
    lab.wait()
    assert set(running(lab).values()) == {"myapp:v1"}
    lab.delete("pods", "web-0")
    lab.wait()
    assert running(lab) == {"web-0": "myapp:v2", "web-1": "myapp:v1"}


def test_a_broken_update_stops_at_the_first_pod_and_an_undo_alone_does_not_heal_it(lab: Lab) -> None:
    started(lab, replicas=3)
    lab.image(STATEFUL, "web", "myapp:v-bad")
    lab.wait()
    assert running(lab) == {"web-0": "myapp:v1", "web-1": "myapp:v1", "web-2": "myapp:v-bad"}
    lab.image(STATEFUL, "web", "myapp:v1")
    lab.wait()
    assert running(lab)["web-2"] == "myapp:v-bad"  # the known limitation of OrderedReady
    lab.delete("pods", "web-2")
    lab.wait()
    assert set(running(lab).values()) == {"myapp:v1"}


def test_a_template_that_was_there_before_gets_the_highest_number_again(lab: Lab) -> None:
    started(lab, replicas=1)
    (first,) = numbers(lab)
    lab.image(STATEFUL, "web", "myapp:v2")
    lab.wait()
    lab.image(STATEFUL, "web", "myapp:v1")
    lab.wait()
    assert sorted(numbers(lab).values()) == [2, 3]
    assert numbers(lab)[first] == 3
    assert lab.status(STATEFUL, "web")["updateRevision"] == first


def test_a_revision_holds_the_template_as_a_patch_that_replaces(lab: Lab) -> None:
    started(lab, replicas=1)
    (one,) = lab.store.list(REVISIONS, SPACE)
    held = one["data"]["spec"]["template"]
    assert held["$patch"] == "replace"
    assert held["spec"]["containers"][0]["image"] == "myapp:v1"
    assert one["metadata"]["ownerReferences"][0]["controller"] is True


def test_old_revisions_beyond_the_limit_go(lab: Lab) -> None:
    started(lab, replicas=1, revisionHistoryLimit=1)
    for number in range(2, 6):
        lab.image(STATEFUL, "web", f"myapp:v{number}")
        lab.wait()
    assert sorted(numbers(lab).values()) == [4, 5]


def test_each_pod_has_a_claim_of_its_own_that_outlives_it(lab: Lab) -> None:
    lab.create("storageclasses.storage.k8s.io", {"metadata": {"name": "fast"}, "provisioner": "x"}, namespace="")
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "storageClassName": "fast",
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    started(lab, replicas=2, volumeClaimTemplates=[claim])
    lab.change(STATEFUL, "web", replicas=1)
    lab.wait()
    claims = lab.store.list("persistentvolumeclaims", SPACE)
    assert [(name_of(one), one["status"]["phase"]) for one in claims] == [
        ("data-web-0", "Bound"),
        ("data-web-1", "Bound"),
    ]
    assert lab.pod()["spec"]["volumes"] == [{"name": "data", "persistentVolumeClaim": {"claimName": "data-web-0"}}]
