"""DaemonSets: a pod on every node that fits, and their updates."""

import pytest
from rigs.lab import DAEMONS, REVISIONS, SPACE, Lab, workload

from bot.demo.objects import Json, copied, labels_of, name_of


@pytest.fixture
def lab() -> Lab:
    return Lab(nodes=3)


def started(lab: Lab, **spec: object) -> None:
    lab.create(DAEMONS, workload(**spec))
    lab.wait()


def by_node(lab: Lab) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for pod in lab.pods():
        found.setdefault(pod["spec"].get("nodeName", ""), []).append(pod["spec"]["containers"][0]["image"])
    return found


def change_node(lab: Lab, name: str, *, labels: Json | None = None, **spec: object) -> None:
    node = copied(lab.store.get("nodes", "", name))
    node["spec"] |= spec
    node["metadata"]["labels"] |= labels or {}
    lab.store.update("nodes", node)


def fewest_ready_while(lab: Lab, seconds: float) -> int:
    fewest = 99
    for _ in range(int(seconds * 20)):
        lab.wait(0.05)
        fewest = min(fewest, lab.status(DAEMONS, "web").get("numberAvailable", 0))
    return fewest


def test_every_node_gets_one_pod(lab: Lab) -> None:
    started(lab)
    assert by_node(lab) == {f"lab-worker-{number}": ["myapp:v1"] for number in (1, 2, 3)}
    assert lab.status(DAEMONS, "web") == {
        "observedGeneration": 1,
        "currentNumberScheduled": 3,
        "desiredNumberScheduled": 3,
        "numberMisscheduled": 0,
        "numberReady": 3,
        "updatedNumberScheduled": 3,
        "numberAvailable": 3,
    }


def test_a_node_selector_chooses_and_a_label_that_goes_takes_the_pod_away(lab: Lab) -> None:
    change_node(lab, "lab-worker-2", labels={"disk": "ssd"})
    obj = workload()
    obj["spec"]["template"]["spec"]["nodeSelector"] = {"disk": "ssd"}
    lab.create(DAEMONS, obj)
    lab.wait()
    assert list(by_node(lab)) == ["lab-worker-2"]
    change_node(lab, "lab-worker-2", labels={"disk": "hdd"})
    lab.wait()
    assert lab.pods() == []


def test_a_taint_keeps_pods_away_unless_they_tolerate_it(lab: Lab) -> None:
    taint = {"key": "only", "value": "gpu", "effect": "NoSchedule"}
    change_node(lab, "lab-worker-1", taints=[taint])
    started(lab)
    assert "lab-worker-1" not in by_node(lab)
    tolerant = copied(lab.get(DAEMONS, "web")["spec"]["template"])
    tolerant["spec"]["tolerations"] = [{"key": "only", "operator": "Exists"}]
    lab.change(DAEMONS, "web", template=tolerant)
    lab.wait()
    assert "lab-worker-1" in by_node(lab)


def test_a_cordoned_node_keeps_its_daemon(lab: Lab) -> None:
    change_node(lab, "lab-worker-1", unschedulable=True)
    started(lab)
    assert len(by_node(lab)) == 3


def test_a_new_node_gets_a_pod(lab: Lab) -> None:
    started(lab)
    fresh = copied(lab.store.get("nodes", "", "lab-worker-1"))
    fresh["metadata"] = {"name": "lab-worker-9", "labels": {}}
    lab.store.create("nodes", fresh)
    lab.wait()
    assert "lab-worker-9" in by_node(lab)


@pytest.mark.parametrize(("unavailable", "fewest"), [(1, 2), (2, 1), ("100%", 0)])
def test_an_update_takes_as_many_nodes_at_once_as_it_may(lab: Lab, unavailable: int | str, fewest: int) -> None:
    started(lab, updateStrategy={"rollingUpdate": {"maxUnavailable": unavailable}})
    lab.image(DAEMONS, "web", "myapp:v2")
    assert fewest_ready_while(lab, 12) == fewest
    assert lab.images() == ["myapp:v2"] * 3


def test_with_surge_no_node_is_ever_without(lab: Lab) -> None:
    started(lab, updateStrategy={"rollingUpdate": {"maxUnavailable": 0, "maxSurge": 1}})
    lab.image(DAEMONS, "web", "myapp:v2")
    assert fewest_ready_while(lab, 12) == 3
    assert lab.images() == ["myapp:v2"] * 3


def test_a_broken_update_stops_at_its_bound_and_an_undo_heals_it(lab: Lab) -> None:
    started(lab)
    lab.image(DAEMONS, "web", "myapp:v-bad")
    lab.wait()
    assert lab.images() == ["myapp:v-bad", "myapp:v1", "myapp:v1"]
    assert lab.status(DAEMONS, "web")["numberUnavailable"] == 1
    lab.image(DAEMONS, "web", "myapp:v1")
    lab.wait()
    assert lab.images() == ["myapp:v1"] * 3


def test_on_delete_replaces_only_what_is_deleted(lab: Lab) -> None:
    started(lab, updateStrategy={"type": "OnDelete"})
    lab.image(DAEMONS, "web", "myapp:v2")
    lab.wait()
    assert lab.images() == ["myapp:v1"] * 3
    lab.delete("pods", name_of(lab.pods()[0]))
    lab.wait()
    assert lab.images() == ["myapp:v1", "myapp:v1", "myapp:v2"]
    assert lab.status(DAEMONS, "web")["updatedNumberScheduled"] == 1


def test_revisions_are_numbered_and_reused_and_pods_carry_the_short_hash(lab: Lab) -> None:
    started(lab)
    for image in ("myapp:v2", "myapp:v1"):
        lab.image(DAEMONS, "web", image)
        lab.wait()
    held = {
        one["data"]["spec"]["template"]["spec"]["containers"][0]["image"]: one
        for one in lab.store.list(REVISIONS, SPACE)
    }
    assert {image: one["revision"] for image, one in held.items()} == {"myapp:v2": 2, "myapp:v1": 3}
    digest = labels_of(held["myapp:v1"])["controller-revision-hash"]
    assert {labels_of(pod)["controller-revision-hash"] for pod in lab.pods()} == {digest}
    assert name_of(held["myapp:v1"]) == f"web-{digest}"
