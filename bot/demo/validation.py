"""What the API server refuses with 422: names, labels and the rules of each kind, in its own words.

The rules are those of k8s.io/kubernetes/pkg/apis/*/validation that a person or a bot meets in practice; pod templates
have their own file (``validation_pods``).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.demo.fields import Problems
from bot.demo.kinds import Kind
from bot.demo.objects import Json, name_of
from bot.demo.schema import missing
from bot.demo.selectors import LabelSelector
from bot.demo.status import Invalid
from bot.demo.validation_names import check_labels, check_metadata, check_name
from bot.demo.validation_pods import check_pod_spec, check_pod_update

_KEY_SAID = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or"
    " 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)


def validate(kind: Kind, new: Json, old: Json | None = None) -> None:
    """Raise Invalid (422) with a cause for every rule that the object breaks; ``old`` is given for an update."""
    problems = Problems()
    if old is None:
        check_name(kind, new, problems)
    check_metadata(new, problems)
    for path in missing(kind.kind, new):
        problems.required(path)
    if not problems.causes and (rule := _RULES.get(kind.resource)) is not None:
        rule(new, old, problems)
    problems.raise_for(kind, name_of(new))


def validate_replicas(name: str, replicas: object) -> None:
    """Raise Invalid for a Scale whose replicas are no count."""
    if not isinstance(replicas, int) or isinstance(replicas, bool) or replicas < 0:
        problems = Problems()
        problems.invalid("spec.replicas", replicas, "must be greater than or equal to 0")
        raise Invalid(
            f'Scale.autoscaling "{name}" is invalid: {problems.text}',
            resource="Scale.autoscaling", kind="Scale", name=name, causes=problems.causes,
        )  # fmt: skip


# -- kinds -------------------------------------------------------------------------------------------------------------


def _workload(new: Json, old: Json | None, problems: Problems) -> None:
    spec = new["spec"]
    for field in ("replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"):
        if (value := spec.get(field)) is not None and value < 0:
            problems.invalid(f"spec.{field}", value, "must be greater than or equal to 0")
    template = spec["template"]
    _selector(new, spec, template, problems)
    if old is not None and old["spec"].get("selector") != spec.get("selector"):
        problems.invalid("spec.selector", spec.get("selector"), "field is immutable")
    check_labels(template.get("metadata", {}).get("labels"), "spec.template.labels", problems)
    claims = frozenset(claim["metadata"].get("name", "") for claim in spec.get("volumeClaimTemplates") or ())
    check_pod_spec(template["spec"], "spec.template.spec", problems, claims=claims)
    policy = template["spec"].get("restartPolicy")
    if policy != "Always":
        problems.unsupported("spec.template.spec.restartPolicy", policy, ("Always",))


def _selector(new: Json, spec: Json, template: Json, problems: Problems) -> None:
    selector = spec.get("selector") or {}
    if not selector.get("matchLabels") and not selector.get("matchExpressions"):
        kind = str(new.get("kind", "")).lower()
        problems.invalid("spec.selector", selector, f"empty selector is invalid for {kind}")
        return
    labels = template.get("metadata", {}).get("labels") or {}
    if not LabelSelector.from_object(selector).matches(labels):
        problems.invalid("spec.template.metadata.labels", labels, "`selector` does not match template `labels`")


def _deployment(new: Json, old: Json | None, problems: Problems) -> None:
    _workload(new, old, problems)
    spec, strategy = new["spec"], new["spec"]["strategy"]
    if strategy["type"] not in {"Recreate", "RollingUpdate"}:
        problems.unsupported("spec.strategy.type", strategy["type"], ("Recreate", "RollingUpdate"))
    if strategy["type"] == "Recreate" and "rollingUpdate" in strategy:
        said = "may not be specified when strategy `type` is 'Recreate'"
        problems.forbidden("spec.strategy.rollingUpdate", said)
    if strategy["type"] == "RollingUpdate":
        _budget(strategy["rollingUpdate"], "spec.strategy.rollingUpdate", problems)
    if spec.get("progressDeadlineSeconds", 600) <= spec.get("minReadySeconds", 0):
        problems.invalid(
            "spec.progressDeadlineSeconds", spec["progressDeadlineSeconds"], "must be greater than minReadySeconds"
        )


_PERCENT = r"[0-9]{1,9}%"
_PERCENT_SAID = (
    "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for"
    " validation is '[0-9]+%')"
)


def _disruption_budget(new: Json, _old: Json | None, problems: Problems) -> None:
    spec = new.get("spec") or {}
    if "minAvailable" in spec and "maxUnavailable" in spec:
        problems.invalid("spec", spec, "minAvailable and maxUnavailable cannot be both set")
    for field in ("minAvailable", "maxUnavailable"):
        _amount(spec.get(field), f"spec.{field}", problems)


def _amount(value: object, path: str, problems: Problems) -> int | None:
    """Return the number of an int-or-percent, or collect what is wrong with it."""
    if isinstance(value, str) and not re.fullmatch(_PERCENT, value):
        problems.invalid(path, value, _PERCENT_SAID)
    elif isinstance(value, int) and value < 0:
        problems.invalid(path, value, "must be greater than or equal to 0")
    else:
        return int(str(value or 0).rstrip("%"))
    return None


def _budget(rolling: Json, path: str, problems: Problems) -> None:
    unavailable = _amount(rolling.get("maxUnavailable"), f"{path}.maxUnavailable", problems)
    surge = _amount(rolling.get("maxSurge"), f"{path}.maxSurge", problems)
    if isinstance(rolling.get("maxUnavailable"), str) and unavailable is not None and unavailable > 100:
        problems.invalid(f"{path}.maxUnavailable", rolling["maxUnavailable"], "must not be greater than 100%")
    if unavailable == surge == 0:
        problems.invalid(f"{path}.maxUnavailable", rolling.get("maxUnavailable"), "may not be 0 when `maxSurge` is 0")


_STATEFUL_SET_MAY_CHANGE = (
    "replicas", "ordinals", "template", "updateStrategy", "revisionHistoryLimit",
    "persistentVolumeClaimRetentionPolicy", "minReadySeconds",
)  # fmt: skip


def _stateful_set(new: Json, old: Json | None, problems: Problems) -> None:
    if old is not None:
        before = {key: value for key, value in old["spec"].items() if key not in _STATEFUL_SET_MAY_CHANGE}
        after = {key: value for key, value in new["spec"].items() if key not in _STATEFUL_SET_MAY_CHANGE}
        if before != after:
            listed = ", ".join(f"'{field}'" for field in _STATEFUL_SET_MAY_CHANGE[:-1])
            problems.forbidden(
                "spec",
                f"updates to statefulset spec for fields other than {listed} and 'minReadySeconds' are forbidden",
            )
            return
    _workload(new, old, problems)
    strategy = new["spec"]["updateStrategy"]
    if strategy["type"] not in {"RollingUpdate", "OnDelete"}:
        problems.unsupported("spec.updateStrategy", strategy["type"], ("OnDelete", "RollingUpdate"))
    if (partition := strategy.get("rollingUpdate", {}).get("partition", 0)) < 0:
        problems.invalid("spec.updateStrategy.rollingUpdate.partition", partition, "must be greater than or equal to 0")


def _daemon_set(new: Json, old: Json | None, problems: Problems) -> None:
    _workload(new, old, problems)
    strategy = new["spec"]["updateStrategy"]
    if strategy["type"] == "RollingUpdate":
        _budget(strategy["rollingUpdate"], "spec.updateStrategy.rollingUpdate", problems)
    elif strategy["type"] != "OnDelete":
        problems.unsupported("spec.updateStrategy.type", strategy["type"], ("OnDelete", "RollingUpdate"))


def _pod(new: Json, old: Json | None, problems: Problems) -> None:
    if old is None:
        check_pod_spec(new["spec"], "spec", problems)
    else:
        check_pod_update(new["spec"], old["spec"], problems)


def _autoscaler(new: Json, _old: Json | None, problems: Problems) -> None:
    spec = new["spec"]
    if spec["minReplicas"] < 1:
        problems.invalid("spec.minReplicas", spec["minReplicas"], "must be greater than or equal to 1")
    if spec["maxReplicas"] < 1:
        problems.invalid("spec.maxReplicas", spec["maxReplicas"], "must be greater than 0")
    elif spec["maxReplicas"] < spec["minReplicas"]:
        problems.invalid("spec.maxReplicas", spec["maxReplicas"], "must be greater than or equal to `minReplicas`")


def _service(new: Json, old: Json | None, problems: Problems) -> None:
    spec = new["spec"]
    kinds = ("ClusterIP", "ExternalName", "LoadBalancer", "NodePort")
    if spec["type"] not in kinds:
        problems.unsupported("spec.type", spec["type"], kinds)
    if not spec.get("ports") and spec["type"] != "ExternalName" and spec.get("clusterIP") != "None":
        problems.required("spec.ports")
    names: set[str] = set()
    for index, port in enumerate(spec.get("ports") or ()):
        path = f"spec.ports[{index}]"
        if not 1 <= port["port"] <= 65535:
            problems.invalid(f"{path}.port", port["port"], "must be between 1 and 65535, inclusive")
        if len(spec["ports"]) > 1 and not port.get("name"):
            problems.required(f"{path}.name")
        if (name := port.get("name")) in names and name:
            problems.duplicate(f"{path}.name", name)
        names.add(name or "")
    was = None if old is None else old["spec"].get("clusterIP")
    if was and spec["type"] != "ExternalName" and spec.get("clusterIP") != was:
        problems.invalid("spec.clusterIPs[0]", [spec.get("clusterIP")], "may not change once set")


def _config_map(new: Json, old: Json | None, problems: Problems) -> None:
    for part in ("data", "binaryData"):
        for key in new.get(part) or {}:
            if not re.fullmatch(r"[-._a-zA-Z0-9]+", key):
                problems.invalid(f"{part}[{key}]", key, _KEY_SAID)
    if sum(len(value) for part in ("data", "binaryData") for value in (new.get(part) or {}).values()) > 1024 * 1024:
        problems.add("", "FieldValueTooLong", "Too long: may not be more than 1048576 bytes")
    if old is not None and old.get("immutable") and any(old.get(p) != new.get(p) for p in ("data", "binaryData")):
        problems.forbidden("data", "field is immutable when `immutable` is set")


def _secret(new: Json, old: Json | None, problems: Problems) -> None:
    _config_map(new, old, problems)
    if old is not None and old.get("type") != new.get("type"):
        problems.invalid("type", new.get("type"), "field is immutable")


def _claim(new: Json, old: Json | None, problems: Problems) -> None:
    if not new["spec"].get("accessModes"):
        problems.required("spec.accessModes", "at least 1 access mode is required")
    if not new["spec"].get("resources", {}).get("requests", {}).get("storage"):
        problems.required("spec.resources[storage]")
    if old is None:
        return
    fixed = [
        {key: value for key, value in side["spec"].items() if key not in {"resources", "volumeName"}}
        for side in (old, new)
    ]
    if fixed[0] != fixed[1]:
        problems.forbidden(
            "spec",
            "spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims",
        )


def _binding(new: Json, old: Json | None, problems: Problems) -> None:
    if old is not None and old.get("roleRef") != new.get("roleRef"):
        problems.invalid("roleRef", new.get("roleRef"), "cannot change roleRef")


_RULES: dict[str, Callable[[Json, Json | None, Problems], None]] = {
    "deployments.apps": _deployment,
    "replicasets.apps": _workload,
    "statefulsets.apps": _stateful_set,
    "daemonsets.apps": _daemon_set,
    "pods": _pod,
    "poddisruptionbudgets.policy": _disruption_budget,
    "horizontalpodautoscalers.autoscaling": _autoscaler,
    "services": _service,
    "configmaps": _config_map,
    "secrets": _secret,
    "persistentvolumeclaims": _claim,
    "rolebindings.rbac.authorization.k8s.io": _binding,
    "clusterrolebindings.rbac.authorization.k8s.io": _binding,
}
