"""`can`: what a person may do at a place, by the policy and by the cluster, each asked for itself."""

from collections.abc import Collection
from typing import Annotated

from bot.core.access import refused
from bot.core.args import Arg, PlaceArgs
from bot.core.cluster import Right
from bot.core.command import Command, Context, Decision, Ruling, list_, query
from bot.core.errors import NotFound
from bot.core.listing import listing
from bot.core.reply import Note, Part, Reply, Tone
from bot.core.rights import named_needs
from bot.core.suggest import did_you_mean, nearest

_MOST_RIGHTS = 3
_LOOKING = frozenset({"get", "list", "watch"})


class CanArgs(PlaceArgs):
    """Show what you may do at a place, or whether you may run one command there."""

    command: Annotated[tuple[str, ...], Arg(help="a command, such as deploy or rollout undo", metavar="command")] = ()


@query("can", needs=(list_("namespaces"),), examples=("can", "can deploy to prod", "can rollout undo in shop"))
async def can(ctx: Context, args: CanArgs) -> Reply:
    if args.command:
        command = ctx.registry.find(name := " ".join(args.command).lower())
        if command is None:
            near = nearest(name, ctx.registry.names)
            raise NotFound(f"There is no command `{name}`.", hint=did_you_mean(near) or "`help` lists them.")
        needs = named_needs(command)
        return _one(ctx, command, await refused(ctx.reader, needs, ctx.place.namespace))
    asked = [command for command in ctx.registry if named_needs(command)]
    closed = await refused(ctx.reader, (right for each in asked for right in named_needs(each)), ctx.place.namespace)
    rulings = [(command, ctx.permissions.ruling(command, ctx.place)) for command in asked]
    rows = [(command.name, *_words(ruling, _missing(command, closed))) for command, ruling in rulings]
    free = sum(ruling.allowed and not _missing(command, closed) for command, ruling in rulings)
    note = Note("You may what both allow. `can deploy` says more, `who-can deploy` who else may.")
    parts = (*listing(("Command", "Policy", "Cluster"), rows, "Name a command: `can deploy`."), note)
    return Reply(f"You may run {free} of {len(asked)} commands in {ctx.place}.", parts=parts)


def _one(ctx: Context, command: Command, closed: Collection[Right]) -> Reply:
    what = f"`{command.name}` in {ctx.place}"
    if isinstance(command, Decision):
        return Reply(f"`{command.name}` is for whoever asked for what waits; no role is needed.")
    ruling, missing = ctx.permissions.ruling(command, ctx.place), _missing(command, closed)
    needs = f"It refuses {_rights(missing)}."
    if ruling.allowed and not missing:
        parts: tuple[Part, ...] = (Note(f"It runs {ruling.words}."),) if ruling.words else ()
        return Reply(f"Yes, you may {what}.", Tone.GOOD, parts)
    if ruling.allowed:
        hint = Note(
            "Whoever runs Steersman can give the cluster the rights of the policy: `steersman rbac` prints them."
        )
        return Reply(f"No: the policy lets you {what}, the cluster does not.", Tone.BAD, (Note(needs), hint))
    cluster = f"The cluster would refuse as well. {needs}" if missing else "The cluster itself would let you."
    return Reply(f"No: the policy does not let you {what}.", Tone.BAD, (Note(ruling.way_out), Note(cluster)))


def _words(ruling: Ruling, missing: Collection[Right]) -> tuple[str, str]:
    """The policy's word and the cluster's."""
    policy = (ruling.words or "yes") if ruling.allowed else "no"
    return policy, f"no: {_rights(missing)}" if missing else "yes"


def _missing(command: Command, closed: Collection[Right]) -> list[Right]:
    """What is missing, the rights to change something first: they tell the most."""
    return sorted(
        (right for right in named_needs(command) if right in closed), key=lambda right: right.verb in _LOOKING
    )


def _rights(rights: Collection[Right]) -> str:
    first = ", ".join(str(right) for right in list(rights)[:_MOST_RIGHTS])
    more = len(rights) - _MOST_RIGHTS
    return f"{first} and {more} more" if more > 0 else first
