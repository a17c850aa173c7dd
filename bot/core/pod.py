"""Pods, their containers' states, logs, events and usage, as values."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Waiting:
    """A container that does not start; `reason` is the kubelet's (ImagePullBackOff, CreateContainerConfigError …)."""

    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Terminated:
    """A container that ended. `reason` is Error, OOMKilled, or Completed."""

    reason: str
    exit_code: int
    message: str
    finished: datetime | None


@dataclass(frozen=True, slots=True)
class ContainerState:
    """One container of a pod: at most one of `waiting` and `terminated` is set, neither while it runs.

    `last` is the termination before the current state; `image_id` names what was pulled, "" before that.
    """

    name: str
    image: str
    ready: bool
    restarts: int
    waiting: Waiting | None
    terminated: Terminated | None
    last: Terminated | None
    init: bool = False
    image_id: str = ""


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod. `owner` is the name of its controller (a ReplicaSet's name, a StatefulSet's …), "" for a bare pod.

    `unschedulable` is the scheduler's message while no node takes it, else "".
    """

    name: str
    namespace: str
    uid: str
    created: datetime
    phase: str
    node: str
    owner: str
    labels: Mapping[str, str]
    containers: tuple[ContainerState, ...]
    ready: bool
    deleting: bool
    unschedulable: str
    reason: str = ""

    @property
    def restarts(self) -> int:
        return sum(container.restarts for container in self.containers)


@dataclass(frozen=True, slots=True)
class LogRequest:
    """Which lines of which container. `tail` in lines; `since` in seconds; `limit` in bytes."""

    pod: str
    container: str
    previous: bool = False
    tail: int = 100
    since: int | None = None
    limit: int = 64 * 1024
    timestamps: bool = False


@dataclass(frozen=True, slots=True)
class Event:
    """A Kubernetes event; `last` is series.lastObservedTime, lastTimestamp or eventTime (as `kubectl events`)."""

    kind: str
    name: str
    type: str
    reason: str
    message: str
    first: datetime | None
    last: datetime
    count: int
    field: str = ""
    namespace: str = ""

    @property
    def warning(self) -> bool:
        return self.type == "Warning"


@dataclass(frozen=True, slots=True)
class Usage:
    """What a pod or node uses: CPU in millicores (rounded up), memory in MiB (rounded down), as `kubectl top` prints.

    For nodes `cpu_percent` and `memory_percent` are of the allocatable; None for pods.
    """

    name: str
    namespace: str
    cpu_millicores: int
    memory_mib: int
    cpu_percent: int | None = None
    memory_percent: int | None = None
