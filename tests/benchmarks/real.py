"""The bot and kubectl on the real control plane, in one run: reads, rollouts, many pods, and what crosses the wire."""

import asyncio
import statistics
import time
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import kubectl, listing, reads
from benchmarks.answers import complete
from benchmarks.chats import Typist, connected
from benchmarks.figures import Figure, Unit
from benchmarks.real_cluster import CLUSTER, calm, crowd, logins, make_namespaces, real_cluster, weighed
from benchmarks.server import PODS
from rigs.controlplane.api import Api
from rigs.controlplane.programs import binaries, version
from rigs.real import Real

from bot.core.reply import Tone

ROUNDS: Final = 9
SLOW_ROUNDS: Final = 4
WATCHED: Final = 10_000
ON: Final = f"real {version()}: "
_SLOW: Final = "three replicas that take 1.5 s each to become ready"
_QUICK: Final = "three replicas that are ready at once"
_NOISE: Final = (
    "No budget: with pods that are ready after 50 ms the figure is how long the controllers take, which differs by a "
    "factor of three between equal runs on a machine of two cores."
)
_COMPRESSED: Final = (
    "As they cross the wire. An API server compresses what is above 128 KiB: kubectl's tables, which carry every pod's "
    "metadata, are 24 MB before that, and the bot's are sent as they are."
)
_IN_PAGES: Final = (
    "As from a server that cannot stream the list: pages of 500, each of which stands in memory as a whole."
)


async def measure() -> list[Figure]:
    built = binaries()
    if built is None:
        why = "the real control plane is not built (make controlplane)"
        return [Figure("all of this on the real control plane", Unit.RATIO, None, None, why)]
    binary = str(built / "kubectl")
    async with real_cluster() as cluster:
        await cluster.seeded()
        await calm()
        folder = logins(cluster.at, cluster.folder / "logins")
        figures = await reads.compared(folder, (CLUSTER,), binary, on=ON)
        figures += await _rollouts(cluster, folder, binary)
        namespaces = [f"crowd-{number:02}" for number in range(listing.NAMESPACES)]
        await make_namespaces(cluster.api, namespaces)
        await crowd(cluster.api, namespaces, 0, PODS)
        await calm()
        figures += await listing.tables(folder, binary, on=ON)
        figures += await listing.objects(folder, f"{listing.NAMESPACES} namespaces", on=ON)
        figures += await _bytes(cluster, binary)
        await crowd(cluster.api, namespaces, PODS, WATCHED - PODS)
        await calm()
        figures += await _watched(folder)
    return figures


class _Completions:
    """When the API said that the rollout of myapp was complete, by its generation."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self._last = 0
        self.at: dict[int, float] = {}

    async def watch(self) -> None:
        async for change, found in self._api.watch("deployments.apps"):
            if change != "BOOKMARK" and found["metadata"]["name"] == "myapp":
                self._last = max(self._last, found["metadata"]["generation"])
                if complete(found):
                    self.at.setdefault(found["metadata"]["generation"], time.perf_counter())

    async def newest(self) -> float:
        """The second (of `time.perf_counter`) at which the newest rollout was complete."""
        async with asyncio.timeout(5):
            while self._last not in self.at:  # noqa: ASYNC110  # whoever saw it complete may have been quicker
                await asyncio.sleep(0.01)
        return self.at[self._last]


@dataclass(frozen=True, slots=True)
class _Rollouts:
    """Seconds of each rollout: from Enter to the verdict, and of these how many after the API had it complete."""

    taken: list[float] = field(default_factory=list)
    late: list[float] = field(default_factory=list)

    async def add(self, began: float, ended: float, completions: _Completions) -> None:
        self.taken.append(ended - began)
        self.late.append(ended - await completions.newest())


async def _rollouts(cluster: Real, folder: Path, binary: str) -> list[Figure]:
    completions = _Completions(cluster.api)
    watching = asyncio.create_task(completions.watch())
    try:
        async with connected(folder / "bot", CLUSTER) as alice:
            with TemporaryDirectory(prefix="steersman-bench-") as home:
                other = kubectl.Kubectl(folder / "alice", Path(home), binary)
                await _by_turns(alice, other, completions, "v-warm", 1)
                slow = await _by_turns(alice, other, completions, "v-slow", SLOW_ROUNDS)
                quick = await _by_turns(alice, other, completions, "v", ROUNDS)
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
    what = "`deploy` to its verdict / `kubectl set image && kubectl rollout status`"
    figures = []
    for pods, budget, note, (ours, theirs) in ((_SLOW, 1.1, "", slow), (_QUICK, None, _NOISE, quick)):
        mine, its = statistics.median(ours.taken), statistics.median(theirs.taken)
        said, seen = (Unit.MILLISECONDS.show(statistics.median(one.late)) for one in (ours, theirs))
        detail = (
            f"{mine:.2f} s, the preview included, against {its:.2f} s, medians of {len(ours.taken)}; "
            f"said {said} after the API had it complete, by kubectl {seen}"
        )
        figures.append(Figure(f"{ON}{what}, {pods}", Unit.RATIO, mine / its, budget, detail, note))
    return figures


async def _by_turns(
    alice: Typist, other: kubectl.Kubectl, completions: _Completions, tag: str, rounds: int
) -> tuple[_Rollouts, _Rollouts]:
    """By turns, so that both meet the same cluster; each version is new to it."""
    ours, theirs = _Rollouts(), _Rollouts()
    for number in range(rounds):
        heard = await alice.types(f"deploy myapp {tag}{2 * number + 2}")
        if heard.reply.tone is not Tone.GOOD:
            raise AssertionError(f"the deploy ended with: {heard.reply.headline}")
        await ours.add(heard.began, heard.messages[-1][0], completions)
        change = f"set image deployment/myapp myapp=myapp:{tag}{2 * number + 3} -n shop"
        began = time.perf_counter()
        await asyncio.to_thread(other.takes, change, "rollout status deployment/myapp -n shop")
        await theirs.add(began, time.perf_counter(), completions)
    return ours, theirs


async def _bytes(cluster: Real, binary: str) -> list[Figure]:
    """What both read over the wire for the same table, the connection and kubectl's discovery included."""
    async with weighed(cluster) as (folder, line):
        async with connected(folder / "bot", CLUSTER) as alice:
            await alice.types("pods -A")
            own = line.heard
        with TemporaryDirectory(prefix="steersman-bench-") as home:
            other = kubectl.Kubectl(folder / "alice", Path(home), binary)
            await asyncio.to_thread(other.takes, "get nodes")
            before = line.heard
            await asyncio.to_thread(other.takes, "get pods -A")
            its = line.heard - before
    detail = f"{own / 2**20:.2f} MB against {its / 2**20:.2f} MB"
    what = f"{ON}bytes read for `pods -A` / `kubectl get pods -A`"
    return [Figure(what, Unit.RATIO, own / its, None, detail, _COMPRESSED)]


async def _watched(folder: Path) -> list[Figure]:
    watch = ("benchmarks.pod_watch", str(folder / "admin"))
    streamed = await listing.answer_of(*watch, pods=WATCHED)
    paged = await listing.answer_of(*watch, "pages", pods=WATCHED)
    what = f"{ON}{WATCHED:,} watched pods"
    return [
        Figure(f"{what}: extra memory", Unit.MEGABYTES, streamed["megabytes"], 25, _told(streamed)),
        Figure(f"{what}: loop blocked at a stretch", Unit.MILLISECONDS, streamed["blocked"], 0.05, "processor time"),
        Figure(f"{what}, read in pages: extra memory", Unit.MEGABYTES, paged["megabytes"], 25, _told(paged), _IN_PAGES),
    ]


def _told(run: dict[str, float]) -> str:
    most = Unit.MEGABYTES.show(run["most"])
    return f"at the most {most} while they came; all {run['pods']:,.0f} known after {run['seconds']:.2f} s"
