"""Who asks, and as whom the cluster sees them: Actor, Identity, and the Directory that knows both."""

import asyncio
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from types import MappingProxyType
from typing import Protocol, TypeAlias, TypeVar

from bot.core.errors import Unavailable

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Actor:
    """A person as the door knows them. `id` is stable and unique (never a display name); `name` is for reading."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Impersonated:
    """The Kubernetes user and all the groups that a call is made as. Neither may be of `system:`."""

    user: str
    groups: tuple[str, ...] = ()
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}), hash=False)

    def __post_init__(self) -> None:
        if not self.user:
            raise ValueError("an impersonated identity needs a user")
        for name in (self.user, *self.groups):
            if name.startswith("system:"):
                raise ValueError(f"{name} is reserved to Kubernetes and is never impersonated")

    def __str__(self) -> str:
        return self.user


@dataclass(frozen=True, slots=True)
class KubeconfigUser:
    """The user that the kubeconfig itself logs in as: the operator's own console, never the bot's service."""

    def __str__(self) -> str:
        return "the kubeconfig's user"


Identity: TypeAlias = Impersonated | KubeconfigUser


class Directory(Protocol):
    """Knows the people. Unknown means refuse: every method raises `Forbidden` for somebody it does not know."""

    async def person(self, actor_id: str) -> Actor: ...

    async def identity(self, actor: Actor, cluster: str) -> Identity: ...


class TimelyDirectory:
    """A directory whose silence is a refusal. Its answers are kept by nobody: each decision asks anew."""

    def __init__(self, directory: Directory, within: timedelta) -> None:
        self._directory = directory
        self._within = within

    async def person(self, actor_id: str) -> Actor:
        return await self._in_time(self._directory.person(actor_id))

    async def identity(self, actor: Actor, cluster: str) -> Identity:
        return await self._in_time(self._directory.identity(actor, cluster))

    async def _in_time(self, answer: Awaitable[T]) -> T:
        try:
            async with asyncio.timeout(self._within.total_seconds()):
                return await answer
        except TimeoutError:
            raise Unavailable(
                "I cannot find out now who you are: the directory does not answer.",
                hint="Nothing was done. Try again in a moment.",
            ) from None
