"""The rig around one pytest run: started once by the process that was called, whatever number of workers it has.

`tests/conftest.py` takes these hooks. The clusters themselves start when the first test asks for one; a test that asks
carries the marker `real`. Where the programs are not built, those tests are left out and the last lines say so.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

import pytest
from rigs.controlplane.location import SOCKET
from rigs.controlplane.programs import binaries, version

_TESTS: Final = Path(__file__).parents[2]
_STOPS_WITHIN = 60.0
_NOT_BUILT: Final = "the real control plane is not built (make controlplane)"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--real",
        choices=("auto", "never", "required"),
        default="auto",
        help="tests on the real control plane: where it is built (auto), never, or fail when they did not run",
    )


def pytest_configure(config: pytest.Config) -> None:
    if hasattr(config, "workerinput") or config.option.collectonly:
        return
    os.environ.pop(SOCKET, None)
    wish = config.getoption("--real")
    why_not = "left out by --real=never" if wish == "never" else _NOT_BUILT if binaries() is None else ""
    if why_not and wish == "required":
        raise pytest.UsageError(why_not)
    config.pluginmanager.register(Around(why_not, required=wish == "required"))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if SOCKET in os.environ or config.option.collectonly:
        return
    left_out = [item for item in items if item.get_closest_marker("real")]
    if left_out:
        items[:] = [item for item in items if not item.get_closest_marker("real")]
        config.hook.pytest_deselected(items=left_out)


class Around:
    """What the called process does and counts; `why_not` tells why there is no rig in this run."""

    def __init__(self, why_not: str, *, required: bool) -> None:
        self._why_not = why_not
        self._required = required
        self._real = self._embedded = 0
        self._folder = Path(tempfile.mkdtemp(prefix="rig-"))
        self._process = None if why_not else self._start()

    def _start(self) -> subprocess.Popen[bytes]:
        socket = str(self._folder / "socket")
        os.environ[SOCKET] = socket
        with self._log.open("wb") as log:
            return subprocess.Popen(
                [sys.executable, "-m", "rigs.controlplane", socket],
                # It ends when this pipe does, so it cannot outlive this process.
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=os.environ | {"PYTHONPATH": os.pathsep.join((str(_TESTS), str(_TESTS.parent)))},
                # Ctrl-C is for this process; it stops the rig in order.
                start_new_session=True,
            )

    @property
    def _log(self) -> Path:
        return self._folder / "rig.log"

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" and report.passed:
            if "real" in report.keywords:
                self._real += 1
            else:
                self._embedded += 1

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        if self._required and not self._real:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        said = self._log.read_text(errors="replace").strip() if self._log.exists() else ""
        if said:
            terminalreporter.section("what the rig had to say")
            terminalreporter.write_line(said)
        real = self._why_not or f"real control plane {version()}: {self._real} passed"
        terminalreporter.write_line(f"steps: embedded: {self._embedded} passed; {real}")

    def pytest_unconfigure(self) -> None:
        if self._process is not None and self._process.stdin is not None:
            self._process.stdin.close()
            try:
                self._process.wait(_STOPS_WITHIN)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        shutil.rmtree(self._folder, ignore_errors=True)
