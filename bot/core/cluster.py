"""What a command may read of a cluster, one Protocol a noun, and what the executor may write.

A `Reader` is bound to one cluster and one identity. It has GETs, watches and access reviews only, so whoever holds
one cannot write. Every method may raise `Forbidden`, `Unavailable` and their children; `get` also `NotFound`.
"""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Protocol

from bot.core.people import Identity
from bot.core.plan import ClusterWrite, Json, ObjectRef
from bot.core.pod import Event, LogRequest, Pod, Usage
from bot.core.workload import Autoscaler, Kind, Revision, Workload


@dataclass(frozen=True, slots=True)
class Reach:
    """The namespaces of a cluster that the policy lets a person see: names, or patterns with `*`."""

    patterns: tuple[str, ...]

    def covers(self, namespace: str) -> bool:
        return any(fnmatchcase(namespace, pattern) for pattern in self.patterns)

    @property
    def names(self) -> tuple[str, ...]:
        """Those written out in full: what is tried where the person may not list namespaces."""
        return tuple(pattern for pattern in self.patterns if "*" not in pattern)


@dataclass(frozen=True, slots=True)
class ServedKind:
    """A kind that the cluster serves. `api_version` is "v1" or "group/version"."""

    api_version: str
    kind: str
    resource: str
    singular: str
    short_names: tuple[str, ...]
    namespaced: bool
    verbs: tuple[str, ...]

    def ref(self, cluster: str, namespace: str, name: str) -> ObjectRef:
        return ObjectRef(
            cluster, self.api_version, self.kind, self.resource, namespace if self.namespaced else "", name
        )


@dataclass(frozen=True, slots=True)
class TableColumn:
    """A column of a server-printed table; `wide` columns are shown on demand (priority above 0)."""

    name: str
    wide: bool


@dataclass(frozen=True, slots=True)
class ServerTable:
    """What the API server prints for a list. Over several namespaces the first column is `Namespace`."""

    columns: tuple[TableColumn, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Access:
    """The answer of an access review."""

    allowed: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Right:
    """An API verb on a resource: `Right("patch", "apps", "deployments", "scale")`."""

    verb: str
    group: str
    resource: str
    subresource: str = ""

    def __str__(self) -> str:
        name = f"{self.resource}/{self.subresource}" if self.subresource else self.resource
        return f"{self.verb} {name}.{self.group}" if self.group else f"{self.verb} {name}"


@dataclass(frozen=True, slots=True)
class Gone:
    """The watched object was deleted (or replaced by one with another uid)."""


class Workloads(Protocol):
    async def get(self, kind: Kind, namespace: str, name: str) -> Workload: ...

    async def list(self, namespace: str | None) -> tuple[Workload, ...]:
        """All Deployments, StatefulSets and DaemonSets of a namespace; None = all within reach. Sorted by name."""
        ...

    async def revisions(self, workload: Workload) -> tuple[Revision, ...]:
        """The revisions that this workload controls (by uid, not by name), lowest number first."""
        ...

    async def autoscaler(self, workload: Workload) -> Autoscaler | None: ...

    def watch(self, ref: ObjectRef) -> AsyncIterator[Workload | Gone]:
        """The workload now, then after each change. Survives resets, 410, silence and a restarted API server.

        Ends after `Gone`. Raises `Forbidden` when the right is lost; other failures are retried with backoff.
        """
        ...


class Pods(Protocol):
    async def list(self, namespace: str, selector: str = "") -> tuple[Pod, ...]: ...

    async def get(self, namespace: str, name: str) -> Pod: ...

    async def logs(self, namespace: str, request: LogRequest) -> str: ...


class Objects(Protocol):
    """Any kind the cluster serves."""

    async def kinds(self) -> tuple[ServedKind, ...]: ...

    async def find_kind(self, word: str) -> ServedKind:
        """By plural, singular, short name, Kind or `plural.group`, any case. NotFound with the nearest names."""
        ...

    async def table(
        self, kind: ServedKind, namespace: str | None, *, name: str = "", selector: str = "", fields: str = ""
    ) -> ServerTable:
        """The server's own table, without objects. None = all namespaces within reach, a request each, many at once."""
        ...

    async def names(self, kind: ServedKind, namespace: str) -> tuple[str, ...]:
        """The names of the objects of a kind, for suggestions and completion."""
        ...

    async def get(self, ref: ObjectRef) -> Json: ...


class Events(Protocol):
    async def list(self, namespace: str | None, about: Sequence[tuple[str, str]] = ()) -> tuple[Event, ...]:
        """Newest last. `about` are (kind, name) pairs; empty = all of the namespace."""
        ...


class Metrics(Protocol):
    """metrics.k8s.io. Raises `NotFound` with a sentence where the cluster has no metrics API."""

    async def pods(self, namespace: str | None, selector: str = "") -> tuple[Usage, ...]: ...

    async def nodes(self) -> tuple[Usage, ...]: ...


class Reader(Protocol):
    @property
    def cluster(self) -> str: ...
    @property
    def workloads(self) -> Workloads: ...
    @property
    def pods(self) -> Pods: ...
    @property
    def objects(self) -> Objects: ...
    @property
    def events(self) -> Events: ...
    @property
    def metrics(self) -> Metrics: ...

    async def namespaces(self) -> tuple[str, ...]:
        """Those within reach, sorted. Where they may not be listed: the ones that the reach spells out."""
        ...

    async def can(self, right: Right, namespace: str, name: str = "") -> Access: ...


@dataclass(frozen=True, slots=True)
class Stamp:
    """What a write carries so that it can be recognised afterwards: the action's id and the `Audit-ID` header."""

    action: str
    audit: str


@dataclass(frozen=True, slots=True)
class Written:
    """The API server's answer to a write (or to its dry run): the object after it, and its warnings."""

    manifest: Json
    warnings: tuple[str, ...] = ()


class Writer(Protocol):
    """One cluster, one identity, for the executor alone. `read` raises `NotFound`; writes raise `Stale` on a 409."""

    async def read(self, target: ObjectRef) -> Json: ...

    async def send(self, write: ClusterWrite, *, resource_version: str, stamp: Stamp | None, dry_run: bool) -> Written:
        """Send one write with field manager and strict field validation.

        `resource_version` locks the object where it is not empty. With `stamp` the body carries the action-id
        annotation where one can ride (not on scale, delete, eviction).
        """
        ...


class Clusters(Protocol):
    """The clusters side by side. One that fails never blocks the others."""

    @property
    def names(self) -> tuple[str, ...]: ...

    def reader(self, cluster: str, identity: Identity, reach: Reach) -> Reader: ...

    def writer(self, cluster: str, identity: Identity) -> Writer: ...
