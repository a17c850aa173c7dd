"""`undo`: back to the last good revision."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Final

from bot.core import caution
from bot.core.args import AppArgs, Opt
from bot.core.command import Context, action, patch
from bot.core.errors import Ambiguous, Choice, Refused
from bot.core.image import version_of
from bot.core.lastgood import NoReturn, Return, last_good, skipped_words, title, words
from bot.core.ledger import ActionRecord, Fate, RevisionFate, State, last_fate
from bot.core.plan import Followed, Plan, Risk
from bot.core.reply import Note
from bot.core.restore import no_history, not_paused, restore, settled
from bot.core.revisions import current
from bot.core.rights import FOLLOW
from bot.core.rollout import status
from bot.core.suggest import listed
from bot.core.text import quote
from bot.core.vitals import main_container
from bot.core.workload import Revision, Workload

_WROTE: Final = (State.EXECUTING, State.FOLLOWING, State.DONE, State.UNKNOWN)


class UndoArgs(AppArgs):
    """Go back to the last good revision."""

    from_version: Annotated[
        str, Opt("--from", help="refuse unless this version runs now: of two that press Undo, one does", metavar="v2")
    ] = ""


@dataclass(frozen=True, slots=True)
class Past:
    """One workload with all that an undo is decided from. `now` is the revision that it stands on."""

    workload: Workload
    revisions: tuple[Revision, ...]
    fates: tuple[RevisionFate, ...]
    actions: tuple[ActionRecord, ...]
    now: Revision | None


@action(
    "undo",
    risk=Risk.CHANGE,
    needs=(*FOLLOW, patch("deployments.apps"), patch("statefulsets.apps"), patch("daemonsets.apps")),
    examples=("undo myapp", "undo deploy/myapp on prod", "undo sts/db -n data"),
    aliases=("rollback",),
)
async def undo(ctx: Context, args: UndoArgs) -> Plan:
    """Plan the way back of what the app's last change moved (see `last_moved`), one step a workload."""
    again = f"undo {args.app} {ctx.at()}"
    pasts = await asyncio.gather(*(_past(ctx, workload, again) for workload in ctx.app.workloads))
    moved = last_moved(ctx.app.name, pasts, lambda label: f"undo {label} {ctx.at()}")
    for past in moved:
        _still_runs(ctx, args, past.workload)
    choices = [(past, last_good(past.workload, past.revisions, past.fates)) for past in moved]
    back = [(past, choice) for past, choice in choices if isinstance(choice, Return)]
    stay = [(past, choice) for past, choice in choices if isinstance(choice, NoReturn)]
    if not back:
        raise _no_return(ctx, *stay[0])
    for past, _ in back:
        not_paused(past.workload, f"rollout resume {past.workload.label} {ctx.at()}")
    versions = [title(choice.to, past.workload.containers) for past, choice in back]
    to = " and ".join(dict.fromkeys(versions))
    return Plan(
        summary=f"Undo {args.app} to {to}",
        steps=tuple(restore(past.workload, choice.to) for past, choice in back),
        risk=Risk.CHANGE,
        follow=tuple(Followed(past.workload.ref, version) for (past, _), version in zip(back, versions, strict=True)),
        notes=(
            *(Note(_sentence(ctx, past, choice, alone=len(pasts) == 1)) for past, choice in back),
            *(Note(f"{past.workload.label} stays: {_why_stay(past, choice)}.") for past, choice in stay),
            *(note for past, choice in back for note in caution.undone(past.workload, choice.to, ctx.prefix)),
        ),
        done=f"{args.app} is back on {to}",
        undo=_way_back(ctx, back),
    )


def last_moved(app: str, pasts: Sequence[Past], line: Callable[[str], str]) -> tuple[Past, ...]:
    """The workloads whose present revision was made by the last of our actions on the app.

    An app of one workload is that workload. Of several, only those go back that changed together: undoing a deploy of
    web and worker leaves the database of the same app alone. Where no action of ours made any present revision, or a
    workload got a newer one from somebody else, it is asked which one is meant.
    """
    if len(pasts) == 1:
        return tuple(pasts)
    makers = [(past, _maker(past)) for past in pasts]
    last = max((maker for _, maker in makers if maker), key=lambda maker: maker.created, default=None)
    newer = [past for past, maker in makers if maker is None and past.now and last and past.now.created > last.created]
    if last is None or newer:
        why = f"{newer[0].workload.label} was changed by somebody else since" if newer else "It was not changed by me"
        raise Ambiguous(
            f"`{app}` is {listed([past.workload.label for past in pasts])}, and what was changed last is not clear.",
            hint=f"{why}. Which one shall go back?",
            choices=[Choice(past.workload.label, line(past.workload.label)) for past in pasts],
        )
    return tuple(past for past, maker in makers if maker and maker.id == last.id)


def _still_runs(ctx: Context, args: UndoArgs, workload: Workload) -> None:
    """Raises Refused where the version that was to be taken back runs no more."""
    running = {word for container in workload.containers for word in (version_of(container.image), container.image)}
    if args.from_version and args.from_version not in running:
        now = version_of(main_container(workload, ctx.app.name).image)
        raise Refused(
            f"{args.app} runs {now} now, and {args.from_version} no more.",
            hint="Somebody was faster, so nothing was changed.",
            choices=[Choice(f"Undo {now}", f"undo {args.app} {ctx.at()}")],
        )


async def _past(ctx: Context, workload: Workload, again: str) -> Past:
    workload = await settled(ctx.reader, workload, again)
    revisions, fates, actions = await asyncio.gather(
        ctx.reader.workloads.revisions(workload),
        ctx.ledger.fates(workload.uid),
        ctx.ledger.changes(workload.ref),
    )
    return Past(workload, revisions, fates, actions, current(workload, revisions))


def _maker(past: Past) -> ActionRecord | None:
    """The action of ours that gave a workload its present revision: it saw that through, or still does.

    One that wrote and left no word on any revision of it counts too: without replicas, held, or lost from sight,
    nothing is ever seen. Scaling and pausing make no revision.
    """
    if past.now is None:
        return None
    seen = [fate for fate in past.fates if fate.fate is not Fate.HEALTHY_BEFORE]
    saw = {fate.action for fate in seen if fate.revision == past.now.name}
    silent = {action.id for action in past.actions if action.state in _WROTE} - {fate.action for fate in seen}
    mine = [
        action
        for action in past.actions
        if action.id in saw | silent and past.workload.ref in action.targets and action.command != "rollout pause"
    ]
    return max(mine, key=lambda action: action.created, default=None)


def _sentence(ctx: Context, past: Past, choice: Return, *, alone: bool) -> str:
    sentence = words(choice, past.workload.containers, ctx.now)
    return f"{sentence}." if alone else f"{past.workload.label}: {sentence}."


def _why_stay(past: Past, choice: NoReturn) -> str:
    if choice.bad:
        return f"no earlier revision is known to be good ({skipped_words(choice.bad, past.workload.containers)})"
    return no_history(past.workload)


def _no_return(ctx: Context, past: Past, choice: NoReturn) -> Refused:
    label = past.workload.label
    return Refused(
        f"{label} cannot go back: {_why_stay(past, choice)}.",
        hint="Taking one all the same is a decision of yours." if choice.bad else "Nothing was changed.",
        choices=[
            Choice(
                f"Undo to {item.revision.number} anyway",
                f"rollout undo {label} --to {item.revision.number} {ctx.at()}",
            )
            for item in choice.bad
        ],
    )


def _way_back(ctx: Context, back: list[tuple[Past, Return]]) -> str:
    """The line that undoes the undo, where one line can and where it would not lead to what is known to be bad."""
    if len(back) > 1:
        well = all(past.workload.replicas and status(past.workload).rolled_out for past, _ in back)
        # What runs well now is the newest good one then.
        return f"undo {ctx.app.name}{_only_from(back)} {ctx.at()}" if well else ""
    past, now = back[0][0], back[0][0].now
    if now is None:
        return ""
    fate = last_fate(past.fates, now.name)
    if fate is not None and not fate.fate.good:
        return ""
    return f"rollout undo {past.workload.label} --to {now.number} {ctx.at()}"


def _only_from(back: list[tuple[Past, Return]]) -> str:
    """That the way back starts from the version that the undo brings, where that is one for all."""
    versions = [{version_of(container.image) for container in choice.to.containers} for _, choice in back]
    common = set.intersection(*versions)
    return f" --from {quote(common.pop())}" if len(common) == 1 else ""
