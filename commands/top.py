"""`top`: CPU and memory that pods and nodes use now, by the metrics API."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Literal

from bot.core.args import AppRef, Arg, ClusterArgs, Opt, WidePlaceArgs
from bot.core.command import Context, list_, query
from bot.core.errors import UsageError
from bot.core.listing import counted, listing
from bot.core.pod import Usage
from bot.core.reply import Reply, Text
from bot.core.rights import FIND

_LATER = Text("Measurements come a minute or so after a start.")
_UNKNOWN = "<unknown>"


class TopArgs(WidePlaceArgs):
    """Show what pods use now: CPU and memory, the hungriest first."""

    app: Annotated[AppRef | None, Arg(help="only the pods of this app or workload")] = None
    by: Annotated[Literal["cpu", "memory"], Opt("--sort-by", help="what to sort by")] = "cpu"


class TopNodesArgs(ClusterArgs):
    """Show what nodes use now, of what they can give."""


@query(
    "top",
    needs=(*FIND, list_("pods.metrics.k8s.io")),
    examples=("top", "top pods", "top myapp --by memory", "top -A"),
    aliases=("top pods",),
)
async def top(ctx: Context, args: TopArgs) -> Reply:
    if args.app and args.where.everywhere:
        raise UsageError("`-A` measures all namespaces; an app stands in one. Leave one of the two out.")
    used = await _pods(ctx)
    of_app = f" of {args.app}" if args.app else ""
    if not used:
        return Reply(
            f"There are no measurements of pods{of_app} in {ctx.place}.", parts=(_LATER,), place=str(ctx.place)
        )
    order = sorted(used, key=lambda usage: -(usage.memory_mib if args.by == "memory" else usage.cpu_millicores))
    everywhere = ctx.namespace is None
    rows = [
        (*((usage.namespace,) if everywhere else ()), usage.name, _cpu(usage.cpu_millicores), _memory(usage.memory_mib))
        for usage in order
    ]
    columns = ("Namespace", "Pod", "CPU", "Memory") if everywhere else ("Pod", "CPU", "Memory")
    headline = f"{counted(len(used), 'pod')}{of_app}: {_sum(used)} together."
    return Reply(headline, parts=listing(columns, rows, "Name an app: `top myapp`."), place=str(ctx.place))


@query("top nodes", needs=(list_("nodes"), list_("nodes.metrics.k8s.io")), examples=("top nodes", "top nodes on prod"))
async def top_nodes(ctx: Context, args: TopNodesArgs) -> Reply:
    used = await ctx.reader.metrics.nodes()
    if not used:
        return Reply(
            f"There are no measurements of nodes on {ctx.place.cluster}.", parts=(_LATER,), place=str(ctx.place)
        )
    rows = [
        (
            usage.name,
            _cpu(usage.cpu_millicores),
            _percent(usage.cpu_percent),
            _memory(usage.memory_mib),
            _percent(usage.memory_percent),
        )
        for usage in used
    ]
    parts = listing(("Node", "CPU", "CPU %", "Memory", "Memory %"), rows, "`show node/…` describes one.")
    return Reply(f"{counted(len(used), 'node')}: {_sum(used)} together.", parts=parts, place=str(ctx.place))


async def _pods(ctx: Context) -> tuple[Usage, ...]:
    if ctx.target is None:
        return await ctx.reader.metrics.pods(ctx.namespace)
    selectors = dict.fromkeys(workload.selector for workload in ctx.target.workloads)
    found = await asyncio.gather(*(ctx.reader.metrics.pods(ctx.place.namespace, selector) for selector in selectors))
    return tuple(dict.fromkeys(usage for some in found for usage in some))


def _sum(used: Iterable[Usage]) -> str:
    usages = list(used)
    cpu, memory = sum(usage.cpu_millicores for usage in usages), sum(usage.memory_mib for usage in usages)
    return f"{_cpu(cpu)} CPU and {_memory(memory)} memory"


def _cpu(millicores: int) -> str:
    return f"{millicores}m"


def _memory(mib: int) -> str:
    return f"{mib}Mi"


def _percent(part: int | None) -> str:
    return _UNKNOWN if part is None else f"{part}%"
