"""What a store does, in plain dictionaries: several owners on one memory, leases, and a clock that a test moves.

The databases are compared with it, and the core's tests run on it where somebody must be taken over.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace

from rigs.process_ledger import MemoryLedger as ProcessLedger

from bot.core.errors import Stale, Superseded
from bot.core.ledger import BEGINNINGS, ActionRecord, Record, State, leads
from bot.core.message import Message, Outgoing
from bot.core.request import Request

LEASE = 1_000.0
"""In seconds, and long: in these tests time passes by order, and what a slow machine takes must not count."""


@dataclass(slots=True)
class Lease:
    owner: str = ""
    until: float = 0.0


@dataclass(slots=True)
class Mail:
    """A message on its way out. `position` is its place among those that wait, None when it is out."""

    message: Message
    position: int | None
    version: int = 1
    handle: str = ""
    due: float = 0.0
    lease: Lease = field(default_factory=Lease)


@dataclass(slots=True)
class Asked:
    request: Request
    state: str = "waiting"
    lease: Lease = field(default_factory=Lease)


@dataclass(slots=True)
class Memory:
    """What all owners see. `now` in seconds, moved by the test."""

    now: float = 0.0
    kept: ProcessLedger = field(default_factory=ProcessLedger)
    leases: dict[str, Lease] = field(default_factory=dict)
    requests: dict[str, Asked] = field(default_factory=dict)
    mail: dict[str, Mail] = field(default_factory=dict)

    def lease(self, owner: str) -> Lease:
        return Lease(owner, self.now + LEASE)

    def answer(self, owner: str, request_id: str) -> None:
        """An action takes a request over."""
        asked = self.requests.get(request_id)
        if asked is None:
            return
        if asked.state != "working" or asked.lease.owner != owner:
            raise Superseded("Another process has taken this request over.")
        asked.state = "done"

    def put(self, messages: Iterable[Message]) -> None:
        for message in messages:
            mail = self.mail.get(message.key)
            if mail is None:
                self.mail[message.key] = Mail(message, self.end())
            elif mail.message != message:
                mail.message = message
                mail.version += 1
                mail.position = mail.position or self.end()

    def end(self) -> int:
        """The place behind all that wait."""
        return max((mail.position or 0 for mail in self.mail.values()), default=0) + 1


class MemoryLedger(ProcessLedger):
    """The ledger as one owner sees it."""

    def __init__(self, memory: Memory | None = None, owner: str = "me") -> None:
        self.memory = memory or Memory()
        self.owner = owner
        kept = self.memory.kept
        self._actions, self._records, self._fates = kept._actions, kept._records, kept._fates
        self._buttons, self._button_ids = kept._buttons, kept._button_ids

    async def begin(
        self, action: ActionRecord, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        if action.state not in BEGINNINGS:
            raise ValueError(f"no action begins as {action.state.value}")
        self.memory.answer(self.owner, action.request)
        return await self._written(action, record, messages)

    async def advance(
        self, action: ActionRecord, to: State, record: Record | None = None, messages: Sequence[Message] = ()
    ) -> ActionRecord:
        stored = await self.action(action.id)
        if not leads(action.state, to):
            raise Stale(f"This action is already {action.state.value}.")
        if action.epoch != stored.epoch:
            raise Superseded("Another process has taken this action over.")
        if action.state is not stored.state:
            raise Stale(f"This action is already {stored.state.value}.")
        if action.request != stored.request:
            self.memory.answer(self.owner, action.request)
        return await self._written(replace(action, state=to), record, messages)

    async def _written(self, action: ActionRecord, record: Record | None, messages: Sequence[Message]) -> ActionRecord:
        if record is not None:
            await self.note(record)
        self._actions[action.id] = action
        lease = self.memory.lease(self.owner)
        self.memory.leases[action.id] = lease if action.state.held else Lease(self.owner)
        self.memory.put(messages)
        return action

    async def note(self, record: Record, request: str = "", messages: Sequence[Message] = ()) -> None:
        self.memory.answer(self.owner, request)
        await super().note(record)
        self.memory.put(messages)

    async def hold(self, action: ActionRecord) -> None:
        stored = self._actions[action.id]
        if not self._mine(action.id) or (stored.epoch, stored.state) != (action.epoch, action.state):
            raise Superseded("Another process has taken this action over.")
        self._actions[action.id] = action
        self.memory.leases[action.id] = self.memory.lease(self.owner)

    async def renew(self, actions: Collection[str]) -> None:
        for action_id in filter(self._mine, actions):
            self.memory.leases[action_id] = self.memory.lease(self.owner)

    async def orphans(self, limit: int) -> tuple[ActionRecord, ...]:
        left = [
            replace(action, epoch=action.epoch + 1)
            for action in self._actions.values()
            if action.state.held and self.memory.leases[action.id].until <= self.memory.now
        ][:limit]
        for action in left:
            self._actions[action.id] = action
            self.memory.leases[action.id] = self.memory.lease(self.owner)
        return tuple(left)

    async def release(self, action: ActionRecord) -> bool:
        if self._mine(action.id) and self._actions[action.id].epoch == action.epoch:
            self.memory.leases[action.id] = Lease(self.owner)
        return True

    def _mine(self, action_id: str) -> bool:
        action = self._actions.get(action_id)
        return action is not None and action.state.held and self.memory.leases[action_id].owner == self.owner


class MemoryInbox:
    """The inbox as one owner sees it."""

    def __init__(self, memory: Memory, owner: str) -> None:
        self.memory = memory
        self.owner = owner

    async def accept(self, requests: Sequence[Request]) -> tuple[Request, ...]:
        new = {request.id: request for request in requests if request.id not in self.memory.requests}
        self.memory.requests |= {request_id: Asked(request) for request_id, request in new.items()}
        return tuple(new.values())

    async def claim(self, limit: int) -> tuple[Request, ...]:
        free = [asked for asked in self.memory.requests.values() if self._free(asked)][:limit]
        for asked in free:
            asked.state, asked.lease = "working", self.memory.lease(self.owner)
        return tuple(asked.request for asked in free)

    def _free(self, asked: Asked) -> bool:
        return asked.state == "waiting" or (asked.state == "working" and asked.lease.until <= self.memory.now)

    async def hold(self, requests: Collection[str]) -> None:
        for asked in map(self._mine, requests):
            if asked is not None:
                asked.lease = self.memory.lease(self.owner)

    async def finish(self, request_id: str) -> None:
        if (asked := self._mine(request_id)) is not None:
            asked.state, asked.lease = "done", Lease()

    async def give_back(self, request_id: str) -> None:
        if (asked := self._mine(request_id)) is not None:
            asked.state, asked.lease = "waiting", Lease()

    def _mine(self, request_id: str) -> Asked | None:
        asked = self.memory.requests.get(request_id)
        return asked if asked is not None and asked.state == "working" and asked.lease.owner == self.owner else None


class MemoryOutbox:
    """The outbox as one owner sees it."""

    def __init__(self, memory: Memory, owner: str) -> None:
        self.memory = memory
        self.owner = owner

    async def post(self, message: Message) -> None:
        if self._holder(message.key) not in (None, self.owner):
            raise Superseded("Another process has taken over what this message tells of.")
        self.memory.put([message])

    def _holder(self, key: str) -> str | None:
        tells = [action.id for action in self.memory.kept._actions.values() if action.request == key]
        if tells:
            return self.memory.leases[tells[-1]].owner
        asked = self.memory.requests.get(key)
        return None if asked is None else asked.lease.owner

    async def due(self, limit: int) -> tuple[Outgoing, ...]:
        waiting = [(mail.position, mail) for mail in self.memory.mail.values() if mail.position is not None]
        waiting.sort(key=lambda pair: pair[0])
        first: dict[str, Mail] = {}
        for _, mail in waiting:
            first.setdefault(mail.message.channel, mail)
        now = self.memory.now
        taken = [mail for mail in first.values() if mail.lease.until <= now and mail.due <= now][:limit]
        for mail in taken:
            mail.lease = self.memory.lease(self.owner)
        return tuple(Outgoing(mail.message, mail.version, mail.handle) for mail in taken)

    async def posted(self, outgoing: Outgoing, handle: str) -> None:
        mail = self.memory.mail[outgoing.message.key]
        if mail.lease.owner == self.owner:
            newer = mail.version != outgoing.version
            mail.handle, mail.due, mail.lease = handle, 0.0, Lease(self.owner)
            mail.position = self.memory.end() if newer else None
        else:
            mail.version += 1
            mail.position = mail.position or self.memory.end()

    async def failed(self, outgoing: Outgoing, retry_in: float) -> None:
        mail = self.memory.mail[outgoing.message.key]
        if mail.lease.owner == self.owner:
            mail.due, mail.lease = self.memory.now + retry_in, Lease(self.owner)
