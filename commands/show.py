"""`show`: one object in words, with its events."""

import asyncio

from bot.core.ages import age
from bot.core.args import AppRef
from bot.core.cluster import ServedKind
from bot.core.command import Context, get, list_, query
from bot.core.describe import describe
from bot.core.describe.metadata import recent
from bot.core.describe.tree import text, time
from bot.core.errors import NotFound
from bot.core.listing import PODS, SLICES, spoken
from bot.core.missing import not_found
from bot.core.partial import if_permitted
from bot.core.plan import Json
from bot.core.reply import Button, Buttons, Fields, Part, Reply, Tone
from bot.core.rights import ANY_KIND, FIND, REVISIONS
from bot.core.subjects import events_of
from bot.core.things import ThingArgs
from bot.core.workload import Workload

_MOST_SLICES = 5
_MOST_CHOICES = 8


class ShowArgs(ThingArgs):
    """Describe one object of any kind, with its events."""


@query(
    "show",
    needs=(
        *FIND,
        *ANY_KIND,
        *REVISIONS,
        list_("pods"),
        list_("events"),
        list_("horizontalpodautoscalers.autoscaling"),
        list_("endpointslices.discovery.k8s.io"),
        get("endpointslices.discovery.k8s.io"),
    ),
    examples=("show myapp", "show deploy/myapp", "show ingress myapp", "show secret/myapp-secrets -n shop"),
    aliases=("describe",),
)
async def show(ctx: Context, args: ShowArgs) -> Reply:
    if isinstance(args.app, AppRef):
        return await _app(ctx)
    kind = await ctx.reader.objects.find_kind(args.app.kind)
    ref = kind.ref(ctx.place.cluster, ctx.place.namespace, args.app.name)
    try:
        manifest = await ctx.reader.objects.get(ref)
    except NotFound as error:
        raise await not_found(
            ctx.reader,
            kind,
            ctx.place.namespace,
            ref.name,
            error,
            lambda other: f"show {spoken(kind)}/{other} {ctx.at()}",
        ) from error
    events, slices, extra = await asyncio.gather(
        if_permitted(ctx.reader.events.list(ref.namespace or None, [(kind.kind, ref.name)]), ()),
        _slices(ctx, kind, ref.name),
        _extra(ctx, kind, ref.name),
    )
    parts = (*extra, *describe(manifest, ctx.now, slices=slices), *recent(events, ctx.now))
    place = str(ref.place)
    return Reply(_headline(ctx, manifest), parts=(*parts, *_buttons(ctx, kind, ref.name)), place=place)


async def _app(ctx: Context) -> Reply:
    """An app is described by its workload; of several, the person chooses."""
    if len(ctx.app.workloads) > 1:
        labels = [workload.label for workload in ctx.app.workloads[:_MOST_CHOICES]]
        buttons = tuple(Button(label, f"show {label} {ctx.at()}") for label in labels)
        return Reply(f"{ctx.app.name} is several workloads. Which one?", Tone.WAIT, (Buttons(buttons),), str(ctx.place))
    workload = ctx.app.workloads[0]
    events = await if_permitted(events_of(ctx.reader, ctx.place.namespace, [workload]), ())
    # The items of a list do not say what they are.
    manifest = {"apiVersion": workload.ref.api_version, "kind": workload.kind.kind, **workload.manifest}
    parts = (*describe(manifest, ctx.now), *recent(events, ctx.now), _workload_buttons(ctx, workload))
    return Reply(_headline(ctx, manifest), parts=_owned(workload, parts), place=str(ctx.place))


def _headline(ctx: Context, manifest: Json) -> str:
    created = time(manifest, "metadata.creationTimestamp")
    old = f", {age(created, ctx.now)} old" if created else ""
    return f"{text(manifest, 'kind')} {text(manifest, 'metadata.name')}{old}."


def _owned(workload: Workload, parts: tuple[Part, ...]) -> tuple[Part, ...]:
    if workload.owner is None:
        return parts
    return (Fields((("Owned by", f"{workload.owner.tool} ({workload.owner.name})"),)), *parts)


async def _slices(ctx: Context, kind: ServedKind, name: str) -> tuple[Json, ...] | None:
    """The EndpointSlices of a Service, found by the label that their controller sets; None where not permitted."""
    if (kind.api_version, kind.kind) != ("v1", "Service"):
        return None
    selector = f"kubernetes.io/service-name={name}"
    table = await if_permitted(ctx.reader.objects.table(SLICES, ctx.place.namespace, selector=selector), None)
    if table is None:
        return None
    refs = [SLICES.ref(ctx.place.cluster, ctx.place.namespace, row[0]) for row in table.rows[:_MOST_SLICES]]
    found = await asyncio.gather(*(if_permitted(ctx.reader.objects.get(ref), None) for ref in refs))
    return tuple(piece for piece in found if piece is not None)


async def _extra(ctx: Context, kind: ServedKind, name: str) -> tuple[Part, ...]:
    """What only another list tells: how many pods a node carries, as far as this person may see them."""
    if (kind.api_version, kind.kind) != ("v1", "Node"):
        return ()
    table = await if_permitted(ctx.reader.objects.table(PODS, None, fields=f"spec.nodeName={name}"), None)
    return (Fields((("Pods you may see", str(len(table.rows))),)),) if table else ()


def _buttons(ctx: Context, kind: ServedKind, name: str) -> tuple[Part, ...]:
    if kind.kind != "Pod" or kind.api_version != "v1":
        return ()
    return (Buttons((Button("Logs", f"logs pod/{name} {ctx.at()}"),)),)


def _workload_buttons(ctx: Context, workload: Workload) -> Buttons:
    lines = (("Logs", "logs"), ("Status", "status"), ("History", "rollout history"), ("Pods", "pods"))
    return Buttons(tuple(Button(label, f"{command} {workload.label} {ctx.at()}") for label, command in lines))
