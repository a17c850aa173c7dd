"""What keeps pods from being made, placed, set up, or counted as ready, outside their containers. Pure."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.fault import CLOCK_SKEW, Fault, events_of, trim
from bot.core.pod import Event, LogRequest, Pod
from bot.core.workload import Revision, Workload

# An autoscaler may add a node; one that said so takes a few minutes.
_NODE_GRACE_SECONDS: Final = 60
_SCALE_UP_GRACE_SECONDS: Final = 300
# Volumes are detached from the old node first, a sandbox waits for its network: both are slow in good health too.
_SET_UP_GRACE_SECONDS: Final = 120
_MISSING_GRACE_SECONDS: Final = 10
_PROBE_GRACE_SECONDS: Final = 10
_INIT_GRACE_SECONDS: Final = 30
_SET_UP: Final = ("FailedMount", "FailedAttachVolume", "FailedMapVolume", "FailedCreatePodSandBox")
_BEFORE_START: Final = frozenset({"", "ContainerCreating", "PodInitializing"})
_PLACING: Final = (
    "resources",
    "nodeSelector",
    "affinity",
    "tolerations",
    "topologySpreadConstraints",
    "volumes",
    "replicas",
)
_POD_IN_MESSAGE: Final = re.compile(r'pods "([^"]+)"')
_LOG_LINES: Final = 8


@dataclass(frozen=True, slots=True)
class _Refusal:
    """Why the API server refuses to make a pod, told by a mark in its words (any case)."""

    mark: str
    title: str
    begins: str
    hint: str
    fields: tuple[str, ...] = ()


# The first match counts.
_REFUSALS: Final = (
    _Refusal(
        "quota",
        "quota is full",
        "The namespace's quota allows no more pods",
        "Ask for less, free something, or raise the quota.",
        ("replicas", "resources"),
    ),
    _Refusal(
        "podsecurity",
        "pods are refused by Pod Security",
        "The namespace's Pod Security level refuses the pods",
        "Adjust the securityContext, or undo.",
        ("securityContext", "hostNetwork", "hostPID", "hostIPC", "volumes", "ports"),
    ),
    _Refusal(
        "failed calling webhook",
        "an admission webhook does not answer",
        "Pods cannot be made while an admission webhook does not answer",
        "Whoever runs the webhook must mend it.",
    ),
    _Refusal(
        "admission webhook",
        "pods are refused by an admission webhook",
        "An admission webhook refuses the pods",
        "Do what it asks for, or undo.",
    ),
    _Refusal(
        "service account",
        "service account is missing",
        "The pods' service account does not exist",
        "Create it, or undo.",
        ("serviceAccountName", "serviceAccount"),
    ),
    _Refusal(
        " per container is ",
        "pods break the namespace's limits",
        "A LimitRange of the namespace refuses the pods",
        "Adjust the resources, or undo.",
        ("resources",),
    ),
)
_REFUSED: Final = _Refusal(
    "", "pods cannot be created", "The API server refuses to make the pods", "Mend what it names, or undo."
)


def creation_fault(
    workload: Workload, revision: Revision, made: int, events: Sequence[Event], *, since: datetime
) -> Fault | None:
    """Pods of this revision that the API server refuses to make: quota, admission, a missing service account.

    Deployments tell it in a condition (ReplicaFailure), the other kinds only in events; `made` is how many pods exist.
    """
    message = _failed_creation(workload, revision, events, since) if made < workload.replicas else ""
    if not message:
        return None
    refusal = next((one for one in _REFUSALS if one.mark in message.lower()), _REFUSED)
    return Fault(
        reason="FailedCreate",
        title=refusal.title,
        sentence=f"{refusal.begins}: {_refusal_words(message)}.",
        hint=refusal.hint,
        certain=True,
        fields=refusal.fields,
        evidence=trim(message),
    )


def pod_faults(pod: Pod, events: tuple[Event, ...], now: datetime) -> Iterator[Fault]:
    """What keeps one pod from being placed, set up, or ready."""
    old = (now - pod.created).total_seconds()
    if pod.phase == "Failed" and pod.reason:
        yield _failed(pod)
    elif pod.unschedulable:
        yield _unschedulable(pod, events, now)
    elif not pod.ready:
        yield from _set_up(pod, events, now)
        if old >= _PROBE_GRACE_SECONDS:
            yield from _probes(pod, events)
        if old >= _INIT_GRACE_SECONDS:
            yield from _long_init(pod)


def _failed_creation(workload: Workload, revision: Revision, events: Sequence[Event], since: datetime) -> str:
    condition = workload.status.condition("ReplicaFailure")
    if condition is not None and condition.status == "True":
        named = _POD_IN_MESSAGE.search(condition.message)
        # The condition may still speak of an older ReplicaSet, whose pods nobody needs any more.
        if named is None or named[1].startswith(revision.name):
            return condition.message
    makers = {("ReplicaSet", revision.name), (workload.kind.kind, workload.name)}
    told = [
        event
        for event in events
        if (event.kind, event.name) in makers
        and event.reason in ("FailedCreate", "SuccessfulCreate")
        and event.last >= since - CLOCK_SKEW
    ]
    newest = max(told, key=lambda event: event.last, default=None)
    return newest.message if newest is not None and newest.reason == "FailedCreate" else ""


def _refusal_words(message: str) -> str:
    """Without whom it was said about: `exceeded quota: compute, requested: …`."""
    _, forbidden, rest = message.partition(" is forbidden: ")
    return trim(rest if forbidden else message).rstrip(".")


def _failed(pod: Pod) -> Fault:
    return Fault(
        reason=pod.reason,
        title="pod was evicted" if pod.reason == "Evicted" else "pod failed",
        sentence=f"Pod {pod.name} ended ({pod.reason}); its controller makes another.",
        hint="If it happens again, look at its node.",
        certain=False,
        fields=("resources",),
        pod=pod.name,
    )


def _unschedulable(pod: Pod, events: tuple[Event, ...], now: datetime) -> Fault:
    # What preemption could not do says nothing about what is missing.
    why = trim(pod.unschedulable.partition(" preemption:")[0]).rstrip(".")
    growing = bool(events_of(pod, events, "TriggeredScaleUp"))
    grace = _SCALE_UP_GRACE_SECONDS if growing else _NODE_GRACE_SECONDS
    certain = (now - pod.created).total_seconds() >= grace
    volume = "persistentvolumeclaim" in why.lower()
    coming = "; the cluster autoscaler adds one" if growing and not certain else ""
    return Fault(
        reason="Unschedulable",
        title="waiting for a volume" if volume else "no node takes the pod" if certain else "waiting for a node",
        sentence=f"Pod {pod.name} waits for a node{coming}: {why}.",
        hint=(
            "Check the volume claim and its storage class." if volume else "Ask for less, free or add a node, or undo."
        ),
        certain=certain,
        fields=(
            "resources",
            "nodeSelector",
            "affinity",
            "tolerations",
            "topologySpreadConstraints",
            "volumes",
            "replicas",
        ),
        pod=pod.name,
    )


def _set_up(pod: Pod, events: tuple[Event, ...], now: datetime) -> Iterator[Fault]:
    # Once a container was made the set-up is over, and its events tell of the past.
    if not all(one.waiting is not None and one.waiting.reason in _BEFORE_START for one in pod.containers):
        return
    told = events_of(pod, events, *_SET_UP)
    if not told:
        return
    newest = told[-1]
    missing = "not found" in newest.message
    lasted = (now - (newest.first or pod.created)).total_seconds()
    volumes = newest.reason != "FailedCreatePodSandBox"
    yield Fault(
        reason=newest.reason,
        title="volume cannot be mounted" if volumes else "pod sandbox cannot be made",
        sentence=f"Pod {pod.name} waits: {trim(newest.message).rstrip('.')}.",
        hint=(
            "Create what is missing, or undo."
            if missing
            else "Check the volume claim and where its volume is attached."
            if volumes
            else "Look at the node and its network."
        ),
        certain=lasted >= (_MISSING_GRACE_SECONDS if missing else _SET_UP_GRACE_SECONDS),
        fields=("volumes", "volumeMounts") if volumes else (),
        pod=pod.name,
        evidence=trim(newest.message),
    )


def _probes(pod: Pod, events: tuple[Event, ...]) -> Iterator[Fault]:
    """Failing probes of containers that run; a probe that kills is told with the crash."""
    unhealthy = events_of(pod, events, "Unhealthy")
    for container in pod.containers:
        if container.ready or container.init or container.waiting or container.terminated:
            continue
        told = [event for event in unhealthy if f"{{{container.name}}}" in event.field]
        if not told:
            continue
        probe, _, rest = told[-1].message.partition(" probe ")
        probe = probe.lower()
        answer = trim(rest.partition(": ")[2] or rest).rstrip(".")
        yield Fault(
            reason="Unhealthy",
            title=f"{probe} probe fails",
            sentence=f"Container `{container.name}` runs, but its {probe} probe fails: {answer}.",
            hint="Check its logs, and the probe's path, port and timing.",
            certain=False,
            fields=(f"{probe}Probe", "ports", "image", "env", "envFrom", "args", "command"),
            pod=pod.name,
            container=container.name,
            evidence=trim(told[-1].message),
            log=LogRequest(pod.name, container.name, tail=_LOG_LINES),
        )


def _long_init(pod: Pod) -> Iterator[Fault]:
    for container in pod.containers:
        if container.init and not (container.ready or container.waiting or container.terminated):
            yield Fault(
                reason="PodInitializing",
                title="an init container is still at work",
                sentence=f"Init container `{container.name}` of {pod.name} has not ended yet.",
                hint="Its log tells what it waits for.",
                certain=False,
                fields=("initContainers",),
                pod=pod.name,
                container=container.name,
                log=LogRequest(pod.name, container.name, tail=_LOG_LINES),
            )
