"""The full objects of 5,000 pods, in a process of its own: `python -m benchmarks.full_list KUBECONFIG` prints one line.

The line is JSON: how many pods, seconds, extra megabytes at the most, and the longest that the loop stood still.
"""

import asyncio
import gc
import json
import random
import sys
import time
from typing import Final

import psutil

from bot.app import SystemClock
from bot.core.cluster import Reach, Reader
from bot.core.people import Impersonated
from bot.core.pod import Pod
from bot.demo.seed_people import PEOPLE
from bot.kube.clusters import Options, connect
from bot.kube.credentials import Kubeconfig

# Tables are asked for eight at once; eight lists of whole objects would be 25 MB of text at the same moment.
AT_ONCE: Final = 4
_TICK: Final = 0.002


class Ticks:
    """A task that wants to run every two milliseconds, and sees what kept it from that and how large the process is.

    `blocked` is processor time of this thread: on a machine that others use too, the clock on the wall (`late`) also
    tells of them.
    """

    def __init__(self) -> None:
        self._process = psutil.Process()
        self.before = self.most = self._process.memory_info().rss
        self.blocked = self.late = 0.0

    async def run(self) -> None:
        while True:
            began, worked = time.perf_counter(), time.thread_time()
            await asyncio.sleep(_TICK)
            self.late = max(self.late, time.perf_counter() - began - _TICK)
            self.blocked = max(self.blocked, time.thread_time() - worked)
            self.most = max(self.most, self._process.memory_info().rss)


async def _all_pods(reader: Reader) -> list[Pod]:
    seats = asyncio.Semaphore(AT_ONCE)

    async def one(namespace: str) -> tuple[Pod, ...]:
        async with seats:
            return await reader.pods.list(namespace)

    found = await asyncio.gather(*(one(namespace) for namespace in await reader.namespaces()))
    return [pod for some in found for pod in some]


async def _measure(kubeconfig: str) -> None:
    clusters = await connect({"dev": Kubeconfig(kubeconfig, "dev")}, Options(SystemClock(), random.random))
    alice = next(person for person in PEOPLE if person.name == "alice")
    reader = clusters.reader("dev", Impersonated("alice", alice.groups["dev"]), Reach(("*",)))
    await reader.pods.list("shop")
    gc.collect()
    ticks = Ticks()
    ticking = asyncio.create_task(ticks.run())
    began = time.perf_counter()
    pods = await _all_pods(reader)
    took = time.perf_counter() - began
    ticking.cancel()
    await clusters.close()
    megabytes = (ticks.most - ticks.before) / 2**20
    print(  # noqa: T201 - its answer
        json.dumps(
            {
                "pods": len(pods),
                "seconds": took,
                "megabytes": megabytes,
                "blocked": ticks.blocked,
                "late": ticks.late,
            }
        )
    )


if __name__ == "__main__":
    asyncio.run(_measure(sys.argv[1]))
