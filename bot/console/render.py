"""Replies on a terminal: each part as a rich renderable. All text is untrusted: no markup, no escapes are honoured."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Final, assert_never

from rich.cells import cell_len, set_cell_size
from rich.columns import Columns
from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.segment import Segment
from rich.table import Table as Grid
from rich.text import Text as Line

from bot.core.readable import readable
from bot.core.reply import (
    Button,
    Buttons,
    Code,
    Diff,
    Fields,
    Note,
    Part,
    Progress,
    Reply,
    Sign,
    Style,
    Table,
    Text,
    Tone,
)

_MARKS: Final[Mapping[Tone, tuple[str, str]]] = {
    Tone.PLAIN: ("", ""),
    Tone.GOOD: ("✓ ", "green"),
    Tone.BAD: ("✗ ", "red"),
    Tone.WARN: ("! ", "yellow"),
    Tone.WAIT: ("… ", "cyan"),
}
_SIGNS: Final[Mapping[Sign, str]] = {Sign.GONE: "red", Sign.NEW: "green", Sign.SAME: "dim", Sign.WHERE: "dim"}
_BAR: Final = 12
_INDENT: Final = 2
_UNBOUNDED: Final = 10_000


def message(reply: Reply, numbers: Mapping[str, int]) -> RenderableType:
    """A whole reply. `numbers` are the buttons' numbers by their stored id."""
    return Group(headline(reply), *parts(reply.parts, numbers))


def headline(reply: Reply) -> RenderableType:
    mark, style = _MARKS[reply.tone]
    line = Line()
    if reply.place:
        line.append(f"{readable(reply.place)}  ", "bold blue")
    line.append(mark, style)
    line.append(readable(reply.headline), "bold" if reply.tone is Tone.PLAIN else style)
    return line


def parts(items: tuple[Part, ...], numbers: Mapping[str, int]) -> Iterator[RenderableType]:
    for before, item in zip((None, *items), items, strict=False):
        if isinstance(before, Table) and isinstance(item, Table):
            yield Line()
        yield _Indented(_part(item, numbers))


@dataclass(frozen=True, slots=True)
class _Indented:
    """Something two columns to the right, without the blanks that fill its lines: they would wrap when it narrows."""

    shown: RenderableType

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        width = max(1, options.max_width - _INDENT)
        for line in console.render_lines(self.shown, options.update(width=width), pad=False):
            while line and not line[-1].text.strip():
                line.pop()
            if line:
                last = line.pop()
                yield from (Segment(" " * _INDENT), *line, Segment(last.text.rstrip(), last.style))
            yield Segment.line()


def _part(part: Part, numbers: Mapping[str, int]) -> RenderableType:
    match part:
        case Text(text):
            return Line(readable(text))
        case Note(text, tone):
            mark, style = _MARKS[tone]
            return _hanging([(mark.strip() or "·", text, style or "dim")])
        case Fields(items):
            return _fields(items)
        case Table():
            return _table(part)
        case Code(text, title, cut):
            return _code(text, title, cut)
        case Diff(title, lines):
            return _diff(title, lines)
        case Progress(done, total, text):
            return bar(done, total, text)
        case Buttons(items):
            return _buttons(items, numbers)
        case _:
            assert_never(part)


def bar(done: int, total: int, text: str) -> Line:
    """`▓▓▓▓▓▓░░░░░░ 2/3 ready · 4 s`."""
    filled = _BAR * min(done, total) // total if total else _BAR
    return Line.assemble(("▓" * filled, "green"), ("░" * (_BAR - filled), "dim"), f" {readable(text)}")


def _fields(items: tuple[tuple[str, str], ...]) -> RenderableType:
    grid = Grid.grid(padding=(0, 2, 0, 0))
    grid.add_column(style="dim", overflow="fold")
    grid.add_column(overflow="fold")
    for label, value in items:
        grid.add_row(Line(readable(label)), Line(readable(value)))
    return grid


@dataclass(frozen=True, slots=True)
class _Grid:
    """A table that fits: with narrow gaps where need be, then with words going on below, then as a list of rows."""

    table: Table

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        rows = [[_one_line(cell) for cell in row] for row in (self.table.columns, *self.table.rows)]
        widths = [max(map(cell_len, column)) for column in zip_longest(*rows, fillvalue="")]
        if not widths:
            return
        # Where only the last column is too wide, and it stays the widest, only its words go on below.
        longest_word = max((cell_len(word) for row in rows for cell in row[-1:] for word in cell.split()), default=0)
        for least in (widths[-1], max(longest_word, *widths[:-1], 1)):
            for gap in (2, 1):
                left = options.max_width - sum(widths[:-1]) - gap * (len(widths) - 1)
                if left >= least:
                    yield from _aligned(rows, [*widths[:-1], left], gap, console)
                    return
        unbounded = options.update(max_width=_UNBOUNDED)
        for gap in (2, 1):
            grid = self._with_gaps(gap)
            if console.measure(grid, options=unbounded).minimum <= options.max_width:
                yield grid
                return
        yield from self._as_list()

    def _with_gaps(self, gap: int) -> Grid:
        grid = Grid(box=None, padding=(0, gap, 0, 0), pad_edge=False, header_style="dim", show_edge=False)
        for column in self.table.columns:
            grid.add_column(Line(readable(column)), overflow="fold")
        for row in self.table.rows:
            grid.add_row(*map(_cell, row))
        return grid

    def _as_list(self) -> Iterator[RenderableType]:
        for row in self.table.rows:
            yield _cell(row[0])
            rest = zip(self.table.columns[1:], row[1:], strict=False)
            yield _Indented(_fields(tuple((label, cell) for label, cell in rest if cell)))


def _aligned(rows: list[list[str]], widths: list[int], gap: int, console: Console) -> Iterator[Segment]:
    """Rows in columns of these widths, the header first, the last column wrapped.

    Ten times as fast as a Grid, which measures each cell four times.
    """
    header = console.get_style("dim")
    for at, row in enumerate(rows):
        last = row[-1] if len(row) == len(widths) else ""
        wrapped = Line(last).wrap(console, widths[-1]) if cell_len(last) > widths[-1] else [last]
        before = [*row[: len(widths) - 1], *[""] * (len(widths) - 1 - len(row))]
        for words in wrapped:
            cells = [set_cell_size(cell, width) for cell, width in zip(before, widths, strict=False)]
            yield Segment((" " * gap).join([*cells, str(words)]).rstrip(), None if at else header)
            yield Segment.line()
            before = [""] * len(before)


def _cell(text: str) -> Line:
    return Line(_one_line(text))


def _one_line(text: str) -> str:
    return " ".join(readable(text).split())


def _table(table: Table) -> RenderableType:
    if table.total is None or table.total <= len(table.rows):
        return _Grid(table)
    return Group(_Grid(table), Line(f"{len(table.rows)} of {table.total} shown.", "dim"))


def _code(text: str, title: str, cut: str) -> RenderableType:
    body = _Indented(Line(readable(text).expandtabs(4)))
    shown: list[RenderableType] = [Line(readable(title), "dim")] if title else []
    return Group(*shown, body, *([Line(readable(cut), "dim")] if cut else []))


def _diff(title: str, lines: tuple[tuple[Sign, str], ...]) -> RenderableType:
    return Group(Line(readable(title), "dim"), _hanging([(sign.value, text, _SIGNS[sign]) for sign, text in lines]))


def _hanging(lines: Sequence[tuple[str, str, str]]) -> RenderableType:
    """Lines of a mark, a text and a style; what is too long goes on below itself, never below the mark."""
    grid = Grid.grid(padding=(0, 1, 0, 0))
    grid.add_column(width=1)
    grid.add_column(overflow="fold")
    for mark, text, style in lines:
        grid.add_row(Line(mark, style), Line(readable(text), style))
    return grid


def _buttons(items: tuple[Button, ...], numbers: Mapping[str, int]) -> RenderableType:
    """In a row, or where that is too long in columns: a number never parts from its label."""
    shown = []
    for button in items:
        number = numbers.get(button.id)
        label = f"[{number}] {button.label}" if number else f"[{button.label}]"
        shown.append(Line(_one_line(label), "bold red" if button.style is Style.DANGER else "bold"))
    return Columns(shown, padding=(0, 2))
