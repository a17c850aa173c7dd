"""How one request is answered: every reply becomes the newest text of its one message, with its buttons stored."""

from contextlib import suppress
from dataclasses import dataclass, replace

from bot.core.errors import StoreUnavailable
from bot.core.ledger import Ledger
from bot.core.message import Message
from bot.core.plain_reply import plain_reply
from bot.core.reply import Buttons, Part, Reply
from bot.core.request import Conversation


@dataclass(frozen=True, slots=True)
class Voice:
    """Speaks under the key of one request, where it came from.

    What is said together with a step of an action is made first (`message`), written with that step, then delivered:
    so nothing is announced that did not happen, and nothing that happened stays unsaid.
    """

    key: str
    channel: str
    actor: str
    to: Conversation
    ledger: Ledger

    async def __call__(self, reply: Reply) -> None:
        message = await self.message(reply)
        await self.to.say(message.key, message.reply)

    async def message(self, reply: Reply) -> Message:
        return Message(self.key, self.channel, self.actor, await self._with_stored_buttons(plain_reply(reply)))

    async def deliver(self, message: Message) -> None:
        """Show what was written with a step; where that cannot be done now, it waits where it was written."""
        with suppress(StoreUnavailable):
            await self.to.say(message.key, message.reply)

    async def _with_stored_buttons(self, reply: Reply) -> Reply:
        parts: list[Part] = []
        for part in reply.parts:
            if isinstance(part, Buttons):
                part = Buttons(tuple([await self.ledger.store_button(button, self.key) for button in part.items]))
            parts.append(part)
        return replace(reply, parts=tuple(parts))
