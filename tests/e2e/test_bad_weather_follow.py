"""A cluster that fails while a rollout is followed: the follow goes on, and ends with the true verdict."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.apiserver import eventually
from rigs.weather import Call, answering, anything, cut, cut_within, hang, reading, refusing, watching
from rigs.whole_bot import Whole, small_world, unbind, whole_bot

from bot.core.follow import Limits
from bot.core.ledger import State
from bot.demo.controllers.tempo import Tempo
from bot.demo.seed_people import DEPLOYER, VIEWER
from bot.demo.world import World

UNHURRIED = Tempo(
    pull=0.15, ready=0.2, slow=0.7, crash=0.1, back_off=0.5, back_off_cap=2.0, stop=0.1, init=0.05, retry=0.2, probe=0.3
)
"""A rollout takes long enough to be disturbed."""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with small_world("myapp", tempo=UNHURRIED) as world:
        yield world
        assert world.failures == 0


@pytest.fixture
async def whole(world: World) -> AsyncIterator[Whole]:
    async with whole_bot(world, deadline=1.0) as whole:
        yield whole
        assert whole.bugs == []
        # The verdict is said before the ledger has its ending.
        await eventually(lambda: all(state.final for state in whole.ledger.states))


async def following(whole: Whole, line: str) -> "asyncio.Task[str]":
    """Say a line, and come back while its rollout is under way; the task ends with the last headline."""

    async def said() -> str:
        return (await whole.bot.says(line)).reply.headline

    task = asyncio.ensure_future(said())
    await eventually(lambda: State.FOLLOWING in whole.ledger.states)
    return task


def on_workloads(call: Call) -> bool:
    return watching(call) and "/deployments" in call.path


async def test_a_watch_that_is_cut_again_and_again_ends_with_the_true_verdict(whole: Whole) -> None:
    whole.dev.strike(watching, cut_within(0.05), times=None)

    good = await whole.bot.says("deploy myapp v2")
    bad = await whole.bot.says("deploy myapp v-bad")

    assert "v2 rolled out" in good.reply.headline
    assert "image cannot be pulled" in bad.reply.headline
    assert whole.dev.count(watching) > 2
    assert "back on v2" in (await whole.bot.says("undo myapp")).reply.headline.lower()
    await eventually(lambda: all(state.final for state in whole.ledger.states))  # the bad one hears of the undo
    assert whole.ledger.states[0] is State.DONE


@pytest.mark.parametrize(
    "fault",
    [
        cut,
        answering(500),
        answering(200, "<html>log in</html>"),
        answering(429, Retry_After="1"),
        refusing(410, "Expired", "too old resource version"),
    ],
)
async def test_a_watch_that_cannot_begin_at_first_is_begun_again(whole: Whole, fault: object) -> None:
    whole.dev.strike(on_workloads, fault)  # type: ignore[arg-type]  # parametrised values have no type

    assert "v2 rolled out" in (await whole.bot.says("deploy myapp v2")).reply.headline
    assert whole.dev.count(on_workloads) >= 2


async def test_looks_that_fail_are_told_and_tried_again(whole: Whole) -> None:
    task = await following(whole, "deploy myapp v-slow")
    whole.dev.strike(lambda call: reading(call) and "/pods" in call.path, answering(503, "no"), times=4)

    assert "v-slow rolled out" in await task


async def test_a_cluster_that_goes_down_during_a_rollout_is_said_to_and_the_verdict_comes_when_it_is_back(
    whole: Whole,
) -> None:
    task = await following(whole, "deploy myapp v-slow")

    await whole.dev.down()
    await eventually(lambda: any("till trying" in str(reply) for reply in whole.bot.recorder.said), 20)
    assert whole.ledger.states == [State.FOLLOWING]
    await whole.dev.up()

    assert "v-slow rolled out" in await task
    assert whole.ledger.states == [State.DONE]


async def test_the_api_server_restarted_in_the_middle_of_a_follow_changes_no_verdict(whole: Whole) -> None:
    good = await following(whole, "deploy myapp v-slow")
    await whole.dev.restart_cluster()
    assert "v-slow rolled out" in await good

    bad = asyncio.ensure_future(whole.bot.says("deploy myapp v-bad"))
    await eventually(lambda: whole.ledger.last.state is State.FOLLOWING and len(whole.ledger.actions) == 2)
    await whole.dev.restart_cluster()
    assert "image cannot be pulled" in (await bad).reply.headline
    assert "back on v-slow" in (await whole.bot.says("undo myapp")).reply.headline.lower()


async def test_an_app_deleted_while_the_watch_was_away_is_gone(whole: Whole) -> None:
    task = await following(whole, "deploy myapp v-slow")
    await whole.dev.down()
    whole.world.clusters["dev"].store.delete("deployments.apps", "shop", "myapp")
    await whole.dev.up()

    assert "deleted" in await task
    assert whole.ledger.last.state.final


async def test_a_right_that_is_lost_during_a_follow_ends_it_as_unknown() -> None:
    lasting = replace(UNHURRIED, slow=60.0)  # the rollout does not end before the right is lost
    async with small_world("myapp", tempo=lasting) as world, whole_bot(world, deadline=1.0) as whole:
        task = await following(whole, "deploy myapp v-slow")
        unbind(whole.world, VIEWER, DEPLOYER)
        await whole.dev.down()
        before = len(whole.dev.calls)
        await whole.dev.up()
        await eventually(lambda: any("/deployments" in call.path for call in whole.dev.calls[before:]), 20)
        whole.clock.by = timedelta(seconds=10)  # a refusal counts once it has lasted: the server may be waking up

        headline = await task
        assert "may not" in headline
        assert whole.ledger.states == [State.UNKNOWN]


async def test_a_cluster_that_never_comes_back_leaves_the_verdict_open(world: World) -> None:
    async with whole_bot(world, deadline=1.0, follow=Limits(total=timedelta(seconds=3))) as whole:
        task = await following(whole, "deploy myapp v-slow")
        whole.dev.strike(anything, hang, times=None)
        await whole.dev.down()
        await whole.dev.up()

        headline = await task
        assert "I stopped watching" in headline
        assert whole.ledger.states == [State.UNKNOWN]


async def test_a_follow_that_is_stopped_with_the_bot_has_an_ending(world: World) -> None:
    async with whole_bot(world) as whole:
        task = await following(whole, "deploy myapp v-slow")
        await whole.pipeline.close()
        await task

        assert whole.ledger.states == [State.UNKNOWN]
        record = (await whole.ledger.records())[-1]
        assert (record.kind, record.detail) == (
            "UNKNOWN",
            "Steersman stopped before the verdict; the rollout goes on",
        )
