"""The demo's past: which app was released when, played through the real controllers before anybody looks.

The objects are in ``seeds/*.yaml``, each app at ``${version}``. Nothing's status is made up: the clock is turned back,
the releases happen one after the other, and what the controllers leave behind is what the visitor finds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache
from importlib import resources
from string import Template

import yaml

from bot.demo import admission
from bot.demo.controllers.control_plane import ControlPlane
from bot.demo.controllers.tempo import Tempo
from bot.demo.kinds import KINDS, Kind
from bot.demo.objects import Json, annotations_of, copied, name_of, namespace_of, stamp
from bot.demo.ownership import Manager, record_update
from bot.demo.seed_nodes import node
from bot.demo.seed_people import CLUSTERS
from bot.demo.store import Store

KUBECTL = "kubectl-client-side-apply"
_WORKERS: Mapping[str, int] = {"dev": 2, "prod": 3}
_AGE = timedelta(days=96)  # of the clusters


@dataclass(frozen=True, slots=True)
class Release:
    """One version of an app and when it came: days before now, at an hour of that day (UTC)."""

    version: str
    days: int
    hour: int = 10


@dataclass(frozen=True, slots=True)
class App:
    """One file of ``seeds`` and its releases, oldest first; ``manager`` is who applies it."""

    file: str
    releases: tuple[Release, ...]
    manager: str = KUBECTL
    clusters: tuple[str, ...] = CLUSTERS


APPS = (
    App("storefront", (Release("2.7.0", 61), Release("2.8.0", 33), Release("2.8.1", 17)), "argocd-controller"),
    App("cart", (Release("1.3.2", 47), Release("1.4.0", 12, 14))),
    App("search", (Release("0.9.4", 40), Release("0.9.5", 26))),
    App("mailer", (Release("3.0.1", 75),)),
    App("recommender", (Release("0.1.0", 9, 15),), clusters=("dev",)),
    App("payments", (Release("2.0.3", 58), Release("2.1.0", 37), Release("2.1.1", 15, 9))),
    App("db", (Release("16.4", 88), Release("16.6", 20, 6))),
    App("agent", (Release("3.1.0", 88), Release("3.2.0", 24))),
    App("grafana", (Release("11.3.0", 52), Release("11.4.0", 29)), "helm"),
)


def last_friday(now: datetime) -> datetime:
    """Return the afternoon of the last Friday before today, when myapp v1 was deployed."""
    back = (now.weekday() - 4) % 7 or 7
    return (now - timedelta(days=back)).replace(hour=16, minute=20, second=0, microsecond=0)


def play(
    store: Store,
    plane: ControlPlane,
    cluster: str,
    tempo: Tempo,
    turn: Callable[[datetime], None],
    *,
    apps: bool = True,
) -> None:
    """Live through a cluster's past up to the present; ``turn`` sets the clock that the store reads.

    Afterwards the clock stands where it stood before. Without ``apps`` only the cluster itself has a past.
    """
    now = store.now
    turn(now - _AGE)
    for number in range(1, _WORKERS[cluster] + 1):
        store.create("nodes", node(cluster, number, store.now))
    for part in ("base", f"rights-{cluster}"):
        _apply(store, part, "", KUBECTL)
    enough = timedelta(seconds=20 * (tempo.pull + tempo.ready))  # for three pods, one after the other
    past = sorted(_past(cluster, now), key=lambda step: step[0]) if apps else []
    for when, app, version in past:
        turn(when)
        _apply(store, app.file, version, app.manager)
        plane.loop.settle(when + enough, turn)
    # The last minute is lived once more, so that everything that is looked at every now and then is up to date.
    turn(now - enough)
    plane.loop.settle(now, turn)


def _past(cluster: str, now: datetime) -> Iterator[tuple[datetime, App, str]]:
    yield last_friday(now), App("myapp", ()), "v1"
    for place, app in enumerate(APPS):
        if cluster in app.clusters:
            for release in app.releases:
                day = now - timedelta(days=release.days)
                when = day.replace(hour=release.hour, minute=3 + 5 * place, second=0, microsecond=0)
                yield when, app, release.version


def _apply(store: Store, file: str, version: str, manager: str) -> None:
    """Create the objects of a file, or update those that have become others, as ``manager`` would by kubectl."""
    for kind, template in _documents(file, version):
        known = store.find(kind.resource, namespace_of(template), name_of(template))
        by = Manager(manager, "Update", kind.api_version, time=stamp(store.now))
        if known is None:
            made = admission.create(store, kind.resource, template)
            store.update(kind.resource, record_update(kind.kind, None, made, by))
        else:
            notes = {**annotations_of(template), **annotations_of(known)}
            meta = {**known["metadata"], **template["metadata"], **({"annotations": notes} if notes else {})}
            # One write: a second one that brought nothing but the times of managedFields would not count as a change.
            changed = admission.update(store, kind.resource, {**template, "metadata": meta}, dry_run=True)
            store.update(kind.resource, record_update(kind.kind, known, changed, by))


def _documents(file: str, version: str) -> Iterator[tuple[Kind, Json]]:
    for kind, document in _read(file, version):
        yield kind, copied(document)


@cache
def _read(file: str, version: str) -> tuple[tuple[Kind, Json], ...]:
    """Both clusters have nearly the same past: each file is read once a version."""
    text = Template((resources.files("bot.demo") / "seeds" / f"{file}.yaml").read_text())
    kinds = {(kind.api_version, kind.kind): kind for kind in KINDS}
    documents = yaml.load_all(text.safe_substitute(version=version), Loader=yaml.CSafeLoader)
    return tuple((kinds[document["apiVersion"], document["kind"]], document) for document in documents)
