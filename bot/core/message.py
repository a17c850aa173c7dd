"""What is said, on its way out: a message by its key, and the outbox that it waits in until a door has posted it."""

from dataclasses import dataclass
from typing import Protocol

from bot.core.reply import Reply


@dataclass(frozen=True, slots=True)
class Message:
    """The newest text of one message. `key` is its request's id: a key that was said before edits that message."""

    key: str
    channel: str
    actor: str
    reply: Reply


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message that a door is to post, or to edit where it has a `handle` (the door's own name of what it posted)."""

    message: Message
    version: int
    handle: str = ""


class Outbox(Protocol):
    """Messages wait here until they are posted; only the newest text of each is kept.

    Every method is one transaction, and raises Unavailable where it could not be made.
    """

    async def post(self, message: Message) -> None:
        """Replace the text of a message; the same text again is nothing new.

        Raises Superseded where another process has taken over what the message tells of.
        """
        ...

    async def due(self, limit: int) -> tuple[Outgoing, ...]:
        """Take messages that no other process is posting, the longest waiting first, under a lease."""
        ...

    async def posted(self, outgoing: Outgoing, handle: str) -> None:
        """Say that this version is out, and under which name."""
        ...

    async def failed(self, outgoing: Outgoing, retry_in: float) -> None:
        """It could not be posted now; it is due again in so many seconds."""
        ...
