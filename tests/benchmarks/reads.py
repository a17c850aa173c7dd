"""What people ask most, of the connected bot and of kubectl: the same reads of the same cluster in the same run."""

import statistics
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from benchmarks import kubectl
from benchmarks.chats import connected
from benchmarks.figures import Figure, Unit
from benchmarks.server import serving

ROUNDS: Final = 9
BUDGET: Final = 0.25
# A line for the bot, and the line for kubectl that asks the cluster the same.
PAIRS: Final = (
    ("pods", "get pods -n shop"),
    ("get deploy", "get deployments -n shop"),
    ("get svc -A", "get services -A"),
    ("status myapp", "rollout status deployment/myapp -n shop"),
    ("rollout history myapp", "rollout history deployment/myapp -n shop"),
    ("show deploy/myapp", "describe deployment/myapp -n shop"),
    ("logs myapp --tail 50", "logs deployment/myapp -n shop --tail 50"),
    ("nodes", "get nodes"),
    ("top", "top pods -n shop"),
)


async def measure() -> list[Figure]:
    if not kubectl.here():
        what = "a read command end to end, against kubectl"
        return [Figure(what, Unit.RATIO, None, BUDGET, "there is no kubectl on this machine to compare with")]
    async with serving("world") as folder:
        return await compared(folder, ("dev", "prod"))


async def compared(folder: Path, clusters: tuple[str, ...], binary: str = "", *, on: str = "") -> list[Figure]:
    """The bot and kubectl at the kubeconfigs `bot` and `alice` of a folder; `on` names the cluster in the table."""
    async with connected(folder / "bot", *clusters) as alice:
        with TemporaryDirectory(prefix="steersman-bench-") as home:
            other = kubectl.Kubectl(folder / "alice", Path(home), binary)
            note = f"The bot is connected and in this process, kubectl ({other.version}) starts anew each time."
            figures = []
            for line, same in PAIRS:
                ours, theirs = [], []
                for _ in range(ROUNDS + 1):
                    ours.append((await alice.types(line)).last)
                    theirs.append(other.takes(same).wall)
                # The first round only warms up: connections here, discovery there.
                mine, its = statistics.median(ours[1:]), statistics.median(theirs[1:])
                detail = f"{Unit.MILLISECONDS.show(mine)} against {Unit.MILLISECONDS.show(its)}, medians of {ROUNDS}"
                what = f"{on}`{line}` / `kubectl {same}`"
                figures.append(Figure(what, Unit.RATIO, mine / its, BUDGET, detail, note))
            return figures
