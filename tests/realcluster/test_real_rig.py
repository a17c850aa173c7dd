"""The rig itself: its pods behave by the table of image tags, and nothing of it outlives whoever started it."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
from rigs.controlplane.api import Json
from rigs.controlplane.location import ask
from rigs.controlplane.mirror import UNSCHEDULED
from rigs.controlplane.programs import version
from rigs.real import Real, eventually

from bot.demo.controllers.behaviour import BEHAVIOURS

pytestmark = pytest.mark.real

ROOT = Path(__file__).parents[2]
SHOWN = {
    "bad": {"ErrImagePull", "ImagePullBackOff"},
    "noconfig": {"CreateContainerConfigError"},
    "noready": {"Running"},
    "crash": {"CrashLoopBackOff", "Error"},
    "oom": {"CrashLoopBackOff", "OOMKilled"},
    "slow": {"Running"},
    "": {"Running"},
}
READY = {"slow", ""}


def pod(name: str, image: str, scheduler: str) -> Json:
    spec = {"schedulerName": scheduler, "containers": [{"name": "main", "image": image}]}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


async def test_it_is_the_version_that_was_asked_for(dev: Real) -> None:
    assert (await dev.api.ask("GET", "/version"))["gitVersion"] == f"v{version()}"


def test_every_word_of_the_table_is_looked_at() -> None:
    assert {one.word for one in BEHAVIOURS} | {""} == SHOWN.keys()


@pytest.mark.parametrize("scheduler", ["default-scheduler", UNSCHEDULED])
async def test_pods_behave_by_their_image_tag_with_nodes_and_without(dev: Real, scheduler: str) -> None:
    space = await dev.namespace()
    for word in SHOWN:
        made = pod(f"pod-{word or 'usual'}", f"web:v-{word}" if word else "web:v1", scheduler)
        await dev.api.create({**made, "metadata": {**made["metadata"], "namespace": space}})

    async def all_shown() -> bool:
        table = (await dev.kubectl(namespace=space).run("get pods --no-headers")).out
        rows = {
            name.removeprefix("pod-"): (ready, status) for name, ready, status, *_ in map(str.split, table.splitlines())
        }
        return all(
            rows[word or "usual"][1] in shown and (rows[word or "usual"][0] == "1/1") is (word in READY)
            for word, shown in SHOWN.items()
        )

    await eventually(all_shown)
    await dev.api.delete("pods", space, "pod-usual")
    await eventually(lambda: gone(dev, space))
    await dev.api.delete("namespaces", "", space)


async def gone(dev: Real, space: str) -> bool:
    return "pod-usual" not in {one["metadata"]["name"] for one in await dev.api.list("pods", space)}


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[tuple[asyncio.subprocess.Process, list[psutil.Process]]]:
    """A rig of our own with one cluster, and the programs that it started."""
    socket = str(tmp_path / "socket")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "rigs.controlplane", socket, cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join((str(ROOT / "tests"), str(ROOT)))},
        stdin=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        await ask(socket, "start", "solo")
        yield process, psutil.Process(process.pid).children(recursive=True)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


@pytest.mark.parametrize("how", ["the end of its input", "SIGTERM", "SIGKILL"])
async def test_no_process_is_left_behind(
    rig: tuple[asyncio.subprocess.Process, list[psutil.Process]], how: str
) -> None:
    process, programs = rig
    names = {program.name() for program in programs}

    match how:
        case "SIGTERM" | "SIGKILL":
            process.send_signal(signal.Signals[how])
        case _:
            assert process.stdin is not None
            process.stdin.close()
    async with asyncio.timeout(30):
        await process.wait()

    async def all_gone() -> bool:
        return not any(program.is_running() and program.status() != psutil.STATUS_ZOMBIE for program in programs)

    await eventually(all_gone)
    assert {"etcd", "kube-apiserver", "kube-scheduler"} <= names
