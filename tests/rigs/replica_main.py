"""One replica of the service as a process of its own: it dies or freezes at a named call where it is told to.

Run by `rigs.replicas`: it listens on the socket that is its one argument, and forks a replica for each connection. Each
line from there is a wish: `request` is accepted as a door would, `strike` arms a crash. What it posts goes to a file.
The product knows nothing of crashes: a strike is wound around the methods of its classes.
"""

import asyncio
import ctypes
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from bot.app import log_to_stderr
from bot.core.errors import StoreUnavailable
from bot.core.message import Outgoing
from bot.core.request import Request
from bot.kube.credentials import Kubeconfig
from bot.kube.writer import ClusterWriter
from bot.serving import Service, serving
from bot.settings import LogLevel, Settings
from bot.store.inbox import SqlInbox
from bot.store.ledger import SqlLedger
from bot.store.outbox import SqlOutbox

_DIE_WITH_PARENT: Final = 1  # PR_SET_PDEATHSIG: also a frozen one does not outlive the tests


@dataclass(frozen=True)
class Config:
    """What a replica is given. `posts` is the file that all append to, `log` its standard error; times in seconds."""

    database: str
    kubeconfig: str
    clusters: tuple[str, ...]
    policy: str
    posts: str
    log: str
    lease: float
    follow_limit: float


@dataclass(frozen=True)
class Strike:
    """SIGKILL (or another signal) before or after the n-th call of a method."""

    point: str
    after: bool = False
    nth: int = 1
    signal: int = signal.SIGKILL


class Paper:
    """The door's way out: each post is a line that is on the disk before it counts."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        self._handles = 0

    async def post(self, outgoing: Outgoing) -> str:
        self._handles += 1
        handle = outgoing.handle or f"{os.getpid()}.{self._handles}"
        reply = outgoing.message.reply
        line = {
            "key": outgoing.message.key,
            "actor": outgoing.message.actor,
            "channel": outgoing.message.channel,
            "version": outgoing.version,
            "handle": handle,
            "anew": not outgoing.handle,
            "pid": os.getpid(),
            "tone": reply.tone.value,
            "headline": reply.headline,
            "buttons": {button.label: button.id for button in reply.buttons()},
        }
        os.write(self._file, json.dumps(line).encode() + b"\n")
        os.fsync(self._file)
        return handle


POINTS: Final[Mapping[str, tuple[type, str]]] = {
    "inbox.accept": (SqlInbox, "accept"),
    "inbox.claim": (SqlInbox, "claim"),
    "ledger.begin": (SqlLedger, "begin"),
    "ledger.fate": (SqlLedger, "fate"),
    "ledger.hold": (SqlLedger, "hold"),
    "writer.send": (ClusterWriter, "send"),
    "ledger.advance": (SqlLedger, "advance"),
    "outbox.post": (SqlOutbox, "post"),
    "outbox.due": (SqlOutbox, "due"),
    "poster.post": (Paper, "post"),
    "outbox.posted": (SqlOutbox, "posted"),
    "inbox.finish": (SqlInbox, "finish"),
}
"""The named crash points, each before and after its call, in the order of the road."""


class Trap:
    """All points, and the strike that is armed."""

    def __init__(self) -> None:
        self._strike: Strike | None = None
        self._left = 0
        for point, (owner, name) in POINTS.items():
            setattr(owner, name, self._wound(point, getattr(owner, name)))

    def arm(self, strike: Strike) -> None:
        self._strike, self._left = strike, strike.nth

    def _wound(self, point: str, original: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def wound(*args: Any, **kwargs: Any) -> Any:
            counts = not kwargs.get("dry_run")
            if counts:
                self._pass(point, after=False)
            result = await original(*args, **kwargs)
            # A look that found nothing is no moment of anything.
            if counts and result != ():
                self._pass(point, after=True)
            return result

        return wound

    def _pass(self, point: str, *, after: bool) -> None:
        strike = self._strike
        if strike is None or (strike.point, strike.after) != (point, after):
            return
        self._left -= 1
        if not self._left:
            self._strike = None
            os.kill(os.getpid(), strike.signal)


class Line:
    """The connection to the test: a wish a line, an answer a line."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    def say(self, **words: object) -> None:
        self._writer.write(json.dumps(words).encode() + b"\n")

    async def obey(self, service: Service, trap: Trap) -> None:
        """Do what is wished, until nobody is there any more."""
        async with asyncio.TaskGroup() as group:
            async for line in self._reader:
                match json.loads(line):
                    case {"request": request}:
                        group.create_task(self._accept(service, Request(**request)))
                    case {"strike": strike}:
                        trap.arm(Strike(**strike))
                        self.say(armed=strike["point"])

    async def _accept(self, service: Service, request: Request) -> None:
        try:
            await service.accept(request)
        except StoreUnavailable:
            self.say(refused=request.id)
        else:
            self.say(accepted=request.id)


async def live(connection: socket.socket) -> None:
    """One replica, from its first line (its `Config`) until the connection ends, or somebody ends it."""
    reader, writer = await asyncio.open_unix_connection(sock=connection)
    line = Line(reader, writer)
    config = Config(**json.loads(await reader.readline()))
    log = os.open(config.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.dup2(log, sys.stderr.fileno())
    line.say(born=os.getpid())
    trap, paper = Trap(), Paper(Path(config.posts))
    settings = Settings.model_construct(
        database_url=SecretStr(config.database),
        lease_seconds=config.lease,
        request_timeout_seconds=5.0,
        follow_limit_seconds=config.follow_limit,
        log_level=LogLevel.WARNING,
    )
    log_to_stderr(settings)
    sources = {name: Kubeconfig(config.kubeconfig, name) for name in config.clusters}
    async with serving(settings, sources, Path(config.policy), paper, emit=print) as service:
        obeying = asyncio.create_task(line.obey(service, trap), name="obey")
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, obeying.cancel)
        line.say(ready=True)
        await asyncio.gather(obeying, return_exceptions=True)


def bear(path: str) -> None:
    """Fork a replica for each connection, until standard input ends; the long imports are done once, here."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(path)
        listening.listen()
        while listening in select.select([listening, sys.stdin], [], [])[0]:
            connection, _ = listening.accept()
            if os.fork():
                connection.close()
                continue
            ctypes.CDLL(None).prctl(_DIE_WITH_PARENT, signal.SIGKILL)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            listening.close()
            try:
                asyncio.run(live(connection))
            except BaseException:  # noqa: BLE001 - nothing of the parent's may run in the child
                traceback.print_exc()
            os._exit(0)


if __name__ == "__main__":
    bear(sys.argv[1])
