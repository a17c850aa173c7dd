"""Workloads as values: Deployment, StatefulSet, DaemonSet, their revisions, containers, owners and autoscalers."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum

from bot.core.plan import Json, ObjectRef, Place


class Kind(Enum):
    """The three kinds that roll out. `short` is how people type them (`deploy/web`)."""

    DEPLOYMENT = ("Deployment", "deployments", "deploy")
    STATEFUL_SET = ("StatefulSet", "statefulsets", "sts")
    DAEMON_SET = ("DaemonSet", "daemonsets", "ds")

    def __init__(self, kind: str, resource: str, short: str) -> None:
        self.kind = kind
        self.resource = resource
        self.short = short

    @classmethod
    def of(cls, kind: str) -> "Kind":
        """By the API's kind, such as "StatefulSet"; raises ValueError for any other."""
        for member in cls:
            if member.kind == kind:
                return member
        raise ValueError(f"{kind} is no workload kind")

    def ref(self, place: Place, name: str, subresource: str = "") -> ObjectRef:
        return ObjectRef(place.cluster, "apps/v1", self.kind, self.resource, place.namespace, name, subresource)


@dataclass(frozen=True, slots=True)
class Container:
    """A container of a pod template. `init` marks an init container; `probes` names the probes that it has."""

    name: str
    image: str
    init: bool = False
    probes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Condition:
    """A status condition; `status` is "True", "False" or "Unknown"."""

    type: str
    status: str
    reason: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True)
class Strategy:
    """How a rollout goes: RollingUpdate, Recreate or OnDelete. `rolling` tells whether rollingUpdate is set at all."""

    type: str = "RollingUpdate"
    partition: int = 0
    rolling: bool = True


@dataclass(frozen=True, slots=True)
class Status:
    """The counters of a workload's status; absent counters are 0.

    For a DaemonSet: replicas = desiredNumberScheduled, updated = updatedNumberScheduled, available = numberAvailable,
    ready = numberReady.
    """

    observed_generation: int = 0
    replicas: int = 0
    updated: int = 0
    ready: int = 0
    available: int = 0
    current_revision: str = ""
    update_revision: str = ""
    conditions: tuple[Condition, ...] = ()

    def condition(self, kind: str) -> Condition | None:
        return next((condition for condition in self.conditions if condition.type == kind), None)


@dataclass(frozen=True, slots=True)
class Owner:
    """A tool that manages the object and will put it back: Argo CD, Flux (both GitOps) or Helm."""

    tool: str
    name: str
    gitops: bool


@dataclass(frozen=True, slots=True)
class Edit:
    """Who last wrote which fields, as managedFields tell it."""

    manager: str
    operation: str
    at: datetime | None


@dataclass(frozen=True, slots=True)
class Workload:
    """A Deployment, StatefulSet or DaemonSet.

    `replicas` is what is wanted (a DaemonSet's is its desiredNumberScheduled); `selector` is a label selector in text
    form; `manifest` is the object as the server sent it: opaque, for preconditions, patches and diffs only.
    """

    kind: Kind
    ref: ObjectRef
    uid: str
    generation: int
    created: datetime
    labels: Mapping[str, str]
    annotations: Mapping[str, str]
    selector: str
    replicas: int
    containers: tuple[Container, ...]
    strategy: Strategy
    status: Status
    paused: bool
    owner: Owner | None
    edits: tuple[Edit, ...]
    manifest: Json = field(repr=False, compare=False)
    progress_deadline: int | None = None

    @property
    def name(self) -> str:
        return self.ref.name

    @property
    def place(self) -> Place:
        return self.ref.place

    @property
    def label(self) -> str:
        """How a person names it: `deploy/web`."""
        return f"{self.kind.short}/{self.ref.name}"

    def container(self, name: str) -> Container | None:
        return next((container for container in self.containers if container.name == name), None)


@dataclass(frozen=True, slots=True)
class Revision:
    """A ReplicaSet of a Deployment, or a ControllerRevision of a StatefulSet or DaemonSet.

    `number` is kubectl's revision; `name` is stable (it carries the template's hash) and survives renumbering.
    `payload` is the ReplicaSet's pod template, or the ControllerRevision's `data`: opaque, for an undo.
    """

    number: int
    name: str
    uid: str
    created: datetime
    containers: tuple[Container, ...]
    change_cause: str
    annotations: Mapping[str, str]
    payload: Json = field(repr=False, compare=False)
    replicas: int = 0
    ready: int = 0


@dataclass(frozen=True, slots=True)
class Autoscaler:
    """An HPA that owns the replicas of a workload."""

    name: str
    minimum: int
    maximum: int
    current: int
    desired: int
    kind: str
    target: str


@dataclass(frozen=True, slots=True)
class App:
    """What a person means by a name: one or several workloads at one place. `workloads` is never empty."""

    name: str
    place: Place
    workloads: tuple[Workload, ...]
