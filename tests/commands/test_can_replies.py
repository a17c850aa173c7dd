"""What `can` and `who-can` answer, and to what they cannot answer."""

import pytest
from rigs.reading import Shelf, app_workload, reading_bot

from bot.core.errors import Unavailable
from bot.core.reply import Table, Tone


async def test_can_lists_every_command_that_asks_a_cluster_with_both_words() -> None:
    answer = await reading_bot(Shelf()).says("can")

    table = next(part for part in answer.reply.parts if isinstance(part, Table))
    assert table.columns == ("Command", "Policy", "Cluster")
    assert ("deploy", "yes", "yes") in table.rows
    assert not {"help", "whoami", "confirm", "cancel"} & {row[0] for row in table.rows}
    assert answer.reply.headline == f"You may run {len(table.rows)} of {len(table.rows)} commands in dev/shop."


async def test_can_answers_for_one_command_by_any_of_its_names() -> None:
    answer = await reading_bot(Shelf()).says("can rollback in data")

    assert answer.text == "[good] dev/data Yes, you may `undo` in dev/data."


async def test_can_of_an_unknown_command_offers_the_nearest() -> None:
    answer = await reading_bot(Shelf()).says("can deplyo")

    assert "There is no command `deplyo`." in answer.text
    assert "Did you mean `deploy`?" in answer.text


async def test_a_decision_needs_no_role() -> None:
    bot = reading_bot(Shelf())

    assert "`confirm` is for whoever asked" in (await bot.says("can confirm")).text
    assert "`confirm` is for whoever asked" in (await bot.says("who-can confirm")).text


async def test_who_can_finds_the_app_wherever_it_is() -> None:
    answer = await reading_bot(Shelf("dev", there=[app_workload()]), Shelf("prod")).says("who-can deploy myapp")

    assert answer.reply.headline == "@alice may `deploy` in dev/shop."
    assert ("dev/shop", "@alice", "keeper", "at once") in next(
        part.rows for part in answer.reply.parts if isinstance(part, Table)
    )


async def test_a_cluster_that_is_down_is_told_beside_the_answer() -> None:
    down = Shelf("prod", fails=Unavailable("prod is down."))

    answer = await reading_bot(Shelf("dev", there=[app_workload()]), down).says("who-can deploy myapp")

    assert "@alice may `deploy` in dev/shop." in answer.text
    assert "Not looked at: prod is down." in answer.text


async def test_who_can_at_a_said_place_asks_no_cluster_for_the_app() -> None:
    answer = await reading_bot(Shelf()).says("who-can rollout undo myapp in data")

    assert answer.reply.headline == "@alice may `rollout undo` in dev/data."


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("who-can", "needs"),
        ("who-can deplyo", "Did you mean `deploy`?"),
        ("who-can deploy nothing", "There is no app `nothing` that you may see."),
        ("who-can deploy myapp now", "`now` is one word too many."),
        ("who-can deploy my_app", "`my_app` is no app"),
    ],
)
async def test_what_who_can_cannot_read_is_a_sentence(line: str, said: str) -> None:
    answer = await reading_bot(Shelf()).says(line)

    assert said in answer.text
    assert answer.reply.tone in (Tone.BAD, Tone.WARN)
