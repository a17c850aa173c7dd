"""Every import contract of pyproject.toml is broken on a scratch copy and must say so; the real tree keeps them all."""

import ast
import re
import shutil
import subprocess
import sys
import tomllib
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
CONTRACTS = {contract["id"]: contract for contract in PROJECT["tool"]["importlinter"]["contracts"]}

# contract, the file that gets a bad line, the line
BREACHES = [
    ("layers", "bot/core/errors.py", "import bot.kube"),
    ("layers", "bot/demo/__init__.py", "import bot.kube"),
    ("layers", "commands/__init__.py", "import bot.demo"),
    ("layers", "bot/console/__init__.py", "import commands"),
    ("layers", "bot/app.py", "import bot.__main__"),
    ("layers", "bot/app.py", "import bot.desk"),
    ("layers", "bot/desk.py", "import bot.survey"),
    ("layers", "bot/policyfile/__init__.py", "import bot.rbac"),
    ("layers", "bot/rbac/__init__.py", "import bot.kube"),
    ("layers", "bot/demo/policy.py", "import bot.policyfile"),
    ("every-package-has-a-place", "bot/utils.py", "import json"),
    ("settings", "bot/kube/__init__.py", "import bot.settings"),
    ("settings", "bot/core/errors.py", "import pydantic_settings"),
    ("kubernetes", "bot/demo/__init__.py", "import kubernetes.aio"),
    ("kubernetes", "bot/app.py", "from kubernetes import config"),
    ("kubernetes", "commands/__init__.py", "import kubernetes"),
    ("wire", "bot/console/__init__.py", "import aiohttp"),
    ("wire", "bot/rbac/__init__.py", "import aiohttp"),
    ("yaml", "bot/core/errors.py", "import yaml"),
    ("yaml", "commands/__init__.py", "import yaml"),
    ("wire", "commands/__init__.py", "import msgspec"),
    ("database", "bot/app.py", "import sqlalchemy"),
    ("database", "bot/core/ledger.py", "import sqlite3"),
    ("database", "commands/__init__.py", "from alembic import command"),
    ("layers", "bot/store/__init__.py", "import bot.kube"),
    ("certificates", "bot/kube/__init__.py", "from cryptography import x509"),
    ("certificates", "bot/app.py", "import cryptography"),
    ("layers", "bot/seal.py", "import bot.kube"),
    ("layers", "bot/app.py", "import bot.auditor"),
    ("terminal", "bot/app.py", "import rich"),
    ("terminal", "commands/__init__.py", "from prompt_toolkit import prompt"),
    ("words", "bot/kube/__init__.py", "import rapidfuzz"),
    ("words", "commands/__init__.py", "import durationpy"),
    ("click", "bot/console/__init__.py", "import click"),
    ("click", "commands/__init__.py", "import click"),
    ("pydantic", "bot/kube/__init__.py", "import pydantic"),
    ("pydantic", "bot/rbac/__init__.py", "import pydantic"),
    ("logs", "bot/core/errors.py", "import structlog"),
    ("logs", "bot/kube/__init__.py", "import structlog"),
    ("pure", "bot/core/errors.py", "import socket"),
    ("pure", "bot/core/errors.py", "from time import monotonic"),
    ("commands", "commands/__init__.py", "from bot.core import pipeline"),
    ("commands", "commands/__init__.py", "import bot.core.execute"),
    ("commands", "commands/__init__.py", "import bot.core.policy"),
    ("commands", "bot/core/command.py", "import bot.core.policy"),
    ("core", "bot/core/command.py", "import bot.core.pipeline"),
    ("core", "bot/core/policy.py", "import bot.core.actions"),
    ("core", "bot/core/plan.py", "import bot.core.cluster"),
]


def lint_imports(root: Path) -> tuple[int, str]:
    ran = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-logo", "--no-cache"],
        cwd=root,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    for package in ("bot", "commands"):
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_tree_keeps_every_contract() -> None:
    code, said = lint_imports(ROOT)

    assert code == 0, said
    assert f"Contracts: {len(CONTRACTS)} kept, 0 broken" in said


@pytest.mark.parametrize(("contract", "file", "line"), BREACHES)
def test_a_forbidden_import_breaks_its_contract(scratch: Path, contract: str, file: str, line: str) -> None:
    with (scratch / file).open("a") as source:
        source.write(f"\n{line}\n")

    code, said = lint_imports(scratch)

    assert code == 1
    assert re.search(rf"^{re.escape(CONTRACTS[contract]['name'])} BROKEN", said, re.MULTILINE), said


def test_every_contract_is_proved_by_a_breach() -> None:
    assert {contract for contract, _, _ in BREACHES} == set(CONTRACTS)


def declared() -> set[str]:
    """The modules of the runtime dependencies. pydantic_core is how pydantic wants custom types to be written."""
    extras = PROJECT["project"]["optional-dependencies"].values()
    lines = [*PROJECT["project"]["dependencies"], *chain.from_iterable(extras)]
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0] for line in lines}
    return {{"PyYAML": "yaml"}.get(name, name.replace("-", "_")) for name in names} | {"pydantic_core"}


def imported() -> set[str]:
    """The top-level modules that bot and commands import, the standard library's and their own left out."""
    nodes = [
        node
        for package in ("bot", "commands")
        for path in (ROOT / package).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
    ]
    modules = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    modules |= {node.module for node in nodes if isinstance(node, ast.ImportFrom) and node.module}
    return {module.partition(".")[0] for module in modules} - sys.stdlib_module_names - {"bot", "commands"}


def test_what_is_imported_is_declared_and_what_is_declared_is_imported() -> None:
    assert imported() == declared()


def test_every_library_has_its_door() -> None:
    behind_doors = {module for contract in CONTRACTS.values() for module in contract.get("protected_modules", ())}

    assert declared() <= behind_doors
