"""The benchmarks in their order, and what cannot be measured before its part of the design is built."""

import asyncio
import gc
import os
import platform
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Final, TypeAlias

from benchmarks import answers, burst, listing, processes, reads, real, road
from benchmarks.figures import Figure, Unit, show

Benchmark: TypeAlias = Callable[[], Coroutine[None, None, list[Figure]]]

BENCHMARKS: Final[Mapping[str, Benchmark]] = {
    "road": road.measure,
    "answers": answers.measure,
    "reads": reads.measure,
    "listing": listing.measure,
    "burst": burst.measure,
    "processes": processes.measure,
    "real": real.measure,
}

LATER: Final = (
    Figure("acknowledgement at 200 commands/s, p99", Unit.MILLISECONDS, None, 0.5, "comes with the Slack door"),
    Figure("pod breaks → alert queued, p95", Unit.SECONDS, None, 1, "comes with health"),
)


def main(names: Sequence[str]) -> None:
    """Run the named benchmarks, or all of them, and print the table. Exits 1 for a name that is none."""
    unknown = [name for name in names if name not in BENCHMARKS]
    if unknown:
        sys.exit(f"There is no benchmark {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
    figures: list[Figure] = []
    before = os.getloadavg()[0]
    for name in names or BENCHMARKS:
        print(f"measuring: {name} …", file=sys.stderr, flush=True)  # noqa: T201 - a program that prints
        figures += asyncio.run(BENCHMARKS[name]())
        gc.collect()
    cores, after = os.cpu_count() or 1, os.getloadavg()[0]
    print(f"Python {platform.python_version()}, {cores} cores, load {before:.1f} before and {after:.1f} after")  # noqa: T201 - as above
    if max(before, after) > cores + 1:
        print("Others used this machine too: what is measured by the clock tells of them as well.")  # noqa: T201 - as above
    show([*figures, *(LATER if not names else ())])
