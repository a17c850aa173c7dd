"""The one road that every request takes: read, identify, resolve, judge, then answer a query or begin an action.

Doors hand in a `Request` and show what is said; they decide nothing. Every request gets exactly one ending.
"""

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Final, assert_never

from bot.core.actions import CONFIRM_WITHIN, Actions, Call, Standing
from bot.core.answers import bug_reply, error_reply
from bot.core.args import AppRef, ClusterArgs, PlaceArgs
from bot.core.carrier import Carrier
from bot.core.clock import Clock
from bot.core.cluster import Clusters
from bot.core.command import Action, Context, Decision, DecisionArgs, Query, Registry, Verdict
from bot.core.errors import Forbidden, HelpWanted, Judge, SteersmanError, StoreUnavailable, Superseded, TimedOut
from bot.core.execute import Executor
from bot.core.follow import Limits as FollowLimits
from bot.core.grammar import Grammar, Parsed
from bot.core.grounds import PolicyGrounds, PolicyPermissions
from bot.core.help import command_help
from bot.core.ledger import ActionRecord, Ledger, Record, State
from bot.core.people import Actor, Directory, TimelyDirectory
from bot.core.places import Target, UnknownApp, Wish, app_name, resolve
from bot.core.plan import Place
from bot.core.policy import Policy
from bot.core.reply import Button, Reply
from bot.core.request import Conversation, Request
from bot.core.voice import Voice

_TAKEN_AT_ONCE: Final = 20


@dataclass(frozen=True, slots=True)
class Limits:
    """How long a request may take until it is answered, and completion likewise; and when a follow gives up."""

    answer: timedelta = timedelta(seconds=60)
    completion: timedelta = timedelta(seconds=1)
    follow: FollowLimits = field(default_factory=FollowLimits)


class Pipeline:
    """Reads, identifies, resolves and judges; queries are answered here, actions are handed to `Actions`.

    `report` is given the reference and the exception of a bug: the person sees only the reference.
    """

    def __init__(
        self,
        *,
        registry: Registry,
        policy: Policy,
        directory: Directory,
        clusters: Clusters,
        ledger: Ledger,
        clock: Clock,
        new_id: Callable[[], str],
        new_audit_id: Callable[[], str],
        report: Callable[[str, Exception], None],
        prefix: str = "/k8s",
        limits: Limits = Limits(),
    ) -> None:
        self._registry = registry
        self._grammar = Grammar(registry, prefix=prefix)
        self._policy = policy
        self._directory = TimelyDirectory(directory, limits.answer)
        self._clusters = clusters
        self._ledger = ledger
        self._clock = clock
        self._new_id = new_id
        self._report = report
        self._prefix = prefix
        self._limits = limits
        self._taking: set[asyncio.Task[None]] = set()
        executor = Executor(clusters, clock)
        self._carrier = Carrier(ledger, executor, clock, limits.follow, report)
        self._actions = Actions(
            lambda: self._policy,
            ledger,
            executor,
            clock,
            new_id,
            new_audit_id,
            self._carrier,
            plan_within=limits.answer,
        )

    def adopt(self, policy: Policy) -> None:
        """Judge by this policy from now on; what is under way meets it at its next decision."""
        self._policy = policy

    async def handle(self, request: Request, to: Conversation) -> bool:
        """Answer one request; an error is an answer, and a bug shows only its reference.

        False where it is not answered for good: the store is away, or another process has taken the request over.
        """
        voice = Voice(request.id, request.channel, request.actor_id, to, self._ledger)
        try:
            await self._answer(request, voice)
        except Superseded:
            return False
        except StoreUnavailable as error:
            await voice(error_reply(error))
            return False
        except HelpWanted as wish:
            await voice(command_help(self._registry, wish.command, self._prefix))
        except SteersmanError as error:
            await voice(error_reply(error))
        except TimeoutError:
            hint = "The cluster may be slow or down. Try again in a moment; `status` tells how an app stands."
            await voice(error_reply(TimedOut("This took too long, so I stopped waiting.", hint=hint)))
        except Exception as bug:  # noqa: BLE001 - the last fence: whatever broke, the person is answered
            reference = self._new_id()
            self._report(reference, bug)
            await voice(bug_reply(reference))
        return True

    async def settled(self, request_id: str) -> None:
        """Wait until the follow that a request began is stuck or has ended; at once where there is none."""
        await self._carrier.settled(request_id)

    async def keep(self, to: Callable[[ActionRecord], Conversation]) -> None:
        """Keep hold of what is under way here, take up what others left, end what waited too long.

        To be called again and again, several times within a lease. Raises StoreUnavailable.
        """
        await self._ledger.renew(self._carrier.at_work)
        for record in await self._ledger.orphans(_TAKEN_AT_ONCE):
            task = asyncio.create_task(self._take_up(record, to(record)), name=f"take up {record.id}")
            self._taking.add(task)
            task.add_done_callback(self._taking.discard)
        for record in await self._ledger.overdue(self._clock.now() - CONFIRM_WITHIN, _TAKEN_AT_ONCE):
            await self._actions.expire(record, self._voice_of(record, to(record)))

    async def close(self) -> None:
        for task in self._taking:
            task.cancel()
        await asyncio.gather(*self._taking, return_exceptions=True)
        await self._carrier.close()

    async def complete(self, actor_id: str, channel: str, text: str) -> tuple[str, ...]:
        """What may stand in place of the last word: commands, options, and the apps of the channel's place."""
        words = list(self._grammar.complete(text))
        typed = "" if not text or text[-1].isspace() else text.split()[-1]
        place = self._policy.default_place(channel)
        if place is None or typed.startswith("-") or (len(text.split()) <= 1 and typed):
            return tuple(words)
        try:
            async with asyncio.timeout(self._limits.completion.total_seconds()):
                actor = await self._directory.person(actor_id)
                identity = await self._directory.identity(actor, place.cluster)
                reader = self._clusters.reader(place.cluster, identity, self._policy.reach(actor, place.cluster))
                names = {app_name(workload) for workload in await reader.workloads.list(place.namespace)}
        except (SteersmanError, TimeoutError):
            return tuple(words)
        return tuple(dict.fromkeys([*words, *sorted(name for name in names if name.startswith(typed))]))

    async def _answer(self, request: Request, voice: Voice) -> None:
        # What is refused is recorded with as much as is known by then.
        actor, place, line = Actor(request.actor_id, request.actor_id), Place("", ""), request.text
        try:
            actor = await self._directory.person(request.actor_id)
            said = await self._said(request)
            line = said.line
            _let_press(actor, said)
            parsed = self._grammar.parse(line)
            match parsed.command:
                case Decision() as decision:
                    await self._decide(decision, parsed, request, actor, voice)
                case Query() | Action() as command:
                    context = await self._context(parsed, actor, request.channel, self._clock.now())
                    place = context.place
                    await self._run(command, parsed, context, request, voice)
                case other:
                    assert_never(other)
        except Forbidden as error:
            where = Place(*error.at) if any(error.at) else place
            now, policy = self._clock.now(), self._policy.version
            reply = error_reply(error)
            denied = Record(now, "DENIED", "", actor, "", line, where, reply.headline, policy=policy)
            message = await voice.message(reply)
            await self._ledger.note(denied, request.id, (message,))
            await voice.deliver(message)

    async def _run(
        self, command: Query | Action, parsed: Parsed, context: Context, request: Request, voice: Voice
    ) -> None:
        """Answer at a place that is known: what fails now fails there, and says so."""
        try:
            match command:
                case Query():
                    async with asyncio.timeout(self._limits.answer.total_seconds()):
                        reply = await command.run(context, parsed.args)
                    await voice(_placed(reply, context.place))
                case Action():
                    await self._actions.begin(Call(request.id, request.channel, command, parsed, context), voice)
        except (Forbidden, StoreUnavailable, Superseded):
            raise  # what was denied is recorded, and the others are no answer
        except SteersmanError as error:
            await voice(error_reply(error, context.place if isinstance(parsed.args, ClusterArgs) else None))

    async def _said(self, request: Request) -> Button:
        """The button that was pressed, with its stored line; words that were typed count as one that is everybody's."""
        return await self._ledger.button(request.button) if request.button else Button("", request.text)

    async def _decide(self, decision: Decision, parsed: Parsed, request: Request, actor: Actor, voice: Voice) -> None:
        if not isinstance(parsed.args, DecisionArgs):
            raise TypeError(f"{decision.name} must take the id of an action")
        record = await self._actions.waiting(parsed.args.id, actor)
        match decision.verdict:
            case Verdict.CANCEL:
                await self._actions.cancel(record, voice)
            case Verdict.CONFIRM:
                again = self._grammar.parse(record.line)
                if not isinstance(again.command, Action):
                    raise TypeError(f"{again.command.name} is no action")
                # The action's own time of creation: planning twice must give one fingerprint.
                context = await self._context(again, actor, record.channel, record.created)
                call = Call(request.id, record.channel, again.command, again, context)
                await self._actions.confirm(record, call, voice)
            case other:
                assert_never(other)

    async def _context(self, parsed: Parsed, actor: Actor, channel: str, now: datetime) -> Context:
        grounds = PolicyGrounds(self._policy, self._clusters, self._directory, actor, parsed.command, channel)
        async with asyncio.timeout(self._limits.answer.total_seconds()):
            target = await self._target(parsed, grounds)
        return Context(
            actor=actor,
            identity=await self._directory.identity(actor, target.place.cluster),
            place=target.place,
            target=target.app,
            reader=await grounds.reader(target.place.cluster),
            everywhere=tuple([await grounds.reader(cluster) for cluster in grounds.clusters]),
            ledger=self._ledger,
            permissions=PolicyPermissions(self._policy, actor),
            registry=self._registry,
            now=now,
            prefix=self._prefix,
            identities=tuple(
                [(cluster, await self._directory.identity(actor, cluster)) for cluster in grounds.clusters]
            ),
        )

    async def _target(self, parsed: Parsed, grounds: PolicyGrounds) -> Target:
        """The place and the app, permitted by the policy; for a command that takes no place, where the channel is."""
        args = parsed.args
        if not isinstance(args, ClusterArgs):
            return Target(grounds.default or Place(self._clusters.names[0], ""))
        named: object = getattr(args, "app", None)  # optional for some commands, and for some one of several things
        wish = Wish(
            where=args.where,
            app=named if isinstance(named, AppRef) else None,
            writes=isinstance(parsed.command, Action),
            namespaced=isinstance(args, PlaceArgs),
            line_at=parsed.line_at,
        )
        try:
            target = await resolve(wish, grounds)
        except UnknownApp as error:
            if parsed.guessed:
                raise self._grammar.unknown(error.name, error.known) from error
            raise
        grounds.permit(target.place)
        return target

    async def _take_up(self, record: ActionRecord, to: Conversation) -> None:
        try:
            await self._actions.take_up(record, self._standing, self._voice_of(record, to))
        except (StoreUnavailable, Superseded):
            return  # its lease runs out again, and it is whoever takes it then
        except Exception as bug:  # noqa: BLE001 - one action that cannot be taken up stops no other
            self._report(record.id, bug)
            with suppress(SteersmanError):  # it may have its ending, or a holder who knows better
                await self._carrier.end(record, State.UNKNOWN, "broke while it was taken up")

    async def _standing(self, record: ActionRecord) -> Standing:
        """Who asked for an action, as they stand now. Raises Forbidden where they are nobody any more."""
        command = self._grammar.parse(record.line).command
        if not isinstance(command, Action):
            raise TypeError(f"{command.name} is no action")
        actor = await self._directory.person(record.actor.id)
        identity = await self._directory.identity(actor, record.place.cluster)
        reach = self._policy.reach(actor, record.place.cluster, command)
        return Standing(identity, self._clusters.reader(record.place.cluster, identity, reach), command)

    def _voice_of(self, record: ActionRecord, to: Conversation) -> Voice:
        return Voice(record.request, record.channel, record.actor.id, to, self._ledger)


def _let_press(actor: Actor, button: Button) -> None:
    if button.only and button.only != actor.id:
        raise Forbidden("This button is for the person who asked.", judge=Judge.POLICY)


def _placed(reply: Reply, place: Place) -> Reply:
    """Every reply begins with where it speaks of, unless it says so itself."""
    return reply if reply.place else replace(reply, place=str(place))
