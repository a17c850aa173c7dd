"""What a command may read of one cluster as one person."""

from dataclasses import dataclass

from bot.core.cluster import Access, Right
from bot.kube.access import review
from bot.kube.caller import Caller
from bot.kube.discovery import Discovery
from bot.kube.events import ClusterEvents
from bot.kube.metrics import ClusterMetrics
from bot.kube.namespaces import namespaces
from bot.kube.objects import ClusterObjects
from bot.kube.pods import ClusterPods
from bot.kube.watch import Pace
from bot.kube.workloads import ClusterWorkloads


@dataclass(frozen=True, slots=True)
class ClusterReader:
    """`bot.core.cluster.Reader`: GETs, watches and access reviews, and nothing that could write."""

    cluster: str
    workloads: ClusterWorkloads
    pods: ClusterPods
    objects: ClusterObjects
    events: ClusterEvents
    metrics: ClusterMetrics
    _caller: Caller

    async def namespaces(self) -> tuple[str, ...]:
        return await namespaces(self._caller)

    async def can(self, right: Right, namespace: str, name: str = "") -> Access:
        return await review(self._caller, right, namespace, name)


def reader(caller: Caller, discovery: Discovery, pace: Pace) -> ClusterReader:
    """All nouns of one cluster, bound to one caller. Costs nothing: made anew for each request."""
    return ClusterReader(
        cluster=caller.cluster,
        workloads=ClusterWorkloads(caller, pace),
        pods=ClusterPods(caller),
        objects=ClusterObjects(caller, discovery),
        events=ClusterEvents(caller),
        metrics=ClusterMetrics(caller),
        _caller=caller,
    )
