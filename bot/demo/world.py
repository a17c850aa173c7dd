"""The demo's world: its clusters with their controllers, their past, and who may log in to them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Self

from bot.demo import seed
from bot.demo.access import MASTERS
from bot.demo.controllers.control_plane import ControlPlane
from bot.demo.controllers.logs import ContainerLogs
from bot.demo.controllers.tempo import Tempo
from bot.demo.controllers.usage import Measurements
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.objects import Json
from bot.demo.rights import replace_rights
from bot.demo.seed_people import BOT, CLUSTERS, PEOPLE
from bot.demo.server import EmbeddedCluster

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

ADMIN = "admin"
"""Who may do everything on every cluster of the demo."""


class Dial:
    """A clock that can be turned back: it shows a set time, or, released, what the real clock shows."""

    def __init__(self, real: Callable[[], datetime]) -> None:
        self._real = real
        self._set: datetime | None = None

    def __call__(self) -> datetime:
        return self._real() if self._set is None else self._set

    def turn(self, moment: datetime) -> None:
        self._set = moment

    def release(self) -> None:
        self._set = None


class World:
    """Two clusters, ``dev`` and ``prod``, each with a past; an async context manager that runs them.

    ``clock`` gives aware times. ``seeded`` False leaves the clusters empty but for their nodes, namespaces and rights.
    """

    def __init__(
        self, *, tempo: Tempo, clock: Callable[[], datetime], new_uid: Callable[[], str], seeded: bool = True
    ) -> None:
        self._tempo = tempo
        self._clock = clock
        self._new_uid = new_uid
        self._seeded = seeded
        self._clusters: dict[str, EmbeddedCluster] = {}
        self._planes: dict[str, ControlPlane] = {}
        self._stack = AsyncExitStack()

    @property
    def clusters(self) -> Mapping[str, EmbeddedCluster]:
        return self._clusters

    @property
    def failures(self) -> int:
        """How often a controller failed in a way that nobody foresaw: none, if all is well."""
        return sum(plane.loop.failures for plane in self._planes.values())

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            for name in CLUSTERS:
                await stack.enter_async_context(self._living(name))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    @asynccontextmanager
    async def _living(self, name: str) -> AsyncIterator[None]:
        """Run one cluster: first its past, at once, then its server and its controllers."""
        dial = Dial(self._clock)
        cluster = EmbeddedCluster(
            name,
            clock=dial,
            new_uid=self._new_uid,
            logs=ContainerLogs(dial),
            metrics=Measurements(dial, lambda: cluster.store.list("pods")),
        )
        plane = ControlPlane(cluster.store, self._tempo)
        seed.play(cluster.store, plane, name, self._tempo, dial.turn, apps=self._seeded)
        dial.release()
        async with cluster:
            self._clusters[name], self._planes[name] = cluster, plane
            running = asyncio.create_task(plane.loop.run(), name=f"controllers of {name}")
            try:
                yield
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)

    def grant(self, cluster: str, manifests: Iterable[Json]) -> None:
        """Give a cluster the rights of another policy, as `steersman rbac` makes them."""
        replace_rights(self._clusters[cluster].store, manifests)

    def write_kubeconfig(self, path: Path, user: str = BOT) -> None:
        """Write a kubeconfig with a context for each cluster, as the bot, as one of ``PEOPLE`` or as ``ADMIN``.

        The file is readable by its owner only; it lives as long as these clusters do.
        """
        person = next((person for person in PEOPLE if person.name == user), None)
        entries = []
        for name, cluster in self._clusters.items():
            groups = (MASTERS,) if user == ADMIN else person.groups.get(name, ()) if person is not None else ()
            entries.append(
                Entry(name, cluster.url, cluster.ca_pem, cluster.token(user, groups), user.rpartition(":")[2], "shop")
            )
        write_kubeconfig(path, entries)
