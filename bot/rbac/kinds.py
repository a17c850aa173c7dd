"""The kinds that `get` and `show` may show: Kubernetes' own, Secrets excepted. Rights on them are read-only."""

from collections.abc import Mapping
from typing import Final

IN_NAMESPACES: Final[Mapping[str, tuple[str, ...]]] = {
    "": (
        "configmaps",
        "endpoints",
        "events",
        "limitranges",
        "persistentvolumeclaims",
        "pods",
        "replicationcontrollers",
        "resourcequotas",
        "serviceaccounts",
        "services",
    ),
    "apps": (
        "controllerrevisions",
        "daemonsets",
        "deployments",
        "deployments/scale",
        "replicasets",
        "statefulsets",
        "statefulsets/scale",
    ),
    "autoscaling": ("horizontalpodautoscalers",),
    "batch": ("cronjobs", "jobs"),
    "coordination.k8s.io": ("leases",),
    "discovery.k8s.io": ("endpointslices",),
    "metrics.k8s.io": ("pods",),
    "networking.k8s.io": ("ingresses", "networkpolicies"),
    "policy": ("poddisruptionbudgets",),
    "rbac.authorization.k8s.io": ("rolebindings", "roles"),
}
"""By API group."""

OF_CLUSTERS: Final[Mapping[str, tuple[str, ...]]] = {
    "": ("namespaces", "nodes", "persistentvolumes"),
    "metrics.k8s.io": ("nodes",),
    "networking.k8s.io": ("ingressclasses",),
    "rbac.authorization.k8s.io": ("clusterrolebindings", "clusterroles"),
    "scheduling.k8s.io": ("priorityclasses",),
    "storage.k8s.io": ("storageclasses",),
}
"""Those that stand in no namespace, by API group: only who holds a role on the whole cluster may see them."""
