"""What stands around workloads: autoscalers, endpoints, load balancers, volumes, and figures of use."""

import pytest
from rigs.lab import DEPLOYMENTS, SPACE, Lab, container, deployed, template

from bot.demo.controllers.usage import Measurements
from bot.demo.objects import Json, name_of

HPAS, CLAIMS, CLASSES = (
    "horizontalpodautoscalers.autoscaling",
    "persistentvolumeclaims",
    "storageclasses.storage.k8s.io",
)


@pytest.fixture
def lab() -> Lab:
    return Lab()


# -- autoscalers -------------------------------------------------------------------------------------------------------


def autoscaled(lab: Lab, least: int, most: int, *, target: str = "web") -> None:
    ref = {"apiVersion": "apps/v1", "kind": "Deployment", "name": target}
    spec = {"scaleTargetRef": ref, "minReplicas": least, "maxReplicas": most}
    lab.create(HPAS, {"metadata": {"name": "web"}, "spec": spec})
    lab.wait()


def with_requests(lab: Lab, replicas: int) -> None:
    deployed(lab, replicas=replicas, template=template(resources={"requests": {"cpu": "100m"}}))


@pytest.mark.parametrize(("wished", "kept"), [(1, 3), (3, 3), (5, 5), (9, 6)])
def test_an_autoscaler_brings_the_replicas_back_into_its_bounds(lab: Lab, wished: int, kept: int) -> None:
    with_requests(lab, 4)
    autoscaled(lab, 3, 6)
    lab.change(DEPLOYMENTS, "web", replicas=wished)
    lab.wait(40)
    assert lab.get(DEPLOYMENTS, "web")["spec"]["replicas"] == kept
    assert len(lab.pods()) == kept
    if wished != kept:
        bound = "below Spec.MinReplicas" if wished < kept else "above Spec.MaxReplicas"
        said = f"New size: {kept}; reason: Current number of replicas {bound}"
        assert ("SuccessfulRescale", said) in lab.events("web")


def test_an_autoscaler_reports_what_it_sees(lab: Lab) -> None:
    with_requests(lab, 3)
    autoscaled(lab, 2, 6)
    lab.wait(40)
    status = lab.status(HPAS, "web")
    assert (status["currentReplicas"], status["desiredReplicas"]) == (3, 3)
    (metric,) = status["currentMetrics"]
    assert 20 <= metric["resource"]["current"]["averageUtilization"] <= 65
    assert lab.condition(HPAS, "web", "ScalingActive") is not None
    assert lab.condition(HPAS, "web", "ScalingLimited") == (
        "False",
        "DesiredWithinRange",
        "the desired count is within the acceptable range",
    )


def test_zero_replicas_switch_the_autoscaler_off(lab: Lab) -> None:
    with_requests(lab, 3)
    autoscaled(lab, 2, 6)
    lab.change(DEPLOYMENTS, "web", replicas=0)
    lab.wait(40)
    assert lab.pods() == []
    active = lab.condition(HPAS, "web", "ScalingActive")
    assert active is not None
    assert active[:2] == ("False", "ScalingDisabled")


def test_an_autoscaler_without_its_target_says_so(lab: Lab) -> None:
    autoscaled(lab, 2, 6, target="gone")
    able = lab.condition(HPAS, "web", "AbleToScale")
    assert able is not None
    assert able[:2] == ("False", "FailedGetScale")
    assert 'deployments.apps "gone" not found' in able[2]


# -- services ----------------------------------------------------------------------------------------------------------


def served(lab: Lab, **spec: object) -> None:
    ports = [{"port": 80, "targetPort": "http", "name": "web"}]
    lab.create("services", {"metadata": {"name": "web"}, "spec": {"selector": {"app": "web"}, "ports": ports, **spec}})
    lab.wait()


def test_endpoints_are_the_ready_pods_with_their_ports(lab: Lab) -> None:
    deployed(lab, replicas=2, template=template(ports=[{"name": "http", "containerPort": 8080}]))
    served(lab)
    (subset,) = lab.get("endpoints", "web")["subsets"]
    assert {one["ip"] for one in subset["addresses"]} == {pod["status"]["podIP"] for pod in lab.pods()}
    assert subset["ports"] == [{"name": "web", "port": 8080, "protocol": "TCP"}]
    (piece,) = lab.store.list("endpointslices.discovery.k8s.io", SPACE)
    assert [one["conditions"]["ready"] for one in piece["endpoints"]] == [True, True]


def test_a_pod_that_is_not_ready_gets_no_traffic(lab: Lab) -> None:
    deployed(lab, "myapp:v-noready", replicas=1)
    served(lab)
    (subset,) = lab.get("endpoints", "web")["subsets"]
    assert "addresses" not in subset
    assert len(subset["notReadyAddresses"]) == 1


def test_endpoints_go_with_their_service(lab: Lab) -> None:
    served(lab)
    lab.delete("services", "web")
    lab.wait()
    assert lab.store.find("endpoints", SPACE, "web") is None


def test_a_load_balancer_gets_an_address(lab: Lab) -> None:
    served(lab, type="LoadBalancer")
    (ingress,) = lab.status("services", "web")["loadBalancer"]["ingress"]
    assert ingress["hostname"].endswith(".elb.example.com")


# -- volumes -----------------------------------------------------------------------------------------------------------


def storage(lab: Lab, **more: object) -> None:
    lab.create(CLASSES, {"metadata": {"name": "fast"}, "provisioner": "ebs", **more}, namespace="")


def claimed(lab: Lab, *, of: str = "fast") -> None:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, "storageClassName": of}
    lab.create(CLAIMS, {"metadata": {"name": "data"}, "spec": spec})
    lab.wait()


def user(lab: Lab) -> None:
    volume = {"name": "data", "persistentVolumeClaim": {"claimName": "data"}}
    lab.create("pods", {"metadata": {"name": "user"}, "spec": {"containers": [container()], "volumes": [volume]}})
    lab.wait()


def test_a_claim_is_bound_to_a_volume_made_for_it(lab: Lab) -> None:
    storage(lab)
    claimed(lab)
    assert lab.status(CLAIMS, "data")["phase"] == "Bound"
    volume = lab.store.get("persistentvolumes", "", lab.get(CLAIMS, "data")["spec"]["volumeName"])
    assert (volume["status"]["phase"], volume["spec"]["claimRef"]["name"]) == ("Bound", "data")


def test_a_claim_of_a_class_that_is_not_there_says_so_and_is_bound_when_it_comes(lab: Lab) -> None:
    claimed(lab)
    assert lab.status(CLAIMS, "data")["phase"] == "Pending"
    assert ("ProvisioningFailed", 'storageclass.storage.k8s.io "fast" not found') in lab.events("data")
    storage(lab)
    lab.wait()
    assert lab.status(CLAIMS, "data")["phase"] == "Bound"


def test_a_class_that_waits_binds_only_when_a_pod_comes(lab: Lab) -> None:
    storage(lab, volumeBindingMode="WaitForFirstConsumer")
    claimed(lab)
    assert lab.status(CLAIMS, "data")["phase"] == "Pending"
    user(lab)
    assert lab.status(CLAIMS, "data")["phase"] == "Bound"
    assert lab.get("pods", "user")["status"]["phase"] == "Running"


def test_a_claim_grows_when_its_class_allows(lab: Lab) -> None:
    storage(lab, allowVolumeExpansion=True)
    claimed(lab)
    lab.change(CLAIMS, "data", resources={"requests": {"storage": "5Gi"}})
    lab.wait()
    assert lab.status(CLAIMS, "data")["capacity"] == {"storage": "5Gi"}


@pytest.mark.parametrize(("policy", "left"), [("Delete", []), ("Retain", ["Released"])])
def test_what_becomes_of_a_volume_whose_claim_is_deleted(lab: Lab, policy: str, left: list[str]) -> None:
    storage(lab, reclaimPolicy=policy)
    claimed(lab)
    lab.delete(CLAIMS, "data")
    lab.wait()
    assert [one["status"]["phase"] for one in lab.store.list("persistentvolumes")] == left


# -- figures of use ----------------------------------------------------------------------------------------------------


def figures(lab: Lab) -> Measurements:
    return Measurements(lambda: lab.now, lab.pods)


def test_use_is_the_same_at_the_same_moment_and_wanders_within_what_is_asked_for(lab: Lab) -> None:
    with_requests(lab, 1)
    seen = set()
    for _ in range(20):
        lab.wait(60)
        (used,) = figures(lab).pod(lab.pod()).values()
        assert figures(lab).pod(lab.pod()) == {"main": used}
        assert 25 <= used.cpu <= 60
        seen.add(used.cpu)
    assert len(seen) > 5


def test_a_pod_that_does_not_run_uses_nothing(lab: Lab) -> None:
    deployed(lab, "myapp:v-bad")
    assert figures(lab).pod(lab.pod()) == {}


def test_a_node_uses_what_its_pods_use_and_a_little_more(lab: Lab) -> None:
    with_requests(lab, 4)
    measured = figures(lab)
    nodes: list[Json] = lab.store.list("nodes")
    for node in nodes:
        pods = [pod for pod in lab.pods() if pod["spec"]["nodeName"] == name_of(node)]
        assert measured.node(node).cpu == 150 + sum(measured.pod(pod)["main"].cpu for pod in pods)
