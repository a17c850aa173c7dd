"""`scale`: how many replicas a Deployment or StatefulSet has."""

import asyncio
from typing import Annotated

from bot.core import caution
from bot.core.aim import only
from bot.core.args import AppArgs, Arg, Opt
from bot.core.command import Context, action, get, list_, patch
from bot.core.errors import Choice, Forbidden, Refused
from bot.core.plan import ClusterWrite, Followed, PatchType, Plan, Risk, Verb, pick, same
from bot.core.reply import Note, Tone
from bot.core.rights import FOLLOW
from bot.core.workload import Autoscaler, Kind, Workload


class ScaleArgs(AppArgs):
    """Change the number of replicas."""

    replicas: Annotated[int, Arg(help="how many, 0 to 1000", metavar="n", ge=0, le=1000)]
    current: Annotated[
        int | None, Opt("--current-replicas", help="refuse unless it is this many now", metavar="n", ge=0)
    ] = None


@action(
    "scale",
    risk=Risk.CHANGE,
    needs=(
        *FOLLOW,
        get("deployments.apps/scale"),
        patch("deployments.apps/scale"),
        get("statefulsets.apps/scale"),
        patch("statefulsets.apps/scale"),
        list_("horizontalpodautoscalers.autoscaling"),
    ),
    examples=("scale myapp 5", "scale deploy/myapp 10 --current 3 -n shop", "scale sts/db 3"),
)
async def scale(ctx: Context, args: ScaleArgs) -> Plan:
    workload = _scalable(ctx, args)
    target = workload.kind.ref(workload.place, workload.name, "scale")
    # Decided from the Scale itself, as kubectl does. The API leaves a 0 out of it, and the executor reads it back in.
    manifest, scaler = await asyncio.gather(ctx.reader.objects.get(target), _autoscaler(ctx, workload))
    found = pick(manifest, "spec.replicas")
    now = found if isinstance(found, int) else 0
    if args.current is not None and args.current != now:
        raise Refused(
            f"Expected replicas to be {args.current}, was {now}.",
            hint="Nothing was changed.",
            choices=[Choice(f"Scale from {now} to {args.replicas}", _line(ctx, workload.label, args.replicas, now))],
        )
    name = _name(ctx, args, workload)
    if now == args.replicas:
        return Plan(f"{name} already has {_replicas(now)}", (), Risk.CHANGE)
    match scaler:
        case Note():
            notes: tuple[Note, ...] = (scaler,)
        case None:
            notes = ()
        case _:
            notes = caution.autoscaled(workload, scaler, args.replicas, now)
    danger = args.replicas == 0 or (args.replicas < now and caution.deletes_volumes(workload))
    return Plan(
        summary=f"Scale {name} from {now} to {args.replicas}",
        steps=(
            ClusterWrite(
                target,
                Verb.PATCH,
                {"spec": {"replicas": args.replicas}},
                PatchType.MERGE,
                same(workload.uid, {"spec": {"replicas": now}}, "spec.replicas"),
            ),
        ),
        risk=Risk.DANGER if danger else Risk.CHANGE,
        follow=(Followed(workload.ref),),
        notes=(*caution.scaled_down(workload, args.replicas, now), *notes, *caution.owned(workload)),
        done=f"{name} has {_replicas(args.replicas)}",
        undo=_line(ctx, workload.label, now),
    )


def _scalable(ctx: Context, args: ScaleArgs) -> Workload:
    """The one workload that is meant; DaemonSets of an app do not count, since they have no scale."""
    candidates = [workload for workload in ctx.app.workloads if workload.kind is not Kind.DAEMON_SET]
    if not candidates:
        label = ctx.app.workloads[0].label
        raise Refused(
            f"{label} cannot be scaled: the server could not find the requested resource (a DaemonSet has no scale).",
            hint="It runs one pod on each node that its node selector and tolerations let in.",
        )
    return only(ctx.app, candidates, lambda label: _line(ctx, label, args.replicas, args.current))


async def _autoscaler(ctx: Context, workload: Workload) -> Autoscaler | Note | None:
    try:
        return await ctx.reader.workloads.autoscaler(workload)
    except Forbidden:
        return Note("You may not see autoscalers here: whether one owns the replicas is not known.", Tone.WARN)


def _name(ctx: Context, args: ScaleArgs, workload: Workload) -> str:
    """As the person said it, where that means one workload only."""
    return str(args.app) if len(ctx.app.workloads) == 1 else workload.label


def _line(ctx: Context, label: str, replicas: int, current: int | None = None) -> str:
    expected = "" if current is None else f" --current {current}"
    return f"scale {label} {replicas}{expected} {ctx.at()}"


def _replicas(count: int) -> str:
    return f"{count} replica{'' if count == 1 else 's'}"
