"""One replica of the service, seen from the test: a process that is forked, asked, killed, frozen and woken.

What it is on its own side stands in `rigs.replica_main`.
"""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Final

import psutil
from rigs.replica_main import Config, Strike

from bot.core.request import Request

STARTS_WITHIN: Final = 40.0
_TESTS: Final = Path(__file__).parents[1]
_ACKNOWLEDGED_WITHIN: Final = 3.0  # Slack's patience, too


@dataclass
class Replica:
    """One process, from its birth to its end."""

    _reader: asyncio.StreamReader
    _writer: asyncio.StreamWriter
    pid: int
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    _answers: dict[str, asyncio.Future[bool]] = field(default_factory=dict)
    _life: asyncio.Task[None] = field(init=False)

    @classmethod
    async def born(cls, nursery: Path, config: Config) -> "Replica":
        """Begin a process; it is not ready yet."""
        await until(nursery.exists)
        reader, writer = await asyncio.open_unix_connection(nursery)
        writer.write(json.dumps(asdict(config)).encode() + b"\n")
        replica = cls(reader, writer, json.loads(await reader.readline())["born"])
        replica._life = asyncio.create_task(replica._read(), name=f"life of {replica.pid}")
        return replica

    @property
    def alive(self) -> bool:
        return not self._life.done()

    @property
    def frozen(self) -> bool:
        try:
            return self.alive and psutil.Process(self.pid).status() == psutil.STATUS_STOPPED
        except psutil.NoSuchProcess:
            return False

    async def accepts(self, request: Request) -> bool:
        """Whether it acknowledged a request; not when it died, froze, or has no database."""
        return await self._tell(request.id, request=asdict(request))

    async def arm(self, strike: Strike) -> None:
        await self._tell(strike.point, strike=asdict(strike))

    async def ends(self, within: float = STARTS_WITHIN) -> None:
        """Wait for the end of the process. Raises TimeoutError."""
        await asyncio.wait_for(asyncio.shield(self._life), within)

    async def kill(self) -> None:
        self.signal(signal.SIGKILL)
        await self.ends()

    async def stop(self) -> None:
        """As Kubernetes stops a pod."""
        self.signal(signal.SIGTERM)
        await self.ends()

    def signal(self, number: int) -> None:
        if self.alive:
            with suppress(ProcessLookupError):
                os.kill(self.pid, number)

    async def _tell(self, name: str, **words: object) -> bool:
        if not self.alive:
            return False
        answer = self._answers.setdefault(name, asyncio.get_running_loop().create_future())
        self._writer.write(json.dumps(words).encode() + b"\n")
        try:
            return await asyncio.wait_for(asyncio.shield(answer), _ACKNOWLEDGED_WITHIN)
        except TimeoutError:
            return False

    async def _read(self) -> None:
        """What it says, until it is dead: then its end of the connection closes."""
        with suppress(ConnectionError):
            async for line in self._reader:
                match json.loads(line):
                    case {"ready": _}:
                        self.ready.set()
                    case {"accepted": name} | {"armed": name}:
                        self._answer(name, good=True)
                    case {"refused": name}:
                        self._answer(name, good=False)
        self._writer.close()
        for name in list(self._answers):
            self._answer(name, good=False)

    def _answer(self, name: str, *, good: bool) -> None:
        answer = self._answers.pop(name, None)
        if answer is not None and not answer.done():
            answer.set_result(good)


@contextmanager
def replica_nursery() -> Iterator[Path]:
    """The process that replicas are forked from; gives its socket. What it bore dies with it."""
    folder = Path(tempfile.mkdtemp(prefix="nursery-"))  # a socket's path must be short
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    try:
        with subprocess.Popen(
            [sys.executable, "-m", "rigs.replica_main", folder / "socket"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            env={**environment, "PYTHONPATH": os.pathsep.join((str(_TESTS), str(_TESTS.parent)))},
            start_new_session=True,  # Ctrl-C is not for it
        ):
            yield folder / "socket"
    finally:
        shutil.rmtree(folder)


async def until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something holds that is looked up in another process."""
    async with asyncio.timeout(seconds):
        while not holds():  # noqa: ASYNC110 - no event comes from there
            await asyncio.sleep(0.05)
