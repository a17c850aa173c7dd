"""PodDisruptionBudgets: how many pods they let go, and what they say of themselves."""

from __future__ import annotations

from bot.demo.objects import Json, copied, labels_of, name_of, namespace_of
from bot.demo.selectors import LabelSelector
from bot.demo.status import TooManyRequests
from bot.demo.store import Store


def check(store: Store, pod: Json) -> None:
    """Raise TooManyRequests (429) when evicting the pod would break a budget that covers it."""
    for budget in store.list("poddisruptionbudgets.policy", namespace_of(pod)):
        chosen = (budget.get("spec") or {}).get("selector")
        if chosen is None or not LabelSelector.from_object(chosen).matches(labels_of(pod)):
            continue
        allowed, healthy, wanted = disruptions(store, budget)
        if allowed <= 0:
            needs = f"The disruption budget {name_of(budget)} needs {wanted} healthy pods and has {healthy} currently"
            raise TooManyRequests(
                f"Cannot evict pod as it would violate the pod's disruption budget. {needs}",
                retry_after=10,
            )


def disruptions(store: Store, budget: Json) -> tuple[int, int, int]:
    """Return how many pods a budget lets go now, how many are healthy, and how many it wants healthy.

    Counted from the pods themselves at each question, so that it is never behind them (the real server reads the status
    that the disruption controller keeps). Expected is the number of pods there are.
    """
    spec = budget.get("spec") or {}
    chosen = LabelSelector.from_object(spec.get("selector"))
    pods = store.list("pods", namespace_of(budget), selector=chosen)
    healthy = sum(1 for pod in pods if _is_healthy(pod))
    if "minAvailable" in spec:
        wanted = _amount(spec["minAvailable"], len(pods))
    else:
        wanted = len(pods) - _amount(spec.get("maxUnavailable", 0), len(pods))
    return max(healthy - wanted, 0), healthy, wanted


def _is_healthy(pod: Json) -> bool:
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return not pod["metadata"].get("deletionTimestamp") and any(
        condition["type"] == "Ready" and condition["status"] == "True" for condition in conditions
    )


def _amount(said: int | str, total: int) -> int:
    """Return an int-or-percent as a count; percentages are rounded up, as the disruption controller does."""
    return -(-int(said.rstrip("%")) * total // 100) if isinstance(said, str) else said


def refresh(store: Store, namespace: str) -> None:
    """Write what the budgets of a namespace allow into their status, as the disruption controller does."""
    for budget in store.list("poddisruptionbudgets.policy", namespace):
        allowed, healthy, wanted = disruptions(store, budget)
        chosen = LabelSelector.from_object((budget.get("spec") or {}).get("selector"))
        updated = copied(budget)
        updated["status"] = {
            "disruptionsAllowed": allowed,
            "currentHealthy": healthy,
            "desiredHealthy": wanted,
            "expectedPods": len(store.list("pods", namespace, selector=chosen)),
            "observedGeneration": budget["metadata"].get("generation", 1),
        }
        store.update("poddisruptionbudgets.policy", updated, subresource="status")
