"""`steersman console --context` on the real control plane: the whole tour, as the kubeconfig's own user."""

import asyncio
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from rigs.auditor import records
from rigs.oracle_manifests import autoscaler, workload
from rigs.real import DEV, Real

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]

TOUR = """\
/k8s
/k8s deploy web v2
/k8s web
/k8s deploy web v-bad
/k8s undo web
/k8s rollout history web
/k8s restart web
/k8s rollout pause web
/k8s rollout resume web
/k8s scale web 5
/k8s deploy late v-slow
/k8s scale scaled 9
"""


@dataclass(frozen=True)
class Told:
    """What the console printed, cut at its prompts: line → answer."""

    code: int
    answers: dict[str, str]
    errors: str


async def console(cluster: Real, user: str, space: str, script: str, *options: str) -> Told:
    """Run the script as one of those who log in; its database lies where the cluster's test keeps its things."""
    env = os.environ | {
        "STEERSMAN_KUBECONFIG": str(cluster.kubeconfig(user, space)),
        "STEERSMAN_CONSOLE_STATE": str(cluster.folder / "console"),
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "console", "--context", DEV, *options,
        env=env, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(150):
            out, err = await process.communicate(script.encode())
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    parts = re.split(r"^\S+ ▸ /k8s ?(.*)$", out.decode(), flags=re.MULTILINE)
    return Told(process.returncode or 0, dict(zip(parts[1::2], parts[2::2], strict=True)), err.decode())


@pytest.fixture
async def tour_space(dev: Real) -> str:
    """`web`, `late` with a deadline that its slow version misses, and `scaled` under an autoscaler of 2 to 4."""
    space = await dev.namespace()
    late = workload("deploy", name="late", replicas=2, progressDeadlineSeconds=1)
    scaled = workload("deploy", name="scaled", replicas=2)
    await dev.runs(space, workload("deploy", replicas=3), late, scaled)
    hpa = autoscaler("deploy", 2, 4, "scaled")
    await dev.api.create({**hpa, "metadata": {**hpa["metadata"], "namespace": space}})
    return space


async def test_the_whole_tour(dev: Real, tour_space: str) -> None:
    told = await console(dev, "bob", tour_space, TOUR, "--yes")

    said = told.answers
    assert told.code == 0, told.errors
    assert "web" in said[""]
    assert "- image: web:v1" in said["deploy web v2"]
    assert "v2 rolled out" in said["deploy web v2"]
    assert "3/3" in said["web"]
    assert "image cannot be pulled; v2 still serves" in said["deploy web v-bad"]
    assert "back on v2" in said["undo web"]
    assert "v-bad" in said["rollout history web"]
    assert "restarted" in said["restart web"]
    assert "paused" in said["rollout pause web"]
    assert "resumed" in said["rollout resume web"]
    assert "5 replicas" in said["scale web 5"]
    assert "progress deadline" in said["deploy late v-slow"]
    assert "autoscaler" in said["scale scaled 9"].lower()
    assert (await dev.api.get("deployments.apps", tour_space, "web"))["status"]["readyReplicas"] == 5


async def test_without_yes_a_script_changes_nothing(dev: Real, space: str) -> None:
    told = await console(dev, "bob", space, "/k8s deploy web v2\n")

    assert "Not applied" in told.answers["deploy web v2"]
    assert (await dev.api.get("deployments.apps", space, "web"))["metadata"]["generation"] == 1


async def test_the_console_writes_as_the_kubeconfigs_own_user(dev: Real, space: str) -> None:
    await console(dev, "bob", space, "/k8s deploy web v2\n/k8s scale web 2\n", "--yes")

    written = [
        line
        for line in dev.audit()
        if line.get("objectRef", {}).get("namespace") == space
        and line["verb"] in {"patch", "update", "create", "delete"}
        and line["userAgent"].startswith("steersman/")
        and "dryRun=All" not in line["requestURI"]
    ]
    kept = {audit for record in await records(dev.folder / "console" / f"{DEV}.db") for audit in record.audit_ids}

    assert [line["user"]["username"] for line in written] == ["bob", "bob"]
    assert [line for line in written if "impersonatedUser" in line] == []
    assert all(line["auditID"] in kept for line in written)


async def test_whom_the_cluster_forbids_hears_it_in_the_console_too(dev: Real, space: str) -> None:
    told = await console(dev, "carol", space, "/k8s deploy web v2\n", "--yes")

    assert "patch deployments" in told.answers["deploy web v2"]


async def test_an_operator_without_the_context_is_told(dev: Real, tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bot", "console", "--context", "nowhere", "--kubeconfig", str(dev.kubeconfig("bob")),
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    _, err = await process.communicate()

    assert process.returncode == 2
    assert "nowhere" in err.decode()
