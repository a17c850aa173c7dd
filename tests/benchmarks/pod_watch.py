"""All pods of a cluster watched, in a process of its own: `python -m benchmarks.pod_watch KUBECONFIG [pages]`.

It prints one line of JSON: how many pods, seconds until all were known, the megabytes that they add, at the most while
they came and afterwards, and the longest that the loop stood still. `pages` has the server refuse to stream the list.
"""

import asyncio
import gc
import json
import random
import sys
import time
from contextlib import aclosing
from typing import Final

import psutil
from benchmarks.full_list import Ticks

from bot.app import SystemClock
from bot.core.cluster import Reach
from bot.core.people import KubeconfigUser
from bot.kube import watch
from bot.kube.clusters import Options, connect
from bot.kube.credentials import Kubeconfig
from bot.kube.pod_watch import AllKnown

_WITHIN: Final = 60.0


async def _measure(kubeconfig: str) -> None:
    clusters = await connect({"dev": Kubeconfig(kubeconfig, "dev")}, Options(SystemClock(), random.random))
    me, everywhere = KubeconfigUser(), Reach(("*",))
    await clusters.reader("dev", me, everywhere).pods.list("shop")
    watched = clusters.pod_watch("dev", me, everywhere)
    gc.collect()
    ticks = Ticks()
    ticking = asyncio.create_task(ticks.run())
    began = time.perf_counter()
    async with asyncio.timeout(_WITHIN), aclosing(watched.news()) as news:
        async for one in news:
            if isinstance(one, AllKnown):
                break
        took = time.perf_counter() - began
        ticking.cancel()
        gc.collect()
        after = psutil.Process().memory_info().rss
    await clusters.close()
    print(  # noqa: T201 - its answer
        json.dumps(
            {
                "pods": len(watched.pods),
                "seconds": took,
                "megabytes": (after - ticks.before) / 2**20,
                "most": (ticks.most - ticks.before) / 2**20,
                "blocked": ticks.blocked,
            }
        )
    )


if __name__ == "__main__":
    if sys.argv[2:] == ["pages"]:
        watch._STREAMED_LIST = (("sendInitialEvents", "true"),)  # type: ignore[assignment, misc]  # a question that a server refuses
    asyncio.run(_measure(sys.argv[1]))
