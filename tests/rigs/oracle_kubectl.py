"""kubectl, run as a person would run it: with a kubeconfig and without anybody's settings.

It is the one that was built with the real control plane, where that is built, and otherwise the machine's own.
"""

import asyncio
import os
import shlex
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest
from rigs.controlplane.programs import binaries

_BUILT = binaries()
KUBECTL = shutil.which("kubectl") if _BUILT is None else str(_BUILT / "kubectl")

needs_kubectl = pytest.mark.skipif(
    KUBECTL is None, reason="There is no kubectl on this machine: what it would have judged was not judged."
)

_WITHIN = 30.0


@dataclass(frozen=True)
class Printed:
    """What kubectl wrote and how it ended."""

    code: int
    out: str
    err: str

    @property
    def text(self) -> str:
        return f"{self.out}{self.err}"


class Kubectl:
    """One login. Everything that kubectl keeps (its caches) goes into `home`."""

    def __init__(self, kubeconfig: Path, home: Path, context: str = "") -> None:
        self._start = [str(KUBECTL), *([f"--context={context}"] if context else [])]
        self._env = {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "KUBECONFIG": str(kubeconfig),
            # A diff is compared as text: the same one everywhere.
            "KUBECTL_EXTERNAL_DIFF": "diff -u -N",
        }

    async def run(self, line: str, *, text: str = "", code: int | None = 0) -> Printed:
        """Run a line as a shell would read it, with `text` on its standard input.

        Any exit code but `code` fails the test; None takes every one.
        """
        async with self._started(line) as process, asyncio.timeout(_WITHIN):
            out, err = await process.communicate(text.encode())
        printed = Printed(process.returncode or 0, out.decode(), err.decode())
        assert code is None or printed.code == code, f"kubectl {line}\n{printed.text}"
        return printed

    @asynccontextmanager
    async def listening(self, line: str) -> AsyncIterator[Callable[[str], Awaitable[str]]]:
        """Run a line that does not end by itself; inside, wait until it prints a line that holds what is given."""
        async with self._started(line) as process:
            if process.stdout is None:
                raise RuntimeError("its output was asked for")
            out = process.stdout

            async def until(wanted: str) -> str:
                async with asyncio.timeout(_WITHIN):
                    while wanted not in (printed := (await out.readline()).decode()):
                        assert printed, f"kubectl {line} ended before it printed {wanted!r}"
                return printed

            yield until

    @asynccontextmanager
    async def _started(self, line: str) -> AsyncIterator[asyncio.subprocess.Process]:
        process = await asyncio.create_subprocess_exec(
            *self._start,
            *shlex.split(line),
            env=self._env,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            yield process
        finally:
            if process.returncode is None:
                process.kill()
            await process.communicate()
