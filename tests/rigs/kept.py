"""Values that the store's tests keep: one person, one place, one workload, and short ways to more of them."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Final

from bot.core.ledger import ActionRecord, Record, State
from bot.core.message import Message
from bot.core.people import Actor
from bot.core.plan import ObjectRef, Place
from bot.core.reply import Reply
from bot.core.request import Request

NOW: Final = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
ALICE: Final = Actor("alice", "Alice")
BOB: Final = Actor("bob", "Bob")
SHOP: Final = Place("dev", "shop")
MYAPP: Final = ObjectRef("dev", "apps/v1", "Deployment", "deployments", "shop", "myapp")


def action(
    action_id: str = "a1", state: State = State.EXECUTING, *targets: ObjectRef, request: str = ""
) -> ActionRecord:
    line = "deploy myapp v2"
    return ActionRecord(action_id, line, "deploy", ALICE, SHOP, state, NOW, targets=targets, request=request)


def record(kind: str = "STARTED", action_id: str = "a1") -> Record:
    return Record(NOW, kind, action_id, ALICE, "alice", "deploy myapp v2", SHOP)


def message(text: str = "Deploying.", key: str = "r1", channel: str = "C1") -> Message:
    return Message(key, channel, "alice", Reply(text))


def request(request_id: str = "r1") -> Request:
    return Request(request_id, "alice", "C1", "deploy myapp v2")


def scale_of(target: ObjectRef) -> ObjectRef:
    return replace(target, subresource="scale")
