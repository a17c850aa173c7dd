"""An action that is being carried out: what another process needs to take it up again, and with whom it is done."""

from dataclasses import dataclass, replace
from typing import Self

from bot.core import codec
from bot.core.cluster import Reader, Stamp
from bot.core.ledger import ActionRecord
from bot.core.masking import discloses
from bot.core.offer import Offer
from bot.core.people import Identity
from bot.core.pin import Pin
from bot.core.voice import Voice


@dataclass(frozen=True, slots=True)
class Work:
    """What is to be done, the stamp of each step, and, once it is done, what is followed."""

    offer: Offer
    stamps: tuple[Stamp, ...]
    pins: tuple[Pin, ...] = ()

    def written(self) -> str:
        """As the ledger keeps it: a body that holds what looks like a secret is left out.

        An undo puts a whole template back, its environment included. Such a step is recognised when it was done, and
        never done from here (`Executor.resume`).
        """
        plan = self.offer.plan
        steps = tuple(replace(step, body={}) if discloses(step.body) else step for step in plan.steps)
        return codec.dumps(replace(self, offer=replace(self.offer, plan=replace(plan, steps=steps))))

    @classmethod
    def read(cls, text: str) -> Self:
        """Raises ValueError where this program does not understand it."""
        return codec.loads(cls, text)


@dataclass(frozen=True, slots=True)
class Deed:
    """An action in somebody's hands: its record, its work, as whom it is done, and where it is told of."""

    record: ActionRecord
    work: Work
    identity: Identity
    reader: Reader
    voice: Voice

    @property
    def place(self) -> str:
        return str(self.record.place)
