"""`rollout undo | restart | pause | resume`: kubectl's changes of a rollout, with its semantics and its refusals."""

from collections.abc import Callable
from datetime import UTC
from typing import Annotated, Final

from bot.core import caution
from bot.core.aim import only
from bot.core.args import AppArgs, Opt
from bot.core.command import Context, action, get, patch
from bot.core.errors import Choice, NotFound, Refused
from bot.core.lastgood import previous, title
from bot.core.ledger import last_fate
from bot.core.plan import ClusterWrite, Followed, Json, PatchType, Plan, Risk, Verb, pick, same
from bot.core.reply import Note, Tone
from bot.core.restore import no_history, not_paused, restore, settled
from bot.core.revisions import current, matches
from bot.core.rights import FIND, FOLLOW
from bot.core.rollout import status
from bot.core.workload import Kind, Revision, Workload

_RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"
_RESTARTED_AT_PATH: Final = f'spec.template.metadata.annotations."{_RESTARTED_AT}"'
_PATCH_ALL: Final = (patch("deployments.apps"), patch("statefulsets.apps"), patch("daemonsets.apps"))


class RolloutUndoArgs(AppArgs):
    """Go back to the revision before, or to a given one, as kubectl does."""

    to_revision: Annotated[
        int, Opt("--to", help="which revision (`rollout history` lists them); 0 is the one before", metavar="n", ge=0)
    ] = 0


class RestartArgs(AppArgs):
    """Replace every pod, a few at a time."""


class PauseArgs(AppArgs):
    """Hold a Deployment's rollouts: changes wait until it is resumed."""


class ResumeArgs(AppArgs):
    """Let a paused Deployment roll out again."""


@action(
    "rollout undo",
    risk=Risk.CHANGE,
    needs=(*FOLLOW, *_PATCH_ALL),
    examples=("rollout undo myapp", "rollout undo deploy/myapp --to 12", "rollout undo sts/db --to-revision 3"),
)
async def rollout_undo(ctx: Context, args: RolloutUndoArgs) -> Plan:
    """Choose as kubectl does: the given revision, else the second highest, whatever became of it."""
    wanted = f" --to {args.to_revision}" if args.to_revision else ""

    def line(app: str) -> str:
        return f"rollout undo {app}{wanted} {ctx.at()}"

    workload = await settled(ctx.reader, only(ctx.app, ctx.app.workloads, line), line(str(args.app)))
    revisions = await ctx.reader.workloads.revisions(workload)
    target = _target(workload, revisions, args.to_revision)
    not_paused(workload, f"rollout resume {workload.label} {ctx.at()}")
    if matches(workload, target):
        return Plan(
            f"{args.app}: skipped rollback (current template already matches revision {target.number})",
            (),
            Risk.CHANGE,
        )
    version, stands = title(target, workload.containers), current(workload, revisions)
    fate = last_fate(await ctx.ledger.fates(workload.uid), target.name)
    bad = fate is not None and not fate.fate.good
    return Plan(
        summary=f"Undo {args.app} to {version}",
        steps=(restore(workload, target),),
        risk=Risk.CHANGE,
        follow=(Followed(workload.ref, version),),
        notes=(
            *((Note(f"Revision {target.number} did not work when it ran last.", Tone.WARN),) if bad else ()),
            *caution.undone(workload, target, ctx.prefix),
        ),
        done=f"{args.app} is back on {version}",
        undo=f"rollout undo {workload.label} --to {stands.number} {ctx.at()}" if stands else "",
    )


@action(
    "rollout restart",
    risk=Risk.CHANGE,
    needs=(*FOLLOW, *_PATCH_ALL),
    examples=("restart myapp", "rollout restart ds/agent on dev"),
    aliases=("restart",),
)
async def restart(ctx: Context, args: RestartArgs) -> Plan:
    """Stamp every pod template with the time, as `kubectl rollout restart` does, in UTC."""
    now = ctx.now.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")

    def refusal(workload: Workload) -> str:
        if workload.paused:
            return "can't restart paused deployment (run rollout resume first)"
        if pick(workload.manifest, _RESTARTED_AT_PATH) == now:
            return (
                "if restart has already been triggered within the past second, please wait before attempting to "
                "trigger another"
            )
        return ""

    accepted, notes = _accepted(ctx, refusal, cure="rollout resume")
    body: Json = {"spec": {"template": {"metadata": {"annotations": {_RESTARTED_AT: now}}}}}
    return Plan(
        summary=f"Restart {args.app}",
        steps=tuple(_step(workload, body, "spec.paused", _RESTARTED_AT_PATH) for workload in accepted),
        risk=Risk.CHANGE,
        follow=tuple(Followed(workload.ref) for workload in accepted),
        notes=(*notes, *(note for workload in accepted for note in caution.held(workload, ctx.prefix))),
        done=f"{args.app} restarted",
    )


@action(
    "rollout pause",
    risk=Risk.CHANGE,
    needs=(*FIND, get("deployments.apps"), patch("deployments.apps")),
    examples=("rollout pause myapp", "rollout pause deploy/myapp in shop"),
)
async def pause(ctx: Context, args: PauseArgs) -> Plan:
    def refusal(workload: Workload) -> str:
        if workload.kind is not Kind.DEPLOYMENT:
            return "pausing is not supported"
        return "is already paused" if workload.paused else ""

    accepted, notes = _accepted(ctx, refusal, cure="rollout resume")
    return Plan(
        summary=f"Pause {args.app}",
        steps=tuple(_step(workload, {"spec": {"paused": True}}, "spec.paused") for workload in accepted),
        risk=Risk.CHANGE,
        notes=(*notes, *(note for workload in accepted for note in caution.owned(workload))),
        done=f"{args.app} is paused: changes of its pods wait until it is resumed",
        undo=f"rollout resume {args.app} {ctx.at()}",
    )


@action(
    "rollout resume",
    risk=Risk.CHANGE,
    needs=(*FOLLOW, patch("deployments.apps")),
    examples=("rollout resume myapp", "rollout resume deploy/myapp in shop"),
)
async def resume(ctx: Context, args: ResumeArgs) -> Plan:
    def refusal(workload: Workload) -> str:
        if workload.kind is not Kind.DEPLOYMENT:
            return "resuming is not supported"
        return "" if workload.paused else "is not paused"

    accepted, notes = _accepted(ctx, refusal, cure="")
    # kubectl's patch: `paused: false` is the default and is left out, so the two-way diff removes the field.
    return Plan(
        summary=f"Resume {args.app}",
        steps=tuple(_step(workload, {"spec": {"paused": None}}, "spec.paused") for workload in accepted),
        risk=Risk.CHANGE,
        follow=tuple(Followed(workload.ref) for workload in accepted),
        notes=(*notes, *(note for workload in accepted for note in caution.owned(workload))),
        done=f"{args.app} is resumed and rolled out",
        undo=_unresume(ctx, args, accepted),
    )


def _unresume(ctx: Context, args: ResumeArgs, resumed: tuple[Workload, ...]) -> str:
    """What "Undo" means after a resume: away with the version that it lets out; where none waited, the pause again."""
    waited = any(not status(workload).rolled_out for workload in resumed)
    return f"{'undo' if waited else 'rollout pause'} {args.app} {ctx.at()}"


def _target(workload: Workload, revisions: tuple[Revision, ...], number: int) -> Revision:
    """Raises kubectl's refusals."""
    if number:
        found = next((revision for revision in revisions if revision.number == number), None)
        if found is None:
            known = ", ".join(str(revision.number) for revision in revisions)
            raise NotFound(
                f"{workload.label}: unable to find specified revision {number} in history.",
                hint=f"The history holds {known}." if known else "The history is empty.",
            )
        return found
    target = previous(revisions)
    if target is None:
        raise Refused(f"{workload.label}: {no_history(workload)}.", hint="Nothing was changed.")
    return target


def _accepted(
    ctx: Context, refusal: Callable[[Workload], str], *, cure: str
) -> tuple[tuple[Workload, ...], tuple[Note, ...]]:
    """The workloads that may be changed, and a note for each that may not, in kubectl's words.

    As with kubectl, one refusal does not stop the others. Where none is left it is raised; `cure` is the command that
    would help, where the reason is that the Deployment is paused.
    """
    refusals = [(workload, refusal(workload)) for workload in ctx.app.workloads]
    accepted = tuple(workload for workload, why in refusals if not why)
    sentences = [f'{workload.kind.resource}.apps "{workload.name}" {why}' for workload, why in refusals if why]
    if not accepted:
        paused = [workload.label for workload, _ in refusals if workload.paused]
        raise Refused(
            f"{'; '.join(sentences)}.",
            hint="Nothing was changed.",
            choices=[Choice(f"Resume {label}", f"{cure} {label} {ctx.at()}") for label in paused if cure],
        )
    return accepted, tuple(Note(f"Left alone: {sentence}.", Tone.WARN) for sentence in sentences)


def _step(workload: Workload, body: Json, *decided_from: str) -> ClusterWrite:
    expects = same(workload.uid, workload.manifest, *decided_from)
    return ClusterWrite(workload.ref, Verb.PATCH, body, PatchType.STRATEGIC, expects)
