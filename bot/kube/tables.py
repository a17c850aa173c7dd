"""Tables that the API server prints itself, without the objects: 5,000 pods weigh 0.8 MB so instead of 60 MB."""

from typing import Any, Final

import msgspec

from bot.core.cluster import ServerTable, TableColumn
from bot.core.errors import Expired
from bot.core.masking import hidden
from bot.core.readable import one_line
from bot.kube.caller import PAGE, Caller
from bot.kube.meta import ListMeta, Meta
from bot.kube.request import JSON, Address, Query

_ACCEPT: Final = f"{JSON};as=Table;v=v1;g=meta.k8s.io,{JSON}"
_LONGEST_CELL: Final = 400


class _Column(msgspec.Struct, gc=False):
    name: str = ""
    format: str = ""
    priority: int = 0


class _Row(msgspec.Struct, gc=False):
    cells: list[bool | int | float | str | list[Any] | dict[str, Any] | None] | None = None


class _Object(msgspec.Struct, gc=False):
    metadata: Meta = msgspec.field(default_factory=Meta)


class _Answer(msgspec.Struct, rename="camel", gc=False):
    """A Table; or a list or an object from an API that prints no tables (some aggregated ones)."""

    kind: str = ""
    metadata: ListMeta = msgspec.field(default_factory=ListMeta)
    column_definitions: list[_Column] | None = None
    rows: list[_Row] | None = None
    items: list[_Object] | None = None


async def read(caller: Caller, address: Address, *, name: str = "", query: Query = ()) -> ServerTable:
    """The table of a collection (page by page), or of one object where `name` is given."""
    asked: Query = (*query, ("includeObject", "None"))
    if name:
        return _table([await caller.read(address.request("get", name, query=asked, accept=_ACCEPT), _Answer)])
    pages: list[_Answer] = []
    token = ""
    while True:
        step = (("limit", PAGE), ("continue", token)) if token else (("limit", PAGE),)
        try:
            page = await caller.read(address.request("list", query=(*asked, *step), accept=_ACCEPT), _Answer)
        except Expired:
            if not token:
                raise
            return _table([await caller.read(address.request("list", query=asked, accept=_ACCEPT), _Answer)])
        pages.append(page)
        token = page.metadata.next
        if not token:
            return _table(pages)


def _table(pages: list[_Answer]) -> ServerTable:
    first = pages[0]
    if first.kind != "Table":
        rows = [(item.metadata.name, _stamp(item)) for page in pages for item in page.items or []]
        return ServerTable((TableColumn("Name", wide=False), TableColumn("Created", wide=False)), tuple(rows))
    columns = tuple(TableColumn(column.name, wide=column.priority > 0) for column in first.column_definitions or [])
    return ServerTable(
        columns,
        tuple(tuple(_cell(cell) for cell in row.cells or []) for page in pages for row in page.rows or []),
    )


def _stamp(item: _Object) -> str:
    created = item.metadata.creation_timestamp
    return created.isoformat() if created else ""


def _cell(cell: object) -> str:
    match cell:
        case None:
            return ""
        case bool():
            return "true" if cell else "false"
        case str():
            return one_line(hidden(cell), _LONGEST_CELL)
        case int():
            return str(cell)
        case float():
            return f"{cell:g}"
        case _:
            return one_line(hidden(msgspec.json.encode(cell).decode()), _LONGEST_CELL)
