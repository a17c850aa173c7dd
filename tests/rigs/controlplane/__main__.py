"""The rig as one process: `python -m rigs.controlplane SOCKET` starts real clusters when they are asked for.

It lives as long as its standard input is open. So whoever holds the other end may end in any way, by Ctrl-C or by
SIGKILL: the rig sees the end of the file, stops everything in order, and removes what it wrote. Should the rig itself
be killed, the kernel ends its programs.
"""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import signal
import sys
import tempfile
import traceback
from collections import defaultdict
from pathlib import Path
from typing import TYPE_CHECKING

from rigs.controlplane.location import Location
from rigs.controlplane.programs import Ended, binaries

if TYPE_CHECKING:
    from rigs.controlplane.plane import Plane

_TRIES = 3  # a port that was free a moment ago may be taken when the program comes to listen on it


class Rig:
    """The clusters that run, by name; each is started once, however many ask at the same time."""

    def __init__(self, programs: Path, folder: Path) -> None:
        self._programs = programs
        self._folder = folder
        self._planes: dict[str, Plane] = {}
        self._locations: dict[str, Location] = {}
        self._locks: defaultdict[str, asyncio.Lock] = defaultdict(asyncio.Lock)

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            request = json.loads(await reader.readline())
            reply = {"answer": await self._do(request["what"], request["cluster"])}
        except Exception as error:  # noqa: BLE001 - whoever asked is told, whatever it was
            reply = {"error": "".join(traceback.format_exception(error))}
        writer.write(json.dumps(reply).encode() + b"\n")
        await writer.drain()
        writer.close()

    async def stop(self) -> None:
        await asyncio.gather(*(plane.stop() for plane in self._planes.values()))

    async def _do(self, what: str, cluster: str) -> str:
        async with self._locks[cluster]:
            match what:
                case "start":
                    return (await self._start(cluster)).to_json()
                case "kill":
                    await self._planes[cluster].kill_apiserver()
                case "revive":
                    await self._planes[cluster].revive_apiserver()
                case _:
                    raise ValueError(f"nobody knows how to {what}")
        return ""

    async def _start(self, cluster: str) -> Location:
        # What a cluster needs takes a second to import, and most runs of a few tests never ask for one.
        from rigs.controlplane.plane import Plane

        for tries_left in reversed(range(_TRIES)):
            if cluster in self._locations:
                break
            folder = Path(tempfile.mkdtemp(prefix=f"{cluster}-", dir=self._folder))
            plane = self._planes[cluster] = Plane(cluster, self._programs, folder)
            try:
                self._locations[cluster] = await plane.start()
            except BaseException as error:
                await plane.stop()
                if not isinstance(error, Ended) or not tries_left:
                    raise
        return self._locations[cluster]


async def run(socket: str) -> None:
    programs = binaries()
    if programs is None:
        sys.exit("The real control plane is not built: make controlplane")
    folder = Path(tempfile.mkdtemp(prefix="controlplane-"))
    rig = Rig(programs, folder)
    server = await asyncio.start_unix_server(rig.answer, socket)
    try:
        await _until_nobody_needs_it()
    finally:
        server.close()
        await rig.stop()
        shutil.rmtree(folder, ignore_errors=True)


async def _until_nobody_needs_it() -> None:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        loop.add_signal_handler(number, over.set)
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    reading = asyncio.create_task(reader.read())
    waiting = asyncio.create_task(over.wait())
    await asyncio.wait({reading, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in (reading, waiting):
        task.cancel()


if __name__ == "__main__":
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr)
    asyncio.run(run(sys.argv[1]))
