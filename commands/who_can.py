"""`who-can`: the people whom the policy lets run a command, at a place or wherever an app is."""

import asyncio
from collections.abc import Sequence
from typing import Annotated

from bot.core.args import AppRef, Arg, PlaceArgs
from bot.core.cluster import Reader
from bot.core.command import Command, Context, Decision, query
from bot.core.errors import NotFound, SteersmanError, UsageError
from bot.core.listing import listing
from bot.core.places import match
from bot.core.plan import Place
from bot.core.reply import Note, Reply, Tone
from bot.core.rights import FIND
from bot.core.suggest import did_you_mean, nearest
from bot.core.text import short


class WhoCanArgs(PlaceArgs):
    """Show who may run a command, at a place or wherever an app is."""

    words: Annotated[tuple[str, ...], Arg(help="a command, and an app if you like", metavar="command [app]")]


@query(
    "who-can",
    needs=FIND,
    examples=("who-can deploy", "who-can deploy myapp", "who-can rollout undo to prod"),
)
async def who_can(ctx: Context, args: WhoCanArgs) -> Reply:
    command, app = _read(ctx, args.words)
    places: Sequence[Place] = (ctx.place,)
    silent: Sequence[SteersmanError] = ()
    if app is not None and not args.where:
        places, silent = await _homes(ctx, app)
    spoken_of = ", ".join(map(str, places))
    rows = [
        (str(place), f"@{holder.name}", holder.role, holder.condition or "at once")
        for place in places
        for holder in ctx.permissions.holders(command, place)
    ]
    where = str(places[0]) if len(places) == 1 else f"the {len(places)} places of {app}"
    notes = tuple(Note(f"Not looked at: {error.message}", Tone.WARN) for error in silent)
    if not rows:
        hint = Note("The policy's owner can grant it.")
        return Reply(f"Nobody may `{command.name}` in {where}.", Tone.WARN, (hint, *notes), spoken_of)
    names = list(dict.fromkeys(row[1] for row in rows))
    told = ", ".join(names) if len(names) < 4 else f"{len(names)} people"
    parts = listing(("Place", "Who", "As", "How"), rows, "Name a place: `in shop`.")
    note = Note("This is the policy's word; the cluster must give the role its rights as well.")
    return Reply(f"{told} may `{command.name}` in {where}.", parts=(*parts, note, *notes), place=spoken_of)


def _read(ctx: Context, words: Sequence[str]) -> tuple[Command, AppRef | None]:
    """The command with the longest name that the words begin with, and the app behind it."""
    for length in (2, 1):
        command = ctx.registry.find(" ".join(words[:length]).lower()) if len(words) >= length else None
        if command is None:
            continue
        if isinstance(command, Decision):
            raise UsageError(f"`{command.name}` is for whoever asked for what waits; no role is needed.")
        rest = words[length:]
        if len(rest) > 1:
            raise UsageError(f"`{short(rest[1])}` is one word too many.", hint="Say a command, an app, and a place.")
        try:
            return command, AppRef.parse(rest[0]) if rest else None
        except ValueError as error:
            raise UsageError(f"`{short(rest[0])}` is no app: it {error}.") from error
    near = nearest(words[0], ctx.registry.names)
    raise NotFound(f"There is no command `{short(words[0])}`.", hint=did_you_mean(near) or "`help` lists them.")


async def _homes(ctx: Context, app: AppRef) -> tuple[list[Place], tuple[SteersmanError, ...]]:
    """Every place where the person may see the app, and why some cluster was not looked at. Raises NotFound."""
    answers = await asyncio.gather(*(_look(reader, app) for reader in ctx.everywhere))
    places = [place for answer in answers if isinstance(answer, list) for place in answer]
    silent = tuple(answer for answer in answers if isinstance(answer, SteersmanError))
    if not places and silent:
        raise silent[0]
    if not places:
        raise NotFound(f"There is no app `{app}` that you may see.", hint="`apps -A` lists them.")
    return sorted(places), silent


async def _look(reader: Reader, app: AppRef) -> list[Place] | SteersmanError:
    try:
        workloads = await reader.workloads.list(None)
    except SteersmanError as error:
        return error
    homes = sorted({workload.place for workload in workloads})
    return [home for home in homes if match(app, [one for one in workloads if one.place == home])]
