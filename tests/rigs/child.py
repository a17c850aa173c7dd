"""Another Python process of this code, which a test may freeze or kill."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Final

_ROOT: Final = Path(__file__).parents[2]


class Child:
    """What runs; its lines come one by one."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process

    @property
    def pid(self) -> int:
        return self.process.pid

    async def line(self) -> str:
        """The next line that it prints; "" at its end."""
        assert self.process.stdout is not None
        return (await self.process.stdout.readline()).decode().strip()

    async def kill(self) -> list[str]:
        """kill -9; what it had printed by then."""
        with suppress(ProcessLookupError):
            self.process.kill()
        said, _ = await self.process.communicate()
        return said.decode().split("\n")[:-1]


@asynccontextmanager
async def child(source: str, *arguments: str) -> AsyncIterator[Child]:
    """Run a program, with `rigs` and `bot` at hand; it is killed at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        source,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(_ROOT), str(_ROOT / "tests")))},
    )
    running = Child(process)
    try:
        yield running
    finally:
        await running.kill()
