"""What pods and nodes use: figures that wander slowly, the same for the same pod at the same moment."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256

from bot.demo.controllers.podstate import phase
from bot.demo.objects import Json, name_of
from bot.demo.quantity import value_of

_MI = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Usage:
    """CPU in thousandths of a core, memory in bytes."""

    cpu: int = 0
    memory: int = 0

    def __add__(self, other: Usage) -> Usage:
        return Usage(self.cpu + other.cpu, self.memory + other.memory)


def container_usage(pod: Json, spec: Json, now: datetime) -> Usage:
    """Return what one container uses: 25 to 60 % of the cores it asks for, 45 to 75 % of the memory."""
    asked = requests_of(spec)
    seed = f"{pod['metadata']['uid']}/{spec['name']}"
    cpu = (asked.cpu or 50) * (0.425 + 0.175 * _wander(f"{seed}/cpu", now, 420.0))
    memory = (asked.memory or 64 * _MI) * (0.6 + 0.15 * _wander(f"{seed}/memory", now, 2700.0))
    return Usage(max(1, round(cpu)), round(memory))


def requests_of(spec: Json) -> Usage:
    """Return what a container asks for; zero where it asks for nothing."""
    asked = (spec.get("resources") or {}).get("requests") or {}
    cpu, memory = (value_of(str(asked.get(name, "0"))) for name in ("cpu", "memory"))
    return Usage(round(cpu * 1000), round(memory))


def running(pod: Json) -> list[Json]:
    """Return the specs of a pod's containers that run now: only these are measured."""
    if phase(pod) != "Running":
        return []
    live = {one["name"] for one in pod["status"].get("containerStatuses") or () if "running" in one.get("state", {})}
    return [spec for spec in pod["spec"]["containers"] if spec["name"] in live]


class Measurements:
    """What a metrics server would have measured. ``pods`` gives the cluster's pods, for the nodes' sums."""

    def __init__(self, clock: Callable[[], datetime], pods: Callable[[], Sequence[Json]]) -> None:
        self._clock = clock
        self._pods = pods

    def pod(self, pod: Json) -> Mapping[str, Usage]:
        """Return the usage by container name; empty when nothing runs."""
        return {spec["name"]: container_usage(pod, spec, self._clock()) for spec in running(pod)}

    def node(self, node: Json) -> Usage:
        """Return what a node's pods use together, and what the system itself takes."""
        total = Usage(150, 600 * _MI)
        for pod in self._pods():
            if pod["spec"].get("nodeName") == name_of(node):
                total = sum(self.pod(pod).values(), total)
        return total


def _wander(seed: str, now: datetime, period: float) -> float:
    """Return a number between -1 and 1 that moves smoothly with time: two waves that never quite repeat."""
    digest = sha256(seed.encode()).digest()
    first, second = digest[0] / 255 * math.tau, digest[1] / 255 * math.tau
    turn = now.timestamp() / period * math.tau
    return 0.6 * math.sin(turn + first) + 0.4 * math.sin(turn * 0.381966 + second)
