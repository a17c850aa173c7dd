"""A real PostgreSQL for the tests: one server around the pytest run, a fresh database for each test that asks.

It starts when the first test asks, in whichever worker that is; the rig's folder is where the others find it. Who kills
servers gets one of their own. Tests that use it carry the marker `postgres` (`rigs.postgres_around_pytest`).
"""

import fcntl
import json
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final
from uuid import uuid4

import psutil
import psycopg
from rigs.postgres_around_pytest import FOLDER, programs

from bot.app import SystemClock
from bot.store.engine import open_store

_TEMPLATE: Final = "migrated"
_WITHIN: Final = 60.0


@dataclass(frozen=True, slots=True)
class Server:
    """One PostgreSQL on loopback, with a password."""

    folder: Path
    port: int
    password: str

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://steersman:{self.password}@127.0.0.1:{self.port}/{database}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories= -c max_connections=200"
        self.run("pg_ctl", "start", "--wait", "--silent", "--log=log", "--pgdata=data", f"--options={options}")

    def stop(self) -> None:
        """Throw everybody out and wait until it is gone."""
        self.run("pg_ctl", "stop", "--wait", "--silent", "--mode=fast", "--pgdata=data")

    def kill(self) -> None:
        """kill -9 of all its processes: what had not reached the kernel is lost."""
        first = psutil.Process(int((self.folder / "data" / "postmaster.pid").read_text().split()[0]))
        processes = [first, *first.children(recursive=True)]
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(signal.SIGKILL)
        psutil.wait_procs(processes, timeout=_WITHIN)

    async def sql(self, statement: str, database: str = "postgres") -> list[tuple[object, ...]]:
        async with await psycopg.AsyncConnection.connect(self.url(database), autocommit=True) as connection:
            cursor = await connection.execute(statement.encode())
            return await cursor.fetchall() if cursor.description else []

    @asynccontextmanager
    async def database(self, *, migrated: bool = True) -> AsyncIterator[str]:
        """The address of a database that nobody has used before; it goes at the end."""
        name = f"case_{uuid4().hex[:12]}"
        await self.sql(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE if migrated else 'template0'}")
        try:
            yield self.url(name)
        finally:
            await self.sql(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def run(self, program: str, *arguments: str) -> None:
        folder = programs()
        assert folder is not None, "PostgreSQL is not installed"
        user, group = _unprivileged()
        # The server inherits what it is started with, so no pipe: it would never end.
        with (self.folder / "said").open("ab") as said:
            done = subprocess.run(
                [folder / program, *arguments],
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                timeout=_WITHIN,
                check=False,
                env={"PATH": os.environ["PATH"], "LC_ALL": "C"},
                user=user,
                group=group,
            )
        assert done.returncode == 0, (self.folder / "said").read_text() + _end_of(self.folder / "log")


def _end_of(log: Path) -> str:
    return log.read_text()[-2000:] if log.exists() else ""


def _unprivileged() -> tuple[int | None, int | None]:
    """As which user and group it runs: PostgreSQL refuses to be root."""
    if os.geteuid() != 0:
        return None, None
    users = {user.pw_name: user for user in pwd.getpwall()}
    user = users.get("postgres") or users["nobody"]
    return user.pw_uid, user.pw_gid


def _new_server(folder: Path, *, durable: bool) -> Server:
    folder.mkdir(mode=0o700)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = Server(folder, port, secrets.token_hex(16))
    password = folder / "password"
    password.write_text(server.password)
    user, group = _unprivileged()
    if user is not None and group is not None:
        for path in (folder, password):
            os.chown(path, user, group)
    server.run(
        "initdb",
        "--pgdata=data",
        "--username=steersman",
        "--auth=scram-sha-256",
        "--pwfile=password",
        "--encoding=UTF8",
        "--locale=C",
        "--no-sync",
    )
    if not durable:
        with (folder / "data" / "postgresql.conf").open("a") as settings:
            settings.write("fsync = off\nsynchronous_commit = off\nfull_page_writes = off\n")
    server.start()
    return server


@contextmanager
def own_server(folder: Path | None = None) -> Iterator[Server]:
    """A server for one test alone, that writes through to the disk: it may be stopped, killed and started again.

    `folder` is for who has no rig around: anybody must be able to enter it.
    """
    server = _new_server((folder or Path(os.environ[FOLDER])) / f"own-{uuid4().hex[:8]}", durable=True)
    try:
        yield server
    finally:
        with suppress(AssertionError):  # the test may have left it dead
            server.stop()
        shutil.rmtree(server.folder)


async def shared_server() -> Server:
    """The server of this run, with the template of a migrated database."""
    folder = Path(os.environ[FOLDER])
    known = folder / "shared.json"
    with (folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not known.exists():
            server = _new_server(folder / "shared", durable=False)
            await server.sql(f"CREATE DATABASE {_TEMPLATE} TEMPLATE template0")
            await migrate(server.url(_TEMPLATE))
            known.write_text(json.dumps([server.port, server.password]))
        port, password = json.loads(known.read_text())
    return Server(folder / "shared", port, password)


async def migrate(url: str) -> None:
    lease = timedelta(seconds=15)
    async with open_store(url, owner="the rig", lease=lease, outbox=True, clock=SystemClock()):
        pass
