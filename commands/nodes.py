"""`nodes`: the machines of a cluster."""

from typing import Annotated

from bot.core.args import ClusterArgs, Opt
from bot.core.command import Context, list_, query
from bot.core.listing import NODES, column, counted, listing, shown
from bot.core.reply import Button, Buttons, Reply, Tone

_MOST_BUTTONS = 3


class NodesArgs(ClusterArgs):
    """List the nodes of a cluster: status, roles, age, version."""

    wide: Annotated[bool, Opt("-w", help="with addresses, system and runtime")] = False


@query("nodes", needs=(list_("nodes"),), examples=("nodes", "nodes on prod", "nodes --wide"))
async def nodes(ctx: Context, args: NodesArgs) -> Reply:
    columns, rows = shown(await ctx.reader.objects.table(NODES, None), wide=args.wide)
    if not rows:
        return Reply(f"There are no nodes on {ctx.place.cluster}.", Tone.WARN, place=ctx.place.cluster)
    # The server writes `Ready`, `NotReady`, or `Ready,SchedulingDisabled` where a node is cordoned.
    unready = [row for row in rows if column(columns, row, "Status") != "Ready"]
    names = [column(columns, row, "Name") for row in unready[:_MOST_BUTTONS]]
    state = f"{len(unready)} not simply ready" if unready else "all ready"
    buttons = (
        *(Button(f"Show {name}", f"show node/{name} --cluster {ctx.place.cluster}") for name in names),
        Button("Usage", f"top nodes --cluster {ctx.place.cluster}"),
    )
    parts = (*listing(columns, rows, "`show node/…` describes one."), Buttons(buttons))
    headline = f"{counted(len(rows), 'node')} on {ctx.place.cluster}: {state}."
    return Reply(headline, Tone.WARN if unready else Tone.GOOD, parts, ctx.place.cluster)
