"""An embedded cluster in a process of its own, so that what the server costs is neither counted nor felt as the bot's.

`python -m benchmarks.server world FOLDER` runs the demo's two clusters; `crowd FOLDER NAMESPACES` one cluster with
5,000 pods and no controllers. Both write kubeconfigs into the folder (`bot`, and `alice` for kubectl), say so on
standard output, and serve until their standard input ends.
"""

import asyncio
import os
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import msgspec

from bot.demo import seed
from bot.demo.controllers.control_plane import ControlPlane
from bot.demo.controllers.logs import ContainerLogs
from bot.demo.controllers.tempo import FAST, Tempo
from bot.demo.controllers.usage import Measurements
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.objects import Json, copied
from bot.demo.seed_people import BOT, PEOPLE
from bot.demo.server import EmbeddedCluster
from bot.demo.store import Store
from bot.demo.world import Dial, World

ROOT: Final = Path(__file__).parents[2]
PODS: Final = 5_000
# As on the cluster of research/kubernetes.md §2: 11.7 KiB a pod, 4.2 KiB of them metadata, most of that managedFields.
POD_BYTES: Final = 11_900
METADATA_BYTES: Final = 4_200
_READY: Final = b"ready\n"
_WITHIN: Final = 120.0


def environment() -> dict[str, str]:
    """What a child gets: nobody's settings and no proxy, bytecode as in an installation, and the way to this folder."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG", "TMPDIR") if name in os.environ}
    return {**kept, "PYTHONPATH": str(ROOT / "tests"), "PYTHONUNBUFFERED": "1"}


@asynccontextmanager
async def serving(*arguments: str) -> AsyncIterator[Path]:
    """Run the server (`world`, or `crowd` and how many namespaces); the folder holds the kubeconfigs."""
    with TemporaryDirectory(prefix="steersman-bench-") as folder:
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "benchmarks.server",
            arguments[0],
            folder,
            *arguments[1:],
            cwd=ROOT,
            env=environment(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        if process.stdin is None or process.stdout is None:
            raise RuntimeError("the pipes were asked for")
        try:
            async with asyncio.timeout(_WITHIN):
                if await process.stdout.readline() != _READY:
                    raise RuntimeError(f"the benchmark's server ended with {await process.wait()}")
            yield Path(folder)
        finally:
            process.stdin.close()
            try:
                async with asyncio.timeout(10):
                    await process.wait()
            except TimeoutError:
                process.kill()
                await process.wait()


async def _world(folder: Path) -> None:
    async with World(tempo=Tempo(), clock=_now, new_uid=_new_uid) as world:
        world.write_kubeconfig(folder / "bot")
        world.write_kubeconfig(folder / "alice", "alice")
        await _until_the_end_of_input()


async def _crowd(folder: Path, namespaces: int) -> None:
    dial = Dial(_now)
    store = Store(dial, _new_uid)
    seed.play(store, ControlPlane(store, FAST), "dev", FAST, dial.turn)
    dial.release()
    _fill(store, namespaces)
    logs, metrics = ContainerLogs(dial), Measurements(dial, lambda: store.list("pods"))
    async with EmbeddedCluster("dev", clock=dial, new_uid=_new_uid, logs=logs, metrics=metrics, store=store) as cluster:
        groups = {BOT: (), **{person.name: person.groups.get("dev", ()) for person in PEOPLE}}
        for file, user in (("bot", BOT), ("alice", "alice")):
            token = cluster.token(user, groups[user])
            entry = Entry("dev", cluster.url, cluster.ca_pem, token, user.rpartition(":")[2], "shop")
            write_kubeconfig(folder / file, [entry])
        await _until_the_end_of_input()


def _fill(store: Store, namespaces: int) -> None:
    """Put copies of a pod of myapp into the store, past admission and controllers, as large as real ones are."""
    pattern = _grown(next(pod for pod in store.list("pods", "shop") if pod["metadata"]["name"].startswith("myapp")))
    for number in range(namespaces):
        store.create("namespaces", {"metadata": {"name": f"crowd-{number:02}"}, "status": {"phase": "Active"}})
    for number in range(PODS):
        pod = copied(pattern)
        pod["metadata"]["name"] = f"myapp-fcdc67657-{number:05}"
        pod["metadata"]["namespace"] = f"crowd-{number % namespaces:02}"
        store.create("pods", pod)


def _grown(pod: Json) -> Json:
    """The pod without its identity, with ownership of fields and environment variables until it weighs enough."""
    new: Json = copied(pod)
    meta = new["metadata"]
    for key in ("uid", "resourceVersion", "ownerReferences"):
        meta.pop(key, None)
    owned: Json = {}
    entry = {"manager": "kubelet", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1"}
    meta["managedFields"] = [{**entry, "subresource": "status", "fieldsV1": {"f:status": owned}}]
    while len(msgspec.json.encode(meta)) < METADATA_BYTES:
        owned[f'k:{{"type":"Condition{len(owned):02}"}}'] = {".": {}, "f:type": {}, "f:status": {}, "f:message": {}}
    env = new["spec"]["containers"][0].setdefault("env", [])
    while len(msgspec.json.encode(new)) < POD_BYTES:
        env.append({"name": f"SETTING_{len(env):03}", "value": "x" * 64})
    return new


async def _until_the_end_of_input() -> None:
    sys.stdout.buffer.write(_READY)
    sys.stdout.flush()
    await asyncio.to_thread(sys.stdin.buffer.read)


def _now() -> datetime:
    return datetime.now(UTC)


def _new_uid() -> str:
    return str(uuid.uuid4())


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["world", folder]:
            asyncio.run(_world(Path(folder)))
        case ["crowd", folder, namespaces]:
            asyncio.run(_crowd(Path(folder), int(namespaces)))
        case _:
            sys.exit(__doc__)
