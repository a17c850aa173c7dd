"""What a command wants to change, as values: Change, Plan, Preview, and the fingerprint that a consent is bound to.

A command returns a Plan; it holds nothing with which it could write.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum, StrEnum
from typing import TypeAlias

from bot.core.reply import Note

Json: TypeAlias = Mapping[str, "JsonValue"]
JsonValue: TypeAlias = bool | int | float | str | Sequence["JsonValue"] | Json | None


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A namespace on a cluster. Written as people read it: `prod/shop`."""

    cluster: str
    namespace: str

    def __str__(self) -> str:
        return f"{self.cluster}/{self.namespace}" if self.namespace else self.cluster


@dataclass(frozen=True, slots=True, order=True)
class ObjectRef:
    """One object on one cluster. `resource` is the plural in its path ("deployments"); no namespace = cluster-wide."""

    cluster: str
    api_version: str
    kind: str
    resource: str
    namespace: str
    name: str
    subresource: str = ""

    def __post_init__(self) -> None:
        # In the API an empty name addresses the collection: a delete would delete all of it.
        if not self.name:
            raise ValueError("an object reference needs a name")

    @property
    def place(self) -> Place:
        return Place(self.cluster, self.namespace)

    def __str__(self) -> str:
        return f"{self.kind.lower()}/{self.name}"


class Verb(StrEnum):
    """What the API server is asked to do. EVICT is a POST to pods/eviction."""

    PATCH = "patch"
    APPLY = "apply"
    CREATE = "create"
    DELETE = "delete"
    EVICT = "evict"


class PatchType(StrEnum):
    """The content type of a patch. A JSON patch's body is `{"operations": [...]}` inside a plan."""

    STRATEGIC = "application/strategic-merge-patch+json"
    MERGE = "application/merge-patch+json"
    JSON = "application/json-patch+json"
    APPLY = "application/apply-patch+yaml"


@dataclass(frozen=True, slots=True)
class Absent:
    """The object must not exist yet."""


@dataclass(frozen=True, slots=True)
class Same:
    """The object must still be this one (uid), and these fields must still hold what the plan was decided from.

    `fields` are paths as `pick` reads them. Neither resourceVersion nor generation is among them: an HPA or a
    flapping pod must not spoil a plan, somebody else's edit of the same fields must.
    """

    uid: str
    fields: tuple[str, ...]
    digest: str


Precondition: TypeAlias = Absent | Same


@dataclass(frozen=True, slots=True)
class ClusterWrite:
    """One write the API server will be asked for."""

    target: ObjectRef
    verb: Verb
    body: Json
    patch_type: PatchType | None
    expects: Precondition


Change: TypeAlias = ClusterWrite


class Risk(IntEnum):
    """What the policy matches on, beside the command."""

    LOW = 1
    CHANGE = 2
    DANGER = 3


@dataclass(frozen=True, slots=True)
class Followed:
    """A workload to watch to its verdict, and the version that the person asked for (for the words only)."""

    ref: ObjectRef
    version: str = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """All that an action would do, decided from reads alone.

    `summary` reads as an order without a full stop ("Deploy myapp v2"); `done` as what to say at success
    ("v2 rolled out"). A plan without steps changes nothing and says so in `summary`.
    `undo` is the command line behind the Undo button, empty where there is none.
    """

    summary: str
    steps: tuple[Change, ...]
    risk: Risk
    follow: tuple[Followed, ...] = ()
    notes: tuple[Note, ...] = ()
    done: str = ""
    undo: str = ""

    @property
    def fingerprint(self) -> str:
        """Of what is intended: targets, bodies, and what each step expects to find (uid, digest of the fields)."""
        return digest([_canonical(step) for step in self.steps])


@dataclass(frozen=True, slots=True)
class FieldChange:
    """One field that a write changes. `path` as `pick` reads it; None = absent."""

    path: str
    before: JsonValue
    after: JsonValue


@dataclass(frozen=True, slots=True)
class ObjectChange:
    """What one step does to its object, by the API server's own dry run."""

    ref: ObjectRef
    fields: tuple[FieldChange, ...]


@dataclass(frozen=True, slots=True)
class Preview:
    """What the API server says that the plan would change, and its warnings."""

    changes: tuple[ObjectChange, ...]
    warnings: tuple[str, ...] = ()


def digest(value: object) -> str:
    """A short stable hash of a JSON-like value (sorted keys, no spaces)."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def pick(value: JsonValue, path: str) -> JsonValue:
    """The value at a path such as `spec.template.spec.containers[name=web].image`; None where nothing stands.

    A key that holds dots is written in double quotes: `metadata.annotations."kubernetes.io/change-cause"`.
    """
    for step in split_path(path):
        match step:
            case (key, wanted):
                if not isinstance(value, Sequence) or isinstance(value, str):
                    return None
                value = next((item for item in value if isinstance(item, Mapping) and item.get(key) == wanted), None)
            case key:
                value = value.get(key) if isinstance(value, Mapping) else None
    return value


def split_path(path: str) -> list[str | tuple[str, str]]:
    """The steps of a path: keys, and (key, value) selectors of list items."""
    steps: list[str | tuple[str, str]] = []
    rest = path
    while rest:
        if rest.startswith('"'):
            key, _, rest = rest[1:].partition('"')
            steps.append(key)
        elif rest.startswith("["):
            inner, _, rest = rest[1:].partition("]")
            key, _, wanted = inner.partition("=")
            steps.append((key, wanted))
        else:
            end = min((at for mark in '.["' if (at := rest.find(mark)) >= 0), default=len(rest))
            steps.append(rest[:end])
            rest = rest[end:]
        rest = rest.removeprefix(".")
    return steps


def same(uid: str, manifest: Json, *paths: str) -> Same:
    """The precondition that these fields still hold what they hold in `manifest`."""
    return Same(uid, paths, fields_digest(manifest, paths))


def fields_digest(manifest: Json, paths: Sequence[str]) -> str:
    """What `Same.digest` is compared with."""
    return digest([[path, pick(manifest, path)] for path in paths])


def _canonical(step: Change) -> object:
    expects: object = "absent"
    if isinstance(step.expects, Same):
        expects = [step.expects.uid, list(step.expects.fields), step.expects.digest]
    target = step.target
    return [
        [target.cluster, target.api_version, target.kind, target.namespace, target.name, target.subresource],
        step.verb.value,
        step.body,
        step.patch_type.value if step.patch_type else None,
        expects,
    ]
