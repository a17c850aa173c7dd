"""Where the real clusters of this run are, and how to ask the rig for one: what the rig and the tests both know.

The rig listens on a Unix socket whose path is in the environment (`SOCKET`); one JSON line asks, one answers.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Final

SOCKET: Final = "CONTROLPLANE_SOCKET"

_LONGEST = 1 << 20
_WITHIN = 120.0


@dataclass(frozen=True)
class Location:
    """One running cluster: where it is, whom to trust, everybody's token, its audit log and its etcd's address."""

    cluster: str
    url: str
    ca_pem: str
    tokens: Mapping[str, str]
    audit_log: str
    etcd: str

    def to_json(self) -> str:
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> Location:
        return cls(**json.loads(text))


class RigFailed(Exception):
    """The rig could not do what it was asked; the message says why."""


async def ask(socket: str, what: str, cluster: str) -> str:
    """Ask the rig: `start` (answers the location, at once when it runs already), `kill` or `revive` (its API server).

    Raises RigFailed, TimeoutError.
    """
    async with asyncio.timeout(_WITHIN):
        reader, writer = await _connect(socket)
        try:
            writer.write(json.dumps({"what": what, "cluster": cluster}).encode() + b"\n")
            await writer.drain()
            answer = json.loads(await reader.readline() or b'{"error": "the rig is gone"}')
        finally:
            writer.close()
            await writer.wait_closed()
    if "error" in answer:
        raise RigFailed(answer["error"])
    return str(answer["answer"])


async def _connect(socket: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """The rig starts beside the tests: the first one may be there before it listens."""
    while True:
        try:
            return await asyncio.open_unix_connection(socket, limit=_LONGEST)
        except (FileNotFoundError, ConnectionRefusedError):
            await asyncio.sleep(0.05)


async def locate(socket: str, cluster: str) -> Location:
    """The cluster of this name, started if it does not run yet (about four seconds)."""
    return Location.from_json(await ask(socket, "start", cluster))
