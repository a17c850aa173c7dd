"""Kubernetes events, in time."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

import msgspec

from bot.core.masking import hidden
from bot.core.pod import Event
from bot.kube.caller import Caller
from bot.kube.fanout import ask_each
from bot.kube.meta import Meta
from bot.kube.namespaces import everywhere
from bot.kube.request import Address, Query

_SELECTED: Final = 8  # up to so many objects are asked for one by one; above, the namespace is read once and sifted


class _Object(msgspec.Struct, rename="camel", gc=False):
    kind: str = ""
    name: str = ""
    field_path: str = ""


class _Series(msgspec.Struct, rename="camel", gc=False):
    count: int = 0
    last_observed_time: datetime | None = None


class _Event(msgspec.Struct, rename="camel", gc=False):
    metadata: Meta
    involved_object: _Object = msgspec.field(default_factory=_Object)
    type: str = ""
    reason: str = ""
    message: str = ""
    count: int = 0
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: _Series | None = None

    def value(self) -> Event:
        """`last` is chosen as `kubectl events` does: writers of events.k8s.io leave lastTimestamp null."""
        series = self.series or _Series()
        last = series.last_observed_time or self.last_timestamp or self.event_time or self.metadata.created
        return Event(
            kind=self.involved_object.kind,
            name=self.involved_object.name,
            type=self.type,
            reason=self.reason,
            message=hidden(self.message.strip()),
            first=self.first_timestamp or self.event_time,
            last=last,
            count=series.count or self.count or 1,
            field=self.involved_object.field_path,
            namespace=self.metadata.namespace,
        )


class ClusterEvents:
    """`bot.core.cluster.Events` on a cluster."""

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    async def list(self, namespace: str | None, about: Sequence[tuple[str, str]] = ()) -> tuple[Event, ...]:
        wanted = set(about)

        async def inside(where: str) -> Sequence[_Event]:
            address = Address("v1", "events", where)

            async def of_object(pair: tuple[str, str]) -> Sequence[_Event]:
                kind, name = pair
                chosen: Query = (("fieldSelector", f"involvedObject.kind={kind},involvedObject.name={name}"),)
                return await self._caller.listed(address, _Event, query=chosen)

            if 0 < len(wanted) <= _SELECTED:
                return [event for events in await ask_each(sorted(wanted), of_object) for event in events]
            return await self._caller.listed(address, _Event)

        if namespace:
            found = list(await inside(namespace))
        else:
            found = await everywhere(self._caller, inside, lambda event: event.metadata.namespace)
        events = [event.value() for event in found]
        if wanted:
            events = [event for event in events if (event.kind, event.name) in wanted]
        return tuple(sorted(events, key=lambda event: event.last))
