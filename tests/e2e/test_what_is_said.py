"""What people are told when they act one after the other, or on what is paused: who did it, and what one can do now."""

import asyncio
import re

from rigs.apiserver import eventually
from rigs.chat import Bot, labels

from bot.core.reply import Tone


async def test_whoever_takes_a_deploy_back_is_named_in_its_message(bot: Bot) -> None:
    stuck = await bot.says("deploy myapp v-bad")

    await bot.says("undo myapp", by="bob")

    await eventually(lambda: "superseded" in stuck.reply.headline)
    assert stuck.reply.headline == "myapp v-bad was superseded: @bob changed it again (Undo myapp to v1)"


async def test_of_two_who_press_the_same_undo_only_one_undoes(bot: Bot) -> None:
    await bot.says("deploy myapp v2")
    stuck = await bot.says("deploy myapp v-bad")
    undo = next(button for button in stuck.reply.buttons() if button.label == "Undo")

    first = await bot.presses(undo.id)
    second = await bot.presses(undo.id, by="bob")

    assert first.reply.headline.startswith("myapp is back on v2")
    assert second.reply.headline == "myapp runs v2 now, and v-bad no more."
    assert "myapp is up: v2" in (await bot.says("myapp")).text


async def test_of_two_who_deploy_at_once_the_second_may_try_again(bot: Bot) -> None:
    answers = await asyncio.gather(bot.says("deploy myapp v2"), bot.says("deploy myapp v3", by="bob"))
    late = next(answer for answer in answers if "somebody else" in answer.reply.headline)

    again = await bot.clicks("Run it again", by="bob")

    assert labels(late.reply.buttons()) == ["Run it again"]
    assert "myapp" in again.reply.headline


async def test_a_pause_can_be_taken_back_with_one_press(bot: Bot) -> None:
    paused = await bot.says("rollout pause myapp")

    resumed = await bot.clicks("Undo")

    assert labels(paused.reply.buttons()) == ["Undo"]
    assert resumed.reply.headline.startswith("myapp is resumed")


async def test_of_a_version_that_waits_in_a_paused_deployment_it_is_said_which_one_serves(bot: Bot) -> None:
    await bot.says("rollout pause myapp")

    held = await bot.says("deploy myapp v2")
    card = await bot.says("myapp")

    assert held.reply.headline == "myapp v2 is held: it is paused"
    assert labels(held.reply.buttons()) == ["Resume"], "kubectl does not roll back what is paused"
    assert card.reply.headline == "myapp is paused: v2; v1 still serves 3/3."
    assert labels(card.reply.buttons()) == ["Deploy…", "Logs", "Resume", "Status"]


async def test_an_app_that_is_well_is_not_undone_by_a_slip_of_the_thumb(bot: Bot) -> None:
    card = await bot.says("myapp")

    asked = {button.label: button.ask for button in card.reply.buttons()}

    assert asked["Undo"] == "Put myapp in dev/shop back to the version before?"
    assert asked["Logs"] == ""


async def test_what_fails_at_a_place_says_where(bot: Bot) -> None:
    alone = await bot.says("undo mailer")
    nowhere = await bot.says("versions nosuch")

    assert (alone.reply.place, alone.reply.tone) == ("dev/shop", Tone.BAD)
    assert nowhere.reply.place == "", "it was looked for everywhere"


async def test_roles_are_told_in_words(bot: Bot) -> None:
    answer = await bot.says("whoami")

    assert "Roles: viewer: everywhere\ndeployer: dev\n" in answer.text


async def test_when_an_app_was_changed_is_when_its_version_came(bot: Bot) -> None:
    card = await bot.says("db in data")

    # Its first version is 88 days old, its present one 20 (by the calendar: less, early in the day).
    assert re.search("Changed: (19|20) d ago by kubectl apply", card.text)
