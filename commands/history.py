"""`rollout history`: the revisions of an app's workloads, or one of them in full."""

import asyncio
from typing import Annotated

from bot.core.ages import age, ago
from bot.core.aim import only
from bot.core.args import AppArgs, Opt
from bot.core.command import Context, query
from bot.core.diff import yaml_lines
from bot.core.errors import NotFound
from bot.core.image import version_of
from bot.core.lastgood import fate_words
from bot.core.ledger import RevisionFate, last_fate
from bot.core.masking import masked_object
from bot.core.reply import Button, Buttons, Code, Part, Reply, Style, Table, Text, fields
from bot.core.revisions import current, template
from bot.core.rights import FIND, REVISIONS
from bot.core.workload import Revision, Workload


class HistoryArgs(AppArgs):
    """The revisions of an app: version, change cause, age, and what became of each."""

    revision: Annotated[int | None, Opt("--revision", help="show this one in full", metavar="n", ge=1)] = None


@query(
    "rollout history",
    needs=(*FIND, *REVISIONS),
    examples=("rollout history myapp", "rollout history deploy/myapp --revision 2"),
    aliases=("history",),
)
async def history(ctx: Context, args: HistoryArgs) -> Reply:
    if args.revision is not None:
        return await _one(ctx, args, args.revision)
    tables = await asyncio.gather(*(_table(ctx, workload) for workload in ctx.app.workloads))
    if not any(isinstance(part, Table) for parts in tables for part in parts):
        return Reply(f"{args.app}: no rollout history found.", place=str(ctx.place))
    ask = f"Put {args.app} in {ctx.place} back to the version before?"
    undo = Buttons((Button("Undo", f"undo {args.app} {ctx.at()}", ask=ask),))
    return Reply(
        f"Revisions of {args.app}.", parts=(*(part for parts in tables for part in parts), undo), place=str(ctx.place)
    )


async def _table(ctx: Context, workload: Workload) -> tuple[Part, ...]:
    revisions, fates = await asyncio.gather(ctx.reader.workloads.revisions(workload), ctx.ledger.fates(workload.uid))
    alone = len(ctx.app.workloads) == 1
    if not revisions:
        return () if alone else (Text(f"{workload.label}: no rollout history found."),)
    now = current(workload, revisions)
    rows = tuple(
        (
            str(revision.number),
            _versions(revision),
            revision.change_cause or "<none>",
            age(revision.created, ctx.now),
            _became(ctx, revision, fates, stands=revision == now),
        )
        for revision in revisions
    )
    table = Table(("Revision", "Version", "Change cause", "Age", "What became of it"), rows)
    return (table,) if alone else (Text(workload.label), table)


async def _one(ctx: Context, args: HistoryArgs, number: int) -> Reply:
    """One revision, as `kubectl rollout history --revision` shows its pod template."""
    workload = only(ctx.app, ctx.app.workloads, lambda label: f"rollout history {label} --revision {number} {ctx.at()}")
    revisions, fates = await asyncio.gather(ctx.reader.workloads.revisions(workload), ctx.ledger.fates(workload.uid))
    revision = next((revision for revision in revisions if revision.number == number), None)
    if revision is None:
        known = ", ".join(str(revision.number) for revision in revisions)
        raise NotFound(
            f"{workload.label}: unable to find the specified revision {number}.",
            hint=f"The history holds {known}." if known else "The history is empty.",
        )
    now = current(workload, revisions)
    facts = fields(
        (
            ("Version", _versions(revision)),
            ("Change cause", revision.change_cause),
            ("Created", ago(revision.created, ctx.now)),
            ("What became of it", _became(ctx, revision, fates, stands=revision == now)),
            ("Kept as", revision.name),
        )
    )
    code = Code("\n".join(yaml_lines(masked_object(template(workload.kind, revision)))), title="Pod template")
    back = Button(
        f"Undo to {number}",
        f"rollout undo {workload.label} --to {number} {ctx.at()}",
        Style.DANGER,
        ask=f"Put {args.app} back to revision {number}?",
    )
    buttons = () if revision == now else (Buttons((back,)),)
    return Reply(f"Revision {number} of {args.app}.", parts=(facts, code, *buttons), place=str(ctx.place))


def _versions(revision: Revision) -> str:
    """The version, with the containers' names where there are several."""
    regular = [container for container in revision.containers if not container.init]
    if len(regular) == 1:
        return version_of(regular[0].image)
    return ", ".join(f"{container.name} {version_of(container.image)}" for container in regular)


def _became(ctx: Context, revision: Revision, fates: tuple[RevisionFate, ...], *, stands: bool) -> str:
    fate = last_fate(fates, revision.name)
    return ", ".join(filter(None, ("current" if stands else "", fate_words(fate, ctx.now) if fate else "")))
