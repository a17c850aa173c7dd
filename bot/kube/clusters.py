"""The clusters side by side: one connection each, opened together, none waiting for another that fails."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

from bot.core.clock import Clock
from bot.core.cluster import Reach
from bot.core.errors import NotFound, SteersmanError
from bot.core.people import Identity
from bot.core.suggest import did_you_mean, nearest
from bot.kube.caller import Caller
from bot.kube.credentials import Source, open_credentials
from bot.kube.discovery import Discovery
from bot.kube.pod_watch import PodWatch
from bot.kube.reader import ClusterReader, reader
from bot.kube.transport import Transport
from bot.kube.watch import Pace
from bot.kube.writer import ClusterWriter


@dataclass(frozen=True, slots=True)
class Options:
    """How clusters are called. `deadline` is seconds for one request with its retries; `random` uniform in [0, 1)."""

    clock: Clock
    random: Callable[[], float]
    agent: str = "steersman"
    manager: str = "steersman"
    deadline: float = 30.0


class KubeClusters:
    """`bot.core.cluster.Clusters`. Made by `connect`; `close()` ends it.

    `failures` are the clusters that could not be opened at the start. They stay in `names`: each call to them tries
    again, at most every ten seconds, and raises Unavailable with the cause until it succeeds.
    """

    def __init__(self, sources: Mapping[str, Source], options: Options) -> None:
        self._options = options
        self._pace = Pace(options.clock, options.random)
        self._transports = {
            name: Transport(
                name,
                partial(open_credentials, source, options.clock.now),
                agent=options.agent,
                deadline=options.deadline,
                clock=options.clock,
            )
            for name, source in sources.items()
        }
        self._discoveries = {name: Discovery(options.clock) for name in sources}
        self.failures: Mapping[str, SteersmanError] = MappingProxyType({})

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._transports)

    def reader(self, cluster: str, identity: Identity, reach: Reach) -> ClusterReader:
        """Raises NotFound for a cluster that is not configured."""
        return reader(Caller(self._transport(cluster), identity, reach), self._discoveries[cluster], self._pace)

    def writer(self, cluster: str, identity: Identity) -> ClusterWriter:
        """Raises NotFound for a cluster that is not configured."""
        return ClusterWriter(self._transport(cluster), identity, self._options.manager)

    def bar(self, cluster: str, why: SteersmanError | None) -> None:
        """Refuse with `why` every call that is made as a person; None opens the cluster again."""
        self._transport(cluster).barred = why

    def pod_watch(self, cluster: str, identity: Identity, reach: Reach, namespace: str = "") -> PodWatch:
        """All pods within reach, or those of one namespace. Raises NotFound for a cluster that is not configured."""
        return PodWatch(Caller(self._transport(cluster), identity, reach), self._pace, namespace)

    async def open(self) -> None:
        """Open all clusters at once; those that fail are told in `failures`."""
        opened = await asyncio.gather(*(self._try(transport) for transport in self._transports.values()))
        self.failures = MappingProxyType(
            {name: failure for name, failure in zip(self._transports, opened, strict=True) if failure}
        )

    async def close(self) -> None:
        await asyncio.gather(*(transport.close() for transport in self._transports.values()))

    async def _try(self, transport: Transport) -> SteersmanError | None:
        try:
            await transport.open()
        except SteersmanError as error:
            return error
        return None

    def _transport(self, cluster: str) -> Transport:
        try:
            return self._transports[cluster]
        except KeyError:
            known = tuple(self._transports)
            raise NotFound(
                f"There is no cluster {cluster!r} here.", hint=did_you_mean(nearest(cluster, known) or known)
            ) from None


async def connect(sources: Mapping[str, Source], options: Options) -> KubeClusters:
    """The clusters by name, each opened as far as it can be: credentials and TLS, but no request yet."""
    clusters = KubeClusters(sources, options)
    await clusters.open()
    return clusters
