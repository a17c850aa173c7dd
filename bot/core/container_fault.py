"""What keeps a container from running: its image, its configuration, its start, its crashes. Pure.

The reasons are the kubelet's own words (kubernetes, pkg/kubelet/images and pkg/kubelet/kuberuntime).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from bot.core.fault import Fault, events_of, trim
from bot.core.plan import pick
from bot.core.pod import ContainerState, Event, LogRequest, Pod, Terminated, Waiting
from bot.core.workload import Workload

_PULL: Final = frozenset(
    {
        "ErrImagePull",
        "ImagePullBackOff",
        "InvalidImageName",
        "ErrImageNeverPull",
        "ImageInspectError",
        "RegistryUnavailable",
        "SignatureValidationFailed",
    }
)
_CONFIG: Final = "CreateContainerConfigError"
_START: Final = frozenset({"CreateContainerError", "RunContainerError", "PreCreateHookError", "PostStartHookError"})
_NEVER_STARTED: Final = frozenset({"StartError", "ContainerCannotRun"})
_BACK_OFF: Final = "CrashLoopBackOff"


@dataclass(frozen=True, slots=True)
class _Answer:
    """What a registry's answer means, told by its words. `passing`: asking again may help."""

    marks: tuple[str, ...]
    sentence: str
    hint: str
    passing: bool = False


# The first match counts.
_ANSWERS: Final = (
    _Answer(
        ("toomanyrequests", "rate limit", "429"),
        "The registry limits how often `{image}` may be pulled.",
        "Wait, or pull with credentials or through a mirror.",
        passing=True,
    ),
    _Answer(
        ("no match for platform", "no matching manifest"),
        "`{image}` is not built for this node's platform.",
        "Build it for the nodes' architecture, or undo.",
    ),
    _Answer(
        ("unauthorized", "authentication required", "access denied", "denied:", "403 forbidden", "401"),
        "The registry refuses `{image}`: it does not exist there, or the pull secret is missing or wrong.",
        "Check the name and the imagePullSecrets, or undo.",
    ),
    _Answer(
        ("no such host", "timeout", "deadline exceeded", "connection refused", "unreachable", "tls", "eof", "503"),
        "The registry of `{image}` does not answer properly.",
        "Check that the nodes reach the registry; the kubelet keeps trying.",
        passing=True,
    ),
    _Answer(
        ("not found", "manifest unknown", "notfound", "name unknown", "404"),
        "The registry has no image `{image}`.",
        "Check the tag, push the image, or undo.",
    ),
)
_UNREADABLE: Final = _Answer((), "The image `{image}` cannot be pulled.", "Check the image and the registry, or undo.")
# What the kubelet decides by itself, without asking a registry.
_UNASKED: Final = {
    "InvalidImageName": _Answer((), "`{image}` is not a valid image name.", "Correct the name, or undo."),
    "ErrImageNeverPull": _Answer(
        (),
        "`{image}` is not on the node, and its pull policy is Never.",
        "Load it onto the nodes, or change the pull policy.",
    ),
}
# What a shell and the kernel mean by an exit code; anything else is the program's own.
_EXIT_CODES: Final = {
    0: "it ended by itself, as if its work were done",
    126: "its command cannot be executed",
    127: "its command was not found",
    134: "it aborted",
    137: "it was killed (SIGKILL)",
    139: "it crashed in memory (SIGSEGV)",
    143: "it was asked to stop (SIGTERM)",
}
_RECENT: Final = timedelta(minutes=10)
_LAST_LINES: Final = 8


def container_faults(workload: Workload, pod: Pod, events: tuple[Event, ...], now: datetime) -> Iterator[Fault]:
    """The faults of a pod's containers, init containers first as they run first."""
    for container in sorted(pod.containers, key=lambda one: not one.init):
        if container.ready:
            continue
        waiting = container.waiting
        if waiting is not None and waiting.reason in _PULL:
            yield _pull(pod, container, waiting, events)
        elif waiting is not None and waiting.reason == _CONFIG:
            yield _config(pod, container, waiting)
        elif waiting is not None and waiting.reason in _START:
            yield _start(pod, container, waiting.reason, waiting.message)
        elif ended := container.terminated or container.last:
            if container.init and ended.exit_code == 0:
                continue
            if ended.reason in _NEVER_STARTED:
                yield _start(pod, container, ended.reason, ended.message)
            elif (crash := _crash(workload, pod, container, ended, events, now)) is not None:
                yield crash


def _pull(pod: Pod, container: ContainerState, waiting: Waiting, events: tuple[Event, ...]) -> Fault:
    # ImagePullBackOff says that the kubelet waits, often no more; then the registry's answer is in the event before.
    answers = [
        event.message
        for event in events_of(pod, events, "Failed")
        if event.message.startswith("Failed to pull image") and f'"{container.image}"' in event.message
    ]
    told = answers[-1] if waiting.reason == "ImagePullBackOff" and answers else waiting.message
    words = told.lower().replace(container.image.lower(), "")
    heard = next((answer for answer in _ANSWERS if any(mark in words for mark in answer.marks)), _UNREADABLE)
    answer = _UNASKED.get(waiting.reason, heard)
    return Fault(
        reason=waiting.reason,
        title="image cannot be pulled",
        sentence=answer.sentence.format(image=container.image),
        hint=answer.hint,
        # A registry that hiccups once is asked again within seconds; from the second failure on the kubelet backs off.
        certain=not (answer.passing and waiting.reason == "ErrImagePull"),
        fields=("image", "imagePullSecrets", "imagePullPolicy"),
        pod=pod.name,
        container=container.name,
        evidence=_registry_answer(told),
    )


def _registry_answer(message: str) -> str:
    """The end of the chain of wrapped errors: what the registry itself said."""
    text = " ".join(message.split())
    _, described, rest = text.rpartition(" desc = ")
    links = (rest if described else text).split(": ")
    # The last link alone ("not found") says too little; the one before it names what was asked for.
    return trim(": ".join(links[-2:]) if len(links) > 2 else ": ".join(links))


def _config(pod: Pod, container: ContainerState, waiting: Waiting) -> Fault:
    missing = "not found" in waiting.message or "couldn't find key" in waiting.message
    return Fault(
        reason=waiting.reason,
        title="configuration is missing" if missing else "configuration is wrong",
        sentence=f"{_the(container)} cannot start: {trim(waiting.message) or 'its configuration is not usable'}.",
        hint=(
            "Create what is missing (or take the reference away), or undo."
            if missing
            else "Correct the container's settings, or undo."
        ),
        certain=True,
        fields=("envFrom", "env", "volumes", "securityContext", "image"),
        pod=pod.name,
        container=container.name,
        evidence=trim(waiting.message),
    )


def _start(pod: Pod, container: ContainerState, reason: str, message: str) -> Fault:
    return Fault(
        reason=reason,
        title="container cannot be started",
        sentence=f"{_the(container)} cannot be started: {trim(_last_link(message)) or reason}.",
        hint="Check its command, its mounts and its image, or undo.",
        certain=True,
        fields=("command", "args", "volumeMounts", "securityContext", "image", "workingDir", "lifecycle"),
        pod=pod.name,
        container=container.name,
        evidence=trim(message),
    )


def _crash(
    workload: Workload,
    pod: Pod,
    container: ContainerState,
    ended: Terminated,
    events: tuple[Event, ...],
    now: datetime,
) -> Fault | None:
    backing_off = container.waiting is not None and container.waiting.reason == _BACK_OFF
    down = backing_off or container.terminated is not None
    if not down and ended.finished is not None and now - ended.finished > _RECENT:
        return None  # it crashed long ago and runs since: something else keeps it from being ready
    crashes = container.restarts + (1 if down else 0)
    times = "once" if crashes <= 1 else f"{crashes} times"
    name = _the(container)
    probe = next((p for p in ("Startup", "Liveness") if _probe_killed(pod, container, events, p)), "")
    if ended.reason == "OOMKilled":
        where = "initContainers" if container.init else "containers"
        limit = pick(workload.manifest, f"spec.template.spec.{where}[name={container.name}].resources.limits.memory")
        of = f" of {limit}" if limit else ""
        title = "out of memory"
        sentence = f"{name} was killed {times} for using more than its memory limit{of} (OOMKilled)."
        hint = "Raise the memory limit, make it need less, or undo."
        fields: tuple[str, ...] = ("resources", "image", "env", "args", "command")
    elif probe:
        title = f"{probe.lower()} probe kills the container"
        sentence = f"{name} was restarted {times}: its {probe.lower()} probe fails."
        hint = "Check the probe's path, port and timing against the logs, or undo."
        fields = (f"{probe.lower()}Probe", "ports", "image", "env", "args", "command")
    else:
        meaning = _EXIT_CODES.get(ended.exit_code, "")
        said = f": {meaning}" if meaning else f" ({ended.reason})" if ended.reason not in ("", "Error") else ""
        title = "init container fails" if container.init else "container crashes"
        sentence = f"{name} crashed {times}; its last exit code is {ended.exit_code}{said}."
        hint = "Its last lines say why; mend it, or undo."
        fields = ("image", "command", "args", "env", "envFrom", "volumeMounts", "volumes", "resources")
    return Fault(
        reason=ended.reason if ended.reason == "OOMKilled" or not backing_off else _BACK_OFF,
        title=title,
        sentence=sentence,
        hint=hint,
        certain=backing_off or crashes >= 2,
        fields=fields,
        pod=pod.name,
        container=container.name,
        evidence=trim(ended.message),
        # Before the next start the ended run's log is the current one to the kubelet; afterwards it is the previous.
        log=LogRequest(pod.name, container.name, previous=container.terminated is None, tail=_LAST_LINES),
    )


def _probe_killed(pod: Pod, container: ContainerState, events: tuple[Event, ...], probe: str) -> bool:
    return any(
        event.message.startswith(f"{probe} probe") and f"{{{container.name}}}" in event.field
        for event in events_of(pod, events, "Unhealthy")
    ) and any(
        f"{probe.lower()} probe" in event.message and "will be restarted" in event.message
        for event in events_of(pod, events, "Killing")
    )


def _the(container: ContainerState) -> str:
    return f"{'Init container' if container.init else 'Container'} `{container.name}`"


def _last_link(message: str) -> str:
    """A runtime wraps its errors many times over; the last links say it."""
    links = message.removesuffix(": unknown").split(": ")
    return ": ".join(links[-2:])
