"""Lists for people: rows cut to what one message holds, and the server's own tables in that form."""

from collections.abc import Sequence
from typing import Final

from bot.core.cluster import ServedKind, ServerTable
from bot.core.reply import Note, Part, Table

ROWS: Final = 50
"""Rows of one message: more is not read in a chat, and a Slack message ends soon after."""

PODS: Final = ServedKind("v1", "Pod", "pods", "pod", ("po",), True, ("get", "list", "watch"))
NODES: Final = ServedKind("v1", "Node", "nodes", "node", ("no",), False, ("get", "list", "watch"))
SLICES: Final = ServedKind(
    "discovery.k8s.io/v1", "EndpointSlice", "endpointslices", "endpointslice", (), True, ("get", "list", "watch")
)
"""Kinds that every cluster serves in these versions: no discovery is needed to ask for them."""

_NOTHING: Final = frozenset({"", "<none>"})


def listing(columns: Sequence[str], rows: Sequence[Sequence[str]], narrow: str) -> tuple[Part, ...]:
    """A table of the first rows; where there are more, how to see fewer: `narrow` is a sentence."""
    table = Table(tuple(columns), tuple(tuple(row) for row in rows[:ROWS]), len(rows))
    if len(rows) <= ROWS:
        return (table,)
    return (table, Note(f"The first {ROWS} of {len(rows)}. {narrow}"))


def shown(table: ServerTable, *, wide: bool) -> tuple[tuple[str, ...], tuple[tuple[str, ...], ...]]:
    """Columns and rows of a server's table; the wide columns on demand, and then only those that say something."""
    kept = [
        at
        for at, column in enumerate(table.columns)
        if not column.wide or (wide and any(row[at] not in _NOTHING for row in table.rows))
    ]
    columns = tuple(table.columns[at].name for at in kept)
    return columns, tuple(tuple(row[at] for at in kept) for row in table.rows)


def column(columns: Sequence[str], row: Sequence[str], name: str) -> str:
    """A cell by its column's name, any case; empty where the table has no such column."""
    return next((cell for title, cell in zip(columns, row, strict=True) if title.lower() == name.lower()), "")


def spoken(kind: ServedKind) -> str:
    """The kind as a command line says it without doubt, `plural.group`: two groups may serve one plural."""
    group, slash, _ = kind.api_version.partition("/")
    return f"{kind.resource}.{group}" if slash else kind.resource


def counted(count: int, noun: str, plural: str = "") -> str:
    """`1 pod`, `3 pods`, `2 ingresses`."""
    return f"{count} {noun if count == 1 else plural or f'{noun}s'}"
