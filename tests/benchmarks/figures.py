"""One measured figure beside its budget, and the table of them."""

import statistics
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import Enum

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Unit(Enum):
    """How a number is written: seconds as such or as milliseconds, megabytes (of 2^20 bytes), ratios."""

    SECONDS = "{:.2f} s"
    MILLISECONDS = "{:.1f} ms"
    MEGABYTES = "{:.0f} MB"
    RATIO = "{:.3f}"

    def show(self, number: float) -> str:
        return self.value.format(number * 1000 if self is Unit.MILLISECONDS else number)


@dataclass(frozen=True, slots=True)
class Figure:
    """A row of the table. `budget` None where the design sets none, `measured` None where there is nothing yet.

    `detail` are the numbers behind the figure; `note` explains it below the table, whether it holds or not.
    """

    what: str
    unit: Unit
    measured: float | None
    budget: float | None
    detail: str = ""
    note: str = ""

    @property
    def verdict(self) -> str:
        if self.measured is None:
            return "not measured"
        if self.budget is None:
            return "-"
        return "ok" if self.measured <= self.budget else "MISSED"


def percentile(values: Sequence[float], percent: int) -> float:
    """The smallest value that is not exceeded by `percent` of them (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, -(-len(ordered) * percent // 100) - 1)]


def spread(values: Sequence[float], unit: Unit) -> str:
    """Median and worst, for the detail column."""
    return f"median {unit.show(statistics.median(values))}, worst {unit.show(max(values))}"


def show(figures: Iterable[Figure]) -> None:
    """Print the table, then the notes it refers to."""
    console = Console(width=150, highlight=False)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("what", overflow="fold")
    for title in ("budget", "measured"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("detail", overflow="fold")
    notes: list[str] = []
    for figure in figures:
        mark = ""
        if figure.note:
            if figure.note not in notes:
                notes.append(figure.note)
            mark = f" [{notes.index(figure.note) + 1}]"
        budget = f"≤ {figure.unit.show(figure.budget)}" if figure.budget is not None else "none set"
        measured = figure.unit.show(figure.measured) if figure.measured is not None else "-"
        style = {"MISSED": "bold red", "ok": "green"}.get(figure.verdict, "dim")
        cells = (f"{figure.what}{mark}", budget, measured, figure.verdict, figure.detail)
        table.add_row(*(Text(cell, style if cell is figure.verdict else "") for cell in cells))
    console.print(table)
    for number, note in enumerate(notes, 1):
        console.print(f"[{number}] {note}", markup=False)
