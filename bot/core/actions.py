"""The life of an action: plan, preview, judge, wait or execute, follow, and exactly one ending.

Claim, record, act: the state moves in the ledger, with its audit record, before anything is written.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Final

from bot.core.answers import (
    confirmation,
    error_reply,
    nothing_to_do,
)
from bot.core.clock import Clock
from bot.core.cluster import Stamp
from bot.core.command import Action, Context
from bot.core.errors import Forbidden, Judge, Stale, SteersmanError
from bot.core.execute import Executor, Interrupted
from bot.core.follow import Limits as FollowLimits
from bot.core.follows import Follows
from bot.core.grammar import Parsed
from bot.core.ledger import ActionRecord, Fate, Ledger, Record, RevisionFate, State
from bot.core.offer import Offer
from bot.core.people import Actor
from bot.core.plan import ObjectRef, Plan
from bot.core.policy import Allow, Ask, Confirm, Deny, Policy
from bot.core.reply import Button, Buttons, Reply, Tone
from bot.core.request import Say
from bot.core.revisions import current
from bot.core.rollout import status
from bot.core.workload import Kind, Workload

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
        *,
        plan_within: timedelta,
        follow_limits: FollowLimits,
        report: Callable[[str, Exception], None],
    ) -> None:
        self._policy = policy
        self._ledger = ledger
        self._executor = executor
        self._clock = clock
        self._new_id = new_id
        self._new_audit_id = new_audit_id
        self._plan_within = plan_within
        self._follows = Follows(ledger, clock, self._end, follow_limits, report)

    async def begin(self, call: Call, say: Say) -> None:
        """From the command to its execution, to a confirmation that waits, or to a refusal."""
        offer = await self._offer(call, say)
        if offer is None:
            return
        plan = offer.plan
        record = self._record(call, plan)
        await self._ledger.begin(record)
        context = call.context
        risk = max(call.action.risk, plan.risk)
        match self._policy().decide(context.actor, call.action, context.place, risk):
            case Allow():
                await self._execute(call, offer, record, say)
            case Confirm(reason):
                await self._ledger.advance(record, State.WAITING)
                waiting = Reply(plan.summary, Tone.WAIT, offer.parts, str(context.place))
                await say(waiting.plus(*confirmation(record.id, context.actor.id, reason)))
            case Ask(approvers, reason):
                await self._refuse(record, call, f"needs {approvers}")
                hint = f"Nothing was changed. Ask {approvers} to run it."
                message = f"{plan.summary} needs {approvers}. {reason}".strip()
                await say(error_reply(Forbidden(message, judge=Judge.POLICY, hint=hint), context.place))
            case Deny(reason, way_out):
                await self._refuse(record, call, reason)
                await say(error_reply(Forbidden(reason, judge=Judge.POLICY, hint=way_out), context.place))

    async def waiting(self, action_id: str, actor: Actor) -> ActionRecord:
        """An action that this person may still decide on. Raises Forbidden, NotFound, or Stale once it is decided."""
        record = await self._ledger.action(action_id)
        if record.actor.id != actor.id:
            raise Forbidden(f"Only @{record.actor.name}, who asked for it, can decide on this.", judge=Judge.POLICY)
        if record.state is not State.WAITING:
            raise Stale(f"{record.summary}: this is {record.state.value} already.", hint="Nothing was changed now.")
        if self._clock.now() - record.created > CONFIRM_WITHIN:
            await self._end(record, State.EXPIRED, "not confirmed in time")
            raise Stale(f"{record.summary}: this waited too long.", hint=f"Run it again: {record.line}")
        return record

    async def cancel(self, record: ActionRecord, say: Say) -> None:
        await self._end(record, State.CANCELLED, "cancelled by the requester")
        await say(Reply(f"Cancelled: {record.summary}. Nothing was changed.", Tone.PLAIN, (), str(record.place)))

    async def confirm(self, record: ActionRecord, call: Call, say: Say) -> None:
        """Plan again; what was confirmed is what runs, or nothing runs."""
        offer = await self._offer(call, say)
        if offer is None or offer.plan.fingerprint != record.fingerprint:
            await self._end(record, State.STALE, "the change is no longer the one that was shown")
            raise Stale(
                f"{record.summary}: the change is no longer the one that you saw.",
                hint=f"Nothing was written. Run it again to see the change as it is now: {record.line}",
            )
        context = call.context
        decision = self._policy().decide(
            context.actor, call.action, context.place, max(call.action.risk, offer.plan.risk)
        )
        if isinstance(decision, Ask | Deny):
            await self._end(record, State.REFUSED, decision.reason)
            message = f"{record.summary}: this is no longer permitted. {decision.reason}".strip()
            hint = decision.way_out if isinstance(decision, Deny) else f"Ask {decision.approvers} to run it."
            await say(error_reply(Forbidden(message, judge=Judge.POLICY, hint=hint), context.place))
            return
        await self._execute(call, offer, record, say)

    async def settled(self, request_id: str) -> None:
        """Wait until the follow that a request began is stuck or has ended; at once where there is none."""
        await self._follows.settled(request_id)

    async def close(self) -> None:
        """End all follows; the rollouts themselves go on."""
        await self._follows.close()

    async def _offer(self, call: Call, say: Say) -> Offer | None:
        """The plan with its preview; None where the command asked back or nothing is to be done, which is said."""
        context = call.context
        async with asyncio.timeout(self._plan_within.total_seconds()):
            plan = await call.action.plan(context, call.parsed.args)
            if isinstance(plan, Reply):
                await say(replace(plan, place=plan.place or str(context.place)))
                return None
            if not plan.steps:
                await say(nothing_to_do(plan, context.place))
                return None
            preview = await self._executor.preview(plan, context.identity)
        return Offer(plan, preview)

    async def _execute(self, call: Call, offer: Offer, record: ActionRecord, say: Say) -> None:
        plan, parts = offer.plan, offer.parts
        context = call.context
        stamps = [Stamp(record.id, self._new_audit_id()) for _ in plan.steps]
        started = self._audit(call, record, "STARTED", plan.summary)
        started = replace(started, audit_ids=tuple(stamp.audit for stamp in stamps))
        record = await self._ledger.advance(record, State.EXECUTING, started)
        try:
            await self._remember_healthy(call, plan)
            await say(Reply(f"{plan.summary} · dry run ok", Tone.WAIT, parts, str(context.place)))
            steps = await self._executor.run(plan, context.identity, stamps)
        except Interrupted as stop:
            await self._end(record, _ending_of(stop), stop.message)
            failure = error_reply(stop, context.place)
            again = (Buttons((Button("Run it again", record.line),)),) if _ending_of(stop) is State.STALE else ()
            await say(replace(failure, parts=(*parts, *failure.parts, *again)))
            return
        except BaseException:  # a bug, or the end of the process: whatever it is, the action gets its ending
            await self._end(record, State.UNKNOWN, "broke while executing")
            raise
        if not plan.follow:
            await self._end(record, State.DONE, plan.done or plan.summary)
            back = (Buttons((Button("Undo", plan.undo),)),) if plan.undo else ()
            await say(Reply(plan.done or f"{plan.summary}: done.", Tone.GOOD, (*parts, *back), str(context.place)))
            return
        record = await self._ledger.advance(record, State.FOLLOWING)
        self._follows.begin(call.request_id, context, offer, offer.pins(steps, self._clock.now()), record, say)

    async def _remember_healthy(self, call: Call, plan: Plan) -> None:
        """What runs now, if it runs well, is good: an undo may return to it. What cannot be read is not remembered."""
        for followed in plan.follow:
            try:
                workload = await _workload(call, followed.ref)
                revisions = await call.context.reader.workloads.revisions(workload)
            except SteersmanError:
                continue
            stands = current(workload, revisions)
            if stands is not None and workload.replicas and status(workload).rolled_out:
                await self._ledger.fate(RevisionFate(workload.uid, stands.name, Fate.HEALTHY_BEFORE, self._clock.now()))

    async def _refuse(self, record: ActionRecord, call: Call, why: str) -> None:
        await self._ledger.advance(record, State.REFUSED, self._audit(call, record, "DENIED", why))

    async def _end(self, record: ActionRecord, state: State, result: str) -> None:
        now = self._clock.now()
        line = Record(now, state.value.upper(), record.id, record.actor, "", record.line, record.place, result)
        await self._ledger.advance(replace(record, ended=now, result=result), state, line)

    def _record(self, call: Call, plan: Plan) -> ActionRecord:
        context = call.context
        return ActionRecord(
            id=self._new_id(),
            line=call.line,
            command=call.action.name,
            actor=context.actor,
            place=context.place,
            state=State.PLANNED,
            created=context.now,
            summary=plan.summary,
            fingerprint=plan.fingerprint,
            targets=tuple(step.target for step in plan.steps),
            channel=call.channel,
        )

    def _audit(self, call: Call, record: ActionRecord, kind: str, detail: str) -> Record:
        context = call.context
        now = self._clock.now()
        return Record(now, kind, record.id, context.actor, str(context.identity), record.line, record.place, detail)


async def _workload(call: Call, ref: ObjectRef) -> Workload:
    return await call.context.reader.workloads.get(Kind.of(ref.kind), ref.namespace, ref.name)


def _ending_of(stop: Interrupted) -> State:
    if stop.unsure:
        return State.UNKNOWN
    return State.STALE if isinstance(stop.cause, Stale) and not stop.done else State.FAILED
