"""The policy in force, read again when its file changes; a file that is wrong changes nothing but is told."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self, TypeAlias

from bot.core.clock import Clock
from bot.core.command import Registry
from bot.core.policy import Policy
from bot.policyfile.load import load
from bot.policyfile.problem import BadPolicy, Problem
from bot.policyfile.reading import LARGEST

_EVERY: Final = 2.0
_PATIENCE: Final = 10.0
"""Seconds between two looks, and for one of them: the file may lie on a network's disk."""

_Signature: TypeAlias = tuple[int, int, int]


@dataclass(slots=True)
class PolicySource:
    """Watches one file. `changed` is given each new policy, `refused` each reason why a new file does not count.

    Both are called once a change. A file is taken when two looks in a row find it the same, so that one which is being
    written is not read half. A ConfigMap's file is followed through its links.
    """

    path: Path
    registry: Registry
    clock: Clock
    policy: Policy
    changed: Callable[[Policy], None]
    refused: Callable[[BadPolicy], None]
    _seen: _Signature | None = None
    _judged: _Signature | None = None

    @classmethod
    async def opened(
        cls,
        path: Path,
        registry: Registry,
        clock: Clock,
        *,
        changed: Callable[[Policy], None],
        refused: Callable[[BadPolicy], None],
    ) -> Self:
        """Read the file for the first time. Raises BadPolicy: there is no older policy to go on with."""
        try:
            signature, raw = await _look(path)
        except OSError as error:
            raise _unreadable(path, error) from error
        return cls(path, registry, clock, load(raw, registry), changed, refused, signature, signature)

    async def watch(self) -> None:
        """Look again and again, until cancelled."""
        while True:
            await self.clock.sleep(_EVERY)
            await self.look()

    async def look(self) -> None:
        """Look once: adopt what is new and right, tell what is new and wrong."""
        try:
            signature, raw = await _look(self.path)
        except OSError as error:
            # The loss of a file is told once, as a file that is wrong is.
            if self._seen is not None:
                self._seen = self._judged = None
                self.refused(_unreadable(self.path, error))
            return
        settled, self._seen = signature == self._seen, signature
        if not settled or signature == self._judged:
            return
        self._judged = signature
        try:
            found = load(raw, self.registry)
        except BadPolicy as error:
            self.refused(error)
            return
        if found != self.policy:
            self.policy = found
            self.changed(found)


async def _look(path: Path) -> tuple[_Signature, bytes]:
    """The file with its signature. Raises OSError, and TimeoutError (which is one) when the disk does not answer."""
    async with asyncio.timeout(_PATIENCE):
        return await asyncio.to_thread(_read, path)


def _read(path: Path) -> tuple[_Signature, bytes]:
    with path.open("rb") as file:
        stat = path.stat()
        return (stat.st_ino, stat.st_mtime_ns, stat.st_size), file.read(LARGEST + 1)


def _unreadable(path: Path, error: OSError) -> BadPolicy:
    return BadPolicy([Problem(0, f"{path.name} cannot be read: {error.strerror or 'the disk does not answer'}")])
