"""`logs`: the newest lines that a container wrote."""

import asyncio
from typing import Annotated

from bot.core.ages import span
from bot.core.args import AppRef, Arg, Duration, Label, Opt, PlaceArgs
from bot.core.command import Context, get, list_, query
from bot.core.describe.tree import text
from bot.core.errors import Ambiguous, Choice, NotFound, Refused
from bot.core.listing import PODS, counted
from bot.core.masking import hidden
from bot.core.pod import ContainerState, LogRequest, Pod
from bot.core.reply import Button, Buttons, Code, Note, Part, Reply, Text, Tone
from bot.core.rights import FIND
from bot.core.suggest import did_you_mean, listed, nearest
from bot.core.text import quote
from bot.core.things import PodRef

_SHOWN_CHARACTERS = 12_000
_DEFAULT_CONTAINER = 'metadata.annotations."kubectl.kubernetes.io/default-container"'
_MOST_PODS = 3


class LogsArgs(PlaceArgs):
    """Show the newest log lines of an app or a pod."""

    app: Annotated[PodRef | AppRef, Arg(help="app, deploy/…, sts/…, ds/… or pod/…", metavar="app")]
    container: Annotated[Label | None, Opt("-c", help="which container, where there are several")] = None
    previous: Annotated[bool, Opt("-p", help="of the run before the last restart")] = False
    since: Annotated[Duration | None, Opt(help="not older than this", metavar="10m")] = None
    tail: Annotated[int, Opt(help="how many lines, 1 to 1000", metavar="n", ge=1, le=1000)] = 50


@query(
    "logs",
    needs=(*FIND, list_("pods"), get("pods"), get("pods/log")),
    examples=("logs myapp", "logs myapp -c myapp --previous", "logs pod/myapp-0 --since 10m --tail 200", "logs sts/db"),
)
async def logs(ctx: Context, args: LogsArgs) -> Reply:
    pods = await _pods(ctx, args)
    if not pods:
        return Reply(f"`{args.app}` has no pods, so there is nothing to read.", place=str(ctx.place))
    pod = pods[0]
    container = await _container(ctx, args, pod)
    if silence := _silence(args, pod, container):
        return Reply(silence, Tone.WARN, _buttons(ctx, args, pods, container), str(ctx.place))
    request = LogRequest(
        pod.name,
        container.name,
        previous=args.previous,
        tail=args.tail,
        since=int(args.since.total_seconds()) or 1 if args.since else None,
    )
    try:
        log = await ctx.reader.pods.logs(pod.namespace, request)
    except (NotFound, Refused) as error:
        # It restarted, or ended, since its status was read.
        return Reply(error.message, Tone.WARN, _buttons(ctx, args, pods, container), str(ctx.place))
    buttons = _buttons(ctx, args, pods, container)
    if not log.strip():
        return Reply(
            f"{_first(_what(pod, container))} wrote nothing{_within(args)}.", parts=buttons, place=str(ctx.place)
        )
    return Reply(_headline(args, log, pod, container), parts=(*_shown(args, log), *buttons), place=str(ctx.place))


async def _pods(ctx: Context, args: LogsArgs) -> list[Pod]:
    """The pods that are meant, the most telling first: not ready before ready, newest before older, dying ones last."""
    if isinstance(args.app, PodRef):
        return [await ctx.reader.pods.get(ctx.place.namespace, args.app.name)]
    workloads = ctx.app.workloads
    lists = await asyncio.gather(
        *(ctx.reader.pods.list(workload.place.namespace, workload.selector) for workload in workloads)
    )
    found = {pod.uid: pod for pods in lists for pod in pods}
    newest = sorted(found.values(), key=lambda pod: pod.created, reverse=True)
    return sorted(newest, key=lambda pod: (pod.deleting, pod.ready))


async def _container(ctx: Context, args: LogsArgs, pod: Pod) -> ContainerState:
    """The container named; else by the app's name, the only one, the pod's default; else the person chooses."""
    states = {state.name: state for state in pod.containers}
    if args.container:
        if args.container in states:
            return states[args.container]
        near = nearest(args.container, states)
        raise NotFound(
            f"Pod {pod.name} has no container `{args.container}`.",
            hint=did_you_mean(near) or f"It has {listed(list(states))}.",
            choices=[Choice(name, _line(ctx, args, str(args.app), name)) for name in near or states],
        )
    regular = [state for state in pod.containers if not state.init]
    if not regular:
        raise NotFound(f"No container of pod {pod.name} has started yet.", hint=f"`show pod/{pod.name}` tells why.")
    if starting := _still_initialising(pod):
        return starting
    if len(regular) == 1:
        return regular[0]
    named = ctx.target.name if ctx.target else ""
    if state := states.get(named) or states.get(await _default(ctx, pod)):
        return state
    raise Ambiguous(
        f"Pod {pod.name} has several containers: {listed([state.name for state in regular])}.",
        hint="Whose log?",
        choices=[Choice(state.name, _line(ctx, args, str(args.app), state.name)) for state in regular],
    )


def _still_initialising(pod: Pod) -> ContainerState | None:
    """The init container that the others wait for: their own logs are empty until it is done."""
    waits = all(
        state.waiting and state.waiting.reason == "PodInitializing" for state in pod.containers if not state.init
    )
    unfinished = (
        state for state in pod.containers if state.init and not (state.terminated and state.terminated.exit_code == 0)
    )
    return next(unfinished, None) if waits else None


async def _default(ctx: Context, pod: Pod) -> str:
    manifest = await ctx.reader.objects.get(PODS.ref(ctx.place.cluster, pod.namespace, pod.name))
    return text(manifest, _DEFAULT_CONTAINER)


def _silence(args: LogsArgs, pod: Pod, container: ContainerState) -> str:
    """Why there cannot be a log; empty where there may be one."""
    what = _first(_what(pod, container))
    if pod.unschedulable:
        return f"{what} runs nowhere yet: {pod.unschedulable}"
    if args.previous and container.last is None and not container.restarts:
        return f"{what} has not restarted, so there is no previous log."
    waiting = container.waiting
    if waiting and container.last is None and not args.previous:
        message = f" ({waiting.message})" if waiting.message else ""
        return f"{what} has not started: {waiting.reason}{message}. There is no log yet."
    return ""


def _headline(args: LogsArgs, log: str, pod: Pod, container: ContainerState) -> str:
    state = "ready" if container.ready else "not ready"
    restarts = f", {counted(container.restarts, 'restart')}" if container.restarts else ""
    run = " before its last restart" if args.previous else ""
    lines = counted(len(log.splitlines()), "line")
    return f"{lines} of {_what(pod, container)}{run}{_within(args)} ({state}{restarts})."


def _shown(args: LogsArgs, log: str) -> tuple[Part, ...]:
    clean = hidden(log.rstrip("\n"))
    kept = clean[-_SHOWN_CHARACTERS:]
    if len(clean) > len(kept):
        kept = kept.partition("\n")[2] or kept
    count = len(kept.splitlines())
    cut = ""
    if len(clean) > len(kept):
        cut = f"The last {counted(count, 'line')}: a message holds no more."
    elif count >= args.tail:
        cut = f"The last {counted(count, 'line')}; `--tail` and `--since` ask for others."
    notes = (Note("Values that look like secrets are hidden."),) if clean != log.rstrip("\n") else ()
    return (Code(kept, cut=cut), *notes)


def _buttons(ctx: Context, args: LogsArgs, pods: list[Pod], container: ContainerState) -> tuple[Part, ...]:
    items = [Button("Refresh", _line(ctx, args, str(args.app), args.container))]
    if container.restarts and not args.previous:
        items.append(Button("Previous run", f"{_line(ctx, args, f'pod/{pods[0].name}', container.name)} --previous"))
    items += [Button(pod.name, _line(ctx, args, f"pod/{pod.name}", args.container)) for pod in pods[1:_MOST_PODS]]
    more = len(pods) - _MOST_PODS
    others = (
        f"There {'is' if more == 1 else 'are'} {counted(more, 'more pod')}: see `pods {args.app}`." if more > 0 else ""
    )
    return (*((Text(others),) if others else ()), Buttons(tuple(items)))


def _line(ctx: Context, args: LogsArgs, target: str, container: str | None) -> str:
    """The same command again, for another pod or container."""
    chosen = f" -c {quote(container)}" if container else ""
    since = f" --since {int(args.since.total_seconds())}s" if args.since else ""
    previous = " --previous" if args.previous else ""
    return f"logs {target}{chosen}{previous}{since} --tail {args.tail} {ctx.at()}"


def _what(pod: Pod, container: ContainerState) -> str:
    return f"`{container.name}` in pod {pod.name}" if len(pod.containers) > 1 else f"pod {pod.name}"


def _first(words: str) -> str:
    """Fit to begin a sentence."""
    return words[:1].upper() + words[1:]


def _within(args: LogsArgs) -> str:
    return f" in the last {span(args.since)}" if args.since else ""
