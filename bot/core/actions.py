"""The life of an action: plan, preview, judge, wait or execute, follow, and exactly one ending.

Claim, record, act: the state moves in the ledger, with its audit record, before anything is written.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final, TypeAlias, assert_never

from bot.core.answers import confirmation, error_reply, nothing_to_do
from bot.core.carrier import Carrier
from bot.core.clock import Clock
from bot.core.cluster import Reader, Stamp
from bot.core.command import Action, Context
from bot.core.deed import Deed, Work
from bot.core.errors import Forbidden, Judge, Stale, SteersmanError, StoreUnavailable, Superseded
from bot.core.execute import Executor
from bot.core.grammar import Parsed
from bot.core.ledger import ActionRecord, Ledger, Record, State
from bot.core.message import Message
from bot.core.offer import Offer
from bot.core.people import Actor, Identity
from bot.core.policy import Allow, Ask, Confirm, Deny, Policy
from bot.core.reply import Note, Reply, Text, Tone
from bot.core.voice import Voice

CONFIRM_WITHIN: Final = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Call:
    """A request after it was read, its person identified and its place resolved."""

    request_id: str
    channel: str
    action: Action
    parsed: Parsed
    context: Context

    @property
    def line(self) -> str:
        """The command line in full, its place included."""
        return self.parsed.line_at(self.context.place.cluster, self.context.place.namespace)


Enter: TypeAlias = Callable[[ActionRecord, Record, tuple[Message, ...]], Awaitable[ActionRecord]]
"""Brings an action into EXECUTING, with its STARTED record and what is said of it."""


@dataclass(frozen=True, slots=True)
class Standing:
    """Who somebody is now on an action's cluster, and the command that its line says."""

    identity: Identity
    reader: Reader
    action: Action


class Actions:
    """Carries actions from their plan to their ending. Follows run on as tasks of their own."""

    def __init__(
        self,
        policy: Callable[[], Policy],
        ledger: Ledger,
        executor: Executor,
        clock: Clock,
        new_id: Callable[[], str],
        new_audit_id: Callable[[], str],
        carrier: Carrier,
        *,
        plan_within: timedelta,
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._executor = executor
        self._clock = clock
        self._new_id = new_id
        self._new_audit_id = new_audit_id
        self._carrier = carrier
        self._plan_within = plan_within

    async def begin(self, call: Call, voice: Voice) -> None:
        """From the command to its execution, to a confirmation that waits, or to a refusal."""
        offer = await self._offer(call, voice)
        if offer is None:
            return
        plan, context = offer.plan, call.context
        record = self._record(call, offer)
        match self._policy().decide(context.actor, call.action, context.place, max(call.action.risk, plan.risk)):
            case Allow():
                await self._start(replace(record, state=State.EXECUTING), call, offer, voice, self._ledger.begin)
            case Confirm(reason):
                shown = Reply(plan.summary, Tone.WAIT, offer.parts, str(context.place))
                message = await voice.message(shown.plus(*confirmation(record.id, context.actor.id, reason)))
                await self._ledger.begin(replace(record, state=State.WAITING), None, (message,))
                await voice.deliver(message)
            case Ask(approvers, reason):
                message_text = f"{plan.summary} needs {approvers}. {reason}".strip()
                hint = f"Nothing was changed. Ask {approvers} to run it."
                await self._refuse(record, call, offer, voice, f"needs {approvers}", message_text, hint)
            case Deny(reason, way_out):
                await self._refuse(record, call, offer, voice, reason, reason, way_out)
            case other:
                assert_never(other)

    async def waiting(self, action_id: str, actor: Actor) -> ActionRecord:
        """An action that this person may still decide on. Raises Forbidden, NotFound, or Stale once it is decided."""
        record = await self._ledger.action(action_id)
        if record.actor.id != actor.id:
            raise Forbidden(f"Only @{record.actor.name}, who asked for it, can decide on this.", judge=Judge.POLICY)
        if record.state is not State.WAITING:
            raise Stale(f"{record.summary}: this is {record.state.value} already.", hint="Nothing was changed now.")
        if self._clock.now() - record.created > CONFIRM_WITHIN:
            await self._carrier.end(record, State.EXPIRED, "not confirmed in time")
            raise Stale(f"{record.summary}: this waited too long.", hint=f"Run it again: {record.line}")
        return record

    async def cancel(self, record: ActionRecord, voice: Voice) -> None:
        reply = Reply(f"Cancelled: {record.summary}. Nothing was changed.", Tone.PLAIN, (), str(record.place))
        await self._carrier.end(record, State.CANCELLED, "cancelled by the requester", voice, reply)

    async def confirm(self, record: ActionRecord, call: Call, voice: Voice) -> None:
        """Plan again; what was confirmed is what runs, or nothing runs."""
        try:
            offer = await self._offer(call, voice)
        except Stale:  # changed in this very moment
            offer = None
        if offer is None or offer.plan.fingerprint != record.fingerprint:
            await self._carrier.end(record, State.STALE, "the change is no longer the one that was shown")
            raise Stale(
                f"{record.summary}: the change is no longer the one that you saw.",
                hint=f"Nothing was written. Run it again to see the change as it is now: {record.line}",
            )
        context = call.context
        decision = self._policy().decide(
            context.actor, call.action, context.place, max(call.action.risk, offer.plan.risk)
        )
        if isinstance(decision, Ask | Deny):
            message = f"{record.summary}: this is no longer permitted. {decision.reason}".strip()
            hint = decision.way_out if isinstance(decision, Deny) else f"Ask {decision.approvers} to run it."
            refusal = error_reply(Forbidden(message, judge=Judge.POLICY, hint=hint), context.place)
            await self._carrier.end(record, State.REFUSED, decision.reason, voice, refusal)
            return
        # From here on it is told of under the click: the first message keeps what was decided on.
        confirmed = replace(record, request=call.request_id)

        async def advance(action: ActionRecord, started: Record, messages: tuple[Message, ...]) -> ActionRecord:
            return await self._ledger.advance(action, State.EXECUTING, started, messages)

        await self._start(confirmed, call, offer, voice, advance)

    async def take_up(
        self, record: ActionRecord, standing: Callable[[ActionRecord], Awaitable[Standing]], voice: Voice
    ) -> None:
        """Go on with an action whose process died. Raises StoreUnavailable, Superseded."""
        try:
            stands = await standing(record)
            deed = Deed(record, Work.read(record.work), stands.identity, stands.reader, voice)
        except (StoreUnavailable, Superseded):
            raise
        except (SteersmanError, ValueError) as error:
            why = error.message if isinstance(error, SteersmanError) else "Another version of me began it."
            reply = Reply(
                f"{record.summary}: I was restarted in the middle and cannot say how it ended. {why}",
                Tone.WARN,
                (Note("What was written stays written; `status` tells how it stands."),),
                str(record.place),
            )
            await self._carrier.end(record, State.UNKNOWN, why, voice, reply)
            return
        risk = max(stands.action.risk, deed.work.offer.plan.risk)
        decision = self._policy().decide(record.actor, stands.action, record.place, risk)
        await self._carrier.take_up(deed, may_write=not isinstance(decision, Deny))

    async def expire(self, record: ActionRecord, voice: Voice) -> None:
        """End an action that waited too long for its decision. Somebody may have been quicker."""
        reply = Reply(
            f"{record.summary}: not confirmed in time, so nothing was changed.",
            Tone.PLAIN,
            (Text(f"Run it again when you want it: {record.line}"),),
            str(record.place),
        )
        with suppress(Stale):
            await self._carrier.end(record, State.EXPIRED, "not confirmed in time", voice, reply)

    async def _start(self, record: ActionRecord, call: Call, offer: Offer, voice: Voice, enter: Enter) -> None:
        """Record that it starts, say so, and carry it out."""
        context, plan = call.context, offer.plan
        work = Work(offer, tuple(Stamp(record.id, self._new_audit_id()) for _ in plan.steps))
        started = self._audit(call, record, "STARTED", plan.summary, offer)
        started = replace(started, audit_ids=tuple(stamp.audit for stamp in work.stamps))
        shown = Reply(f"{plan.summary} · dry run ok", Tone.WAIT, offer.parts, str(context.place))
        message = await voice.message(shown)
        record = await enter(replace(record, work=work.written(), began=self._clock.now()), started, (message,))
        await voice.deliver(message)
        await self._carrier.carry(Deed(record, work, context.identity, context.reader, voice))

    async def _offer(self, call: Call, voice: Voice) -> Offer | None:
        """The plan with its preview; None where the command asked back or nothing is to be done, which is said."""
        context = call.context
        async with asyncio.timeout(self._plan_within.total_seconds()):
            plan = await call.action.plan(context, call.parsed.args)
            if isinstance(plan, Reply):
                await voice(replace(plan, place=plan.place or str(context.place)))
                return None
            if not plan.steps:
                await voice(nothing_to_do(plan, context.place))
                return None
            preview = await self._executor.preview(plan, context.identity)
        return Offer(plan, preview)

    async def _refuse(
        self, record: ActionRecord, call: Call, offer: Offer, voice: Voice, why: str, message: str, hint: str
    ) -> None:
        reply = error_reply(Forbidden(message, judge=Judge.POLICY, hint=hint), call.context.place)
        said = await voice.message(reply)
        now = self._clock.now()
        refused = replace(record, state=State.REFUSED, ended=now, result=why)
        await self._ledger.begin(refused, self._audit(call, record, "DENIED", why, offer), (said,))
        await voice.deliver(said)

    def _record(self, call: Call, offer: Offer) -> ActionRecord:
        context, plan = call.context, offer.plan
        return ActionRecord(
            id=self._new_id(),
            line=call.line,
            command=call.action.name,
            actor=context.actor,
            place=context.place,
            state=State.WAITING,
            created=context.now,
            summary=plan.summary,
            fingerprint=plan.fingerprint,
            targets=tuple(step.target for step in plan.steps),
            channel=call.channel,
            request=call.request_id,
        )

    def _audit(self, call: Call, record: ActionRecord, kind: str, detail: str, offer: Offer) -> Record:
        context = call.context
        return Record(
            self._clock.now(),
            kind,
            record.id,
            context.actor,
            str(context.identity),
            record.line,
            record.place,
            detail,
            diff=offer.diff,
            policy=self._policy().version,
        )
