"""`versions`: what runs where, over all clusters that a person may see."""

import asyncio
from dataclasses import dataclass
from typing import Annotated

from bot.core.args import Arg, Args, Name
from bot.core.cluster import Reader
from bot.core.command import Context, query
from bot.core.errors import NotFound, SteersmanError
from bot.core.listing import counted, listing
from bot.core.places import apps_of
from bot.core.reply import Button, Buttons, Note, Part, Reply, Tone
from bot.core.rights import FIND
from bot.core.suggest import did_you_mean, nearest
from bot.core.vitals import Health, app_health, ready, version
from bot.core.vitals import versions as versions_of
from bot.core.workload import App

_PATIENCE_SECONDS = 10
"""For one cluster: the others are not to wait for a slow one."""
_MOST_BUTTONS = 4
_ABSENT = "-"
_UNKNOWN = "?"


class VersionsArgs(Args):
    """Compare what runs where, over all clusters."""

    name: Annotated[Name | None, Arg(help="only this app", metavar="app")] = None


@dataclass(frozen=True, slots=True)
class _Failed:
    """A cluster that did not answer, and why."""

    why: str


@query("versions", needs=FIND, examples=("versions", "versions myapp"))
async def versions(ctx: Context, args: VersionsArgs) -> Reply:
    answers = await asyncio.gather(*(_look(reader) for reader in ctx.everywhere))
    found = {reader.cluster: answer for reader, answer in zip(ctx.everywhere, answers, strict=True)}
    apps = [app for answer in answers if not isinstance(answer, _Failed) for app in answer]
    failures = {cluster: answer for cluster, answer in found.items() if isinstance(answer, _Failed)}
    notes = tuple(Note(f"{cluster} does not answer: {failed.why}", Tone.WARN) for cluster, failed in failures.items())
    place = ", ".join(found)
    if args.name:
        here = [app for app in apps if app.name == args.name]
        if not here:
            return _unknown(args.name, apps, notes, place)
        return Reply(_one(args.name, here), _tone(notes), (*_places(here), *notes, *_cards(here)), place)
    if not apps:
        return Reply("There is no app that you may see.", _tone(notes), notes, place)
    rows, differing = _compare(apps, tuple(found), frozenset(failures))
    headline = f"{counted(len(rows), 'app')} on {counted(len(found) - len(failures), 'cluster')}; " + (
        f"{differing} not the same everywhere." if differing else "the same versions everywhere."
    )
    parts = listing(("App", *found), rows, "Name an app: `versions myapp`.")
    return Reply(headline, _tone(notes), (*parts, *notes), place)


async def _look(reader: Reader) -> tuple[App, ...] | _Failed:
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            workloads = await reader.workloads.list(None)
    except TimeoutError:
        return _Failed(f"no answer within {_PATIENCE_SECONDS} s.")
    except SteersmanError as error:
        return _Failed(error.message)
    places = sorted({workload.place for workload in workloads})
    return tuple(app for place in places for app in apps_of(place, [w for w in workloads if w.place == place]))


def _compare(apps: list[App], clusters: tuple[str, ...], failed: frozenset[str]) -> tuple[list[tuple[str, ...]], int]:
    """A row an app with a column a cluster, those that differ first; and how many differ. Silent clusters count not."""
    cells: dict[str, dict[str, App]] = {}
    for app in apps:
        cells.setdefault(f"{app.place.namespace}/{app.name}", {})[app.place.cluster] = app
    differing = {
        key
        for key, by_cluster in cells.items()
        if len({version(app) for app in by_cluster.values()}) > 1 or len(by_cluster) < len(clusters) - len(failed)
    }
    rows = [
        (key, *(_UNKNOWN if name in failed else _cell(by_cluster.get(name)) for name in clusters))
        for key, by_cluster in sorted(cells.items(), key=lambda item: (item[0] not in differing, item[0]))
    ]
    return rows, len(differing)


def _cell(app: App | None) -> str:
    if app is None:
        return _ABSENT
    how = app_health(app)
    return version(app) if how is Health.UP else f"{version(app)} ({how.word})"


def _places(apps: list[App]) -> tuple[Part, ...]:
    rows = [(str(app.place), version(app), ready(app), app_health(app).word) for app in apps]
    return listing(("Place", "Version", "Ready", "State"), rows, "")


def _one(name: str, apps: list[App]) -> str:
    runs = dict.fromkeys(one for app in apps for one in versions_of(app))
    if len(apps) == 1:
        return f"{name} runs {version(apps[0])}, in {apps[0].place} only."
    same = f"{next(iter(runs))} everywhere" if len(runs) == 1 else f"{counted(len(runs), 'version')}: {', '.join(runs)}"
    return f"{name} runs {same}."


def _cards(apps: list[App]) -> tuple[Part, ...]:
    buttons = (
        Button(str(app.place), f"app {app.name} --cluster {app.place.cluster} -n {app.place.namespace}")
        for app in apps[:_MOST_BUTTONS]
    )
    return (Buttons(tuple(buttons)),)


def _unknown(name: str, apps: list[App], notes: tuple[Note, ...], place: str) -> Reply:
    """Not found, as far as could be seen: a silent cluster may have it."""
    near = nearest(name, {app.name for app in apps})
    if not notes:
        raise NotFound(f"There is no app `{name}` on any cluster that you may see.", hint=did_you_mean(near))
    return Reply(
        f"There is no app `{name}` on the clusters that answer. {did_you_mean(near)}".strip(), Tone.WARN, notes, place
    )


def _tone(notes: tuple[Note, ...]) -> Tone:
    return Tone.WARN if notes else Tone.PLAIN
