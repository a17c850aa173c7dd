"""The programs of the real control plane: where they were built, and one of them as a process that ends with us."""

from __future__ import annotations

import asyncio
import ctypes
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent

_LAST_WORDS = 2000  # characters of its log that a failed program is quoted with
_DIE_WITH_PARENT = 1  # PR_SET_PDEATHSIG


@cache
def binaries() -> Path | None:
    """The folder of the programs, None where they have not been built (`make controlplane`)."""
    found = subprocess.run([HERE / "build.sh", "--where"], capture_output=True, text=True, check=False)
    return Path(found.stdout.strip()) if found.returncode == 0 else None


def version() -> str:
    """The version of Kubernetes that is built, as in `1.36.4`."""
    lines = (HERE / "versions.env").read_text().splitlines()
    return next(line.removeprefix("KUBERNETES=") for line in lines if line.startswith("KUBERNETES="))


def free_port() -> int:
    """A loopback port that nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Ended(Exception):
    """A program that should run does not; the message ends with its last words."""


class Program:
    """One process. It has a session of its own, so that Ctrl-C at the terminal reaches only the one that stops it."""

    def __init__(self, path: Path, arguments: Sequence[str], log: Path) -> None:
        self._command = [str(path), *arguments]
        self._log = log
        self._process: asyncio.subprocess.Process | None = None

    @property
    def name(self) -> str:
        return Path(self._command[0]).name

    async def start(self) -> None:
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *self._command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=_die_with_parent,
            )

    def check(self) -> None:
        """Raise Ended when it is not running."""
        if self._process is None or self._process.returncode is not None:
            words = self._log.read_text(errors="replace")[-_LAST_WORDS:] if self._log.exists() else ""
            raise Ended(f"{self.name} ended ({self._process and self._process.returncode}):\n{words}")

    async def stop(self, within: float = 5.0) -> None:
        """Ask it to end, and make it end after the deadline."""
        process = self._process
        if process is None or process.returncode is not None:
            return
        process.terminate()
        try:
            async with asyncio.timeout(within):
                await process.wait()
        except TimeoutError:
            await self.kill()

    async def kill(self) -> None:
        """End it as a power cut would."""
        process = self._process
        if process is not None and process.returncode is None:
            process.kill()
            await process.wait()


def _die_with_parent() -> None:
    """Runs in the new process: it gets SIGKILL when whoever started it is gone, however that came about."""
    if sys.platform == "linux":
        parent = os.getppid()
        ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
        if os.getppid() != parent:
            os.kill(os.getpid(), signal.SIGKILL)
