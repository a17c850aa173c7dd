"""metrics.k8s.io: what pods and nodes use, computed and rounded as `kubectl top` does."""

import math
from fractions import Fraction
from typing import Final

import msgspec

from bot.core.errors import Forbidden, NotFound, Unavailable
from bot.core.pod import Usage
from bot.kube.caller import Caller
from bot.kube.meta import Meta
from bot.kube.namespaces import everywhere
from bot.kube.quantity import quantity
from bot.kube.request import Address, Request

_GROUP: Final = "metrics.k8s.io"
_VERSIONS: Final = ("v1", "v1beta1")  # those kubectl understands, in its order
_MEBI: Final = 2**20


class _Version(msgspec.Struct, gc=False):
    version: str = ""


class _Group(msgspec.Struct, gc=False):
    versions: list[_Version] | None = None


class _Amounts(msgspec.Struct, gc=False):
    cpu: str = "0"
    memory: str = "0"


class _Container(msgspec.Struct, gc=False):
    usage: _Amounts = msgspec.field(default_factory=_Amounts)


class _PodMetrics(msgspec.Struct, gc=False):
    metadata: Meta
    containers: list[_Container] | None = None


class _NodeMetrics(msgspec.Struct, gc=False):
    metadata: Meta
    usage: _Amounts = msgspec.field(default_factory=_Amounts)


class _NodeStatus(msgspec.Struct, gc=False):
    allocatable: _Amounts = msgspec.field(default_factory=_Amounts)


class _Node(msgspec.Struct, gc=False):
    metadata: Meta
    status: _NodeStatus = msgspec.field(default_factory=_NodeStatus)


class ClusterMetrics:
    """`bot.core.cluster.Metrics` on a cluster."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def pods(self, namespace: str | None, selector: str = "") -> tuple[Usage, ...]:
        version = await self._version()
        query = (("labelSelector", selector),) if selector else ()

        async def inside(where: str) -> list[_PodMetrics]:
            return await self._caller.listed(Address(version, "pods", where), _PodMetrics, query=query)

        if namespace:
            found = await inside(namespace)
        else:
            found = await everywhere(self._caller, inside, lambda item: item.metadata.namespace)
        return tuple(sorted((self._pod(item) for item in found), key=lambda usage: (usage.namespace, usage.name)))

    async def nodes(self) -> tuple[Usage, ...]:
        """Nodes that have metrics. The percents are of the allocatable, None where the nodes may not be read."""
        used = await self._caller.listed(Address(await self._version(), "nodes"), _NodeMetrics)
        try:
            nodes = await self._caller.listed(Address("v1", "nodes"), _Node)
        except Forbidden:
            nodes = []
        sizes = {node.metadata.name: node.status.allocatable for node in nodes}
        return tuple(
            sorted((self._node(item, sizes.get(item.metadata.name)) for item in used), key=lambda usage: usage.name)
        )

    def _pod(self, item: _PodMetrics) -> Usage:
        amounts = [container.usage for container in item.containers or []]
        return Usage(
            name=item.metadata.name,
            namespace=item.metadata.namespace,
            cpu_millicores=math.ceil(sum(self._number(amount.cpu) for amount in amounts) * 1000),
            memory_mib=math.floor(sum(self._number(amount.memory) for amount in amounts) / _MEBI),
        )

    def _node(self, item: _NodeMetrics, size: _Amounts | None) -> Usage:
        cpu, memory = self._number(item.usage.cpu), self._number(item.usage.memory)
        return Usage(
            name=item.metadata.name,
            namespace="",
            cpu_millicores=math.ceil(cpu * 1000),
            memory_mib=math.floor(memory / _MEBI),
            cpu_percent=_percent(cpu, self._number(size.cpu)) if size else None,
            memory_percent=_percent(memory, self._number(size.memory)) if size else None,
        )

    def _number(self, text: str) -> Fraction:
        try:
            return quantity(text)
        except ValueError as error:
            raise Unavailable(f"The metrics API of {self._caller.cluster} sent an amount that is no number.") from error

    async def _version(self) -> str:
        asked = Request("get", f"/apis/{_GROUP}", _GROUP)
        try:
            group = await self._caller.read(asked, _Group)
        except NotFound:
            group = _Group()
        served = {version.version for version in group.versions or []}
        for version in _VERSIONS:
            if version in served:
                return f"{_GROUP}/{version}"
        raise NotFound(
            f"{self._caller.cluster} has no metrics API.", hint="Installing metrics-server there provides it."
        )


def _percent(used: Fraction, size: Fraction) -> int | None:
    """Kubectl computes with millis, rounded up, and cuts the fraction."""
    millis = math.ceil(size * 1000)
    return int(Fraction(math.ceil(used * 1000), millis) * 100) if millis > 0 else None
