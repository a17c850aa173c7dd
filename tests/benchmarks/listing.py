"""Many pods: the table of 5,000 against kubectl's, and their full objects where those are needed."""

import asyncio
import json
import statistics
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import kubectl
from benchmarks.chats import connected
from benchmarks.figures import Figure, Unit
from benchmarks.server import PODS, ROOT, environment, serving

NAMESPACES: Final = 20
ROUNDS: Final = 5
_WITHIN: Final = 60.0
_SERVER: Final = (
    "The server is the embedded one, in a process of its own and in Python: it makes the tables far more slowly than a "
    "real API server, and both sides wait for it. The figures of processor time are the clients' own."
)


async def measure() -> list[Figure]:
    async with serving("crowd", str(NAMESPACES)) as folder:
        figures = await tables(folder, note=_SERVER)
        figures += await objects(folder, f"{NAMESPACES} namespaces")
    async with serving("crowd", "1") as folder:
        return [*figures, *await objects(folder, "one namespace")]


async def tables(folder: Path, binary: str = "", *, on: str = "", note: str = "") -> list[Figure]:
    """The bot and kubectl at the kubeconfigs `bot` and `alice` of a folder; `on` names the cluster in the table."""
    what = f"{on}`pods -A` over {PODS:,} pods in {NAMESPACES} namespaces / `kubectl get pods -A`"
    walls, processor, runs = [], [], []
    there = bool(binary) or kubectl.here()
    async with connected(folder / "bot", "dev") as alice:
        with TemporaryDirectory(prefix="steersman-bench-") as home:
            other = kubectl.Kubectl(folder / "alice", Path(home), binary) if there else None
            # By turns, so that both meet the same machine.
            for _ in range(ROUNDS + 1):
                before = time.process_time()
                walls.append((await alice.types("pods -A")).last)
                processor.append(time.process_time() - before)
                if other:
                    runs.append(other.takes("get pods -A"))
    # The first round only warms up.
    mine, own = statistics.median(walls[1:]), statistics.median(processor[1:])
    if not there:
        return [Figure(what, Unit.RATIO, None, 0.05, f"{mine:.2f} s; there is no kubectl on this machine", note)]
    its, its_own = (
        statistics.median(figures) for figures in ([r.wall for r in runs[1:]], [r.processor for r in runs[1:]])
    )
    detail = f"{mine:.2f} s against {its:.2f} s"
    owned = f"{own:.2f} s against {its_own:.2f} s"
    return [
        Figure(what, Unit.RATIO, mine / its, 0.05, detail, note),
        Figure(f"{on}the same, in the client's own processor time", Unit.RATIO, own / its_own, None, owned, note),
    ]


async def objects(folder: Path, where: str, *, on: str = "") -> list[Figure]:
    """The worst of several runs, each in a new process."""
    runs = [await _full_list(folder / "bot") for _ in range(3)]
    extra, blocked, late = (max(run[name] for run in runs) for name in ("megabytes", "blocked", "late"))
    seconds = statistics.median(run["seconds"] for run in runs)
    what = f"{on}full list of {PODS:,} pods in {where}"
    waited = f"processor time; {Unit.MILLISECONDS.show(late)} by the clock, with whatever else ran on the machine"
    return [
        Figure(f"{what}: extra memory", Unit.MEGABYTES, extra, 30, f"worst of {len(runs)} processes; {seconds:.2f} s"),
        Figure(f"{what}: loop blocked at a stretch", Unit.MILLISECONDS, blocked, 0.05, waited),
    ]


async def _full_list(kubeconfig: Path) -> dict[str, float]:
    return await answer_of("benchmarks.full_list", str(kubeconfig), pods=PODS)


async def answer_of(module: str, *arguments: str, pods: int) -> dict[str, float]:
    """What a module says that runs as a process of its own; raises AssertionError where it saw fewer pods."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", module, *arguments),
        cwd=ROOT,
        env=environment(),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(_WITHIN):
            said, _ = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    run: dict[str, float] = json.loads(said)
    if run["pods"] < pods:
        raise AssertionError(f"{module} saw only {run['pods']} pods")
    return run
