"""`pods`: the pods of an app or a namespace, those in trouble first."""

import asyncio
from collections import Counter
from itertools import takewhile
from typing import Annotated

from bot.core.args import AppRef, Arg, Opt, WidePlaceArgs
from bot.core.cluster import ServerTable
from bot.core.command import Context, list_, query
from bot.core.errors import UsageError
from bot.core.listing import PODS, column, counted, listing, shown
from bot.core.reply import Button, Buttons, Part, Reply, Tone
from bot.core.rights import FIND

_MOST_BUTTONS = 2
_CALM = frozenset({"Running", "Completed", "Succeeded", "Terminating"})


class PodsArgs(WidePlaceArgs):
    """List pods: ready, status, restarts, age."""

    app: Annotated[AppRef | None, Arg(help="only those of this app or workload")] = None
    wide: Annotated[bool, Opt("-w", help="with address and node")] = False


@query(
    "pods",
    needs=(*FIND, list_("pods")),
    examples=("pods", "pods myapp --wide", "pods in shop", "pods -A"),
    aliases=("ps",),
)
async def pods(ctx: Context, args: PodsArgs) -> Reply:
    if args.app and args.where.everywhere:
        raise UsageError("`-A` lists the pods of all namespaces; an app stands in one. Leave one of the two out.")
    columns, rows = shown(await _table(ctx), wide=args.wide)
    of_app = f" of {args.app}" if args.app else ""
    where = "in" if ctx.namespace else "on"
    if not rows:
        hint = _zero(ctx)
        return Reply(f"There are no pods{of_app} {where} {ctx.place}.{hint}", place=str(ctx.place))
    rows = tuple(sorted(rows, key=lambda row: not _troubled(columns, row)))
    troubled = list(takewhile(lambda row: _troubled(columns, row), rows))
    counts = Counter(column(columns, row, "Status") for row in rows)
    summary = ", ".join(f"{count} {status}" for status, count in counts.most_common())
    narrow = "Name an app, `pods myapp`, or a namespace, `pods in shop`." if not args.app else "The rest is in order."
    parts = (*listing(columns, rows, narrow), *_buttons(ctx, columns, troubled))
    return Reply(
        f"{counted(len(rows), 'pod')}{of_app}: {summary}.", Tone.WARN if troubled else Tone.PLAIN, parts, str(ctx.place)
    )


async def _table(ctx: Context) -> ServerTable:
    """One table; of an app with several workloads, theirs put together."""
    if ctx.target is None:
        return await ctx.reader.objects.table(PODS, ctx.namespace)
    selectors = dict.fromkeys(workload.selector for workload in ctx.target.workloads)
    tables = await asyncio.gather(
        *(ctx.reader.objects.table(PODS, ctx.place.namespace, selector=selector) for selector in selectors)
    )
    return ServerTable(tables[0].columns, tuple(dict.fromkeys(row for table in tables for row in table.rows)))


def _troubled(columns: tuple[str, ...], row: tuple[str, ...]) -> bool:
    """Not running, or running and not ready (`0/1`)."""
    status = column(columns, row, "Status")
    ready, _, wanted = column(columns, row, "Ready").partition("/")
    return status not in _CALM or (status == "Running" and ready != wanted)


def _zero(ctx: Context) -> str:
    if ctx.target and not any(workload.replicas for workload in ctx.target.workloads):
        return " It is scaled to 0."
    return ""


def _buttons(ctx: Context, columns: tuple[str, ...], troubled: list[tuple[str, ...]]) -> tuple[Part, ...]:
    """Logs and description of the first that are in trouble."""
    items: list[Button] = []
    for row in troubled[:_MOST_BUTTONS]:
        name = column(columns, row, "Name")
        at = f"--cluster {ctx.place.cluster} -n {column(columns, row, 'Namespace') or ctx.place.namespace}"
        items += [Button(f"Logs of {name}", f"logs pod/{name} {at}"), Button(f"Show {name}", f"show pod/{name} {at}")]
    return (Buttons(tuple(items)),) if items else ()
