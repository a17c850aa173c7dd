"""ResourceQuota: what a namespace uses of it, and the refusal of a creation that would exceed it."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction

from bot.demo.kinds import BY_RESOURCE
from bot.demo.objects import Json, copied, name_of, namespace_of
from bot.demo.quantity import canonical, value_of
from bot.demo.status import Forbidden
from bot.demo.store import Store

_PLAIN_COUNTS = frozenset(
    {"pods", "services", "secrets", "configmaps", "persistentvolumeclaims", "resourcequotas", "replicationcontrollers"}
)


def check(store: Store, resource: str, obj: Json) -> None:
    """Raise Forbidden when creating the object would exceed a quota of its namespace."""
    namespace = namespace_of(obj)
    for quota in store.list("resourcequotas", namespace):
        hard = (quota.get("spec") or {}).get("hard") or {}
        asked = {name: amount for name in hard if (amount := _charge(name, resource, obj)) is not None}
        _check_said(quota, resource, obj, asked)
        used = {name: _used(store, namespace, name) for name in asked}
        over = sorted(name for name in asked if asked[name] and used[name] + asked[name] > value_of(hard[name]))
        if over:
            listed = ", ".join(
                f"{word}: {','.join(f'{name}={_text(amounts[name], hard[name])}' for name in over)}"
                for word, amounts in (
                    ("requested", asked),
                    ("used", used),
                    ("limited", {name: value_of(hard[name]) for name in over}),
                )
            )
            raise _refused(resource, obj, f"exceeded quota: {name_of(quota)}, {listed}")


def _check_said(quota: Json, resource: str, obj: Json, asked: dict[str, Fraction]) -> None:
    """A quota on requests or limits obliges every container to say them."""
    if resource != "pods":
        return
    silent: list[str] = []
    for name in sorted(asked):
        field, key = _compute(name)
        if field is None:
            continue
        names = [c["name"] for c in obj["spec"]["containers"] if key not in (c.get("resources", {}).get(field) or {})]
        if names:
            silent.append(f"{name} for: {','.join(sorted(names))}")
    if silent:
        raise _refused(resource, obj, f"failed quota: {name_of(quota)}: must specify {'; '.join(silent)}")


def _refused(resource: str, obj: Json, why: str) -> Forbidden:
    name = name_of(obj) or obj.get("metadata", {}).get("generateName", "")
    return Forbidden(f'{resource} "{name}" is forbidden: {why}', resource=resource, name=name)


def _compute(name: str) -> tuple[str | None, str]:
    """Split ``requests.cpu`` or ``cpu`` into the field and the resource; (None, ...) for a count."""
    field, dot, key = name.partition(".")
    if dot and field in {"requests", "limits"} and key in {"cpu", "memory", "ephemeral-storage"}:
        return field, key
    return ("requests", name) if name in {"cpu", "memory"} else (None, name)


def _charge(name: str, resource: str, obj: Json) -> Fraction | None:
    """Return what one object costs of a quota's resource; None when it is of another kind."""
    field, key = _compute(name)
    if field is not None:
        return _pod_sum(obj, field, key) if resource == "pods" else None
    if name == "requests.storage":
        storage = obj.get("spec", {}).get("resources", {}).get("requests", {}).get("storage", "0")
        return value_of(storage) if resource == "persistentvolumeclaims" else None
    counted = name.removeprefix("count/")
    is_count = name.startswith("count/") or name in _PLAIN_COUNTS
    return Fraction(1) if is_count and counted == resource else None


def _pod_sum(pod: Json, field: str, key: str) -> Fraction:
    def total(containers: Iterable[Json]) -> list[Fraction]:
        return [value_of((c.get("resources", {}).get(field) or {}).get(key, "0")) for c in containers]

    spec = pod["spec"]
    return max(
        sum(total(spec.get("containers") or ()), Fraction(0)), *total(spec.get("initContainers") or ()), Fraction(0)
    )


def _used(store: Store, namespace: str, name: str) -> Fraction:
    field, key = _compute(name)
    resource = "pods" if field is not None else name.removeprefix("count/")
    if name == "requests.storage":
        resource = "persistentvolumeclaims"
    if resource not in BY_RESOURCE:
        return Fraction(0)
    alive = [
        obj
        for obj in store.list(resource, namespace)
        if resource != "pods" or obj.get("status", {}).get("phase") not in {"Succeeded", "Failed"}
    ]
    del key
    return sum((_charge(name, resource, obj) or Fraction(0) for obj in alive), Fraction(0))


def _text(amount: Fraction, like: str) -> str:
    """Write an amount in the family of units that the quota uses."""
    if like.endswith("i") and amount.denominator == 1:
        return canonical(f"{int(amount) // 1024}Ki") if int(amount) % 1024 == 0 else str(int(amount))
    return canonical(f"{int(amount * 1000)}m")


def refresh(store: Store, namespace: str) -> None:
    """Write the used amounts into the status of the namespace's quotas, as the quota controller does."""
    for quota in store.list("resourcequotas", namespace):
        hard = (quota.get("spec") or {}).get("hard") or {}
        updated = copied(quota)
        updated["status"] = {
            "hard": hard,
            "used": {name: _text(_used(store, namespace, name), amount) for name, amount in hard.items()},
        }
        store.update("resourcequotas", updated, subresource="status")
