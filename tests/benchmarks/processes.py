"""Whole processes: how soon they are ready, and how much memory they take."""

import asyncio
import re
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil
from benchmarks.figures import Figure, Unit, spread
from benchmarks.server import environment, serving

ROUNDS: Final = 5
STEERSMAN: Final = str(Path(sys.executable).with_name("steersman"))
_WITHIN: Final = 120.0
_AFTER: Final = ("get pods -A", "show deploy/myapp", "logs myapp", "versions", "deploy myapp v2", "deploy myapp v-bad")


class _Process:
    """`steersman` with a script that is written line by line."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def types(self, line: str) -> None:
        if self._process.stdin is None:
            raise RuntimeError("the pipe was asked for")
        self._process.stdin.write(f"/k8s {line}\n".encode())
        await self._process.stdin.drain()

    async def answered(self) -> None:
        """Until the next answer, which begins with its place."""
        await self._reads(re.compile(rb"dev/"))

    async def settled(self) -> None:
        """Until everything that was typed has ended: a script runs one line after the other."""
        await self.types("help deploy")
        await self._reads(re.compile(rb".*/k8s help deploy"))

    async def _reads(self, wanted: re.Pattern[bytes]) -> None:
        """Until a line that begins like this. Raises AssertionError where the process ends before it comes."""
        if self._process.stdout is None:
            raise RuntimeError("the pipe was asked for")
        async with asyncio.timeout(_WITHIN):
            while line := await self._process.stdout.readline():
                if wanted.match(line):
                    return
        raise AssertionError(f"steersman ended before it said {wanted.pattern!r}")

    @property
    def megabytes(self) -> float:
        return psutil.Process(self._process.pid).memory_info().rss / 2**20


@asynccontextmanager
async def _steersman(*arguments: str) -> AsyncIterator[_Process]:
    with TemporaryDirectory(prefix="steersman-bench-") as home:
        process = await asyncio.create_subprocess_exec(
            STEERSMAN,
            *arguments,
            env={**environment(), "HOME": home},
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            yield _Process(process)
        finally:
            if process.stdin is not None:
                process.stdin.close()
            if process.returncode is None:
                process.kill()
            await process.wait()


async def measure() -> list[Figure]:
    figures = [_help()]
    async with serving("world") as folder:
        console = ("console", "--kubeconfig", str(folder / "alice"), "--context", "dev", "--yes")
        figures.append(await _start("start to first answer, `steersman console` on one cluster", console, 3.0))
        figures.append(await _memory("memory of the whole process: `steersman console`", console))
    figures.append(await _start("start to first answer, `steersman demo` with both clusters", ("demo",), None))
    figures.append(await _memory("memory of the whole process: `steersman demo` with both clusters", ("demo",)))
    return figures


def _help() -> Figure:
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        subprocess.run([STEERSMAN, "--help"], env=environment(), capture_output=True, timeout=60, check=True)
        taken.append(time.perf_counter() - began)
    # The first run of a new tree writes its bytecode.
    warm = taken[1:]
    what = "`steersman --help`, median"
    return Figure(what, Unit.SECONDS, statistics.median(warm), 0.2, spread(warm, Unit.MILLISECONDS))


async def _start(what: str, arguments: tuple[str, ...], budget: float | None) -> Figure:
    taken = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        async with _steersman(*arguments) as process:
            await process.types("pods")
            await process.answered()
            taken.append(time.perf_counter() - began)
    warm = taken[1:]
    return Figure(f"{what}, median", Unit.SECONDS, statistics.median(warm), budget, spread(warm, Unit.MILLISECONDS))


async def _memory(what: str, arguments: tuple[str, ...]) -> Figure:
    async with _steersman(*arguments) as process:
        await process.types("pods")
        await process.answered()
        fresh = process.megabytes
        for line in _AFTER:
            await process.types(line)
        await process.settled()
        used = process.megabytes
    detail = f"{fresh:.0f} MB after the first answer, {used:.0f} MB after {len(_AFTER)} more commands"
    return Figure(what, Unit.MEGABYTES, used, 150, detail)
