"""`images`: which image runs where, with its digest as far as it is known."""

import asyncio
from typing import Annotated

from bot.core.args import AppRef, Arg, PlaceArgs
from bot.core.command import Context, list_, query
from bot.core.image import Image
from bot.core.listing import counted, listing
from bot.core.places import apps_of
from bot.core.pod import ContainerState, Pod
from bot.core.reply import Note, Reply, Tone
from bot.core.rights import FIND
from bot.core.workload import App

_SHORT = 19  # sha256: and twelve digits


class ImagesArgs(PlaceArgs):
    """Show which image runs in which container, and in how many pods."""

    app: Annotated[AppRef | None, Arg(help="only those of this app or workload")] = None


@query("images", needs=(*FIND, list_("pods")), examples=("images", "images myapp", "images in shop on prod"))
async def images(ctx: Context, args: ImagesArgs) -> Reply:
    apps = (ctx.target,) if ctx.target else apps_of(ctx.place, await ctx.reader.workloads.list(ctx.place.namespace))
    found = await asyncio.gather(*(_rows(ctx, app) for app in apps))
    rows = [row for some in found for row in some]
    if not rows:
        return Reply(f"No app runs in {ctx.place}, so there are no images.", place=str(ctx.place))
    names = {row[2] for row in rows}
    parts = listing(("Workload", "Container", "Image", "Digest", "Pods"), rows, "Name an app: `images myapp`.")
    floating = sorted(name for name in names if _floats(name))
    notes = (
        (Note(f"Not pinned to a version: {', '.join(floating)}. Another pull may bring other content.", Tone.WARN),)
        if floating
        else ()
    )
    about = f" of {args.app}" if args.app else ""
    return Reply(f"{counted(len(names), 'image')}{about}.", parts=(*parts, *notes), place=str(ctx.place))


async def _rows(ctx: Context, app: App) -> list[tuple[str, ...]]:
    """A row for each container and what its pods really run; during a rollout that is more than one image."""
    rows: list[tuple[str, ...]] = []
    for workload in app.workloads:
        pods = await ctx.reader.pods.list(app.place.namespace, workload.selector)
        for container in workload.containers:
            running = _running(pods, container.name)
            wanted = {(container.image, ""): 0} if container.image not in [image for image, _ in running] else {}
            name = f"{container.name} (init)" if container.init else container.name
            rows += [
                (workload.label, name, image, digest, str(count))
                for (image, digest), count in {**wanted, **running}.items()
            ]
    return rows


def _running(pods: tuple[Pod, ...], container: str) -> dict[tuple[str, str], int]:
    """(image, short digest) → the number of pods."""
    found: dict[tuple[str, str], int] = {}
    for pod in pods:
        for state in pod.containers:
            if state.name == container:
                key = (state.image, _digest(state))
                found[key] = found.get(key, 0) + 1
    return found


def _digest(state: ContainerState) -> str:
    """The content that was pulled: runtimes write `registry/name@sha256:…`, older ones `docker-pullable://…`."""
    _, at, digest = state.image_id.rpartition("@")
    return digest[:_SHORT] if at else ""


def _floats(image: str) -> bool:
    try:
        return not Image.parse(image).pinned
    except ValueError:
        return False
