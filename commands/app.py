"""`apps`: what runs at a place; `app`: the card of one app."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from datetime import timedelta
from typing import Final

from bot.core.ages import age, ago
from bot.core.args import AppArgs, WidePlaceArgs
from bot.core.bulletin import cause_parts
from bot.core.command import Context, list_, query
from bot.core.ledger import ActionRecord
from bot.core.listing import counted, listing
from bot.core.partial import if_permitted
from bot.core.places import apps_of
from bot.core.plan import Place
from bot.core.pod import Event
from bot.core.reply import Button, Buttons, Note, Part, Reply, Table, Text, Tone, fields
from bot.core.rights import FIND, PODS, REVISIONS
from bot.core.rollout import status
from bot.core.sight import Sight, look
from bot.core.subjects import events_of
from bot.core.suggest import listed
from bot.core.vitals import Health, app_health, health, last_change, main_container, ready, version
from bot.core.workload import App, Autoscaler, Workload

_MOST_BUTTONS: Final = 4
_MOST_EXAMINED: Final = 5
_RECENT: Final = timedelta(hours=1)
"""As long as a cluster remembers events."""


class AppsArgs(WidePlaceArgs):
    """List the apps: version, ready pods, how they stand."""


@query("apps", needs=(*FIND, *REVISIONS, *PODS), examples=("apps", "apps in shop", "apps -A"))
async def apps(ctx: Context, args: AppsArgs) -> Reply:
    found = await _apps(ctx, ctx.namespace)
    if not found:
        return await _none(ctx)
    sights = await _sights(ctx, (workload for app in found for workload in app.workloads))
    stuck = _stuck(sights)
    everywhere = ctx.namespace is None
    rows = [
        (
            *((app.place.namespace,) if everywhere else ()),
            app.name,
            version(app),
            ready(app),
            app_health(app, stuck).word,
            age(change.at, ctx.now) if (change := last_change(app, ())) else "",
        )
        for app in found
    ]
    columns = ("App", "Version", "Ready", "State", "Changed")
    parts = listing(("Namespace", *columns) if everywhere else columns, rows, "Name a namespace: `apps in shop`.")
    troubled = [app for app in found if not app_health(app, stuck).fine]
    buttons = tuple(Button(app.name, f"app {app.name} {_at(app.place)}") for app in troubled[:_MOST_BUTTONS])
    return Reply(
        await _headline(ctx, found, troubled),
        Tone.WARN if troubled else Tone.GOOD,
        (*parts, *((Buttons(buttons),) if buttons else ())),
        str(ctx.place),
    )


class AppCardArgs(AppArgs):
    """Show one app: version, health, last change, owner."""


@query("app", needs=(*FIND, *REVISIONS, *PODS, list_("horizontalpodautoscalers.autoscaling")), examples=("app myapp",))
async def card(ctx: Context, args: AppCardArgs) -> Reply:
    app = ctx.app
    scalers, events, changes, sights = await asyncio.gather(
        asyncio.gather(*(if_permitted(ctx.reader.workloads.autoscaler(each), None) for each in app.workloads)),
        if_permitted(events_of(ctx.reader, ctx.place.namespace, app.workloads), ()),
        _changes(ctx, app),
        _sights(ctx, app.workloads),
    )
    change = last_change(app, changes)
    images = dict.fromkeys(main_container(workload, app.name).image for workload in app.workloads)
    facts = fields(
        [
            ("Changed", change.words(ctx.now) if change else None),
            ("Image", "\n".join(images)),
            ("Autoscaler", "\n".join(_bounds(scaler) for scaler in scalers if scaler)),
            ("Owned by", ", ".join(dict.fromkeys(_owners(app)))),
        ]
    )
    stuck = _stuck(sights)
    how = app_health(app, stuck)
    warning = () if stuck else _warning(ctx, how, events)
    parts = (facts, *_workloads(app, stuck), *_words(app, sights), *warning, _buttons(ctx, args, how))
    serving = [sight.serving for sight in sights.values() if sight.serving]
    numbers = f"{version(app)}; {serving[0]}" if serving else f"{version(app)}, {ready(app)} ready"
    return Reply(f"{app.name} is {how.word}: {numbers}.", how.tone, parts, str(app.place))


async def _apps(ctx: Context, namespace: str | None) -> tuple[App, ...]:
    workloads = await ctx.reader.workloads.list(namespace)
    places = sorted({workload.place for workload in workloads})
    return tuple(app for place in places for app in apps_of(place, [each for each in workloads if each.place == place]))


async def _none(ctx: Context) -> Reply:
    """An empty place is not the end: where there are apps."""
    elsewhere = await if_permitted(_apps(ctx, None), ()) if ctx.namespace else ()
    counts = Counter(app.place.namespace for app in elsewhere).most_common(_MOST_BUTTONS)
    if not counts:
        return Reply(
            f"There are no apps in {ctx.place} that you may see.", parts=(Text("`whoami` tells what you may see."),)
        )
    buttons = tuple(
        Button(f"{namespace} ({count})", f"apps {_at(Place(ctx.place.cluster, namespace))}")
        for namespace, count in counts
    )
    return Reply(
        f"There are no apps in {ctx.place}. Elsewhere on {ctx.place.cluster} there are.", parts=(Buttons(buttons),)
    )


async def _headline(ctx: Context, found: tuple[App, ...], troubled: list[App]) -> str:
    where = ctx.place.namespace or ctx.place.cluster
    count = counted(len(found), "app")
    if troubled:
        return (
            f"{where}: {len(troubled)} of {count} in trouble: {listed([app.name for app in troubled[:_MOST_BUTTONS]])}."
        )
    up = " up" if all(app_health(app) is Health.UP for app in found) else ""
    changed = [(change, app) for app in found if (change := last_change(app, ()))]
    if not changed:
        return f"{where} is fine: {count}{up}."
    edit, newest = max(changed, key=lambda pair: pair[0].at)
    change = last_change(newest, await _changes(ctx, newest)) or edit
    return f"{where} is fine: {count}{up}. Last change: {newest.name} {version(newest)}, {change.when(ctx.now)}."


async def _sights(ctx: Context, workloads: Iterable[Workload]) -> dict[str, Sight]:
    """A look at those that are not up, by uid.

    Pods know of a fault long before a controller's deadline passes, and which version serves while another one waits.
    """
    unwell = [workload for workload in workloads if health(workload) >= Health.PAUSED][:_MOST_EXAMINED]
    sights = await asyncio.gather(
        *(if_permitted(look(ctx.reader, workload, now=ctx.now, since=ctx.now - _RECENT), None) for workload in unwell)
    )
    return {sight.workload.uid: sight for sight in sights if sight}


def _stuck(sights: dict[str, Sight]) -> list[str]:
    return [uid for uid, sight in sights.items() if sight.cause and sight.cause.certain]


async def _changes(ctx: Context, app: App) -> list[ActionRecord]:
    found = await asyncio.gather(*(ctx.ledger.changes(workload.ref) for workload in app.workloads))
    return [action for some in found for action in some]


def _bounds(scaler: Autoscaler) -> str:
    return (
        f"{scaler.name}: {scaler.minimum} to {scaler.maximum} replicas, {scaler.current} now, {scaler.desired} wanted"
    )


def _owners(app: App) -> list[str]:
    return [f"{each.owner.tool} ({each.owner.name})" for each in app.workloads if each.owner]


def _workloads(app: App, stuck: list[str]) -> tuple[Part, ...]:
    """A row each, where the app is more than one."""
    if len(app.workloads) == 1:
        return ()
    singles = [App(app.name, app.place, (workload,)) for workload in app.workloads]
    rows = tuple((one.workloads[0].label, version(one), ready(one), app_health(one, stuck).word) for one in singles)
    return (Table(("Workload", "Version", "Ready", "State"), rows),)


def _words(app: App, sights: dict[str, Sight]) -> tuple[Part, ...]:
    """What is the matter: the first cause in full, others by name; where no cause is known, kubectl's sentence."""
    full: tuple[Part, ...] = ()
    notes: list[Part] = []
    for workload in app.workloads:
        cause = sights[workload.uid].cause if workload.uid in sights else None
        if cause is not None and not full:
            full = cause_parts(cause)
        elif cause is not None:
            notes.append(Note(f"{workload.label}: {cause.fault.title}", Tone.BAD))
        elif (how := health(workload)) not in (Health.UP, Health.STOPPED):
            notes.append(Note(f"{workload.label}: {status(workload).message}", how.tone))
    return (*full, *notes)


def _warning(ctx: Context, how: Health, events: tuple[Event, ...]) -> tuple[Part, ...]:
    warnings = [event for event in events if event.warning]
    if not warnings:
        return ()
    newest = warnings[-1]
    what = f"{newest.kind.lower()}/{newest.name} {newest.reason}, {ago(newest.last, ctx.now)}"
    text = f"{what}: {newest.message}"
    # Of an app that is well again, a warning is history.
    return (Note(text, Tone.PLAIN if how.fine else Tone.WARN),)


def _buttons(ctx: Context, args: AppCardArgs, how: Health) -> Buttons:
    """An app that is well is not undone by a slip of the thumb: that is asked about."""
    at = ctx.at()
    ask = f"Put {args.app} in {ctx.place} back to the version before?" if how.fine else ""
    paused = [workload for workload in ctx.app.workloads if workload.paused]
    return Buttons(
        (
            Button("Deploy…", f"deploy {args.app} {at}"),
            Button("Logs", f"logs {args.app} {at}"),
            *(Button("Resume", f"rollout resume {workload.label} {at}") for workload in paused[:1]),
            *(() if paused else (Button("Undo", f"undo {args.app} {at}", ask=ask),)),
            Button("Status", f"status {args.app} {at}"),
        )
    )


def _at(place: Place) -> str:
    return f"--cluster {place.cluster} -n {place.namespace}"
