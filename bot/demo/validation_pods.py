"""The rules of a pod's specification, in a pod or in a template."""

from __future__ import annotations

import re
from collections.abc import Set as AbstractSet

from bot.demo.fields import Problems
from bot.demo.objects import Json
from bot.demo.quantity import value_of
from bot.demo.validation_names import LABEL, LABEL_SAID

_ENV_SAID = "a valid environment variable name must consist only of printable ASCII characters other than '='"


def check_pod_spec(spec: Json, path: str, problems: Problems, *, claims: frozenset[str] = frozenset()) -> None:
    """Collect what is wrong with a defaulted pod spec; `claims` are volumes that a StatefulSet's templates add."""
    if not spec.get("containers"):
        problems.required(f"{path}.containers")
    volumes = _volumes(spec, path, problems) | claims
    names: set[str] = set()
    for field in ("initContainers", "containers"):
        for index, container in enumerate(spec.get(field) or ()):
            where = f"{path}.{field}[{index}]"
            if container.get("name") in names:
                problems.duplicate(f"{where}.name", container["name"])
            names.add(container.get("name", ""))
            _container(container, where, volumes, problems)
    if spec.get("restartPolicy") not in {"Always", "OnFailure", "Never"}:
        problems.unsupported(f"{path}.restartPolicy", spec.get("restartPolicy"), ("Always", "OnFailure", "Never"))
    if (grace := spec.get("terminationGracePeriodSeconds", 0)) < 0:
        problems.invalid(f"{path}.terminationGracePeriodSeconds", grace, "must be greater than or equal to 0")


def _volumes(spec: Json, path: str, problems: Problems) -> set[str]:
    names: set[str] = set()
    for index, volume in enumerate(spec.get("volumes") or ()):
        where, name = f"{path}.volumes[{index}]", volume.get("name", "")
        if not re.fullmatch(LABEL, name):
            problems.invalid(f"{where}.name", name, LABEL_SAID)
        if name in names:
            problems.duplicate(f"{where}.name", name)
        names.add(name)
        sources = [key for key in volume if key != "name"]
        if len(sources) > 1:
            problems.forbidden(f"{where}.{sources[1]}", "may not specify more than 1 volume type")
        if not sources:
            problems.required(where, "must specify a volume type")
    return names


def _container(container: Json, path: str, volumes: AbstractSet[str], problems: Problems) -> None:
    name, image = container.get("name", ""), container.get("image", "")
    if not name:
        problems.required(f"{path}.name")
    elif not re.fullmatch(LABEL, name):
        problems.invalid(f"{path}.name", name, LABEL_SAID)
    if not image:
        problems.required(f"{path}.image")
    elif image.strip() != image:
        problems.invalid(f"{path}.image", image, "must not have leading or trailing whitespace")
    if (policy := container.get("imagePullPolicy")) not in {"Always", "IfNotPresent", "Never"}:
        problems.unsupported(f"{path}.imagePullPolicy", policy, ("Always", "IfNotPresent", "Never"))
    _ports(container, path, problems)
    _environment(container, path, problems)
    for index, mount in enumerate(container.get("volumeMounts") or ()):
        if mount.get("name") not in volumes:
            problems.not_found(f"{path}.volumeMounts[{index}].name", mount.get("name"))
    _resources(container.get("resources") or {}, f"{path}.resources", problems)


def _ports(container: Json, path: str, problems: Problems) -> None:
    names: set[str] = set()
    for index, port in enumerate(container.get("ports") or ()):
        where = f"{path}.ports[{index}]"
        if not 1 <= port["containerPort"] <= 65535:
            problems.invalid(f"{where}.containerPort", port["containerPort"], "must be between 1 and 65535, inclusive")
        if (name := port.get("name", "")) and name in names:
            problems.duplicate(f"{where}.name", name)
        names.add(name)


def _environment(container: Json, path: str, problems: Problems) -> None:
    for index, variable in enumerate(container.get("env") or ()):
        where, name = f"{path}.env[{index}]", variable.get("name", "")
        if not name:
            problems.required(f"{where}.name")
        elif not re.fullmatch(r"[ -<>-~]+", name):
            problems.invalid(f"{where}.name", name, _ENV_SAID)
        if variable.get("value") and variable.get("valueFrom"):
            problems.invalid(f"{where}.valueFrom", "", "may not be specified when `value` is not empty")


def _resources(resources: Json, path: str, problems: Problems) -> None:
    limits, requests = resources.get("limits") or {}, resources.get("requests") or {}
    for field, amounts in (("limits", limits), ("requests", requests)):
        for name, amount in amounts.items():
            if value_of(amount) < 0:
                problems.invalid(f"{path}.{field}[{name}]", amount, "must be greater than or equal to 0")
    for name, amount in requests.items():
        if name in limits and value_of(amount) > value_of(limits[name]):
            problems.invalid(
                f"{path}.requests", amount, f"must be less than or equal to {name} limit of {limits[name]}"
            )


_POD_UPDATE_SAID = (
    "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,"
    "`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),"
    "`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"
)


def check_pod_update(new: Json, old: Json, problems: Problems) -> None:
    """Collect a change to anything of a running pod but its images, deadline and added tolerations."""
    if _fixed(new) != _fixed(old):
        problems.forbidden("spec", _POD_UPDATE_SAID)
    if any(toleration not in (new.get("tolerations") or ()) for toleration in old.get("tolerations") or ()):
        problems.forbidden("spec.tolerations", "existing toleration can not be modified except its tolerationSeconds")
    for field in ("initContainers", "containers"):
        for index, container in enumerate(new.get(field) or ()):
            if not container.get("image"):
                problems.required(f"spec.{field}[{index}].image")


def _fixed(spec: Json) -> Json:
    kept = {
        key: value
        for key, value in spec.items()
        if key not in {"activeDeadlineSeconds", "tolerations", "containers", "initContainers"}
    }
    for field in ("initContainers", "containers"):
        kept[field] = [
            {key: value for key, value in container.items() if key != "image"} for container in spec.get(field) or ()
        ]
    return kept
