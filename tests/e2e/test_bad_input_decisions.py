"""Confirmations that come late, twice, from others or after a change; and what the apps' own state has to say."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from rigs.apiserver import eventually
from rigs.chat import as_text
from rigs.weather import changing
from rigs.whole_bot import Whole, small_world, whole_bot

from bot.core.actions import CONFIRM_WITHIN
from bot.core.ledger import State
from bot.demo import admission
from bot.demo.objects import Json, copied


@pytest.fixture
async def whole() -> AsyncIterator[Whole]:
    async with small_world("myapp", "search") as world, whole_bot(world) as whole:
        yield whole
        assert whole.bugs == []


def deployment(whole: Whole, name: str = "myapp") -> Json:
    return whole.world.clusters["dev"].store.get("deployments.apps", "shop", name)


def edit(whole: Whole, **spec: object) -> None:
    """Somebody else's kubectl."""
    changed = copied(deployment(whole))
    changed["spec"] |= spec
    admission.update(whole.world.clusters["dev"].store, "deployments.apps", changed)


def replicas(whole: Whole) -> int:
    count: int = deployment(whole)["spec"]["replicas"]
    return count


async def test_another_persons_confirm_is_refused_whichever_way_it_comes(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")

    pressed = await whole.bot.clicks("Confirm", by="bob")
    typed = await whole.bot.says(f"confirm {whole.ledger.last.id}", by="bob")
    cancelled = await whole.bot.says(f"cancel {whole.ledger.last.id}", by="bob")

    assert pressed.reply.headline == "This button is for the person who asked."
    assert typed.reply.headline == "Only @alice, who asked for it, can decide on this."
    assert cancelled.reply.headline == typed.reply.headline
    assert whole.ledger.last.state is State.WAITING
    assert whole.dev.count(changing) == 0
    assert [(record.kind, record.actor.id) for record in await whole.ledger.records()] == [("DENIED", "bob")] * 3


async def test_a_confirmation_expires(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")
    whole.clock.by = CONFIRM_WITHIN + timedelta(seconds=1)

    late = await whole.bot.clicks("Confirm")
    again = await whole.bot.clicks("Confirm")

    assert "waited too long" in late.reply.headline
    assert "Run it again: scale myapp 0 --cluster dev -n shop" in late.text
    assert "expired already" in again.reply.headline
    assert whole.ledger.states == [State.EXPIRED]
    assert whole.dev.count(changing) == 0


async def test_what_changed_since_it_was_shown_is_not_confirmed(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")
    edit(whole, replicas=5)

    answer = await whole.bot.clicks("Confirm")

    assert answer.reply.headline == ("Scale myapp from 3 to 0: the change is no longer the one that you saw.")
    assert "Nothing was written. Run it again" in answer.text
    assert whole.ledger.states == [State.STALE]
    assert replicas(whole) == 5
    assert whole.dev.count(changing) == 0


async def test_an_app_made_anew_under_the_same_name_is_not_the_one_that_was_confirmed(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")
    store = whole.world.clusters["dev"].store
    old = copied(deployment(whole))
    store.delete("deployments.apps", "shop", "myapp")
    admission.create(
        store,
        "deployments.apps",
        {
            **{key: old[key] for key in ("apiVersion", "kind", "spec")},
            "metadata": {key: old["metadata"][key] for key in ("name", "namespace", "labels")},
        },
    )

    answer = await whole.bot.clicks("Confirm")

    assert "no longer the one that you saw" in answer.reply.headline
    assert whole.dev.count(changing) == 0


async def test_what_was_deleted_since_is_said_to_be_gone(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")
    whole.world.clusters["dev"].store.delete("deployments.apps", "shop", "myapp")

    answer = await whole.bot.clicks("Confirm")

    assert answer.reply.headline == "There is no app `myapp` in dev/shop."
    assert whole.dev.count(changing) == 0


async def test_pressed_twice_at_once_it_is_done_once(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")

    answers = await asyncio.gather(*(whole.bot.clicks("Confirm") for _ in range(8)))

    done = [answer for answer in answers if "0 replicas" in answer.reply.headline]
    assert len(done) == 1
    assert all("already" in answer.reply.headline for answer in answers if answer not in done)
    assert whole.dev.count(changing) == 1
    assert [record.kind for record in await whole.ledger.records()] == ["STARTED", "DONE"]


async def test_confirmed_and_cancelled_at_once_it_is_either(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")

    await asyncio.gather(whole.bot.clicks("Confirm"), whole.bot.clicks("Cancel"))

    done = whole.ledger.last.state is State.DONE
    assert whole.ledger.last.state in (State.DONE, State.CANCELLED)
    assert whole.dev.count(changing) == int(done)


async def test_the_button_of_an_old_message_still_does_what_it_says(whole: Whole) -> None:
    await whole.bot.says("deploy myapp v2")
    undo = whole.bot.button("Undo")
    await whole.bot.says("deploy search v2")

    answer = await whole.bot.presses(undo.id)

    assert "back on v1" in answer.reply.headline.lower()


async def test_a_deploy_that_overtakes_another_is_told_in_both_messages(whole: Whole) -> None:
    first = asyncio.ensure_future(whole.bot.says("deploy myapp v-slow"))
    await eventually(lambda: State.FOLLOWING in whole.ledger.states)

    second = await whole.bot.says("deploy myapp v3", by="bob")
    overtaken = (await first).reply

    assert "v3 rolled out" in second.reply.headline
    assert "superseded" in overtaken.headline.lower() or "v3" in overtaken.headline
    assert whole.ledger.states[1] is State.DONE
    assert all(state.final for state in whole.ledger.states)


async def test_a_deploy_to_a_paused_app_says_that_it_waits(whole: Whole) -> None:
    edit(whole, paused=True)

    answer = await whole.bot.says("deploy myapp v2")

    assert "paused" in answer.text
    assert "rollout resume" in answer.text
    assert whole.ledger.last.state.final


async def test_a_quota_that_stops_a_rollout_is_told_in_the_servers_words(whole: Whole) -> None:
    store = whole.world.clusters["dev"].store
    admission.create(
        store,
        "resourcequotas",
        {
            "apiVersion": "v1",
            "kind": "ResourceQuota",
            "metadata": {"name": "few-apps", "namespace": "shop"},
            "spec": {"hard": {"pods": "12"}},
        },
    )
    answer = await whole.bot.says("scale myapp 30", settle=False)
    await eventually(lambda: any("exceeded quota" in as_text(reply) for reply in answer.versions), 10)

    assert "few-apps" in answer.text


async def test_a_cancelled_action_cannot_be_confirmed(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")
    confirm = whole.bot.button("Confirm")
    await whole.bot.clicks("Cancel")

    answer = await whole.bot.presses(confirm.id)

    assert "cancelled already" in answer.reply.headline
    assert whole.ledger.states == [State.CANCELLED]
    assert whole.dev.count(changing) == 0
