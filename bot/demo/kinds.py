"""The kinds that the demo's API server serves: names, versions, subresources. Discovery and routes read this table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


@dataclass(frozen=True, slots=True)
class Kind:
    """One served kind. ``selectable`` are the fields a field selector may name besides metadata's."""

    group: str
    version: str
    plural: str
    kind: str
    short: tuple[str, ...] = ()
    namespaced: bool = True
    subresources: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    selectable: frozenset[str] = frozenset()
    verbs: tuple[str, ...] = VERBS

    @property
    def resource(self) -> str:
        """The plural with its group, as the store and kubectl name it."""
        return f"{self.plural}.{self.group}" if self.group else self.plural

    @property
    def singular(self) -> str:
        return self.kind.lower()

    @property
    def api_version(self) -> str:
        return f"{self.group}/{self.version}" if self.group else self.version

    @property
    def base(self) -> str:
        """The URL of its group and version: ``/api/v1`` or ``/apis/apps/v1``."""
        return f"/apis/{self.group}/{self.version}" if self.group else f"/api/{self.version}"


_STATUS = ("status",)
_SCALED = ("status", "scale")
_ALL = ("all",)
_EVENT_FIELDS = frozenset(
    {
        *(
            f"involvedObject.{field}"
            for field in ("kind", "namespace", "name", "uid", "apiVersion", "resourceVersion", "fieldPath")
        ),
        "reason",
        "reportingComponent",
        "source",
        "type",
    }
)
_POD_FIELDS = frozenset(
    {
        "spec.nodeName",
        "spec.restartPolicy",
        "spec.schedulerName",
        "spec.serviceAccountName",
        "spec.hostNetwork",
        "status.phase",
        "status.podIP",
        "status.nominatedNodeName",
    }
)
_RBAC = "rbac.authorization.k8s.io"
_ONCE = ("create",)  # reviews: asked, answered, not kept
_READ = ("get", "list")

KINDS: tuple[Kind, ...] = (
    Kind("", "v1", "configmaps", "ConfigMap", ("cm",)),
    Kind("", "v1", "endpoints", "Endpoints", ("ep",)),
    Kind("", "v1", "events", "Event", ("ev",), selectable=_EVENT_FIELDS),
    Kind("", "v1", "limitranges", "LimitRange", ("limits",)),
    Kind(
        "", "v1", "namespaces", "Namespace", ("ns",), False,
        _STATUS, (), frozenset({"status.phase"}),
        tuple(verb for verb in VERBS if verb != "deletecollection"),
    ),
    Kind("", "v1", "nodes", "Node", ("no",), False, _STATUS, selectable=frozenset({"spec.unschedulable"})),
    Kind("", "v1", "persistentvolumeclaims", "PersistentVolumeClaim", ("pvc",), subresources=_STATUS),
    Kind("", "v1", "persistentvolumes", "PersistentVolume", ("pv",), False, _STATUS),
    Kind(
        "", "v1", "pods", "Pod", ("po",), True,
        ("eviction", "log", "status"), _ALL, _POD_FIELDS,
    ),
    Kind("", "v1", "replicationcontrollers", "ReplicationController", ("rc",), True, _SCALED, _ALL),
    Kind("", "v1", "resourcequotas", "ResourceQuota", ("quota",), subresources=_STATUS),
    Kind("", "v1", "secrets", "Secret", selectable=frozenset({"type"})),
    Kind("", "v1", "serviceaccounts", "ServiceAccount", ("sa",)),
    Kind("", "v1", "services", "Service", ("svc",), True, _STATUS, _ALL, frozenset({"spec.clusterIP", "spec.type"})),
    Kind("apps", "v1", "controllerrevisions", "ControllerRevision"),
    Kind("apps", "v1", "daemonsets", "DaemonSet", ("ds",), True, _STATUS, _ALL),
    Kind("apps", "v1", "deployments", "Deployment", ("deploy",), True, _SCALED, _ALL),
    Kind("apps", "v1", "replicasets", "ReplicaSet", ("rs",), True, _SCALED, _ALL),
    Kind("apps", "v1", "statefulsets", "StatefulSet", ("sts",), True, _SCALED, _ALL),
    Kind("authentication.k8s.io", "v1", "selfsubjectreviews", "SelfSubjectReview", namespaced=False, verbs=_ONCE),
    Kind(
        "authorization.k8s.io", "v1", "localsubjectaccessreviews", "LocalSubjectAccessReview", verbs=_ONCE
    ),
    Kind(
        "authorization.k8s.io", "v1", "selfsubjectaccessreviews", "SelfSubjectAccessReview",
        namespaced=False, verbs=_ONCE,
    ),
    Kind(
        "authorization.k8s.io", "v1", "selfsubjectrulesreviews", "SelfSubjectRulesReview",
        namespaced=False, verbs=_ONCE,
    ),
    Kind(
        "authorization.k8s.io", "v1", "subjectaccessreviews", "SubjectAccessReview", namespaced=False, verbs=_ONCE
    ),
    Kind("autoscaling", "v2", "horizontalpodautoscalers", "HorizontalPodAutoscaler", ("hpa",), True, _STATUS, _ALL),
    Kind("batch", "v1", "cronjobs", "CronJob", ("cj",), True, _STATUS, _ALL),
    Kind("batch", "v1", "jobs", "Job", (), True, _STATUS, _ALL, frozenset({"status.successful"})),
    Kind("coordination.k8s.io", "v1", "leases", "Lease"),
    Kind("discovery.k8s.io", "v1", "endpointslices", "EndpointSlice"),
    Kind("metrics.k8s.io", "v1beta1", "nodes", "NodeMetrics", namespaced=False, verbs=_READ),
    Kind("metrics.k8s.io", "v1beta1", "pods", "PodMetrics", verbs=_READ),
    Kind("networking.k8s.io", "v1", "ingressclasses", "IngressClass", namespaced=False),
    Kind("networking.k8s.io", "v1", "ingresses", "Ingress", ("ing",), subresources=_STATUS),
    Kind("networking.k8s.io", "v1", "networkpolicies", "NetworkPolicy", ("netpol",)),
    Kind("policy", "v1", "poddisruptionbudgets", "PodDisruptionBudget", ("pdb",), subresources=_STATUS),
    Kind(_RBAC, "v1", "clusterrolebindings", "ClusterRoleBinding", namespaced=False),
    Kind(_RBAC, "v1", "clusterroles", "ClusterRole", namespaced=False),
    Kind(_RBAC, "v1", "rolebindings", "RoleBinding"),
    Kind(_RBAC, "v1", "roles", "Role"),
    Kind("scheduling.k8s.io", "v1", "priorityclasses", "PriorityClass", ("pc",), namespaced=False),
    Kind("storage.k8s.io", "v1", "storageclasses", "StorageClass", ("sc",), namespaced=False),
)  # fmt: skip

BY_RESOURCE: dict[str, Kind] = {kind.resource: kind for kind in KINDS}


def stored() -> Iterable[Kind]:
    """Return the kinds whose objects the store keeps (reviews and metrics are only answered)."""
    return (kind for kind in KINDS if "update" in kind.verbs)


def find(group: str, version: str, plural: str) -> Kind | None:
    kind = BY_RESOURCE.get(f"{plural}.{group}" if group else plural)
    return kind if kind is not None and kind.version == version else None
