"""The workloads of the oracle's cases, and the steps of their past, in as few words as each case needs."""

from typing import Any, Final

from rigs.oracle import Json, Past

LAST_APPLIED: Final = "kubectl.kubernetes.io/last-applied-configuration"
CAUSE: Final = "kubernetes.io/change-cause"

KINDS: Final = ("deploy", "sts", "ds")
"""As people type them; the order of all tables."""

_NAMES: Final = {
    "deploy": ("Deployment", "deployments.apps"),
    "sts": ("StatefulSet", "statefulsets.apps"),
    "ds": ("DaemonSet", "daemonsets.apps"),
}


def container(image: str = "web:v1", name: str = "web") -> Json:
    return {"name": name, "image": image}


def workload(
    kind: str,
    *containers: Json,
    name: str = "web",
    labels: Json | None = None,
    annotations: Json | None = None,
    init: tuple[Json, ...] = (),
    **spec: Any,
) -> Json:
    """A Deployment, StatefulSet (of three replicas) or DaemonSet; without containers it has one, `web`."""
    own = {"app": name}
    inside: Json = {"containers": list(containers) or [container()]}
    if init:
        inside["initContainers"] = list(init)
    template = {"metadata": {"labels": own}, "spec": inside}
    fixed: Json = {"selector": {"matchLabels": own}, "template": template}
    if kind != "ds":
        fixed["replicas"] = 3
    if kind == "sts":
        fixed["serviceName"] = name
    return {
        "apiVersion": "apps/v1",
        "kind": _NAMES[kind][0],
        "metadata": {
            "name": name,
            "labels": own if labels is None else labels,
            **({"annotations": annotations} if annotations else {}),
        },
        "spec": fixed | spec,
    }


def autoscaler(kind: str, minimum: int, maximum: int, name: str = "web") -> Json:
    target = {"apiVersion": "apps/v1", "kind": _NAMES[kind][0], "name": name}
    cpu = {"type": "Resource", "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}}}
    return {
        "apiVersion": "autoscaling/v2",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": name},
        "spec": {"scaleTargetRef": target, "minReplicas": minimum, "maxReplicas": maximum, "metrics": [cpu]},
    }


def step(kind: str, body: Json, *, name: str = "web", settles: bool = True) -> Past:
    return Past(_NAMES[kind][1], name, body, settles)


def image(kind: str, to: str, *, name: str = "web", inside: str = "web", settles: bool = True) -> Past:
    """A new image of one container, as `set image` would have done it."""
    body = {"spec": {"template": {"spec": {"containers": [container(to, inside)]}}}}
    return step(kind, body, name=name, settles=settles)


def versions(kind: str, *tags: str, name: str = "web") -> tuple[Past, ...]:
    """One step for each tag of `web`."""
    return tuple(image(kind, f"web:{tag}", name=name) for tag in tags)


def spec(kind: str, **fields: Any) -> Past:
    return step(kind, {"spec": fields})


def annotated(kind: str, notes: dict[str, str | None]) -> Past:
    """Annotations of the workload itself; None takes one away."""
    return step(kind, {"metadata": {"annotations": notes}})
