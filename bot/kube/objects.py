"""Any kind that a cluster serves: found by name, shown as the server's table, read as it is."""

from typing import Any, Final

from bot.core.cluster import ServedKind, ServerTable, TableColumn
from bot.core.errors import NotFound
from bot.core.plan import Json, ObjectRef
from bot.kube import tables
from bot.kube.caller import Caller
from bot.kube.discovery import Discovery
from bot.kube.fanout import ask_permitted
from bot.kube.namespaces import namespaces
from bot.kube.request import Address

# Tables are small, and before an API server lists anything it waits until its cache has caught up with etcd, up to a
# tenth of a second (KEP-2340): those who wait at the same time wait once.
_TABLES_AT_ONCE: Final = 32


class ClusterObjects:
    """`bot.core.cluster.Objects` on a cluster."""

    def __init__(self, caller: Caller, discovery: Discovery) -> None:
        self._caller = caller
        self._discovery = discovery

    async def kinds(self) -> tuple[ServedKind, ...]:
        return await self._discovery.kinds(self._caller)

    async def find_kind(self, word: str) -> ServedKind:
        return await self._discovery.find(self._caller, word)

    async def table(
        self, kind: ServedKind, namespace: str | None, *, name: str = "", selector: str = "", fields: str = ""
    ) -> ServerTable:
        query = [(key, value) for key, value in (("labelSelector", selector), ("fieldSelector", fields)) if value]
        if not kind.namespaced or namespace:
            where = namespace or "" if kind.namespaced else ""
            return await tables.read(
                self._caller, Address(kind.api_version, kind.resource, where), name=name, query=query
            )

        async def inside(where: str) -> ServerTable | None:
            try:
                address = Address(kind.api_version, kind.resource, where)
                return await tables.read(self._caller, address, name=name, query=query)
            except NotFound:
                if name:
                    return None  # of that name there is one elsewhere, or nowhere
                raise

        # Rows without objects do not say their namespace: so it is one table a namespace.
        found = await ask_permitted(await namespaces(self._caller), inside, at_once=_TABLES_AT_ONCE)
        full = [(where, table) for where, table in found if table and table.rows]
        if name and not full:
            raise NotFound(f"There is no {kind.resource}/{name} on {self._caller.cluster}.")
        columns = next((table.columns for _, table in full), ())
        return ServerTable(
            (TableColumn("Namespace", wide=False), *columns),
            tuple((where, *row) for where, table in full for row in table.rows),
        )

    async def names(self, kind: ServedKind, namespace: str) -> tuple[str, ...]:
        table = await self.table(kind, namespace)
        at = next((index for index, column in enumerate(table.columns) if column.name.lower() == "name"), None)
        return () if at is None else tuple(row[at] for row in table.rows)

    async def get(self, ref: ObjectRef) -> Json:
        return await self._caller.read(Address.of(ref).request("get", ref.name, ref.subresource), dict[str, Any])
