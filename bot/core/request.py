"""What a door hands to the pipeline, and what it offers in return: Request and Conversation."""

from collections.abc import Awaitable, Callable
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
