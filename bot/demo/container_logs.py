"""A pod's /log: which container, which run, which of its lines."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.demo.calls import Call
from bot.demo.objects import Json, moment, name_of
from bot.demo.sources import Line, LogSource
from bot.demo.status import BadRequest
from bot.demo.store import Store

_LOOK = 0.5  # seconds between two looks for new lines of a followed log


@dataclass(frozen=True, slots=True)
class Wanted:
    """What of a log is asked for; times in the server's clock, ``limit`` in bytes."""

    container: str
    previous: bool
    follow: bool
    timestamps: bool
    tail: int | None
    since: datetime | None
    limit: int | None


def read(store: Store, call: Call) -> tuple[Json, Wanted]:
    """Return the pod and what is asked of its log; raises NotFound, BadRequest in the kubelet's words."""
    pod = store.get("pods", call.namespace, call.name)
    container = _container(pod, call.query.get("container", ""))
    previous = call.flag("previous")
    if not pod["spec"].get("nodeName"):
        raise BadRequest(f"pod {call.name} does not have a host assigned")
    _check_run(pod, container, previous=previous)
    seconds, exact = call.number("sinceSeconds"), call.query.get("sinceTime")
    if seconds is not None and exact:
        raise BadRequest("at most one of `sinceTime` or `sinceSeconds` may be specified")
    if seconds is not None and seconds < 1:
        raise BadRequest(f"sinceSeconds: Invalid value: {seconds}: must be greater than 0")
    tail, limit = call.number("tailLines"), call.number("limitBytes")
    if tail is not None and tail < 0:
        raise BadRequest(f"tailLines: Invalid value: {tail}: must be greater than or equal to 0")
    if limit is not None and limit < 1:
        raise BadRequest(f"limitBytes: Invalid value: {limit}: must be greater than 0")
    try:
        since = moment(exact) if exact else None
    except ValueError:
        raise BadRequest(f'sinceTime: Invalid value: "{exact}": not an RFC 3339 time') from None
    if seconds is not None:
        since = store.now - timedelta(seconds=seconds)
    return pod, Wanted(container, previous, call.flag("follow"), call.flag("timestamps"), tail, since, limit)


def _container(pod: Json, said: str) -> str:
    spec = pod["spec"]
    names = [container["name"] for container in spec.get("containers") or ()]
    others = [container["name"] for container in spec.get("initContainers") or ()]
    if said:
        if said not in (*names, *others):
            raise BadRequest(f"container {said} is not valid for pod {name_of(pod)}")
        return said
    if len(names) == 1:
        return str(names[0])
    listed = f"[{' '.join(names)}]"
    inits = f" or one of the init containers: [{' '.join(others)}]" if others else ""
    raise BadRequest(f"a container name must be specified for pod {name_of(pod)}, choose one of: {listed}{inits}")


_STARTING = {
    "ErrImagePull": "image can't be pulled",
    "ImagePullBackOff": "trying and failing to pull image",
}


def _check_run(pod: Json, container: str, *, previous: bool) -> None:
    """A container that has not run has no log (kubelet, validateContainerLogStatus)."""
    status = pod.get("status") or {}
    known = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    seen = next((one for one in known if one["name"] == container), None)
    name = name_of(pod)
    if seen is None:
        raise BadRequest(f'container "{container}" in pod "{name}" is not available')
    state, last = seen.get("state") or {}, (seen.get("lastState") or {}).get("terminated")
    if previous and last is None:
        raise BadRequest(f'previous terminated container "{container}" in pod "{name}" not found')
    if previous or "running" in state or "terminated" in state or last is not None:
        return
    reason = (state.get("waiting") or {}).get("reason") or "ContainerCreating"
    raise BadRequest(f'container "{container}" in pod "{name}" is waiting to start: {_STARTING.get(reason, reason)}')


def text(lines: Sequence[Line], wanted: Wanted) -> bytes:
    """Return the lines that are asked for, cut at the limit as the kubelet cuts: in the middle of a line if need be."""
    chosen = [line for line in lines if wanted.since is None or line.at >= wanted.since]
    if wanted.tail is not None:
        chosen = chosen[len(chosen) - min(wanted.tail, len(chosen)) :]
    written = b"".join(_written(chosen, timestamps=wanted.timestamps))
    return written if wanted.limit is None else written[: wanted.limit]


def _written(lines: Sequence[Line], *, timestamps: bool) -> Iterator[bytes]:
    for line in lines:
        at = f"{line.at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.{line.at.microsecond:06d}000Z " if timestamps else ""
        yield f"{at}{line.text}\n".encode()


async def follow(store: Store, source: LogSource, pod: Json, wanted: Wanted) -> AsyncIterator[bytes]:
    """Yield the log and then what comes, until the run has ended or the limit is reached."""
    space, name, uid = pod["metadata"]["namespace"], name_of(pod), pod["metadata"]["uid"]
    started = _run(pod, wanted.container)
    lines = source.lines(pod, wanted.container, previous=wanted.previous)
    written = text(lines, wanted)
    yield written
    left = None if wanted.limit is None else wanted.limit - len(written)
    seen = lines[-1].at if lines else None
    while not wanted.previous and (left is None or left > 0):
        await asyncio.sleep(_LOOK)
        current = store.find("pods", space, name)
        if current is None or current["metadata"]["uid"] != uid or _run(current, wanted.container) != started:
            return
        lines = source.lines(current, wanted.container, previous=False)
        fresh = [line for line in lines if seen is None or line.at > seen]
        if fresh:
            piece = b"".join(_written(fresh, timestamps=wanted.timestamps))
            piece = piece if left is None else piece[:left]
            yield piece
            left = None if left is None else left - len(piece)
            seen = fresh[-1].at


def _run(pod: Json, container: str) -> object:
    """Return what tells a container's runs apart; it changes when the run that is followed ends."""
    status = pod.get("status") or {}
    known = [*(status.get("containerStatuses") or ()), *(status.get("initContainerStatuses") or ())]
    seen: Json = next((one for one in known if one["name"] == container), {})
    return seen.get("restartCount"), (seen.get("state") or {}).get("running")
