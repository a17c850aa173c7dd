"""`events`: what the cluster noted about an app or a namespace, newest last."""

from typing import Annotated

from bot.core.args import AppRef, Arg, Opt, WidePlaceArgs
from bot.core.command import Context, list_, query
from bot.core.describe.metadata import event_table
from bot.core.errors import UsageError
from bot.core.listing import ROWS, counted
from bot.core.pod import Event
from bot.core.reply import Note, Reply, Text, Tone
from bot.core.rights import FIND, REVISIONS
from bot.core.subjects import events_of


class EventsArgs(WidePlaceArgs):
    """Show recent events, newest last."""

    app: Annotated[AppRef | None, Arg(help="only of this app: its workloads, newest revision and pods")] = None
    warnings: Annotated[bool, Opt("-w", help="only warnings")] = False


@query(
    "events",
    needs=(*FIND, *REVISIONS, list_("pods"), list_("events"), list_("horizontalpodautoscalers.autoscaling")),
    examples=("events", "events myapp", "events --warnings in shop", "events -A -w"),
)
async def events(ctx: Context, args: EventsArgs) -> Reply:
    if args.app and args.where.everywhere:
        raise UsageError("`-A` shows the events of all namespaces; an app stands in one. Leave one of the two out.")
    found = await _events(ctx)
    wanted = tuple(event for event in found if event.warning) if args.warnings else found
    about = f" about {args.app}" if args.app else ""
    where = f"{'in' if ctx.namespace else 'on'} {ctx.place}"
    if not wanted:
        kind = "warnings" if args.warnings else "events"
        forgotten = Text("A cluster forgets events after an hour or so.")
        return Reply(f"There are no recent {kind}{about} {where}.", Tone.GOOD, (forgotten,), str(ctx.place))
    warnings = sum(event.warning for event in wanted)
    table = event_table(wanted, ctx.now, most=ROWS, namespaces=ctx.namespace is None)
    cut = f"The newest {ROWS} of {len(wanted)}. Name an app, or ask for `--warnings` only."
    headline = f"{counted(len(wanted), 'event')}{about}, {counted(warnings, 'warning')}."
    notes = (Note(cut),) if len(wanted) > ROWS else ()
    return Reply(headline, Tone.WARN if warnings else Tone.PLAIN, (table, *notes), str(ctx.place))


async def _events(ctx: Context) -> tuple[Event, ...]:
    if ctx.target is None:
        return await ctx.reader.events.list(ctx.namespace)
    return await events_of(ctx.reader, ctx.place.namespace, ctx.target.workloads)
