"""What replicas leave behind, compared: inbox, ledger, audit, outbox, posts, and the cluster's own audit log.

`unfinished` is what is still to come, `disagreements` is what must never be.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from rigs.replicas import Fleet, Post
from sqlalchemy import select

from bot.app import SystemClock
from bot.core.codec import loads
from bot.core.errors import StoreUnavailable
from bot.core.ledger import ActionRecord, Entry, State
from bot.core.message import Message
from bot.core.reply import Tone
from bot.store.audit import Audit
from bot.store.engine import open_store
from bot.store.tables import actions, inbox, outbox

ENDS_WITHIN: Final = 60.0
"""Seconds from the restart until all that was begun has its ending."""

_ENDINGS: Final = frozenset(state.value.upper() for state in State if state.final)
_NEVER_WRITTEN: Final = frozenset({State.REFUSED, State.CANCELLED, State.EXPIRED, State.STALE})
_WRITES: Final = frozenset({"create", "update", "patch", "delete"})


@dataclass(frozen=True, slots=True)
class Books:
    """The database at one moment. `said` is the newest text of each message, its version, and whether it waits."""

    inbox: dict[str, str]
    actions: tuple[ActionRecord, ...]
    entries: tuple[Entry, ...]
    said: dict[str, tuple[Message, int, bool]]


async def books(database: str) -> Books:
    """Raises StoreUnavailable."""
    opened = open_store(
        database, owner="reader", lease=timedelta(seconds=1), outbox=True, clock=SystemClock(), readonly=True
    )
    async with opened as store:
        assert isinstance(store.audit, Audit)
        async with store.audit.database.read() as connection:
            received = (await connection.execute(select(inbox.c.id, inbox.c.state))).all()
            begun = (await connection.execute(select(actions.c.content).order_by(actions.c.seq))).scalars().all()
            messages = (await connection.execute(select(outbox))).all()
        entries: list[Entry] = []
        while more := await store.audit.entries(len(entries)):
            entries.extend(more)
    return Books(
        {row.id: row.state for row in received},
        tuple(loads(ActionRecord, content) for content in begun),
        tuple(entries),
        {row.key: (loads(Message, row.content), row.version, row.position is not None) for row in messages},
    )


async def quiet(fleet: Fleet, within: float = ENDS_WITHIN) -> Books:
    """Wait until all that was asked is answered, ended and posted; fails with what is not."""
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    while True:
        asking = fleet.asking  # before the look: what is acknowledged during it may not be seen by it
        try:
            found = await books(fleet.config.database)
            left = [*([f"{asking} requests that nobody acknowledged"] if asking else []), *unfinished(found)]
            if not left:
                return found
        except StoreUnavailable as error:
            left = [error.message]
        assert loop.time() < until, "\n".join([f"not ended after {within} s:", *left, fleet.logs[-3000:]])
        await asyncio.sleep(0.1)


def unfinished(found: Books) -> Iterator[str]:
    yield from (f"request {key} is {state}" for key, state in found.inbox.items() if state != "done")
    yield from (f"{one.id} ({one.line}) is {one.state}" for one in found.actions if not one.state.final)
    yield from (f"message {key} is not posted" for key, (_, _, waits) in found.said.items() if waits)


def disagreements(fleet: Fleet, found: Books) -> list[str]:
    """Whatever was lost, doubled, or told otherwise than it is."""
    return [
        *_lost(fleet, found),
        *_endings(found),
        *_writes(fleet, found),
        *_words(found, {post["key"]: post for post in fleet.posts}),
        *(line for line in fleet.logs.splitlines() if "error" in line or "Traceback" in line),
    ]


def _lost(fleet: Fleet, found: Books) -> Iterator[str]:
    for key, request in fleet.asked.items():
        if key not in found.inbox:
            yield f"{request} was acknowledged and is lost"
        if key not in found.said:
            yield f"{request} has no answer"
    pressed = {key.partition("-")[2] for key in fleet.asked}
    for key, (message, _, _) in found.said.items():
        if message.reply.tone is Tone.WAIT and key not in pressed and not fleet.asked[key].text.startswith("status"):
            yield f"the last word on {fleet.asked[key]} is {message.reply.headline!r}"


def _endings(found: Books) -> Iterator[str]:
    denied = Counter(
        (entry.record.actor.id, entry.record.line) for entry in found.entries if entry.record.kind == "DENIED"
    )
    yield from (f"{line} was denied {count} times" for line, count in denied.items() if count > 1)
    kinds: defaultdict[str, list[str]] = defaultdict(list)
    for entry in found.entries:
        if entry.record.action:
            kinds[entry.record.action].append(entry.record.kind)
    for action in found.actions:
        told = kinds.pop(action.id, [])
        wanted = ["DENIED"] if action.state is State.REFUSED and "STARTED" not in told else []
        wanted = wanted or ([] if action.state in _NEVER_WRITTEN and "STARTED" not in told else ["STARTED"])
        if told != [*wanted, *([action.state.value.upper()] if wanted != ["DENIED"] else [])]:
            yield f"{action.id} ({action.line}, {action.state}) is in the audit as {told}"
    yield from (f"{action} is in the audit and not in the ledger" for action in kinds)


def _writes(fleet: Fleet, found: Books) -> Iterator[str]:
    ours = [
        call
        for call in fleet.cluster.audit
        if call.verb in _WRITES and "/apis/apps/" in call.uri and not call.dry_run and call.code < 300
    ]
    times = Counter(call.audit_id for call in ours)
    yield from (f"{audit_id} was written {count} times" for audit_id, count in times.items() if count > 1)
    by_id = {action.id: action for action in found.actions}
    promised = {audit_id: by_id[entry.record.action] for entry in found.entries for audit_id in entry.record.audit_ids}
    yield from (f"{audit_id} was written and never begun" for audit_id in times if audit_id not in promised)
    for audit_id, action in promised.items():
        written = audit_id in times
        if written and action.state in _NEVER_WRITTEN:
            yield f"{action.id} ({action.line}) is {action.state}, and it was written"
        # A Scale carries no id: where another scaled to the same number, nothing was left to write.
        if not written and action.state in (State.DONE, State.FAILED) and action.command != "scale":
            yield f"{action.id} ({action.line}) is {action.state}, and it was not written: {action.result}"
        stopped = "I stopped watching" in action.result
        if action.state is State.UNKNOWN and not stopped and not _others_wrote(action, found):
            yield f"{action.id} ({action.line}) is left open, and nobody wrote there since: {action.result}"
    for app in fleet.apps:
        generation = fleet.cluster.store.get("deployments.apps", "shop", app)["metadata"]["generation"]
        written_to = sum(f"/deployments/{app}" in call.uri for call in ours)
        if generation != 1 + written_to:
            yield f"{app} is at generation {generation} after {written_to} writes"


def _others_wrote(action: ActionRecord, found: Books) -> bool:
    return any(
        other.id != action.id
        and other.state not in _NEVER_WRITTEN
        and bool(other.began and action.began and (other.ended is None or other.ended > action.began))
        for other in found.actions
        if {replace(target, subresource="") for target in other.targets}
        & {replace(target, subresource="") for target in action.targets}
    )


def _words(found: Books, last: dict[str, Post]) -> Iterator[str]:
    for key, (message, version, _) in found.said.items():
        post = last.get(key)
        if post is None or (post["version"], post["headline"]) != (version, message.reply.headline):
            yield f"the newest of {key} is {version} {message.reply.headline!r}, and posted was {post}"
    for action in found.actions:
        if action.state in (State.DONE, State.FAILED, State.UNKNOWN):
            headline = found.said[action.request][0].reply.headline
            if action.result not in headline and headline not in action.result:
                yield f"{action.id} ended as {action.result!r}, and it says {headline!r}"
