"""Where a command speaks of, and which app it means: words in, a Place and an App out.

Not said: the channel's default, then the only match, then buttons to choose. A write never falls on production by
default unless the channel is production's own. Nothing is read at a place before the policy has let the person there.
"""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from bot.core.args import AppRef, Where
from bot.core.cluster import Reader
from bot.core.errors import Ambiguous, Choice, NotFound, SteersmanError
from bot.core.glance import glance
from bot.core.plan import Place
from bot.core.suggest import did_you_mean, nearest
from bot.core.workload import App, Workload

APP_LABELS = ("app.kubernetes.io/part-of", "app.kubernetes.io/name", "app")
"""The labels that name an app, the widest first."""
_MOST_CHOICES: Final = 8


class Grounds(Protocol):
    """What a person may see: built by the pipeline from the policy and the clusters, for one request."""

    @property
    def clusters(self) -> tuple[str, ...]:
        """Those on which the command may be permitted: where nothing is said, it is about these."""
        ...

    @property
    def seen(self) -> tuple[str, ...]:
        """Those that the person may name: a command that is not permitted there is denied, with who could."""
        ...

    @property
    def default(self) -> Place | None:
        """The channel's."""
        ...

    def home(self, app: str) -> str:
        """The namespace that the policy gives an app; "" where it says nothing."""
        ...

    def reader(self, cluster: str) -> Awaitable[Reader]: ...

    def production(self, cluster: str) -> bool: ...

    def permit(self, place: Place) -> None:
        """Raise `Forbidden` where the policy denies the command at this place."""
        ...


class UnknownApp(NotFound):
    """No app of this name there; `known` are those that are."""

    def __init__(self, name: str, known: Sequence[str], message: str, *, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.name = name
        self.known = tuple(known)


@dataclass(frozen=True, slots=True)
class Target:
    """The resolved place, and the app where the command names one."""

    place: Place
    app: App | None = None


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be resolved: the words, the app if any, whether it writes, and how to say it again at a place."""

    where: Where
    app: AppRef | None
    writes: bool
    namespaced: bool
    line_at: Callable[[str, str], str]


async def resolve(wish: Wish, grounds: Grounds) -> Target:
    """Find the place, then the app. Raises Ambiguous (with choices), NotFound (with the nearest names), Forbidden."""
    if not grounds.seen:
        grounds.permit(grounds.default or Place("any cluster", ""))
        raise NotFound("There is no cluster that you may see.", hint="The owner of the policy can grant you a role.")
    said = await _said(wish, grounds)
    if not _open(said.cluster, grounds):
        home = grounds.default or Place("any cluster", "")
        grounds.permit(Place(said.cluster or home.cluster, said.namespace or home.namespace))
    if wish.app is not None:
        return await _find_app(wish, wish.app, said, grounds)
    return Target(await _find_place(wish, said, grounds))


def apps_of(place: Place, workloads: Iterable[Workload]) -> tuple[App, ...]:
    """Group workloads into apps by the first label of `APP_LABELS` that they carry, else their own name."""
    grouped: dict[str, list[Workload]] = {}
    for workload in workloads:
        grouped.setdefault(app_name(workload), []).append(workload)
    return tuple(App(name, place, tuple(members)) for name, members in sorted(grouped.items()))


def app_name(workload: Workload) -> str:
    """The app that a workload belongs to."""
    return next((workload.labels[label] for label in APP_LABELS if workload.labels.get(label)), workload.name)


def match(ref: AppRef, workloads: Sequence[Workload]) -> tuple[Workload, ...]:
    """The workloads that a reference means: by kind and name, else by the app labels in order, else by name."""
    if ref.kind is not None:
        return tuple(workload for workload in workloads if workload.kind is ref.kind and workload.name == ref.name)
    for label in APP_LABELS:
        if found := tuple(workload for workload in workloads if workload.labels.get(label) == ref.name):
            return found
    return tuple(workload for workload in workloads if workload.name == ref.name)


@dataclass(frozen=True, slots=True)
class _Said:
    """What was said of the place, each word decided."""

    cluster: str = ""
    namespace: str = ""


async def _said(wish: Wish, grounds: Grounds) -> _Said:
    cluster, namespace = wish.where.cluster, wish.where.namespace
    if cluster:
        _known_cluster(cluster, grounds)
    for word in wish.where.words:
        first, slash, second = word.partition("/")
        if slash:
            _known_cluster(first, grounds)
            cluster, namespace = _once(first, cluster, word), _once(second, namespace, word)
            continue
        match await _read_word(word, cluster, wish, grounds):
            case "cluster":
                cluster = _once(word, cluster, word)
            case _:
                namespace = _once(word, namespace, word)
    return _Said(cluster, namespace)


def _open(cluster: str, grounds: Grounds) -> bool:
    """Whether the command may be permitted on a cluster; "" = on any."""
    return cluster in grounds.clusters if cluster else bool(grounds.clusters)


async def _read_word(word: str, cluster: str, wish: Wish, grounds: Grounds) -> str:
    is_cluster = word in grounds.seen
    if not wish.namespaced:
        _known_cluster(word, grounds)
        return "cluster"
    if not _open(cluster, grounds):  # nothing is read there, and it is going to be denied
        return "cluster" if is_cluster else "namespace"
    namespaces, failed = await _namespaces((cluster,) if cluster else grounds.clusters, grounds)
    homes = [home for home, known in namespaces.items() if word in known]
    if is_cluster and homes:
        raise Ambiguous(
            f"`{word}` is both a cluster and a namespace.",
            hint="Which one do you mean?",
            choices=_choices(wish, [Place(word, _default_namespace(grounds)), *(Place(home, word) for home in homes)]),
        )
    if not is_cluster and not homes:
        if failed:  # it may be there
            raise failed[0]
        known = [*grounds.seen, *(name for names in namespaces.values() for name in names)]
        raise NotFound(
            f"There is no cluster or namespace `{word}` that you may see.", hint=_nearest_or_all(word, known)
        )
    return "cluster" if is_cluster else "namespace"


async def _find_place(wish: Wish, said: _Said, grounds: Grounds) -> Place:
    default = grounds.default
    cluster = said.cluster or _default_cluster(wish, said, grounds)
    if not wish.namespaced or wish.where.everywhere:
        grounds.permit(Place(cluster, ""))
        return Place(cluster, "")
    if said.namespace:
        place = Place(cluster, said.namespace)
        grounds.permit(place)
        await _known_namespace(place, grounds)
        return place
    if default is not None:
        place = Place(cluster, default.namespace)
        grounds.permit(place)
        return place
    namespaces = await (await grounds.reader(cluster)).namespaces()
    if len(namespaces) == 1:
        return Place(cluster, namespaces[0])
    raise Ambiguous(
        f"In which namespace of {cluster}?",
        hint=f"Say for example `in {namespaces[0]}`." if namespaces else "There is none that you may see.",
        choices=_choices(wish, [Place(cluster, namespace) for namespace in namespaces]),
    )


def _default_cluster(wish: Wish, said: _Said, grounds: Grounds) -> str:
    if grounds.default is not None:
        return grounds.default.cluster
    if len(grounds.clusters) == 1:
        return grounds.clusters[0]
    raise Ambiguous(
        "On which cluster?",
        choices=_choices(wish, [Place(cluster, said.namespace) for cluster in grounds.clusters]),
    )


async def _find_app(wish: Wish, ref: AppRef, said: _Said, grounds: Grounds) -> Target:
    near = _near(ref, said, grounds)
    if near is not None:
        grounds.permit(near)
        reader = await grounds.reader(near.cluster)
        if found := match(ref, await reader.workloads.list(near.namespace)):
            return Target(near, App(ref.name, near, found))
        if said.namespace:
            await _known_namespace(near, grounds)
            raise await _no_app(ref, near, grounds)
    clusters = (said.cluster,) if said.cluster else grounds.clusters
    candidates, failed = await _search(ref, clusters, said.namespace, grounds)
    safe = [app for app in candidates if said.cluster or not wish.writes or not grounds.production(app.place.cluster)]
    if len(candidates) == 1 and safe and not failed:
        grounds.permit(candidates[0].place)
        return Target(candidates[0].place, candidates[0])
    if candidates:
        where = " or ".join(str(app.place) for app in candidates[:_MOST_CHOICES])
        raise Ambiguous(
            f"`{ref}` is in {where}." if len(candidates) == 1 else f"`{ref}` is at several places: {where}.",
            hint=" ".join(["Which one do you mean?", *(f"Not looked at: {error.message}" for error in failed)]),
            choices=_choices(wish, [app.place for app in candidates]),
        )
    if failed:
        raise failed[0]
    raise await _no_app(ref, near or Place(clusters[0], ""), grounds)


def _near(ref: AppRef, said: _Said, grounds: Grounds) -> Place | None:
    """The place to look at first: as said, completed by the app's home and the channel's default."""
    default = grounds.default
    cluster = said.cluster or (default.cluster if default else "")
    if not cluster and len(grounds.clusters) == 1:
        cluster = grounds.clusters[0]
    namespace = said.namespace or grounds.home(ref.name) or (default.namespace if default else "")
    return Place(cluster, namespace) if cluster and namespace else None


async def _search(
    ref: AppRef, clusters: Sequence[str], namespace: str, grounds: Grounds
) -> tuple[list[App], list[SteersmanError]]:
    """Every place where the app is; clusters that fail are told apart, so that one of them never hides the others."""

    async def look(cluster: str) -> list[App]:
        reader = await grounds.reader(cluster)
        workloads = await reader.workloads.list(namespace or None)
        places = dict.fromkeys(workload.place for workload in workloads)
        return [
            App(ref.name, place, found)
            for place in places
            if (found := match(ref, [workload for workload in workloads if workload.place == place]))
        ]

    found, failed = await glance(clusters, look)
    return [app for apps in found.values() for app in apps], failed


async def _no_app(ref: AppRef, place: Place, grounds: Grounds) -> UnknownApp:
    reader = await grounds.reader(place.cluster)
    workloads = await reader.workloads.list(place.namespace or None)
    names = dict.fromkeys(
        [workload.label for workload in workloads if workload.kind is ref.kind]
        if ref.kind
        else [name for workload in workloads for name in (app_name(workload), workload.name)]
    )
    hint = did_you_mean(nearest(str(ref), list(names)))
    what = f"`{ref}`" if ref.kind else f"app `{ref}`"
    known = tuple(names)
    return UnknownApp(str(ref), known, f"There is no {what} in {place}.", hint=hint or "`apps` lists what is there.")


async def _namespaces(
    clusters: Sequence[str], grounds: Grounds
) -> tuple[dict[str, tuple[str, ...]], list[SteersmanError]]:
    """The namespaces within the person's reach, by cluster."""

    async def look(cluster: str) -> tuple[str, ...]:
        return await (await grounds.reader(cluster)).namespaces()

    return await glance(clusters, look)


def _known_cluster(cluster: str, grounds: Grounds) -> None:
    if cluster not in grounds.seen:
        raise NotFound(
            f"There is no cluster `{cluster}` that you may see.",
            hint=_nearest_or_all(cluster, grounds.seen),
        )


async def _known_namespace(place: Place, grounds: Grounds) -> None:
    namespaces = await (await grounds.reader(place.cluster)).namespaces()
    if place.namespace not in namespaces:
        raise NotFound(
            f"There is no namespace `{place.namespace}` on {place.cluster} that you may see.",
            hint=_nearest_or_all(place.namespace, namespaces),
        )


def _default_namespace(grounds: Grounds) -> str:
    return grounds.default.namespace if grounds.default else ""


def _once(word: str, before: str, said: str) -> str:
    if before and before != word:
        raise Ambiguous(f"You said both `{before}` and `{said}`.", hint="Say the place once.")
    return word


def _choices(wish: Wish, places: Sequence[Place]) -> list[Choice]:
    return [
        Choice(str(place), wish.line_at(place.cluster, place.namespace))
        for place in dict.fromkeys(places[:_MOST_CHOICES])
    ]


def _nearest_or_all(word: str, known: Sequence[str]) -> str:
    """What to say instead: the nearest names, else the first few of those that there are."""
    names = list(dict.fromkeys(known))
    more = ", …" if len(names) > _MOST_CHOICES else "."
    near = did_you_mean(nearest(word, names))
    return near or (f"There are {', '.join(names[:_MOST_CHOICES])}{more}" if names else "You may see none.")
