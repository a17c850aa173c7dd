"""The bot of a benchmark: the real pipeline in this process on a served cluster, and who listens to it with a watch."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from rigs.chat import as_text

from bot.app import local_store, pipeline_on
from bot.core.pipeline import Pipeline
from bot.core.policy import PolicyDirectory
from bot.core.reply import Reply, Tone
from bot.core.request import Request
from bot.demo.policy import CHANNEL, demo_policy
from bot.kube.credentials import Kubeconfig
from bot.settings import Settings


@dataclass(slots=True)
class Heard:
    """The answers to one line, each with the second (of `time.perf_counter`) at which it came."""

    began: float
    messages: list[tuple[float, Reply]] = field(default_factory=list)

    async def say(self, key: str, reply: Reply) -> None:
        self.messages.append((time.perf_counter(), reply))

    @property
    def first(self) -> float:
        """Seconds from Enter to the first message."""
        return self.messages[0][0] - self.began

    @property
    def last(self) -> float:
        """Seconds from Enter to the newest message."""
        return self.messages[-1][0] - self.began

    @property
    def reply(self) -> Reply:
        return self.messages[-1][1]


class Typist:
    """alice, who types and looks at the clock."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline
        self._numbers = count(1)

    async def types(self, line: str) -> Heard:
        """Raises AssertionError for an answer that is a failure: its time would say nothing."""
        key = f"r{next(self._numbers)}"
        heard = Heard(time.perf_counter())
        await self._pipeline.handle(Request(key, "alice", CHANNEL, line), heard)
        await self._pipeline.settled(key)
        if heard.reply.tone is Tone.BAD:
            raise AssertionError(f"{line!r} was answered with:\n{as_text(heard.reply)}")
        return heard


@asynccontextmanager
async def connected(kubeconfig: Path, *clusters: str) -> AsyncIterator[Typist]:
    """The bot on some contexts of a kubeconfig, which is the bot's own: it speaks for alice."""
    policy = demo_policy()
    sources = {name: Kubeconfig(str(kubeconfig), name) for name in clusters}
    # Of the settings only defaults: neither the environment's nor a `.env` file's.
    settings = Settings.model_construct()
    with TemporaryDirectory(prefix="steersman-bench-") as folder:
        async with (
            local_store(Path(folder) / "bench.db") as store,
            pipeline_on(settings, sources, policy, PolicyDirectory(policy), store.ledger) as pipeline,
        ):
            yield Typist(pipeline)
