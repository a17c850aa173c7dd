"""Somebody who has just found the demo and tries what kubectl can do: kubectl on an embedded cluster, over TLS."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from rigs.oracle_kubectl import Kubectl, Printed

from bot.demo.controllers.tempo import FAST
from bot.demo.world import ADMIN, World

_SOON = 20.0
_LOOK_EVERY = 0.1


@dataclass(frozen=True)
class Newcomer:
    """The administrator of `dev`, whose namespace is `shop`; `login` gives the kubectl of one of the demo's people."""

    world: World
    folder: Path
    kubectl: Kubectl
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def says(self, line: str, *, text: str = "", code: int | None = 0) -> str:
        """Run a line and return all that it printed."""
        return (await self.kubectl.run(line, text=text, code=code)).text

    async def refused(self, line: str, *, text: str = "") -> str:
        """Run a line that fails and return what it says of that."""
        return (await self.kubectl.run(line, text=text, code=1)).err

    async def until(self, line: str, wanted: str) -> str:
        """Ask again until the answer holds what is wanted: the controllers take their time."""
        printed = Printed(0, "", "")
        try:
            async with asyncio.timeout(_SOON):
                while wanted not in (printed := await self.kubectl.run(line, code=None)).text:  # noqa: ASYNC110 - another process tells no event
                    await asyncio.sleep(_LOOK_EVERY)
        except TimeoutError:
            raise AssertionError(f"kubectl {line} never said {wanted!r}, but: {printed.text}") from None
        return printed.text

    async def playground(self) -> str:
        """Make a namespace of one's own and return its name."""
        name = f"play-{next(self._numbers)}"
        await self.says(f"create namespace {name}")
        return name

    def login(self, person: str) -> Kubectl:
        return _login(self.world, self.folder, person)


@asynccontextmanager
async def newcomer_at(folder: Path) -> AsyncIterator[Newcomer]:
    async with World(tempo=FAST, clock=lambda: datetime.now(UTC), new_uid=lambda: str(uuid.uuid4())) as world:
        yield Newcomer(world, folder, _login(world, folder, ADMIN))


def _login(world: World, folder: Path, person: str) -> Kubectl:
    kubeconfig = folder / f"kubeconfig-{person.replace(':', '-')}"  # a colon would make it several files
    world.write_kubeconfig(kubeconfig, person)
    return Kubectl(kubeconfig, folder, "dev")
