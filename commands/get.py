"""`get`: the server's own table of any kind."""

import asyncio
from collections import Counter
from typing import Annotated

from bot.core.args import Arg, Opt, WidePlaceArgs
from bot.core.cluster import ServedKind
from bot.core.command import Context, list_, query
from bot.core.errors import NotFound, SteersmanError, UsageError
from bot.core.listing import counted, listing, shown, spoken
from bot.core.missing import not_found
from bot.core.reply import Button, Buttons, Note, Part, Reply
from bot.core.rights import ANY_KIND
from bot.core.things import KindWord, ObjectName, Selector

_MOST = 4


class GetArgs(WidePlaceArgs):
    """List the objects of any kind, as kubectl does."""

    kind: Annotated[KindWord, Arg(help="any kind the cluster serves: pods, ing, certificates…")]
    name: Annotated[ObjectName | None, Arg(help="only this one")] = None
    selector: Annotated[Selector | None, Opt("-l", help="only those with these labels", metavar="app=web")] = None
    wide: Annotated[bool, Opt("-w", help="more columns")] = False


@query(
    "get",
    needs=(list_("namespaces"), *ANY_KIND),
    examples=("get ingresses", "get svc myapp -n shop", "get pods -l app=myapp --wide", "get pvc -A"),
)
async def get(ctx: Context, args: GetArgs) -> Reply:
    if args.name and args.selector:
        raise UsageError("Say a name or a selector, not both.")
    kind = await ctx.reader.objects.find_kind(args.kind)
    namespace = ctx.namespace if kind.namespaced else None
    if args.name and kind.namespaced and namespace is None:
        raise UsageError("A name stands in one namespace: say `-n` instead of `-A`.")
    try:
        table = await ctx.reader.objects.table(kind, namespace, name=args.name or "", selector=args.selector or "")
    except NotFound as error:
        if not args.name:
            raise
        raise await not_found(
            ctx.reader,
            kind,
            ctx.place.namespace,
            args.name,
            error,
            lambda other: f"get {spoken(kind)} {other} {ctx.at()}",
        ) from error
    place = str(ctx.place) if kind.namespaced else ctx.place.cluster
    if not table.rows:
        headline = f"There are no {kind.resource}{_with(args)} {'in' if namespace else 'on'} {place}."
        return Reply(headline, parts=await _elsewhere(ctx, kind, args), place=place)
    columns, rows = shown(table, wide=args.wide)
    headline = f"{counted(len(rows), kind.singular or kind.kind.lower(), kind.resource)}{_with(args)}."
    parts = listing(columns, rows, "Narrow it down with a name or `--selector`.")
    return Reply(headline, parts=(*parts, *_show(ctx, kind, args.name)), place=place)


async def _elsewhere(ctx: Context, kind: ServedKind, args: GetArgs) -> tuple[Part, ...]:
    """Where there are some, when there are none here. Not worth an error of its own, nor a long wait."""
    if not kind.namespaced or ctx.namespace is None:
        return ()
    try:
        async with asyncio.timeout(3):
            table = await ctx.reader.objects.table(kind, None, selector=args.selector or "")
    except (SteersmanError, TimeoutError):
        return ()
    if not table.rows or table.columns[0].name != "Namespace":
        return ()
    counts = Counter(row[0] for row in table.rows).most_common(_MOST)
    selector = f" -l '{args.selector}'" if args.selector else ""
    buttons = tuple(
        Button(f"{namespace} ({count})", f"get {spoken(kind)}{selector} --cluster {ctx.place.cluster} -n {namespace}")
        for namespace, count in counts
    )
    return (Note("There are some in other namespaces:"), Buttons(buttons))


def _show(ctx: Context, kind: ServedKind, name: str | None) -> tuple[Part, ...]:
    return (Buttons((Button("Describe", f"show {spoken(kind)}/{name} {ctx.at()}"),)),) if name else ()


def _with(args: GetArgs) -> str:
    return f" with {args.selector}" if args.selector else ""
