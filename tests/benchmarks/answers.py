"""How soon a person hears something: the first message of a read and of a plan, and the verdict after the fact."""

import asyncio
import time
from itertools import cycle, islice
from typing import Final

from benchmarks.chats import Typist
from benchmarks.figures import Figure, Unit, percentile, spread

from bot.app import demo_pipeline
from bot.core.reply import Tone
from bot.demo.controllers.tempo import FAST
from bot.demo.objects import Json
from bot.demo.store import Store
from bot.settings import Settings

READS: Final = (
    "pods", "", "myapp", "status myapp", "get deploy", "get pods -A", "show deploy/myapp", "logs myapp", "events",
    "rollout history myapp", "images", "versions", "top", "nodes",
)  # fmt: skip
READ_COUNT: Final = 140
DEPLOY_COUNT: Final = 20
_SERVER: Final = "The embedded clusters share this process and its loop: their work, all in Python, is in the figure."


class _Completions:
    """When the API itself said that the rollout of a deployment was complete, by its generation."""

    def __init__(self, store: Store, name: str) -> None:
        self._events = store.subscribe("deployments.apps")
        self._name = name
        self.at: dict[int, float] = {}

    async def watch(self) -> None:
        async for event in self._events:
            meta = event.object["metadata"]
            if (meta["namespace"], meta["name"]) == ("shop", self._name) and complete(event.object):
                self.at.setdefault(meta["generation"], time.perf_counter())


def complete(deployment: Json) -> bool:
    """As `kubectl rollout status` decides it (k8s.io/kubectl/pkg/polymorphichelpers/rollout_status.go)."""
    meta, status, wanted = deployment["metadata"], deployment.get("status", {}), deployment["spec"]["replicas"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "availableReplicas")]
    return bool(status.get("observedGeneration") == meta["generation"] and counts == [wanted] * len(counts))


async def measure() -> list[Figure]:
    async with demo_pipeline(Settings.model_construct(), FAST) as (pipeline, world):
        alice = Typist(pipeline)
        for line in READS:
            await alice.types(line)
        reads = [(await alice.types(line)).first for line in islice(cycle(READS), READ_COUNT)]
        store = world.clusters["dev"].store
        completions = _Completions(store, "myapp")
        watching = asyncio.create_task(completions.watch())
        plans, verdicts = [], []
        try:
            for number in range(2, DEPLOY_COUNT + 2):
                heard = await alice.types(f"deploy myapp v{number}")
                if heard.reply.tone is not Tone.GOOD:
                    raise AssertionError(f"deploy v{number} ended with: {heard.reply.headline}")
                plans.append(heard.first)
                generation = store.get("deployments.apps", "shop", "myapp")["metadata"]["generation"]
                verdicts.append(heard.messages[-1][0] - completions.at[generation])
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)
    unit = Unit.MILLISECONDS
    return [
        Figure(
            "Enter → first visible message of a read, p95",
            Unit.SECONDS,
            percentile(reads, 95),
            1.0,
            f"{len(reads)} reads; {spread(reads, unit)}",
            _SERVER,
        ),
        Figure(
            "Enter → first visible message of a plan with preview, p95",
            Unit.SECONDS,
            percentile(plans, 95),
            1.0,
            f"{len(plans)} deploys; {spread(plans, unit)}",
            _SERVER,
        ),
        Figure(
            "rollout complete in the API → verdict said, p95",
            Unit.SECONDS,
            percentile(verdicts, 95),
            None,
            f"{len(verdicts)} rollouts; {spread(verdicts, unit)}",
            _SERVER,
        ),
    ]
