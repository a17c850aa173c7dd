"""`deploy`: a new version for every workload of an app that runs the same image."""

import asyncio
from collections.abc import Iterable
from typing import Annotated, Final

from bot.core import caution
from bot.core.aim import Aim, Aims, LineFor, containers_for, obvious
from bot.core.args import AppArgs, Arg, Label, Opt
from bot.core.cluster import Reader
from bot.core.command import Context, action, patch
from bot.core.errors import SteersmanError, TimedOut, UsageError
from bot.core.image import Image, version_of
from bot.core.lastgood import fate_words
from bot.core.ledger import last_fate
from bot.core.plan import ClusterWrite, Followed, Json, PatchType, Place, Plan, Risk, Verb, same
from bot.core.reply import Button, Buttons, Note, Part, Reply, Table, Tone
from bot.core.rights import FOLLOW
from bot.core.rollout import status
from bot.core.suggest import listed
from bot.core.text import quote, short

_ELSEWHERE_WITHIN: Final = 5.0
_MOST_OFFERED: Final = 8


class DeployArgs(AppArgs):
    """Bring a new version of an app, and follow it to its verdict."""

    version: Annotated[
        str, Arg(help="a tag (v2), a digest (@sha256:…) or a full image; none offers the known ones", metavar="version")
    ] = ""
    container: Annotated[Label | None, Opt("-c", help="which container, where a pod has several")] = None
    reason: Annotated[str, Opt(help="kept with the revision as its change cause")] = ""


@action(
    "deploy",
    risk=Risk.CHANGE,
    needs=(*FOLLOW, patch("deployments.apps"), patch("statefulsets.apps"), patch("daemonsets.apps")),
    examples=(
        "deploy myapp v2",
        "deploy myapp v2 to prod",
        "deploy myapp",
        "deploy deploy/web registry.example.com/shop/web:1.4.2 --container web --reason 'Fix the cart'",
    ),
    aliases=("ship",),
)
async def deploy(ctx: Context, args: DeployArgs) -> Plan | Reply:
    aims = containers_for(ctx.app, args.container or "", _line_for(ctx, args))
    if not args.version:
        return await _offer(ctx, args, aims.hit[0])
    wanted = [(aim, _image(args.version, aim)) for aim in aims.hit]
    moving = [(aim, image) for aim, image in wanted if str(image) != aim.container.image]
    version = _titled(wanted[0][1], wanted[0][0], ctx.app.name)
    if not moving:
        stands = [status(aim.workload) for aim in aims.hit]
        unfinished = tuple(Note(now.message, Tone.WARN) for now in stands if not now.rolled_out)
        return Plan(f"{args.app} already runs {version}", (), Risk.CHANGE, notes=unfinished)
    return Plan(
        summary=f"Deploy {args.app} {version}",
        steps=tuple(_step(aim, image, args.reason) for aim, image in moving),
        risk=Risk.CHANGE,
        follow=tuple(Followed(aim.workload.ref, version) for aim, _ in moving),
        notes=(*dict.fromkeys(note for aim, image in moving for note in _notes(ctx, aim, image)), *_left(aims, args)),
        done=f"{args.app} {version} rolled out",
        undo=f"undo {args.app} --from {quote(_spoken(wanted[0][1], wanted[0][0]))} {ctx.at()}",
    )


def _line_for(ctx: Context, args: DeployArgs) -> LineFor:
    def line(app: str, container: str) -> str:
        version = f" {quote(args.version)}" if args.version else ""
        chosen = f" --container {container}" if container else ""
        reason = f" --reason {quote(args.reason)}" if args.reason else ""
        return f"deploy {app}{version}{chosen}{reason} {ctx.at()}"

    return line


def _image(version: str, aim: Aim) -> Image:
    try:
        return Image.resolve(version, aim.container.image)
    except ValueError as error:
        raise UsageError(
            f"`{short(version)}` {error}.",
            hint=f"{aim.workload.label} runs `{aim.container.image}`. Say a tag such as `v2`, or a full image.",
            field="version",
        ) from error


def _spoken(image: Image, aim: Aim) -> str:
    """The version in words: in full where it is not of the repository that runs."""
    try:
        same_repository = image.same_repository(Image.parse(aim.container.image))
    except ValueError:
        same_repository = False
    return image.version if same_repository else str(image)


def _titled(image: Image, aim: Aim, app: str) -> str:
    """The version, with its container in front where one would not expect it to be that one's."""
    usual = obvious(aim.workload, app)
    return _spoken(image, aim) if aim.container == usual else f"{aim.container.name} {_spoken(image, aim)}"


def _step(aim: Aim, image: Image, reason: str) -> ClusterWrite:
    """`kubectl set image`: a strategic patch by the container's name, which was looked up in both lists.

    A name that is in neither would append a container. The reason goes where `kubectl annotate` puts a change cause;
    the controllers copy it to the new revision.
    """
    workload = aim.workload
    body: Json = {
        "spec": {"template": {"spec": {aim.list_name: [{"name": aim.container.name, "image": str(image)}]}}},
        **({"metadata": {"annotations": {"kubernetes.io/change-cause": reason}}} if reason else {}),
    }
    expects = same(workload.uid, workload.manifest, aim.path)
    return ClusterWrite(workload.ref, Verb.PATCH, body, PatchType.STRATEGIC, expects)


def _notes(ctx: Context, aim: Aim, image: Image) -> Iterable[Note]:
    yield from caution.owned(aim.workload)
    yield from caution.held(aim.workload, ctx.prefix)
    yield from caution.deployed(aim.container.image, image)
    twins = [
        container.name
        for container in aim.workload.containers
        if container is not aim.container and container.image == aim.container.image
    ]
    if twins:
        again = f"`--container {twins[0]}`"
        yield Note(f"{aim.workload.label} runs this image in {listed(twins)} too, which stays: {again} changes it.")


def _left(aims: Aims, args: DeployArgs) -> tuple[Note, ...]:
    if not aims.left:
        return ()
    why = f"without a container `{args.container}` of this image" if args.container else "running other images"
    return (Note(f"Left alone, {why}: {', '.join(workload.label for workload in aims.left)}."),)


async def _offer(ctx: Context, args: DeployArgs, aim: Aim) -> Reply:
    """The versions that are known: what the other clusters run, and the revisions of this workload.

    One that failed here when it ran last, and runs nowhere else, is listed but not offered.
    """
    (elsewhere, silent), revisions, fates = await asyncio.gather(
        _elsewhere(ctx, aim),
        ctx.reader.workloads.revisions(aim.workload),
        ctx.ledger.fates(aim.workload.uid),
    )
    known: dict[str, list[str]] = {}
    bad: set[str] = set()
    for place, image in elsewhere:
        known.setdefault(image, []).append(f"runs in {place}")
    for revision in sorted(revisions, key=lambda revision: revision.number, reverse=True):
        container = next((c for c in revision.containers if c.name == aim.container.name), None)
        if container is not None:
            fate = last_fate(fates, revision.name)
            became = f", {fate_words(fate, ctx.now)}" if fate else ""
            if fate and not fate.fate.good and container.image not in known:
                bad.add(container.image)
            known.setdefault(container.image, []).append(f"revision {revision.number}{became}")
    known.pop(aim.container.image, None)
    runs = f"{args.app} runs {version_of(aim.container.image)}"
    notes = tuple(Note(message, Tone.WARN) for message in silent)
    if not known:
        say = Note(f"No other version is known here. Say one: `{ctx.prefix} deploy {args.app} v2`.")
        return Reply(f"Which version? {runs}.", Tone.WAIT, (*notes, say), str(ctx.place))
    offered = list(known.items())[:_MOST_OFFERED]
    table = Table(
        ("Version", "Known from"),
        tuple((_label(image, aim), "; ".join(sources)) for image, sources in offered),
        total=len(known),
    )
    buttons = Buttons(
        tuple(
            Button(f"Deploy {_label(image, aim)}", _offered_line(ctx, args, image, aim))
            for image, _ in offered
            if image not in bad
        )
    )
    parts: tuple[Part, ...] = (table, *notes, *((buttons,) if buttons.items else ()))
    return Reply(f"Which version? {runs}.", Tone.WAIT, parts, str(ctx.place))


def _label(image: str, aim: Aim) -> str:
    try:
        return _spoken(Image.parse(image), aim)
    except ValueError:
        return image


def _offered_line(ctx: Context, args: DeployArgs, image: str, aim: Aim) -> str:
    """The whole image where its version alone would mean another one: a digest, another repository, no tag."""
    word = _label(image, aim)
    try:
        resolved = str(Image.resolve(word, aim.container.image))
    except ValueError:
        resolved = ""
    chosen = args.model_copy(update={"version": word if resolved == image else image})
    return _line_for(ctx, chosen)(str(args.app), args.container or "")


async def _elsewhere(ctx: Context, aim: Aim) -> tuple[list[tuple[Place, str]], list[str]]:
    """Where else within reach a workload of this kind and name runs which image, and which clusters did not say."""
    found: list[tuple[Place, str]] = []
    silent: list[str] = []
    answers = await asyncio.gather(*(_ask(reader, aim) for reader in ctx.everywhere))
    for reader, answer in zip(ctx.everywhere, answers, strict=True):
        match answer:
            case SteersmanError():
                silent.append(f"What {reader.cluster} runs is not known: {answer.message}")
            case _:
                found.extend(answer)
    return found, silent


async def _ask(reader: Reader, aim: Aim) -> list[tuple[Place, str]] | SteersmanError:
    try:
        async with asyncio.timeout(_ELSEWHERE_WITHIN):
            there = await reader.workloads.list(None)  # all within the person's reach, and no more
    except SteersmanError as error:
        return error
    except TimeoutError:
        return TimedOut("it did not answer in time.")
    twins = [
        workload
        for workload in there
        if (workload.kind, workload.name) == (aim.workload.kind, aim.workload.name) and workload.ref != aim.workload.ref
    ]
    return [
        (workload.place, container.image)
        for workload in twins
        if (container := workload.container(aim.container.name)) is not None
    ]
