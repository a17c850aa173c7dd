"""The fences of the road: every request is answered, by one sentence, within its time, whatever breaks."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import cast

import pytest
from rigs.chat import Bot, counter
from rigs.planning import Held, workload
from rigs.process_ledger import MemoryLedger
from rigs.rollouts import HeldClock

from bot.core.args import AppArgs, Args
from bot.core.cluster import Clusters, Reach, Reader
from bot.core.command import Action, Context, Query, Registry
from bot.core.errors import Forbidden, Judge, StoreUnavailable, Superseded, Unavailable
from bot.core.people import Identity
from bot.core.pipeline import Limits, Pipeline
from bot.core.plan import Place, Plan, Risk
from bot.core.policy import ChannelRule, ClusterRule, Gate, Grant, Person, Policy, PolicyDirectory, Role
from bot.core.reply import Button, Buttons, Reply, Tone
from bot.core.request import Request

POLICY = Policy(
    name="test",
    clusters=(ClusterRule("dev"),),
    people=(Person("alice", "alice", "alice"), Person("bob", "bob", "bob")),
    roles=(Role("all", ("*",)), Role("viewer")),
    grants=(Grant(("alice",), "all"), Grant(("bob",), "viewer")),
    gates=(Gate(from_risk=Risk.DANGER),),
    channels=(ChannelRule("shop", Place("dev", "shop")),),
)


class Nothing(Args):
    """Say something."""


class OnApp(AppArgs):
    """Change an app."""


class OneCluster:
    """Dev, with one app, for reading alone."""

    names = ("dev",)

    def reader(self, cluster: str, identity: Identity, reach: Reach) -> Reader:
        return cast(Reader, Held(there=(workload(),)))


def talking(
    run: Callable[[Context, Args], Awaitable[Reply]] | None = None,
    plan: Callable[[Context, Args], Awaitable[Plan | Reply]] | None = None,
    *,
    answer: timedelta = timedelta(seconds=5),
) -> tuple[Bot, MemoryLedger, list[tuple[str, Exception]]]:
    """A bot with the commands `tell` and `change`, its ledger, and the bugs that it reports."""
    commands: list[Query | Action] = []
    if run:
        commands.append(Query("tell", Nothing, (), ("tell",), (), run))
    if plan:
        commands.append(Action("change", OnApp, (), ("change myapp",), (), Risk.LOW, plan))
    ledger = MemoryLedger()
    bugs: list[tuple[str, Exception]] = []
    pipeline = Pipeline(
        registry=Registry(commands),
        policy=POLICY,
        directory=PolicyDirectory(POLICY),
        clusters=cast(Clusters, OneCluster()),
        ledger=ledger,
        clock=HeldClock(),
        new_id=counter("a"),
        new_audit_id=counter("u"),
        report=lambda reference, error: bugs.append((reference, error)),
        limits=Limits(answer=answer),
    )
    return Bot(pipeline), ledger, bugs


def raising(error: BaseException) -> Callable[[Context, Args], Awaitable[Reply]]:
    async def run(ctx: Context, args: Args) -> Reply:
        raise error

    return run


def planning(answer: Plan | Reply) -> Callable[[Context, Args], Awaitable[Plan | Reply]]:
    async def plan(ctx: Context, args: Args) -> Plan | Reply:
        return answer

    return plan


async def test_a_reply_begins_with_where_it_speaks_of() -> None:
    async def run(ctx: Context, args: Args) -> Reply:
        return Reply("All is well.", Tone.GOOD)

    bot, _, _ = talking(run)

    assert (await bot.says("tell")).reply.place == "dev/shop"


async def test_an_error_is_answered_with_its_sentence_and_its_hint() -> None:
    bot, _, bugs = talking(raising(Unavailable("dev is away.", hint="Try again.")))

    answer = await bot.says("tell")

    assert (answer.reply.headline, answer.reply.tone) == ("dev is away.", Tone.WARN)
    assert "Try again." in answer.text
    assert bugs == []


async def test_what_takes_too_long_is_given_up_with_a_sentence() -> None:
    async def run(ctx: Context, args: Args) -> Reply:
        await asyncio.Event().wait()
        raise AssertionError("an event that nobody sets")

    async def plan(ctx: Context, args: Args) -> Plan | Reply:
        return await run(ctx, args)

    bot, ledger, bugs = talking(run, plan, answer=timedelta(milliseconds=50))

    for line in ("tell", "change myapp"):
        answer = await bot.says(line)

        assert answer.reply.headline == "This took too long, so I stopped waiting."
        assert "Try again in a moment" in answer.text
    assert bugs == []
    assert await ledger.records() == ()


async def test_a_bug_is_reported_whole_and_shown_as_a_reference() -> None:
    bug = ZeroDivisionError("secret words")
    bot, _, bugs = talking(raising(bug))

    answer = await bot.says("tell")

    assert bugs == [("a1", bug)]
    assert answer.reply.headline == "Something went wrong on my side (reference a1)."
    assert "secret" not in answer.text


async def test_a_bot_that_is_stopped_in_the_middle_does_not_swallow_it() -> None:
    bot, _, _ = talking(raising(asyncio.CancelledError()))

    with pytest.raises(asyncio.CancelledError):
        await bot.says("tell")


async def test_a_plan_that_changes_nothing_is_no_action() -> None:
    bot, ledger, _ = talking(plan=planning(Plan("myapp is as it should be", (), Risk.LOW)))

    answer = await bot.says("change myapp")

    assert (answer.reply.headline, answer.reply.tone) == ("myapp is as it should be.", Tone.GOOD)
    assert await ledger.records() == ()


async def test_a_command_that_asks_back_is_shown_with_buttons_that_are_stored() -> None:
    asks = Reply("Which one?", Tone.WAIT, (Buttons((Button("This", "change myapp"),)),))
    bot, ledger, _ = talking(plan=planning(asks))

    await bot.says("change myapp")
    stored = await ledger.button(bot.button("This").id)

    assert stored.line == "change myapp"
    assert (await bot.clicks("This")).reply.headline == "Which one?"


@pytest.mark.parametrize(
    ("line", "by", "says"),
    [
        ("change myapp", "bob", "You may not `change` in dev/shop."),
        ("tell", "mallory", "I do not know @mallory, so I do nothing for them."),
    ],
)
async def test_who_may_not_is_told_and_nothing_is_asked_of_the_command(line: str, by: str, says: str) -> None:
    bot, _, bugs = talking(raising(AssertionError("it ran")), planning(Plan("", (), Risk.LOW)))

    assert (await bot.says(line, by=by)).reply.headline == says
    assert bugs == []


async def test_a_denial_is_recorded_once_with_the_words_that_were_said() -> None:
    bot, ledger, _ = talking(plan=planning(Plan("", (), Risk.LOW)))

    await bot.says("change  myapp", by="bob")

    assert [(one.kind, one.actor.id, one.line, str(one.place)) for one in await ledger.records()] == [
        ("DENIED", "bob", "change  myapp", "dev/shop")
    ]


async def test_what_a_stranger_tries_is_recorded_too() -> None:
    bot, ledger, _ = talking()

    await bot.says("tell", by="mallory")

    assert [(one.kind, one.actor.id, one.line) for one in await ledger.records()] == [("DENIED", "mallory", "tell")]


async def test_what_the_cluster_forbids_is_said_to_be_the_clusters_word() -> None:
    bot, ledger, _ = talking(raising(Forbidden("alice may not list pods.", judge=Judge.CLUSTER, hint="Missing: list.")))

    answer = await bot.says("tell")

    assert answer.reply.headline == "The cluster refused: alice may not list pods."
    assert [(one.kind, one.detail) for one in await ledger.records()] == [("DENIED", answer.reply.headline)]


async def test_a_request_that_another_process_has_taken_over_is_left_to_it() -> None:
    async def run(context: Context, args: Args) -> Reply:
        raise Superseded("Another process has taken this request over.")

    bot, _, bugs = talking(run)

    assert not await bot.pipeline.handle(Request("r1", "alice", "shop", "tell"), bot.recorder)
    assert (bot.recorder.said, bugs) == ([], [])


async def test_a_request_that_the_store_could_not_take_is_told_so_and_not_answered_yet() -> None:
    async def run(context: Context, args: Args) -> Reply:
        raise StoreUnavailable("The database is away.")

    bot, _, _ = talking(run)

    assert not await bot.pipeline.handle(Request("r1", "alice", "shop", "tell"), bot.recorder)
    assert [reply.headline for reply in bot.recorder.said] == ["The database is away."]
