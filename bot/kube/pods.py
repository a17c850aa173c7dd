"""Pods and their logs."""

from datetime import datetime

import msgspec

from bot.core.errors import Invalid, NotFound, Refused, SteersmanError
from bot.core.masking import hidden
from bot.core.pod import ContainerState, LogRequest, Pod, Terminated, Waiting
from bot.core.readable import readable
from bot.kube.caller import Caller
from bot.kube.meta import Meta
from bot.kube.request import Address

# The kubelet cuts a log after its first `limitBytes`, so of long lines it would send the oldest. We ask for more than
# is wanted and keep the end.
_LONG_LINE = 4 * 1024
_MOST = 4 * 1024 * 1024


class _Waiting(msgspec.Struct, gc=False):
    reason: str = ""
    message: str = ""


class _Terminated(msgspec.Struct, rename="camel", gc=False):
    reason: str = ""
    exit_code: int = 0
    message: str = ""
    finished_at: datetime | None = None


class _State(msgspec.Struct, gc=False):
    waiting: _Waiting | None = None
    terminated: _Terminated | None = None


class ContainerStatus(msgspec.Struct, rename="camel", gc=False):
    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image_id: str = msgspec.field(default="", name="imageID")
    state: _State = msgspec.field(default_factory=_State)
    last_state: _State = msgspec.field(default_factory=_State)


class _Container(msgspec.Struct, gc=False):
    name: str = ""
    image: str = ""


class _Spec(msgspec.Struct, rename="camel", gc=False):
    node_name: str = ""
    containers: list[_Container] | None = None
    init_containers: list[_Container] | None = None


class Condition(msgspec.Struct, rename="camel", gc=False):
    type: str = ""
    status: str = ""
    reason: str = ""
    message: str = ""
    last_transition_time: datetime | None = None


class PodStatus(msgspec.Struct, rename="camel", gc=False):
    phase: str = ""
    reason: str = ""
    conditions: list[Condition] | None = None
    container_statuses: list[ContainerStatus] | None = None
    init_container_statuses: list[ContainerStatus] | None = None


class _Pod(msgspec.Struct, gc=False):
    metadata: Meta
    spec: _Spec = msgspec.field(default_factory=_Spec)
    status: PodStatus = msgspec.field(default_factory=PodStatus)


class ClusterPods:
    """`bot.core.cluster.Pods` on a cluster."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list(self, namespace: str, selector: str = "") -> tuple[Pod, ...]:
        if not namespace:
            raise ValueError("pods are listed in one namespace: without one, it would be all of them")
        query = (("labelSelector", selector),) if selector else ()
        return tuple(await self._caller.made(Address("v1", "pods", namespace), _Pod, _pod, query=query))

    async def get(self, namespace: str, name: str) -> Pod:
        return _pod(await self._caller.read(Address("v1", "pods", namespace).request("get", name), _Pod))

    async def logs(self, namespace: str, request: LogRequest) -> str:
        """The last lines, at most `limit` bytes of them, as plain text.

        Raises NotFound for a container or a previous run that is not there, Refused where it has not started yet.
        """
        query = [
            ("container", request.container),
            ("tailLines", str(request.tail)),
            ("limitBytes", str(min(max(request.limit, request.tail * _LONG_LINE), _MOST))),
        ]
        if request.previous:
            query.append(("previous", "true"))
        if request.since is not None:
            query.append(("sinceSeconds", str(request.since)))
        if request.timestamps:
            query.append(("timestamps", "true"))
        asked = Address("v1", "pods", namespace).request("get", request.pod, "log", query=query, accept="*/*")
        try:
            body = await self._caller.raw(asked)
        except Invalid as error:
            raise _log_error(error, request) from error
        if len(body) > request.limit:
            whole_lines = body[-request.limit :].partition(b"\n")[2]
            body = whole_lines or body[-request.limit :]
        return readable(body.decode(errors="replace"))


def _log_error(error: Invalid, request: LogRequest) -> SteersmanError:
    """Tell apart what the API server calls a bad request (kubelet, `validateContainerLogStatus`)."""
    said = error.message
    if "previous terminated container" in said:
        return NotFound(f"The container {request.container} of {request.pod} has no previous run.")
    if "is not valid for pod" in said:
        return NotFound(f"The pod {request.pod} has no container {request.container}.")
    if "is waiting to start" in said or "is not available" in said:
        why = said.rpartition("is waiting to start")[2].lstrip(": ")
        return Refused(
            f"The container {request.container} of {request.pod} has not started yet" + (f": {why}." if why else ".")
        )
    return error


def _pod(item: _Pod) -> Pod:
    meta, spec, status = item.metadata, item.spec, item.status
    conditions = {condition.type: condition for condition in status.conditions or []}
    scheduled, ready = conditions.get("PodScheduled"), conditions.get("Ready")
    waits = scheduled is not None and scheduled.status == "False" and scheduled.reason == "Unschedulable"
    return Pod(
        name=meta.name,
        namespace=meta.namespace,
        uid=meta.uid,
        created=meta.created,
        phase=status.phase,
        node=spec.node_name,
        owner=meta.controller.name if meta.controller else "",
        labels=meta.labels or {},
        containers=(
            *_states(spec.containers, status.container_statuses, init=False),
            *_states(spec.init_containers, status.init_container_statuses, init=True),
        ),
        ready=ready is not None and ready.status == "True",
        deleting=meta.deletion_timestamp is not None,
        unschedulable=hidden(scheduled.message) if scheduled and waits else "",
        reason=status.reason,
    )


def _states(
    containers: list[_Container] | None, statuses: list[ContainerStatus] | None, *, init: bool
) -> tuple[ContainerState, ...]:
    """One state a container, also for those that the kubelet has not reported on yet."""
    known = {status.name: status for status in statuses or []}
    found = []
    for container in containers or []:
        status = known.get(container.name) or ContainerStatus()
        waiting, terminated = status.state.waiting, status.state.terminated
        found.append(
            ContainerState(
                name=container.name,
                image=container.image,
                ready=status.ready,
                restarts=status.restart_count,
                waiting=Waiting(waiting.reason, hidden(waiting.message.strip())) if waiting else None,
                terminated=_ended(terminated),
                last=_ended(status.last_state.terminated),
                init=init,
                image_id=status.image_id,
            )
        )
    return tuple(found)


def _ended(state: _Terminated | None) -> Terminated | None:
    if state is None:
        return None
    return Terminated(state.reason, state.exit_code, hidden(state.message), state.finished_at)
