"""A real control plane for a benchmark, in processes of its own, with as many pods as it takes."""

import asyncio
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

import psutil
from benchmarks.server import POD_BYTES, ROOT, environment
from rigs.controlplane.api import MERGE, Api, Json, login
from rigs.controlplane.credentials import ADMIN
from rigs.controlplane.location import Location, locate
from rigs.line import Line
from rigs.real import Real, write_login

from bot.demo.seed_people import BOT

CLUSTER: Final = "dev"
NAMESPACE: Final = "shop"
_AT_ONCE: Final = 20
_CALM: Final = 0.15  # seconds of processors in one second; a cluster with nothing to do takes 0.03
_LONGEST_WAIT: Final = 30
# What the server writes into a new pod by itself weighs about this much.
_SERVER_BYTES: Final = 2_300


@asynccontextmanager
async def real_cluster() -> AsyncIterator[Real]:
    """A fresh cluster `dev`; raises RigFailed where it does not start."""
    with TemporaryDirectory(prefix="steersman-bench-") as folder:
        socket = str(Path(folder) / "socket")
        rig = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rigs.controlplane", socket),
            cwd=ROOT,
            env=environment() | {"PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}"},
            stdin=asyncio.subprocess.PIPE,
        )
        if rig.stdin is None:
            raise RuntimeError("the pipe was asked for")
        try:
            at = await locate(socket, CLUSTER)
            async with login(at.url, at.ca_pem, at.tokens[ADMIN]) as api:
                yield Real(at, api, Path(folder))
        finally:
            rig.stdin.close()
            await rig.wait()


def logins(at: Location, folder: Path) -> Path:
    """Write the kubeconfigs `bot`, `alice` and `admin` into a folder; returns it."""
    folder.mkdir(exist_ok=True)
    for file, user in (("bot", BOT), ("alice", "alice"), ("admin", ADMIN)):
        write_login(folder / file, (at,), user, NAMESPACE)
    return folder


@asynccontextmanager
async def weighed(cluster: Real) -> AsyncIterator[tuple[Path, Line]]:
    """Kubeconfigs whose way is a line that counts what the cluster says: bytes of TLS, compressed as they come."""
    async with Line(cluster.at.url).standing() as line:
        yield logins(cluster.over(line).at, cluster.folder / "weighed"), line


async def crowd(api: Api, namespaces: Iterable[str], first: int, count: int) -> None:
    """Let pods that run stand there, in turn over the namespaces, each as large as real ones are.

    They wait for a scheduler that nobody has, so that the rig's kubelets leave them alone.
    """
    places = tuple(namespaces)
    seats = asyncio.Semaphore(_AT_ONCE)

    async def one(number: int) -> None:
        namespace = places[number % len(places)]
        async with seats:
            made = await api.create(_pod(namespace, f"myapp-fcdc67657-{number:05}"))
            name = made["metadata"]["name"]
            await api.patch("pods", namespace, f"{name}/status", {"status": _status()}, MERGE)

    await asyncio.gather(*(one(number) for number in range(first, first + count)))


async def calm() -> None:
    """Wait until the cluster has digested what was done to it, half a minute at most."""
    before = _worked()
    for _ in range(_LONGEST_WAIT):
        await asyncio.sleep(1)
        now = _worked()
        if now - before < _CALM:
            return
        before = now


def _worked() -> float:
    """Seconds of processors that our children have used, which are the rig and its programs."""
    times = [child.cpu_times() for child in psutil.Process().children(recursive=True)]
    return sum(one.user + one.system for one in times)


async def make_namespaces(api: Api, names: Iterable[str]) -> None:
    for name in names:
        await api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})


def _pod(namespace: str, name: str) -> Json:
    # Half of the weight is what the server notes down about each field (managedFields): one entry makes two.
    env = [{"name": f"SETTING_{number:03}", "value": "x" * 64} for number in range((POD_BYTES - _SERVER_BYTES) // 196)]
    container = {"name": "myapp", "image": "myapp:v1", "env": env}
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {
            "name": name,
            "namespace": namespace,
            "labels": {"app": "myapp", "pod-template-hash": "fcdc67657"},
        },
        "spec": {"schedulerName": "nobody-at-all", "containers": [container]},
    }


def _status() -> Json:
    began = "2026-11-23T08:00:00Z"
    kinds = ("Initialized", "Ready", "ContainersReady", "PodScheduled")
    return {
        "phase": "Running",
        "startTime": began,
        "podIP": "10.244.0.7",
        "conditions": [{"type": kind, "status": "True", "lastTransitionTime": began} for kind in kinds],
        "containerStatuses": [
            {
                "name": "myapp",
                "ready": True,
                "restartCount": 0,
                "image": "myapp:v1",
                "imageID": "docker.io/library/myapp@sha256:" + "0" * 64,
                "containerID": "containerd://" + "0" * 64,
                "started": True,
                "state": {"running": {"startedAt": began}},
            }
        ],
    }
