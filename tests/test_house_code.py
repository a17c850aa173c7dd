"""Rules about the source itself that no linter has: module sentences, names, sizes, and what commands may name."""

import ast
from pathlib import Path

import pytest

from bot.core import cluster, ledger

ROOT = Path(__file__).parents[1]
MODULES = sorted(path for package in ("bot", "commands") for path in (ROOT / package).rglob("*.py"))
PLACES_WITHOUT_A_MEANING = {"util", "utils", "helper", "helpers", "manager", "managers", "misc", "common", "service"}


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_says_what_belongs_in_it(path: Path) -> None:
    sentence = (ast.get_docstring(ast.parse(path.read_text())) or "").partition("\n\n")[0]

    assert sentence.endswith((".", ":")), f"{name(path)} needs a docstring whose first paragraph is a sentence"


@pytest.mark.parametrize("path", MODULES, ids=name)
def test_a_module_is_short_enough_to_be_read(path: Path) -> None:
    lines = len(path.read_text().splitlines())

    assert lines <= 350, f"{name(path)} has {lines} lines: split it by noun"


def test_no_module_is_a_place_where_anything_goes() -> None:
    names = {part for path in MODULES for part in (*path.relative_to(ROOT).parts[:-1], path.stem)}

    assert not names & PLACES_WITHOUT_A_MEANING


def test_no_test_folder_is_a_package() -> None:
    assert not list((ROOT / "tests").rglob("__init__.py")), "tests/commands would hide the real `commands`"


def test_no_command_names_a_thing_that_writes() -> None:
    writers = {cluster.Clusters, cluster.Writer, ledger.Ledger}
    forbidden = {writer.__name__ for writer in writers}

    named = {
        alias.name
        for path in (ROOT / "commands").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
    }

    assert not named & forbidden
    # `from bot.core import ledger` would get around the line above.
    assert not named & {"cluster", "ledger", "bot.core.cluster", "bot.core.ledger", "*"}


def test_the_example_for_contributors_is_a_true_one() -> None:
    guide = (ROOT / "CONTRIBUTING.md").read_text()
    example = guide.partition("```python\n")[2].partition("```")[0]

    assert example
    assert any(example in path.read_text() for path in (ROOT / "commands").glob("*.py"))
