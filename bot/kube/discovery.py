"""Which kinds a cluster serves, and which of them a word means."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec

from bot.core.clock import Clock
from bot.core.cluster import ServedKind
from bot.core.errors import NotFound, Unavailable
from bot.core.suggest import did_you_mean, nearest
from bot.kube.caller import Caller
from bot.kube.fanout import ask_each
from bot.kube.request import JSON, Request

_FRESH: Final = timedelta(minutes=5)
_JUST_READ: Final = timedelta(seconds=10)  # a word unknown to a list older than this may be of a new CRD
_AGGREGATED: Final = f"{JSON};g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,{JSON}"


class _Kind(msgspec.Struct, gc=False):
    kind: str = ""


class _Resource(msgspec.Struct, rename="camel", gc=False):
    """A resource as /apis/<group>/<version> lists it; subresources have a slash in their name."""

    name: str = ""
    singular_name: str = ""
    namespaced: bool = False
    kind: str = ""
    verbs: list[str] | None = None
    short_names: list[str] | None = None


class _Resources(msgspec.Struct, gc=False):
    resources: list[_Resource] | None = None


class _GroupVersion(msgspec.Struct, rename="camel", gc=False):
    group_version: str = ""


class _Group(msgspec.Struct, rename="camel", gc=False):
    preferred_version: _GroupVersion = msgspec.field(default_factory=_GroupVersion)
    versions: list[_GroupVersion] | None = None


class _Aggregated(msgspec.Struct, rename="camel", gc=False):
    resource: str = ""
    singular_resource: str = ""
    scope: str = ""
    response_kind: _Kind | None = None
    verbs: list[str] | None = None
    short_names: list[str] | None = None


class _AggregatedVersion(msgspec.Struct, gc=False):
    version: str = ""
    resources: list[_Aggregated] | None = None


class _Name(msgspec.Struct, gc=False):
    name: str = ""


class _AggregatedGroup(msgspec.Struct, gc=False):
    metadata: _Name = msgspec.field(default_factory=_Name)
    versions: list[_AggregatedVersion] | None = None


class _Root(msgspec.Struct, gc=False):
    """The answer of /api or /apis in any of its three forms: aggregated (items), /apis (groups), /api (versions)."""

    kind: str = ""
    items: list[_AggregatedGroup] | None = None
    groups: list[_Group] | None = None
    versions: list[str] | None = None


class Discovery:
    """The kinds of one cluster, read once in a few minutes for everybody: every logged-in caller sees the same."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = asyncio.Lock()
        self._kinds: tuple[ServedKind, ...] = ()
        self._read: datetime | None = None

    async def kinds(self, caller: Caller, *, newer_than: timedelta = _FRESH) -> tuple[ServedKind, ...]:
        """All kinds that are served, the core's first, then in the server's own order of preference."""
        async with self._lock:
            if self._read is None or self._clock.now() - self._read >= newer_than:
                self._kinds = await _read_kinds(caller)
                self._read = self._clock.now()
            return self._kinds

    async def find(self, caller: Caller, word: str) -> ServedKind:
        """The kind that a word means. Raises NotFound, with the nearest names."""
        kinds = await self.kinds(caller)
        found = _matching(word.strip().lower(), kinds)
        if found is None:
            kinds = await self.kinds(caller, newer_than=_JUST_READ)
            found = _matching(word.strip().lower(), kinds)
        if found is not None:
            return found
        names = {name for kind in kinds for name in (kind.resource, kind.singular) if name and "list" in kind.verbs}
        raise NotFound(
            f"{caller.cluster} serves no kind {word!r}.",
            hint=did_you_mean(nearest(word, names)) or "`kubectl api-resources` lists what is served.",
        )


def _matching(word: str, kinds: Sequence[ServedKind]) -> ServedKind | None:
    """The first kind that the word names, by the sort of name before the order of the server, as kubectl's mapper."""
    names: tuple[Callable[[ServedKind], Sequence[str]], ...] = (
        lambda kind: (kind.resource,),
        lambda kind: (kind.singular, kind.kind.lower()),
        lambda kind: kind.short_names,
    )
    name, _, suffix = word.partition(".")
    for said in names:
        for kind in kinds:
            if word in said(kind):
                return kind
            group, _, version = kind.api_version.rpartition("/")
            if suffix and name in said(kind) and suffix in (group, f"{version}.{group}".rstrip(".")):
                return kind
    return None


async def _read_kinds(caller: Caller) -> tuple[ServedKind, ...]:
    core, named = await ask_each(
        ("/api", "/apis"), lambda path: caller.read(Request("get", path, path, accept=_AGGREGATED), _Root)
    )
    found = [*await _kinds_of(caller, core), *await _kinds_of(caller, named)]
    # The first version of a kind is the preferred one; a kind that only an older version has is served by that.
    first: dict[tuple[str, str], ServedKind] = {}
    for kind in found:
        first.setdefault((kind.api_version.rpartition("/")[0], kind.resource), kind)
    return tuple(first.values())


async def _kinds_of(caller: Caller, root: _Root) -> list[ServedKind]:
    if root.kind == "APIGroupDiscoveryList":
        return [
            _aggregated(group.metadata.name, version.version, resource)
            for group in root.items or []
            for version in group.versions or []
            for resource in version.resources or []
            if resource.response_kind
        ]
    versions = [*(root.versions or []), *(name for group in root.groups or [] for name in _versions(group))]

    async def resources(api_version: str) -> list[ServedKind]:
        path = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            listed = await caller.read(Request("get", path, path), _Resources)
        except (NotFound, Unavailable):
            return []  # an aggregated API that is away hides its own kinds, not everybody's
        return [_listed(api_version, resource) for resource in listed.resources or [] if "/" not in resource.name]

    return [kind for kinds in await ask_each(versions, resources) for kind in kinds]


def _versions(group: _Group) -> list[str]:
    preferred = group.preferred_version.group_version
    others = [version.group_version for version in group.versions or []]
    return list(dict.fromkeys(name for name in (preferred, *others) if name))


def _listed(api_version: str, resource: _Resource) -> ServedKind:
    return ServedKind(
        api_version=api_version,
        kind=resource.kind,
        resource=resource.name,
        singular=resource.singular_name or resource.kind.lower(),
        short_names=tuple(resource.short_names or ()),
        namespaced=resource.namespaced,
        verbs=tuple(resource.verbs or ()),
    )


def _aggregated(group: str, version: str, resource: _Aggregated) -> ServedKind:
    kind = resource.response_kind.kind if resource.response_kind else ""
    return ServedKind(
        api_version=f"{group}/{version}" if group else version,
        kind=kind,
        resource=resource.resource,
        singular=resource.singular_resource or kind.lower(),
        short_names=tuple(resource.short_names or ()),
        namespaced=resource.scope == "Namespaced",
        verbs=tuple(resource.verbs or ()),
    )
