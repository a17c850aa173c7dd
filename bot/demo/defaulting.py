"""What the API server fills in when a request leaves it out (k8s.io/kubernetes/pkg/apis/*/v1/defaults.go).

``fill(resource, obj)`` changes the object in place; it is given a private copy.
"""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable

from bot.demo.objects import Json


def fill(resource: str, obj: Json) -> None:
    """Set the defaults of the object's kind; kinds without defaults stay as they are."""
    if (default := _BY_RESOURCE.get(resource)) is not None:
        default(obj)


def _set(target: Json, **defaults: object) -> None:
    for key, value in defaults.items():
        if target.get(key) is None:
            target[key] = value


# -- pods --------------------------------------------------------------------------------------------------------------


def _template(template: Json) -> None:
    template.setdefault("metadata", {})
    pod_spec(template.setdefault("spec", {}))


def pod_spec(spec: Json) -> None:
    _set(
        spec,
        restartPolicy="Always",
        dnsPolicy="ClusterFirst",
        schedulerName="default-scheduler",
        terminationGracePeriodSeconds=30,
        securityContext={},
    )
    if account := spec.get("serviceAccountName") or spec.get("serviceAccount"):
        spec["serviceAccountName"] = spec["serviceAccount"] = account
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        _container(container)
    for volume in spec.get("volumes") or ():
        for source in ("configMap", "secret", "projected", "downwardAPI"):
            if isinstance(volume.get(source), dict):
                _set(volume[source], defaultMode=420)
        if isinstance(volume.get("hostPath"), dict):
            _set(volume["hostPath"], type="")


def _container(container: Json) -> None:
    image = str(container.get("image", ""))
    tag = image.rpartition("/")[2].partition(":")[2]
    is_floating = "@" not in image and tag in {"", "latest"}
    _set(
        container,
        imagePullPolicy="Always" if is_floating else "IfNotPresent",
        terminationMessagePath="/dev/termination-log",
        terminationMessagePolicy="File",
        resources={},
    )
    for port in container.get("ports") or ():
        _set(port, protocol="TCP")
    for name in ("livenessProbe", "readinessProbe", "startupProbe"):
        if isinstance(probe := container.get(name), dict):
            _set(probe, timeoutSeconds=1, periodSeconds=10, successThreshold=1, failureThreshold=3)
            _http(probe)
    for hook in (container.get("lifecycle") or {}).values():
        if isinstance(hook, dict):
            _http(hook)
    for variable in container.get("env") or ():
        reference = (variable.get("valueFrom") or {}).get("fieldRef")
        if isinstance(reference, dict):
            _set(reference, apiVersion="v1")


def _http(handler: Json) -> None:
    if isinstance(handler.get("httpGet"), dict):
        _set(handler["httpGet"], path="/", scheme="HTTP")
    if isinstance(handler.get("grpc"), dict):
        _set(handler["grpc"], service="")


def _pod(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    pod_spec(spec)
    _set(spec, enableServiceLinks=True, preemptionPolicy="PreemptLowerPriority", priority=0)
    _set(spec, serviceAccountName="default", serviceAccount="default")
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        resources = container["resources"]
        for name, limit in (resources.get("limits") or {}).items():
            resources.setdefault("requests", {}).setdefault(name, limit)
    tolerations = spec.setdefault("tolerations", [])
    for condition in ("not-ready", "unreachable"):
        key = f"node.kubernetes.io/{condition}"
        if not any(known.get("key") == key and known.get("effect") == "NoExecute" for known in tolerations):
            tolerations.append({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300})
    _set(obj.setdefault("status", {}), phase="Pending", qosClass=_qos(spec))


def _qos(spec: Json) -> str:
    containers = [*(spec.get("initContainers") or ()), *(spec.get("containers") or ())]
    resources = [container["resources"] for container in containers]
    if not any(known.get("requests") or known.get("limits") for known in resources):
        return "BestEffort"
    is_fixed = all(
        known.get("limits", {}).get(name) is not None and known["limits"][name] == known.get("requests", {}).get(name)
        for known in resources
        for name in ("cpu", "memory")
    )
    return "Guaranteed" if is_fixed else "Burstable"


# -- workloads ---------------------------------------------------------------------------------------------------------


def _deployment(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, replicas=1, revisionHistoryLimit=10, progressDeadlineSeconds=600)
    strategy = spec.setdefault("strategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy, rollingUpdate={})
        _set(strategy["rollingUpdate"], maxUnavailable="25%", maxSurge="25%")
    _template(spec.setdefault("template", {}))


def _replica_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, replicas=1)
    _template(spec.setdefault("template", {}))


def _stateful_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, replicas=1, revisionHistoryLimit=10, podManagementPolicy="OrderedReady")
    _set(spec, persistentVolumeClaimRetentionPolicy={})
    _set(spec["persistentVolumeClaimRetentionPolicy"], whenDeleted="Retain", whenScaled="Retain")
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy, rollingUpdate={})
        _set(strategy["rollingUpdate"], partition=0)
    for claim in spec.get("volumeClaimTemplates") or ():
        _set(claim, apiVersion="v1", kind="PersistentVolumeClaim")
        _claim(claim)
    _template(spec.setdefault("template", {}))


def _daemon_set(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, revisionHistoryLimit=10)
    strategy = spec.setdefault("updateStrategy", {})
    _set(strategy, type="RollingUpdate")
    if strategy["type"] == "RollingUpdate":
        _set(strategy, rollingUpdate={})
        _set(strategy["rollingUpdate"], maxUnavailable=1, maxSurge=0)
    _template(spec.setdefault("template", {}))


def _job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, backoffLimit=6, completionMode="NonIndexed", suspend=False, manualSelector=False)
    _set(spec, podReplacementPolicy="TerminatingOrFailed")
    if spec.get("completions") is None and spec.get("parallelism") is None:
        spec["completions"] = 1
    _set(spec, parallelism=1)
    _template(spec.setdefault("template", {}))


def _cron_job(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, concurrencyPolicy="Allow", suspend=False, successfulJobsHistoryLimit=3, failedJobsHistoryLimit=1)
    template = spec.setdefault("jobTemplate", {})
    template.setdefault("metadata", {})
    _template(template.setdefault("spec", {}).setdefault("template", {}))


def _autoscaler(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, minReplicas=1)
    if not spec.get("metrics"):
        target = {"type": "Utilization", "averageUtilization": 80}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if isinstance(behavior := spec.get("behavior"), dict):
        # Rules that only one direction was given for are completed for both (autoscaling/v2/defaults.go).
        up, down = behavior.setdefault("scaleUp", {}), behavior.setdefault("scaleDown", {})
        _set(up, stabilizationWindowSeconds=0, selectPolicy="Max")
        twice = [
            {"type": "Pods", "value": 4, "periodSeconds": 15},
            {"type": "Percent", "value": 100, "periodSeconds": 15},
        ]
        _set(up, policies=twice)
        _set(down, selectPolicy="Max", policies=[{"type": "Percent", "value": 100, "periodSeconds": 15}])


# -- the rest ----------------------------------------------------------------------------------------------------------


def _service(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, type="ClusterIP", sessionAffinity="None")
    for port in spec.get("ports") or ():
        _set(port, protocol="TCP")
        _set(port, targetPort=port.get("port"))
    if spec["sessionAffinity"] == "ClientIP":
        config = spec.setdefault("sessionAffinityConfig", {})
        _set(config.setdefault("clientIP", {}), timeoutSeconds=10800)
    if spec["type"] == "ExternalName":
        return
    _set(spec, internalTrafficPolicy="Cluster", ipFamilies=["IPv4"], ipFamilyPolicy="SingleStack")
    if spec["type"] in {"NodePort", "LoadBalancer"}:
        _set(spec, externalTrafficPolicy="Cluster")
    if spec["type"] == "LoadBalancer":
        _set(spec, allocateLoadBalancerNodePorts=True)
        obj.setdefault("status", {}).setdefault("loadBalancer", {})


def _claim(obj: Json) -> None:
    _set(obj.setdefault("spec", {}), volumeMode="Filesystem")
    _set(obj.setdefault("status", {}), phase="Pending")


def _volume(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, persistentVolumeReclaimPolicy="Retain", volumeMode="Filesystem")
    _set(obj.setdefault("status", {}), phase="Pending")


def _storage_class(obj: Json) -> None:
    _set(obj, reclaimPolicy="Delete", volumeBindingMode="Immediate")


def _namespace(obj: Json) -> None:
    _set(obj.setdefault("spec", {}), finalizers=["kubernetes"])
    _set(obj.setdefault("status", {}), phase="Active")
    labels = obj.setdefault("metadata", {}).setdefault("labels", {})
    if name := obj["metadata"].get("name"):
        labels["kubernetes.io/metadata.name"] = name


def _secret(obj: Json) -> None:
    _set(obj, type="Opaque")
    if plain := obj.pop("stringData", None):
        data = obj.setdefault("data", {})
        data.update({key: b64encode(value.encode()).decode() for key, value in plain.items()})


def _binding(obj: Json) -> None:
    for subject in obj.get("subjects") or ():
        if subject.get("kind") in {"User", "Group"}:
            _set(subject, apiGroup="rbac.authorization.k8s.io")


def _endpoints(obj: Json) -> None:
    for subset in obj.get("subsets") or ():
        for port in subset.get("ports") or ():
            _set(port, protocol="TCP")


def _network_policy(obj: Json) -> None:
    spec = obj.setdefault("spec", {})
    _set(spec, policyTypes=["Ingress", "Egress"] if spec.get("egress") else ["Ingress"])


_BY_RESOURCE: dict[str, Callable[[Json], None]] = {
    "pods": _pod,
    "deployments.apps": _deployment,
    "replicasets.apps": _replica_set,
    "replicationcontrollers": _replica_set,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "jobs.batch": _job,
    "cronjobs.batch": _cron_job,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "services": _service,
    "persistentvolumeclaims": _claim,
    "persistentvolumes": _volume,
    "storageclasses.storage.k8s.io": _storage_class,
    "namespaces": _namespace,
    "secrets": _secret,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
    "endpoints": _endpoints,
    "networkpolicies.networking.k8s.io": _network_policy,
}
