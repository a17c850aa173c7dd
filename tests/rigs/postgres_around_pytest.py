"""PostgreSQL around one pytest run: a folder that all workers know, and a watchman who leaves nothing behind.

`tests/conftest.py` takes these hooks. A test that asks for a server carries the marker `postgres`; the servers
themselves are `rigs.postgres`'s. Where PostgreSQL is not installed, those tests are left out and the last lines say so.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest

FOLDER: Final = "POSTGRES_RIG"
"""The variable that names the rig's folder, where there is a rig in this run."""

_NOT_INSTALLED: Final = "PostgreSQL is not installed (Debian: apt install postgresql)"
_STOPS_WITHIN: Final = 60.0


def programs() -> Path | None:
    """Where initdb and postgres are; Debian keeps them out of PATH."""
    found = shutil.which("initdb")
    places = [Path(found).resolve().parent] if found else []
    places += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: float(path.parent.name), reverse=True)
    return next((path for path in places if (path / "initdb").exists() and (path / "postgres").exists()), None)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--postgres",
        choices=("auto", "never", "required"),
        default="auto",
        help="tests on PostgreSQL: where it is installed (auto), never, or fail when they did not run",
    )


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    os.environ.pop(FOLDER, None)
    wish = config.getoption("--postgres")
    why_not = "left out by --postgres=never" if wish == "never" else _NOT_INSTALLED if programs() is None else ""
    if why_not and wish == "required":
        raise pytest.UsageError(why_not)
    config.pluginmanager.register(_Around(why_not, required=wish == "required"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if FOLDER in os.environ or config.option.collectonly:
        return
    left_out = [item for item in items if item.get_closest_marker("postgres")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("postgres")]
        config.hook.pytest_deselected(items=left_out)


class _Around:
    """What the called process does and counts; `why_not` tells why there is no PostgreSQL in this run."""

    def __init__(self, why_not: str, *, required: bool) -> None:
        self._why_not = why_not
        self._required = required
        self._passed = 0
        self._watchman = None if why_not else self._begin()

    def _begin(self) -> "subprocess.Popen[bytes]":
        folder = Path(tempfile.mkdtemp(prefix="postgres-rig-"))
        folder.chmod(0o711)  # the server runs as somebody else, in a folder of its own inside
        os.environ[FOLDER] = str(folder)
        return subprocess.Popen(
            [sys.executable, Path(__file__).with_name("postgres_watchman.py"), folder],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C is not for it
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed and "postgres" in report.keywords:
            self._passed += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._required and not self._passed:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.write_line(f"PostgreSQL: {self._why_not or f'{self._passed} passed'}")

    def pytest_unconfigure(self) -> None:
        if self._watchman is not None and self._watchman.stdin is not None:
            self._watchman.stdin.close()
            self._watchman.wait(_STOPS_WITHIN)
