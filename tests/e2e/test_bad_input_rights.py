"""Who may not: the policy says so with who could, the cluster with the right that is missing; nothing is changed."""

from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
from rigs.weather import changing, previewing
from rigs.whole_bot import Whole, granted, small_world, unbind, whole_bot

from bot.core.ledger import State
from bot.core.plan import Risk
from bot.core.policy import Gate, Grant
from bot.demo.policy import demo_policy
from bot.demo.seed_people import DEPLOYER
from bot.demo.world import World


@pytest.fixture
async def small() -> AsyncIterator[World]:
    async with small_world("myapp") as world:
        yield world


def writes(whole: Whole) -> int:
    return sum(sky.count(changing) for sky in whole.weather.values())


async def kinds(whole: Whole) -> list[str]:
    return [record.kind for record in await whole.ledger.records()]


async def test_what_the_policy_grants_and_the_cluster_does_not_is_refused_by_the_cluster(small: World) -> None:
    unbind(small, DEPLOYER)
    async with whole_bot(small, policy=granted(Grant(("carol",), "deployer", ("dev",)))) as whole:
        answer = await whole.bot.says("deploy myapp v2", by="carol")

        assert answer.reply.headline == "The cluster refused: carol may not patch deployments myapp in dev/shop."
        assert "can grant it: patch deployments.apps in the namespace shop." in answer.text
        assert whole.dev.count(previewing) == 1  # the dry run asked, and nothing after it
        assert writes(whole) == 0
        assert whole.ledger.actions == ()


async def test_a_right_that_is_taken_away_between_preview_and_write_is_told_too(small: World) -> None:
    async with whole_bot(small) as whole:
        await whole.bot.says("scale myapp 0")
        unbind(small, DEPLOYER)

        answer = await whole.bot.clicks("Confirm")

        assert answer.reply.headline == "The cluster refused: alice may not patch deployments/scale myapp in dev/shop."
        assert writes(whole) == 0


async def test_whom_the_bot_may_not_speak_for_is_told_whose_role_lacks_it(small: World) -> None:
    async with whole_bot(small, policy=granted(Grant(("eve",), "viewer"))) as whole:
        answer = await whole.bot.says("pods", by="eve")

        assert answer.reply.headline.startswith("The cluster refused: dev does not let Steersman act as eve")
        assert "Steersman's own role there lacks: impersonate users" in answer.text


async def test_a_namespace_that_the_policy_denies_stays_closed_to_reads_and_writes(small: World) -> None:
    base = demo_policy()
    policy = replace(base, grants=(Grant(("carol",), "sre", ("dev",), ("shop",)), Grant(("bob",), "sre")))
    async with whole_bot(small, policy=policy) as whole:
        for line in ("pods -n payments", "deploy myapp v2 -n payments", "apps in payments", "get secrets -n payments"):
            answer = await whole.bot.says(line, by="carol")

            assert "payments" in answer.reply.headline, line
            assert "may" in answer.reply.headline, line
            assert "\n" in answer.text, line
        assert "payments" not in [call.path.split("/")[-2] for call in whole.dev.calls]
        assert writes(whole) == 0


async def test_what_somebody_else_must_approve_is_refused_with_who_that_is(small: World) -> None:
    gate = Gate(clusters=("dev",), from_risk=Risk.CHANGE, approvers="an SRE", reason="Shop is closed on Mondays.")
    async with whole_bot(small, policy=replace(demo_policy(), gates=(gate,))) as whole:
        answer = await whole.bot.says("deploy myapp v2")

        assert answer.reply.headline == "Deploy myapp v2 needs an SRE. Shop is closed on Mondays."
        assert "Nothing was changed. Ask an SRE to run it." in answer.text
        assert whole.ledger.states == [State.REFUSED]
        assert await kinds(whole) == ["DENIED"]  # one record for one ending
        assert writes(whole) == 0


async def test_a_gate_that_closed_while_a_confirmation_waited_holds(small: World) -> None:
    async with whole_bot(small) as whole:
        await whole.bot.says("scale myapp 0")
        gate = Gate(from_risk=Risk.DANGER, approvers="an SRE", reason="It is Monday.")
        whole.pipeline.adopt(replace(demo_policy(), gates=(gate,)))

        answer = await whole.bot.clicks("Confirm")

        assert answer.reply.headline == "Scale myapp from 3 to 0: this is no longer permitted. It is Monday."
        assert "Ask an SRE to run it." in answer.text
        assert whole.ledger.states == [State.REFUSED]
        assert await kinds(whole) == ["REFUSED"]
        assert writes(whole) == 0


async def test_somebody_without_a_role_learns_who_has_one(small: World) -> None:
    async with whole_bot(small) as whole:
        answer = await whole.bot.says("deploy myapp v2", by="carol")

        assert answer.reply.headline == "You may not `deploy` in dev/shop."
        assert "The role deployer or sre may: ask @alice or @bob." in answer.text
        assert [(record.kind, record.line) for record in await whole.ledger.records()] == [
            ("DENIED", "deploy myapp v2")
        ]
        assert writes(whole) == 0
