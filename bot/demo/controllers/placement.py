"""Whether a pod may go to a node: selectors, affinity, taints, room. The sentences are the scheduler's own.

The rules are those of the scheduler's filter plugins (pkg/scheduler/framework/plugins); DaemonSets use the same ones.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction

from bot.demo.objects import Json, labels_of, name_of
from bot.demo.quantity import value_of
from bot.demo.selectors import LabelSelector

_UNSCHEDULABLE: Json = {"key": "node.kubernetes.io/unschedulable", "effect": "NoSchedule"}


@dataclass(frozen=True, slots=True)
class Room:
    """An amount of what nodes have: cores, bytes and places for pods."""

    cpu: Fraction = Fraction(0)
    memory: Fraction = Fraction(0)
    pods: int = 0

    def __add__(self, other: Room) -> Room:
        return Room(self.cpu + other.cpu, self.memory + other.memory, self.pods + other.pods)

    def __sub__(self, other: Room) -> Room:
        return Room(self.cpu - other.cpu, self.memory - other.memory, self.pods - other.pods)


def allocatable(node: Json) -> Room:
    has = node.get("status", {}).get("allocatable") or {}
    return Room(_amount(has, "cpu"), _amount(has, "memory"), int(_amount(has, "pods")))


def requested(pod: Json) -> Room:
    """Return what a pod asks for: the sum of its containers, or its largest init container if that is more."""
    together = _requests(pod["spec"].get("containers") or ())
    first = [_requests([one]) for one in pod["spec"].get("initContainers") or ()]
    cpu = max([together.cpu, *(one.cpu for one in first)])
    return Room(cpu, max([together.memory, *(one.memory for one in first)]), 1)


def _requests(containers: Sequence[Json]) -> Room:
    asked = [(one.get("resources") or {}).get("requests") or {} for one in containers]
    total = Room()
    for one in asked:
        total += Room(_amount(one, "cpu"), _amount(one, "memory"))
    return total


def _amount(amounts: Mapping[str, str], name: str) -> Fraction:
    return value_of(str(amounts.get(name, "0")))


def unfit(pod: Json, node: Json) -> str | None:
    """Return why a pod can never run on a node as both are now (room aside), or None when it can."""
    if not _is_tolerated(pod, [_UNSCHEDULABLE]) and node["spec"].get("unschedulable"):
        return "node(s) were unschedulable"
    if not _is_selected(pod, node):
        return "node(s) didn't match Pod's node affinity/selector"
    for taint in node["spec"].get("taints") or ():
        if taint["effect"] in {"NoSchedule", "NoExecute"} and not _is_tolerated(pod, [taint]):
            return f"node(s) had untolerated taint {{{taint['key']}: {taint.get('value', '')}}}"
    return None


def cramped(asked: Room, free: Room) -> list[str]:
    """Return what a node has too little of."""
    short = {
        "Too many pods": asked.pods > free.pods,
        "Insufficient cpu": asked.cpu > max(free.cpu, Fraction(0)),
        "Insufficient memory": asked.memory > max(free.memory, Fraction(0)),
    }
    return [sentence for sentence, is_short in short.items() if is_short]


def _is_tolerated(pod: Json, taints: Sequence[Json]) -> bool:
    tolerations = pod["spec"].get("tolerations") or ()
    return all(any(_tolerates(toleration, taint) for toleration in tolerations) for taint in taints)


def _tolerates(toleration: Json, taint: Json) -> bool:
    if toleration.get("effect") and toleration["effect"] != taint["effect"]:
        return False
    if toleration.get("operator", "Equal") == "Exists":
        return toleration.get("key") in {None, "", taint["key"]}
    return (toleration.get("key"), toleration.get("value", "")) == (taint["key"], taint.get("value", ""))


def _is_selected(pod: Json, node: Json) -> bool:
    labels = labels_of(node)
    if not LabelSelector.from_labels(pod["spec"].get("nodeSelector") or {}).matches(labels):
        return False
    affinity = (pod["spec"].get("affinity") or {}).get("nodeAffinity") or {}
    required = affinity.get("requiredDuringSchedulingIgnoredDuringExecution")
    if not required:
        return True
    return any(_is_term_met(term, node) for term in required.get("nodeSelectorTerms") or ())


def _is_term_met(term: Json, node: Json) -> bool:
    fields = LabelSelector.from_object({"matchExpressions": term.get("matchFields")})
    labels = LabelSelector.from_object({"matchExpressions": term.get("matchExpressions")})
    return fields.matches({"metadata.name": name_of(node)}) and labels.matches(labels_of(node))
