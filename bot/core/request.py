"""What a door hands to the pipeline, and what it offers in return: Request, Conversation, and the durable Inbox."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeAlias

from bot.core.reply import Reply


@dataclass(frozen=True, slots=True)
class Request:
    """One wish of one person. `text` is as typed, without the slash command; a pressed button has its id instead.

    `id` is unique per delivery; `channel` chooses defaults of the policy.
    """

    id: str
    actor_id: str
    channel: str
    text: str = ""
    button: str = ""


class Conversation(Protocol):
    """Where the answers to one request go."""

    async def say(self, key: str, reply: Reply) -> None:
        """Post a message; a key that was said before edits that message in place."""
        ...


Say: TypeAlias = Callable[[Reply], Awaitable[None]]
"""Post or edit the one message that answers a request, with its buttons stored."""


class Inbox(Protocol):
    """Requests wait here from before they are acknowledged until they are answered.

    A process holds what it works on by a lease. Every method is one transaction, and raises Unavailable where it could
    not be made; nothing was accepted then.
    """

    async def accept(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        """Record what a door received; returns those that are new: a delivery that comes again is known by its id."""
        ...

    async def claim(self, limit: int) -> tuple[Request, ...]:
        """Take the longest waiting that nobody holds, also those whose holder has died."""
        ...

    async def hold(self, requests: Collection[str]) -> None:
        """Prolong the leases of the requests that this process works on."""
        ...

    async def finish(self, request_id: str) -> None:
        """It is answered, or an action has taken it over."""
        ...

    async def give_back(self, request_id: str) -> None:
        """It could not be answered now: whoever comes next may claim it at once."""
        ...
