"""Pods by their image's tag: what the kubelet and the scheduler say of each fate."""

from datetime import datetime

import pytest
from rigs.lab import DEPLOYMENTS, SPACE, Lab, container, deployed, template, workload

from bot.demo.controllers.behaviour import BEHAVIOURS, behaviour_of, full_name
from bot.demo.controllers.logs import ContainerLogs
from bot.demo.objects import Json, copied, name_of


@pytest.fixture
def lab() -> Lab:
    return Lab()


def solo(lab: Lab, image: str = "myapp:v1", *, spec: Json | None = None, **more: object) -> None:
    """Create one pod of its own; ``more`` goes into its container."""
    body = {"containers": [container(image, **more)], **(spec or {})}
    lab.create("pods", {"metadata": {"name": "solo", "labels": {"app": "web"}}, "spec": body})
    lab.wait()


def entry(lab: Lab) -> Json:
    found: Json = lab.pod()["status"]["containerStatuses"][0]
    return found


def written(lab: Lab, *, previous: bool = False) -> list[str]:
    lines = ContainerLogs(lambda: lab.now).lines(lab.pod(), "main", previous=previous)
    return [line.text for line in lines]


@pytest.mark.parametrize(
    ("image", "word"),
    [
        ("myapp:v2", ""),
        ("myapp", ""),
        ("registry.example.com:5000/bad/myapp:v2", ""),
        ("registry.example.com:5000/bad/myapp", ""),
        ("bad/crash:v1-noready", "noready"),
        ("myapp:v-bad", "bad"),
        ("myapp:2.0-oom", "oom"),
        ("myapp@sha256:" + "bad0" * 16, ""),
    ],
)
def test_only_the_tag_decides(image: str, word: str) -> None:
    assert behaviour_of(image).word == word


@pytest.mark.parametrize(
    ("image", "full"),
    [
        ("nginx", "docker.io/library/nginx:latest"),
        ("grafana/grafana:11", "docker.io/grafana/grafana:11"),
        ("registry.example.com/a/b:1", "registry.example.com/a/b:1"),
        ("localhost:5000/a", "localhost:5000/a:latest"),
    ],
)
def test_the_runtime_spells_image_names_out(image: str, full: str) -> None:
    assert full_name(image) == full


def test_every_word_of_the_table_is_told_apart() -> None:
    assert len({one.word for one in BEHAVIOURS}) == len(BEHAVIOURS)
    assert all(behaviour_of(f"myapp:v-{one.word}") is one for one in BEHAVIOURS)


def test_an_ordinary_pod_becomes_ready_with_everything_a_kubelet_reports(lab: Lab) -> None:
    solo(lab)
    status = lab.pod()["status"]
    assert status["phase"] == "Running"
    assert [(one["type"], one["status"]) for one in status["conditions"]] == [
        ("PodReadyToStartContainers", "True"),
        ("Initialized", "True"),
        ("Ready", "True"),
        ("ContainersReady", "True"),
        ("PodScheduled", "True"),
    ]
    assert status["podIP"].startswith("10.244.")
    assert status["hostIP"].startswith("10.0.")
    assert entry(lab)["imageID"].startswith("docker.io/library/myapp@sha256:")
    assert lab.reasons("solo") == {"Scheduled", "Pulling", "Pulled", "Created", "Started"}


def test_a_bad_image_is_said_to_be_missing_within_two_seconds(lab: Lab) -> None:
    lab.create("pods", {"metadata": {"name": "solo"}, "spec": {"containers": [container("myapp:v-bad")]}})
    lab.wait(0.9)
    assert lab.waiting()[0] == "ErrImagePull"
    lab.wait(1)
    reason, message = lab.waiting()
    assert reason == "ImagePullBackOff"
    assert message.startswith('Back-off pulling image "myapp:v-bad": ErrImagePull: ')
    assert message.endswith("docker.io/library/myapp:v-bad: not found")
    assert ("Failed", "Error: ErrImagePull") in lab.events("solo")
    assert ("BackOff", 'Back-off pulling image "myapp:v-bad"') in lab.events("solo")
    assert lab.pod()["status"]["phase"] == "Pending"


def test_a_crashing_container_backs_off_with_its_last_words(lab: Lab) -> None:
    solo(lab, "myapp:v-crash")
    uid = lab.pod()["metadata"]["uid"]
    reason, message = lab.waiting()
    assert reason == "CrashLoopBackOff"
    assert message.endswith(f"restarting failed container=main pod=solo_{SPACE}({uid})")
    last = entry(lab)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (1, "Error")
    assert entry(lab)["restartCount"] >= 2
    assert written(lab, previous=True)[-1] == "    ... 3 more"
    assert any(line.startswith("java.lang.IllegalStateException") for line in written(lab))
    assert lab.pod()["status"]["phase"] == "Running"


def test_restarts_keep_growing(lab: Lab) -> None:
    solo(lab, "myapp:v-crash")
    before = entry(lab)["restartCount"]
    lab.wait(120)
    assert entry(lab)["restartCount"] > before


def test_running_out_of_memory_is_told_as_such(lab: Lab) -> None:
    solo(lab, "myapp:v-oom")
    last = entry(lab)["lastState"]["terminated"]
    assert (last["exitCode"], last["reason"]) == (137, "OOMKilled")
    assert "after full collection" in written(lab, previous=True)[-1]


def test_a_slow_one_takes_its_time(lab: Lab) -> None:
    lab.create("pods", {"metadata": {"name": "solo"}, "spec": {"containers": [container("myapp:v-slow")]}})
    lab.wait(10)
    assert (lab.pod()["status"]["phase"], entry(lab)["ready"]) == ("Running", False)
    lab.wait(15)
    assert entry(lab)["ready"] is True


def test_one_that_is_never_ready_says_what_its_probe_said(lab: Lab) -> None:
    solo(lab, "myapp:v-noready", readinessProbe={"httpGet": {"path": "/ready", "port": 8080}})
    assert (lab.pod()["status"]["phase"], entry(lab)["ready"]) == ("Running", False)
    assert ("Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503") in lab.events("solo")
    ready = next(one for one in lab.pod()["status"]["conditions"] if one["type"] == "Ready")
    assert (ready["reason"], ready["message"]) == ("ContainersNotReady", "containers with unready status: [main]")


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"envFrom": [{"configMapRef": {"name": "cfg"}}]}, 'configmap "cfg" not found'),
        ({"envFrom": [{"secretRef": {"name": "pw"}}]}, 'secret "pw" not found'),
        (
            {"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "cfg", "key": "a"}}}]},
            'configmap "cfg" not found',
        ),
        (
            {"env": [{"name": "A", "valueFrom": {"secretKeyRef": {"name": "there", "key": "a"}}}]},
            f"couldn't find key a in Secret {SPACE}/there",
        ),
    ],
)
def test_missing_configuration_keeps_the_container_from_being_created(lab: Lab, more: Json, said: str) -> None:
    lab.create("secrets", {"metadata": {"name": "there"}, "stringData": {"b": "1"}})
    solo(lab, **more)
    assert lab.waiting() == ("CreateContainerConfigError", said)
    assert ("Failed", f"Error: {said}") in lab.events("solo")


def test_what_is_optional_may_be_missing(lab: Lab) -> None:
    solo(lab, envFrom=[{"configMapRef": {"name": "cfg", "optional": True}}])
    assert entry(lab)["ready"] is True


def test_a_container_starts_as_soon_as_its_configuration_is_there(lab: Lab) -> None:
    solo(lab, envFrom=[{"configMapRef": {"name": "cfg"}}])
    lab.create("configmaps", {"metadata": {"name": "cfg"}, "data": {"a": "1"}})
    lab.wait()
    assert entry(lab)["ready"] is True


def test_the_tag_noconfig_misses_a_configmap(lab: Lab) -> None:
    solo(lab, "myapp:v-noconfig")
    assert lab.waiting() == ("CreateContainerConfigError", 'configmap "main-settings" not found')


def test_a_volume_of_a_missing_configmap_cannot_be_mounted(lab: Lab) -> None:
    solo(lab, spec={"volumes": [{"name": "config", "configMap": {"name": "cfg"}}]})
    assert lab.waiting() == ("ContainerCreating", "")
    said = 'MountVolume.SetUp failed for volume "config" : configmap "cfg" not found'
    assert ("FailedMount", said) in lab.events("solo")
    lab.create("configmaps", {"metadata": {"name": "cfg"}})
    lab.wait()
    assert entry(lab)["ready"] is True


def test_init_containers_run_first_and_one_after_the_other(lab: Lab) -> None:
    first = [{"name": "one", "image": "a:1"}, {"name": "two", "image": "b:1"}]
    lab.create("pods", {"metadata": {"name": "solo"}, "spec": {"containers": [container()], "initContainers": first}})
    lab.wait(0.7)
    states = [one["state"] for one in lab.pod()["status"]["initContainerStatuses"]]
    assert [next(iter(state)) for state in states] == ["running", "waiting"]
    assert lab.waiting()[0] == "PodInitializing"
    lab.wait()
    done = [one["state"]["terminated"]["reason"] for one in lab.pod()["status"]["initContainerStatuses"]]
    assert done == ["Completed", "Completed"]
    assert entry(lab)["ready"] is True


def test_a_failing_init_container_holds_the_pod(lab: Lab) -> None:
    solo(lab, spec={"initContainers": [{"name": "one", "image": "a:crash"}]})
    assert lab.pod()["status"]["initContainerStatuses"][0]["state"]["waiting"]["reason"] == "CrashLoopBackOff"
    initialized = next(one for one in lab.pod()["status"]["conditions"] if one["type"] == "Initialized")
    assert initialized["message"] == "containers with incomplete status: [one]"


def test_a_pod_that_must_not_restart_fails_for_good(lab: Lab) -> None:
    solo(lab, "myapp:v-crash", spec={"restartPolicy": "Never"})
    assert lab.pod()["status"]["phase"] == "Failed"
    assert entry(lab)["state"]["terminated"]["exitCode"] == 1


def test_a_pod_that_asks_for_more_than_any_node_has_stays_pending(lab: Lab) -> None:
    solo(lab, resources={"requests": {"cpu": "64"}})
    scheduled = next(one for one in lab.pod()["status"]["conditions"] if one["type"] == "PodScheduled")
    said = "0/2 nodes are available: 2 Insufficient cpu."
    assert (scheduled["status"], scheduled["reason"], scheduled["message"]) == ("False", "Unschedulable", said)
    assert ("FailedScheduling", said) in lab.events("solo")


def test_nodes_fill_up_and_freed_room_is_taken(lab: Lab) -> None:
    deployed(lab, replicas=2)
    lab.change(DEPLOYMENTS, "web", template=template(resources={"requests": {"cpu": "3"}}))
    lab.change(DEPLOYMENTS, "web", strategy={"type": "Recreate", "rollingUpdate": None}, replicas=3)
    lab.wait()
    placed = [pod["spec"].get("nodeName") for pod in lab.pods()]
    assert sorted(filter(None, placed)) == ["lab-worker-1", "lab-worker-2"]
    lab.delete("pods", name_of(next(pod for pod in lab.pods() if pod["spec"].get("nodeName"))))
    lab.wait()
    assert len([pod for pod in lab.pods() if pod["status"]["phase"] == "Running"]) == 2


def test_replicas_are_spread_over_the_nodes(lab: Lab) -> None:
    deployed(lab, replicas=4)
    nodes = sorted(pod["spec"]["nodeName"] for pod in lab.pods())
    assert nodes == ["lab-worker-1"] * 2 + ["lab-worker-2"] * 2


def test_a_cordoned_cluster_schedules_nothing(lab: Lab) -> None:
    for node in lab.store.list("nodes"):
        cordoned = copied(node)
        cordoned["spec"]["unschedulable"] = True
        lab.store.update("nodes", cordoned)
    solo(lab)
    assert ("FailedScheduling", "0/2 nodes are available: 2 node(s) were unschedulable.") in lab.events("solo")


def test_a_missing_claim_is_named(lab: Lab) -> None:
    solo(lab, spec={"volumes": [{"name": "data", "persistentVolumeClaim": {"claimName": "gone"}}]})
    said = '0/2 nodes are available: persistentvolumeclaim "gone" not found.'
    assert ("FailedScheduling", said) in lab.events("solo")


def test_a_pod_ends_gracefully_and_is_told_to(lab: Lab) -> None:
    solo(lab)
    lab.delete("pods", "solo")
    assert lab.pod()["metadata"]["deletionGracePeriodSeconds"] == 30
    lab.wait()
    assert lab.pods() == []
    assert ("Killing", "Stopping container main") in lab.events("solo")


def test_changing_the_image_in_place_restarts_the_container(lab: Lab) -> None:
    solo(lab)
    changed = copied(lab.pod())
    changed["spec"]["containers"][0]["image"] = "myapp:v2"
    lab.store.update("pods", changed)
    lab.wait()
    assert (entry(lab)["image"], entry(lab)["restartCount"]) == ("docker.io/library/myapp:v2", 1)


def test_logs_grow_and_never_change_their_past(lab: Lab) -> None:
    solo(lab)
    before = written(lab)
    lab.wait(60)
    after = written(lab)
    assert len(after) > len(before)
    assert after[: len(before)] == before
    stamps = [datetime.fromisoformat(line[:23]) for line in after]
    assert stamps == sorted(stamps)


def test_events_are_forgotten_after_an_hour(lab: Lab) -> None:
    solo(lab)
    lab.wait(3500)
    assert lab.events("solo")
    lab.wait(200)
    assert lab.events("solo") == []


def test_a_repeated_event_is_counted_not_repeated(lab: Lab) -> None:
    lab.create(DEPLOYMENTS, workload("myapp:v-bad"))
    lab.wait(120)
    pod = name_of(lab.pod())
    told = [one for one in lab.store.list("events", SPACE) if one["involvedObject"]["name"] == pod]
    errors = [one for one in told if one["message"] == "Error: ErrImagePull"]
    assert len(errors) == 1
    assert errors[0]["count"] > 2
    assert errors[0]["lastTimestamp"] > errors[0]["firstTimestamp"]
