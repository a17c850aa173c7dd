"""`rollout status`: how a rollout stands now, in kubectl's words, and why it does not move."""

import asyncio
from typing import Final

from bot.core import caution
from bot.core.args import AppArgs
from bot.core.bulletin import cause_parts
from bot.core.cause import Cause
from bot.core.command import Context, query
from bot.core.partial import if_permitted
from bot.core.reply import Button, Buttons, Note, Part, Progress, Reply, Text, Tone
from bot.core.rights import FIND, PODS, REVISIONS
from bot.core.rollout import status
from bot.core.sight import Sight, examine
from bot.core.vitals import version
from bot.core.workload import Kind

_BY_GRAVITY: Final = (Tone.GOOD, Tone.WAIT, Tone.WARN, Tone.BAD)


class StatusArgs(AppArgs):
    """How the rollout of an app stands, and why it does not move."""


@query(
    "rollout status",
    needs=(*FIND, *REVISIONS, *PODS),
    examples=("status myapp", "rollout status sts/db -n data", "status myapp on prod"),
    aliases=("status",),
)
async def rollout_status(ctx: Context, args: StatusArgs) -> Reply:
    workloads = ctx.app.workloads
    sights = await asyncio.gather(*(if_permitted(examine(ctx.reader, one, ctx.now), Sight(one)) for one in workloads))
    alone = len(workloads) == 1
    rolled_out = sum(status(workload).rolled_out for workload in workloads)
    what = f"{args.app} {version(ctx.app)}"
    if not alone:
        headline = f"{what}: {rolled_out} of {len(workloads)} workloads rolled out."
    elif cause := _certain(sights[0]):
        headline = f"{what} is stuck: {cause.fault.title}."
    else:
        headline = f"{what}: {status(workloads[0]).message}"
    parts = tuple(part for sight in sights for part in _parts(ctx, sight, alone=alone))
    return Reply(
        headline, max(map(_tone, sights), key=_BY_GRAVITY.index), (*parts, _buttons(ctx, args)), str(ctx.place)
    )


def _certain(sight: Sight) -> Cause | None:
    """Why it cannot go on by itself, where that is known."""
    return sight.cause if sight.cause is not None and sight.cause.certain else None


def _tone(sight: Sight) -> Tone:
    now = status(sight.workload)
    if now.rolled_out:
        return Tone.GOOD
    if _certain(sight):
        return Tone.BAD
    if now.failed:  # of the other kinds kubectl only says that it cannot tell
        return Tone.BAD if sight.workload.kind is Kind.DEPLOYMENT else Tone.WARN
    return Tone.WARN if sight.workload.paused else Tone.WAIT


def _parts(ctx: Context, sight: Sight, *, alone: bool) -> list[Part]:
    workload, now = sight.workload, status(sight.workload)
    cause = _certain(sight)
    told = alone and cause is None  # by the headline
    parts: list[Part] = [] if told else [Text(now.message if alone else f"{workload.label}: {now.message}")]
    if sight.revision is not None and not now.rolled_out and workload.replicas:
        old = f"{len(sight.old)} old left" if sight.old else ""
        words = " · ".join(filter(None, (f"{sight.ready}/{workload.replicas} ready", old, sight.serving)))
        parts.append(Progress(sight.ready, workload.replicas, words))
    parts += caution.held(workload, ctx.prefix)
    if cause is not None:
        parts += cause_parts(cause)
    elif sight.cause is not None:
        parts.append(Note(sight.cause.fault.sentence, Tone.WARN))
    return parts


def _buttons(ctx: Context, args: StatusArgs) -> Buttons:
    """Undo and, for Deployments that move, Pause or Resume; where all is well only what tells more."""
    at = ctx.at()
    moving = [workload for workload in ctx.app.workloads if not status(workload).rolled_out]
    paused = any(workload.paused for workload in moving)  # not to be rolled back before it is resumed
    found = [Button("Undo", f"undo {args.app} {at}")] if moving and not paused else []
    for workload in moving:
        if workload.kind is Kind.DEPLOYMENT:
            word = "Resume" if workload.paused else "Pause"
            found.append(Button(word, f"rollout {word.lower()} {workload.label} {at}"))
    logs, past = Button("Logs", f"logs {args.app} {at}"), Button("History", f"rollout history {args.app} {at}")
    return Buttons((*found, logs, past))
