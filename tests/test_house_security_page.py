"""docs/security.md: every promise has its test, and every test that is named there exists."""

import ast
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/security.md").read_text()
PROMISES = re.findall(r"^\| (\d+) \| (.+) \| (.+) \|$", PAGE, re.MULTILINE)


def known_tests() -> set[str]:
    trees = (ast.parse(path.read_text()) for path in (ROOT / "tests").rglob("test_*.py"))
    functions = (node for tree in trees for node in tree.body)
    return {node.name for node in functions if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", PAGE))

    assert len(named) > 60
    assert named - known_tests() == set()


def test_every_promise_is_numbered_and_proved() -> None:
    assert [int(number) for number, _, _ in PROMISES] == list(range(1, len(PROMISES) + 1))
    assert len(PROMISES) > 30
    assert [number for number, _, proof in PROMISES if "`test_" not in proof] == []


def test_what_is_said_to_be_proved_on_a_real_server_is_tried_there() -> None:
    told = {name for _, _, proof in PROMISES for name in re.findall(r"`(test_\w+)` \(\*real\*", proof)}
    texts = [path.read_text() for path in (ROOT / "tests").rglob("test_*.py")]
    on_real = [text for text in texts if "pytest.mark.real" in text]

    assert {name for name in told if not any(f"def {name}(" in text for text in on_real)} == set()
