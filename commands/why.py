"""`why`: who changed an app last, what and by which way, and why it is broken where it is."""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.core import caution
from bot.core.ages import age, ago
from bot.core.args import AppArgs
from bot.core.command import Context, query
from bot.core.edits import CONTROLLERS, OURSELVES, FieldsEdit, edits, told
from bot.core.ledger import ActionRecord, Span, State
from bot.core.listing import counted
from bot.core.partial import if_permitted
from bot.core.reply import Button, Buttons, Diff, Note, Part, Reply, Sign, Style, Table, Tone
from bot.core.rights import FIND, PODS, REVISIONS
from bot.core.rollout import status
from bot.core.sight import Sight, examine
from bot.core.vitals import Health, health
from bot.core.workload import Workload

_MOST_TOLD: Final = 8
_NEVER_WROTE: Final = frozenset({State.WAITING, State.CANCELLED, State.EXPIRED, State.REFUSED, State.STALE})
_NO_PERSON: Final = Note(
    "Of changes that did not go through me a cluster keeps the tool, not the person: its own audit log names them."
)


class WhyArgs(AppArgs):
    """Who changed an app last, what and by which way, and why it is broken if it is."""


@dataclass(frozen=True, slots=True)
class _Ours:
    """A change that went through the bot."""

    workload: Workload
    action: ActionRecord

    @property
    def seconds(self) -> float:
        return self.action.created.timestamp()


@dataclass(frozen=True, slots=True)
class _Theirs:
    """Fields that another writer holds, the bot itself in a life that its ledger has forgotten included."""

    workload: Workload
    edit: FieldsEdit

    @property
    def seconds(self) -> float:
        return self.edit.at.timestamp() if self.edit.at else 0.0


@query("why", needs=(*FIND, *REVISIONS, *PODS), examples=("why myapp", "why deploy/cart-web in shop"))
async def why(ctx: Context, args: WhyArgs) -> Reply:
    workloads = ctx.app.workloads
    stories, sights = await asyncio.gather(
        asyncio.gather(*(_story(ctx, workload) for workload in workloads)),
        asyncio.gather(*(if_permitted(_look(ctx, workload), None) for workload in workloads)),
    )
    told_of = sorted((one for story in stories for one in story), key=lambda one: one.seconds, reverse=True)
    last = next((one for one in told_of if not _by_autoscaler(one)), None)
    seen = [sight for sight in sights if sight is not None]
    troubled = sorted((one for one in seen if _stuck(one) or not health(one.workload).fine), key=_stuck, reverse=True)
    diff = await _diff(ctx, last.action) if isinstance(last, _Ours) else ()
    parts = (
        *(_cause(sight) for sight in troubled),
        *diff,
        *_table(ctx, told_of),
        *((_NO_PERSON,) if any(isinstance(one, _Theirs) for one in told_of) else ()),
        *(note for workload in workloads for note in caution.owned(workload)),
        _buttons(ctx, args, troubled=bool(troubled)),
    )
    headline = " ".join(filter(None, (_trouble(troubled), _last(ctx, args, last))))
    return Reply(headline, Tone.BAD if troubled else Tone.PLAIN, parts, str(ctx.place))


async def _story(ctx: Context, workload: Workload) -> Sequence[_Ours | _Theirs]:
    """All that changed a workload, as far as the ledger and the object itself remember."""
    actions = [one for one in await ctx.ledger.changes(workload.ref) if one.state not in _NEVER_WROTE]
    others = [one for one in edits(workload.manifest) if one.wanted and not (actions and one.manager == OURSELVES)]
    return (*(_Ours(workload, one) for one in actions), *(_Theirs(workload, one) for one in others))


async def _look(ctx: Context, workload: Workload) -> Sight | None:
    """A look at one that is not up: pods know of a fault long before a controller's deadline passes."""
    return await examine(ctx.reader, workload, ctx.now) if health(workload) >= Health.PAUSED else None


async def _diff(ctx: Context, action: ActionRecord) -> tuple[Part, ...]:
    """What an action changed, as it was shown before."""
    until = action.ended + timedelta(seconds=1) if action.ended else None
    span = Span(action.created, until, (action.place,), action.actor.id)
    lines = [line for record in await ctx.ledger.records(span) if record.action == action.id for line in record.diff]
    return tuple(_read(lines))


def _read(lines: Sequence[str]) -> Iterator[Diff]:
    """The diffs that a record keeps: a title each, then its lines with their signs."""
    title, shown = "", list[tuple[Sign, str]]()
    for line in lines:
        if line[1:2] == " " and line[0] in "".join(Sign):
            shown.append((Sign(line[0]), line[2:]))
            continue
        if shown:
            yield Diff(title, tuple(shown))
        title, shown = line, []
    if shown:
        yield Diff(title, tuple(shown))


def _stuck(sight: Sight) -> bool:
    """Whether it cannot go on by itself, for a cause that is known."""
    return sight.cause is not None and sight.cause.certain


def _trouble(sights: Sequence[Sight]) -> str:
    if not sights:
        return ""
    sight = sights[0]
    title = f": {sight.cause.fault.title}" if sight.cause else ""
    how = "stuck" if _stuck(sight) else health(sight.workload).word
    return f"{sight.workload.label} is {how}{title}."


def _last(ctx: Context, args: WhyArgs, last: _Ours | _Theirs | None) -> str:
    match last:
        case _Ours(workload, action):
            when = ago(action.created, ctx.now)
            return f"@{action.actor.name} changed {workload.label} last, {when}: {action.summary}."
        case _Theirs(workload, edit):
            when = f", {ago(edit.at, ctx.now)}" if edit.at else ""
            return f"{edit.who} changed {workload.label} last{when}, not through me."
        case None:
            return f"Nothing tells who changed {args.app}: neither my ledger nor the object itself knows of anybody."


def _cause(sight: Sight) -> Note:
    """The cause in one line, with what to do."""
    if sight.cause is None:
        return Note(f"{sight.workload.label}: {status(sight.workload).message}", Tone.WARN)
    fault = sight.cause.fault
    blamed = f"Changed: {sight.cause.blame}." if sight.cause.blame else ""
    return Note(" ".join(filter(None, (fault.sentence, blamed, fault.hint))), Tone.BAD)


def _table(ctx: Context, told_of: Sequence[_Ours | _Theirs]) -> tuple[Part, ...]:
    if not told_of:
        return ()
    alone = len(ctx.app.workloads) == 1
    rows = [
        (*_row(ctx, one)[:1], *(() if alone else (one.workload.label,)), *_row(ctx, one)[1:])
        for one in told_of[:_MOST_TOLD]
    ]
    columns = ("When", *(() if alone else ("Workload",)), "Who", "How", "What")
    left = len(told_of) - len(rows)
    more = (Note(f"{counted(left, 'older change')} left out: `{ctx.prefix} audit 30d {ctx.app.name}`."),)
    return (Table(columns, tuple(rows), len(told_of)), *(more if left else ()))


def _row(ctx: Context, one: _Ours | _Theirs) -> tuple[str, ...]:
    match one:
        case _Ours(_, action):
            result = action.result or action.state.value
            said = action.line.rpartition(" --cluster ")[0] or action.line
            return (age(action.created, ctx.now), f"@{action.actor.name}", f"{ctx.prefix} {said}", result)
        case _Theirs(_, edit):
            when = age(edit.at, ctx.now) if edit.at else ""
            return (when, edit.who, edit.how, told(edit.fields))


def _by_autoscaler(one: _Ours | _Theirs) -> bool:
    return isinstance(one, _Theirs) and one.edit.manager in CONTROLLERS


def _buttons(ctx: Context, args: WhyArgs, *, troubled: bool) -> Buttons:
    at = ctx.at()
    undo = (Button("Undo", f"undo {args.app} {at}", Style.PRIMARY),) if troubled else ()
    seen = (Button("Status", f"status {args.app} {at}"), Button("History", f"rollout history {args.app} {at}"))
    return Buttons((*undo, *seen))
