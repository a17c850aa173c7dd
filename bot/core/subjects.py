"""Which objects an app consists of, for its events: workloads, autoscalers, newest revisions, pods.

`kubectl describe` asks for the events of the object alone; what a person looks for stands at its pods.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from bot.core.cluster import Reader
from bot.core.masking import secrets_in, without
from bot.core.partial import if_permitted
from bot.core.pod import Event
from bot.core.workload import Kind, Workload


async def events_of(reader: Reader, namespace: str, workloads: Iterable[Workload]) -> tuple[Event, ...]:
    """The events of these workloads and of what belongs to them, newest last, without the values of their secrets."""
    known = list(workloads)
    found = await asyncio.gather(*(subjects(reader, workload) for workload in known))
    events = await reader.events.list(namespace, [subject for some in found for subject in some])
    secrets = secrets_in(*(workload.manifest for workload in known))
    return tuple(replace(event, message=without(event.message, secrets)) for event in events)


async def subjects(reader: Reader, workload: Workload) -> tuple[tuple[str, str], ...]:
    """(kind, name) pairs of one workload: itself, its autoscaler, its newest revision, its pods."""
    revisions, pods, scaler = await asyncio.gather(
        reader.workloads.revisions(workload),
        reader.pods.list(workload.place.namespace, workload.selector),
        if_permitted(reader.workloads.autoscaler(workload), None),
    )
    return (
        (workload.kind.kind, workload.name),
        *((("HorizontalPodAutoscaler", scaler.name),) if scaler else ()),
        *((("ReplicaSet", revisions[-1].name),) if revisions and workload.kind is Kind.DEPLOYMENT else ()),
        *(("Pod", pod.name) for pod in pods),
    )
