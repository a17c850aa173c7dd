"""From typed text to a rendered reply without I/O: pipeline, grammar, policy and renderer over a cluster in memory."""

import io
import time
from itertools import cycle, islice
from typing import Final

from benchmarks.figures import Figure, Unit, percentile, spread
from rich.console import Console
from rigs.reading import Shelf, app_workload, event, pod, reading_bot

from bot.console.render import message
from bot.core.reply import Reply
from bot.core.request import Request

COUNT: Final = 3_000
WARM_UP: Final = 100
_NOTE: Final = (
    "In processor time, which is the time on the clock of a machine that does nothing else. Rendered is drawn by the "
    "console, the only renderer yet; the slowest are tables whose cells must be folded, which the library lays out."
)
# What people type in a day, typing errors and phones' corrections included.
LINES: Final = (
    "", "myapp", "pods", "pods myapp", "ps", "pods -A", "status myapp", "rollout status myapp", "get svc", "get pods",
    "get pods \u2014namespace shop", "apps in shop", "logs myapp --tail 20", "events", "images", "versions", "whoami",
    "help", "help deploy", "deplyo myapp v2", "status myap", "pods --wied", "pods in shpo", "`status myapp`",
    "rollout history myapp",
)  # fmt: skip


class _Screen:
    """A conversation that draws each reply as a terminal would. `drawing` are the seconds that it has taken."""

    def __init__(self) -> None:
        self.drawing = 0.0
        self._console = Console(file=io.StringIO(), width=100)

    async def say(self, key: str, reply: Reply) -> None:
        began = time.thread_time()
        with self._console.capture() as capture:
            self._console.print(message(reply, {}))
        self.drawing += time.thread_time() - began
        if not capture.get().strip():
            raise AssertionError(f"{key} was answered with nothing")


def _shelf() -> Shelf:
    apps = [app_workload(name) for name in ("myapp", "cart-web", "cart-worker", "search", "mailer", "storefront")]
    pods = [pod(f"myapp-fcdc67657-{number:05}") for number in range(3)]
    rows = [(f"myapp-fcdc67657-{number:05}", "1/1", "Running", "0", "3d6h") for number in range(12)]
    services = [(name, "ClusterIP", "10.96.14.7", "<none>", "80/TCP", "47d") for name in ("myapp", "cart", "search")]
    return Shelf(
        there=apps,
        some_pods=pods,
        tables={("pods", "shop"): rows, ("services", "shop"): services, ("pods", "data"): rows[:2]},
        columns={
            "pods": ("Name", "Ready", "Status", "Restarts", "Age"),
            "services": ("Name", "Type", "Cluster-IP", "External-IP", "Port(s)", "Age"),
        },
        happened=[event("Pulled", f"myapp-fcdc67657-{number:05}") for number in range(8)],
        log="\n".join(f"2026-11-23 09:00:{number:02} INFO GET /api/items 200 {number} ms" for number in range(20)),
    )


async def measure() -> list[Figure]:
    pipeline, screen = reading_bot(_shelf()).pipeline, _Screen()
    whole: list[float] = []
    drawing: list[float] = []
    slowest = (0.0, "")
    for number, line in enumerate(islice(cycle(LINES), WARM_UP + COUNT)):
        screen.drawing = 0.0
        began = time.thread_time()
        await pipeline.handle(Request(f"r{number}", "alice", "shop", line), screen)
        taken = time.thread_time() - began
        if number >= WARM_UP:
            whole.append(taken)
            drawing.append(screen.drawing)
            slowest = max(slowest, (taken, line))
    replies = [both - drawn for both, drawn in zip(whole, drawing, strict=True)]
    unit, what = Unit.MILLISECONDS, "text → parsed → authorised → {}, without I/O, p99"
    return [
        Figure(
            what.format("answered"), unit, percentile(replies, 99), None, f"{COUNT:,} lines; {spread(replies, unit)}"
        ),
        Figure(
            what.format("rendered"),
            unit,
            percentile(whole, 99),
            0.003,
            f"{spread(whole, unit)} (`{slowest[1]}`)",
            _NOTE,
        ),
    ]
