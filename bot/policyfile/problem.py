"""What is wrong with a policy's file: each problem with its line, all of them in one error."""

from collections.abc import Iterable
from dataclasses import dataclass

from bot.core.errors import SteersmanError


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One thing that is wrong. `line` counts from 1; 0 where no line is to blame."""

    line: int
    message: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.message}" if self.line else self.message


class BadPolicy(SteersmanError):
    """The file is refused as a whole; `problems` are sorted by line."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(set(problems)))
        super().__init__("\n".join(["The policy is refused.", *(f"  {problem}" for problem in self.problems)]))
