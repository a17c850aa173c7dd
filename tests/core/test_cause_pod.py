"""Why pods are not made, not placed, not set up or not ready is said, and patience is shown where waiting may help."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.rollouts import BEGAN, IMAGE_PATH, container, event, pod, revision, workload

from bot.core.cause import Cause, find, obstacle
from bot.core.plan import FieldChange
from bot.core.pod import Event, Pod
from bot.core.workload import Condition, Kind, Workload

NEW = revision(2, "myapp:v2")
QUOTA = (
    'pods "myapp-2-x" is forbidden: exceeded quota: compute, requested: requests.cpu=500m, '
    "used: requests.cpu=2, limited: requests.cpu=2"
)
NO_CPU = (
    "0/3 nodes are available: 3 Insufficient cpu. preemption: 0/3 nodes are available: 3 No preemption victims found."
)


def cause(
    of: Workload, *pods: Pod, events: tuple[Event, ...] = (), after: float = 20, changes: tuple[FieldChange, ...] = ()
) -> Cause | None:
    now = BEGAN + timedelta(seconds=after)
    return find(of, NEW, pods, events, now=now, since=BEGAN, changes=changes)


def refused(message: str) -> Workload:
    return workload(conditions=[Condition("ReplicaFailure", "True", "FailedCreate", message)])


def test_a_full_quota_is_certain_and_blames_the_number_of_replicas() -> None:
    found = cause(refused(QUOTA), changes=(FieldChange("spec.replicas", 3, 10),))

    assert found is not None
    assert found.certain
    assert found.fault.title == "quota is full"
    assert found.fault.sentence == (
        "The namespace's quota allows no more pods: exceeded quota: compute, requested: requests.cpu=500m, "
        "used: requests.cpu=2, limited: requests.cpu=2."
    )
    assert found.blame == "the number of replicas changed from `3` to `10`"


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ('pods "myapp-2-x" is forbidden: violates PodSecurity "restricted:latest"', "pods are refused by Pod Security"),
        ('admission webhook "p.io" denied the request: no', "pods are refused by an admission webhook"),
        (
            'Internal error occurred: failed calling webhook "p.io": context deadline exceeded; admission webhook',
            "an admission webhook does not answer",
        ),
        (
            'pods "myapp-2-x" is forbidden: error looking up service account shop/x: serviceaccount "x" not found',
            "service account is missing",
        ),
        (
            'pods "myapp-2-x" is forbidden: maximum memory usage per Container is 1Gi, but limit is 2Gi',
            "pods break the namespace's limits",
        ),
        ('pods "myapp-2-x" is forbidden: because', "pods cannot be created"),
    ],
)
def test_every_refusal_has_its_words(message: str, title: str) -> None:
    found = cause(refused(message))

    assert found is not None
    assert (found.certain, found.fault.title) == (True, title)


def test_a_condition_about_an_older_revisions_pods_is_not_ours() -> None:
    assert cause(refused(QUOTA.replace("myapp-2", "myapp-1"))) is None


def test_nothing_is_refused_where_all_pods_exist() -> None:
    pods = [pod(f"myapp-2-{name}", ready=True) for name in "abc"]

    assert cause(refused(QUOTA), *pods) is None


def test_the_kinds_without_the_condition_tell_it_by_events() -> None:
    sts = workload(kind=Kind.STATEFUL_SET)
    failed = event("myapp", "FailedCreate", QUOTA, kind="StatefulSet", at=3)
    made = event("myapp", "SuccessfulCreate", "create Pod myapp-0", kind="StatefulSet", at=4)
    before = event("myapp", "FailedCreate", QUOTA, kind="StatefulSet", at=-60)

    found = cause(sts, events=(failed,))
    assert found is not None
    assert found.fault.title == "quota is full"
    assert cause(sts, events=(failed, made)) is None
    assert cause(sts, events=(before,)) is None


@pytest.mark.parametrize(
    ("after", "certain", "title"), [(20, False, "waiting for a node"), (61, True, "no node takes")]
)
def test_a_pod_without_a_node_is_given_a_minute(after: float, certain: bool, title: str) -> None:
    found = cause(workload(), pod("myapp-2-a", unschedulable=NO_CPU, phase="Pending"), after=after)

    assert found is not None
    assert found.certain is certain
    assert found.fault.title.startswith(title)
    assert found.fault.sentence == "Pod myapp-2-a waits for a node: 0/3 nodes are available: 3 Insufficient cpu."


def test_a_node_that_the_autoscaler_adds_is_waited_for_longer() -> None:
    growing = (event("myapp-2-a", "TriggeredScaleUp", "pod triggered scale-up"),)
    lonely = pod("myapp-2-a", unschedulable=NO_CPU, phase="Pending")

    soon, late = (cause(workload(), lonely, events=growing, after=after) for after in (120, 301))

    assert soon is not None
    assert late is not None
    assert (soon.certain, late.certain) == (False, True)
    assert "the cluster autoscaler adds one" in soon.fault.sentence


def test_a_pod_that_waits_for_its_claim_says_so() -> None:
    found = cause(workload(), pod("myapp-2-a", unschedulable="pod has unbound immediate PersistentVolumeClaims."))

    assert found is not None
    assert found.fault.title == "waiting for a volume"


MISSING = 'MountVolume.SetUp failed for volume "config" : configmap "myapp-config" not found'
SLOW = 'Multi-Attach error for volume "data" Volume is already used by pod(s) myapp-1-a'


@pytest.mark.parametrize(
    ("reason", "message", "after", "certain"),
    [
        ("FailedMount", MISSING, 5, False),
        ("FailedMount", MISSING, 15, True),
        ("FailedAttachVolume", SLOW, 60, False),
        ("FailedAttachVolume", SLOW, 130, True),
    ],
)
def test_a_volume_is_waited_for_as_long_as_it_may_come(reason: str, message: str, after: float, certain: bool) -> None:
    creating = pod("myapp-2-a", container(waiting=("ContainerCreating", "")), phase="Pending")
    events = (event("myapp-2-a", reason, message, at=after - 1, first=1),)

    found = cause(workload(), creating, events=events, after=after)

    assert found is not None
    assert (found.fault.title, found.certain) == ("volume cannot be mounted", certain)
    assert message in found.fault.sentence


def test_a_sandbox_that_fails_is_not_called_a_volume() -> None:
    creating = pod("myapp-2-a", container(waiting=("ContainerCreating", "")), phase="Pending")

    found = cause(workload(), creating, events=(event("myapp-2-a", "FailedCreatePodSandBox", "no addresses left"),))

    assert found is not None
    assert found.fault.title == "pod sandbox cannot be made"


def test_trouble_with_volumes_is_over_once_the_container_runs() -> None:
    running = pod("myapp-2-a", container())

    assert cause(workload(), running, events=(event("myapp-2-a", "FailedMount", MISSING),), after=200) is None


def test_a_failing_readiness_probe_is_a_hint_after_a_while_and_never_certain() -> None:
    message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    events = (event("myapp-2-a", "Unhealthy", message),)
    changes = (FieldChange("spec.template.spec.containers[name=web].readinessProbe.httpGet.path", "/ready", "/nope"),)
    unready = pod("myapp-2-a", container())

    assert cause(workload(), unready, events=events, after=5) is None
    found = cause(workload(), unready, events=events, after=300, changes=changes)
    assert found is not None
    assert not found.certain
    assert found.fault.sentence == (
        "Container `web` runs, but its readiness probe fails: HTTP probe failed with statuscode: 503."
    )
    assert found.blame == "the readiness probe (`httpGet.path`) changed from `/ready` to `/nope`"


def test_events_of_an_earlier_pod_of_the_same_name_are_not_its_own() -> None:
    message = "Readiness probe failed: HTTP probe failed with statuscode: 503"
    young = pod("myapp-0", container(), created=BEGAN + timedelta(seconds=60))

    assert (
        cause(workload(kind=Kind.STATEFUL_SET), young, events=(event("myapp-0", "Unhealthy", message),), after=90)
        is None
    )


def test_an_evicted_pod_and_a_long_init_container_are_hints() -> None:
    evicted = cause(workload(), pod("myapp-2-a", phase="Failed", reason="Evicted"))
    working = pod("myapp-2-a", container(waiting=("PodInitializing", "")), container(name="migrate", init=True))
    long = cause(workload(), working, after=60)

    assert evicted is not None
    assert long is not None
    assert (evicted.certain, long.certain) == (False, False)
    assert evicted.fault.title == "pod was evicted"
    assert long.fault.sentence == "Init container `migrate` of myapp-2-a has not ended yet."


def test_a_pod_that_just_starts_has_no_fault() -> None:
    starting = pod("myapp-2-a", container(waiting=("ContainerCreating", "")), phase="Pending")

    assert cause(workload(), starting) is None


def test_a_cause_is_the_same_story_until_its_words_change() -> None:
    found = cause(refused(QUOTA))

    assert found is not None
    assert found.same_as(replace(found, output="lines", alike=3))
    assert not found.same_as(None)
    assert not found.same_as(cause(refused('pods "myapp-2-x" is forbidden: because')))


def test_a_broken_pod_of_an_older_revision_stands_in_the_way_of_a_set_that_goes_in_order() -> None:
    broken = pod("db-1", container("postgres:bad", waiting=("ImagePullBackOff", "not found")))
    well = pod("db-0", ready=True)
    in_order = workload(kind=Kind.STATEFUL_SET)
    parallel = workload(kind=Kind.STATEFUL_SET, spec={"podManagementPolicy": "Parallel"})

    found = obstacle(in_order, [well, broken], (), now=BEGAN)

    assert found is not None
    assert (found.certain, found.inherited) == (True, True)
    assert found.fault.hint == "Delete pod db-1: it comes back with the new version."
    assert obstacle(in_order, [well], (), now=BEGAN) is None
    assert obstacle(parallel, [broken], (), now=BEGAN) is None
    assert obstacle(workload(), [broken], (), now=BEGAN) is None


def test_an_image_change_is_not_blamed_for_a_quota() -> None:
    found = cause(refused(QUOTA), changes=(FieldChange(IMAGE_PATH, "myapp:v1", "myapp:v2"),))

    assert found is not None
    assert found.blame == ""
