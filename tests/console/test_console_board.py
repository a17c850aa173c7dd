"""Messages on a terminal: posted once, edited by what is new, named where an edit would not be understood; buttons."""

import pytest
from rich.console import RenderableType
from rigs.paper import Paper

from bot.core.reply import Button, Buttons, Diff, Progress, Reply, Sign, Text, Tone

DIFF = Diff("deployment/myapp", ((Sign.GONE, "image: myapp:v1"), (Sign.NEW, "image: myapp:v2")))
UNDO = Button("Undo", "undo myapp", id="a.1")
LOGS = Button("Logs", "logs myapp", id="a.2")


def moving(done: int, seconds: int) -> Reply:
    text = f"{done}/3 ready · {3 - done} old pods left · {seconds} s"
    return Reply("Rolling out v2", Tone.WAIT, (DIFF, Progress(done, 3, text), Buttons((UNDO,))), "dev/shop")


DONE = Reply("v2 rolled out in 5 s", Tone.GOOD, (DIFF, Buttons((UNDO, LOGS))), "dev/shop")


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.fixture
def screen() -> Paper:
    """A terminal, where somebody watches one message at a time."""
    return Paper(terminal=True)


async def test_an_edit_prints_only_what_is_new(paper: Paper) -> None:
    await paper.board.say("a", moving(0, 1))
    paper.tear()

    await paper.board.say("a", moving(1, 3))
    assert paper.tear() == "  ▓▓▓▓░░░░░░░░ 1/3 ready · 2 old pods left · 3 s\n"

    await paper.board.say("a", DONE)
    assert paper.tear() == "dev/shop  ✓ v2 rolled out in 5 s\n  [1] Undo  [2] Logs\n"


async def test_the_mere_passing_of_time_prints_nothing(paper: Paper) -> None:
    await paper.board.say("a", moving(0, 1))
    paper.tear()

    await paper.board.say("a", moving(0, 4))

    assert paper.text == ""


async def test_of_two_workloads_each_moves_for_itself(paper: Paper) -> None:
    def both(web: int, worker: int) -> Reply:
        bars = (Progress(web, 3, f"web: {web}/3 ready · 1 s"), Progress(worker, 3, f"worker: {worker}/3 ready · 1 s"))
        return Reply("Rolling out", Tone.WAIT, bars)

    await paper.board.say("a", both(1, 0))
    paper.tear()

    await paper.board.say("a", both(1, 1))

    assert "worker: 1/3" in paper.text
    assert "web" not in paper.text


async def test_an_edit_of_an_older_message_says_which_it_speaks_of(paper: Paper) -> None:
    paper.board.open("a", "deploy myapp v-bad")
    await paper.board.say("a", Reply("v-bad is stuck", Tone.BAD))
    paper.board.open("b", "undo myapp")
    await paper.board.say("b", Reply("Undo myapp", Tone.WAIT))
    paper.tear()

    await paper.board.say("a", Reply("v-bad was superseded", Tone.WARN))
    await paper.board.say("b", Reply("Back on v1", Tone.GOOD))

    assert paper.text == "↑ deploy myapp v-bad\n! v-bad was superseded\n↑ undo myapp\n✓ Back on v1\n"


async def test_at_a_terminal_a_message_that_is_watched_is_redrawn_and_not_printed(screen: Paper) -> None:
    drawn: list[RenderableType] = []
    screen.board.redraw, screen.board.live = drawn.append, "a"

    await screen.board.say("a", moving(0, 1))
    await screen.board.say("a", moving(1, 2))

    assert len(drawn) == 2
    assert screen.text == ""


async def test_at_a_terminal_a_message_left_to_itself_speaks_up_once_it_has_come_to_something(screen: Paper) -> None:
    screen.board.open("a", "deploy myapp v2")
    await screen.board.say("a", moving(0, 1))
    screen.board.settle("a")
    screen.tear()

    await screen.board.say("a", moving(1, 3))
    await screen.board.say("a", moving(2, 5))
    assert screen.text == ""

    await screen.board.say("a", DONE)
    screen.board.settle("a")
    assert screen.text == "dev/shop  ✓ v2 rolled out in 5 s\n  [1] Undo  [2] Logs\n"


async def test_at_a_terminal_a_trouble_that_only_changes_its_details_is_not_told_again(screen: Paper) -> None:
    await screen.board.say("a", Reply("v-bad is stuck", Tone.BAD, (Text("ErrImagePull"),)))
    screen.tear()

    await screen.board.say("a", Reply("v-bad is stuck", Tone.BAD, (Text("ImagePullBackOff"),)))

    assert screen.text == ""


async def test_a_message_that_never_came_settles_to_nothing(screen: Paper) -> None:
    screen.board.open("a", "deploy myapp v2")

    screen.board.settle("a")
    screen.board.settle("b")

    assert screen.text == ""


async def test_a_button_is_found_by_number_in_the_newest_message_that_has_any(paper: Paper) -> None:
    await paper.board.say("a", DONE)
    await paper.board.say("b", Reply("Pods", parts=(Buttons((Button("Refresh", "pods", id="b.1"),)),)))
    await paper.board.say("c", Reply("Nothing to press."))

    assert paper.board.choices() == ("[1] Refresh",)
    assert getattr(paper.board.button("1"), "line", "") == "pods"
    assert paper.board.button("2") is None


async def test_a_button_is_found_by_label_in_the_newest_message_that_has_it(paper: Paper) -> None:
    await paper.board.say("a", DONE)
    await paper.board.say("b", Reply("v3", parts=(Buttons((Button("Undo", "undo myapp in b", id="b.1"),)),)))

    assert getattr(paper.board.button("uNdO"), "line", "") == "undo myapp in b"
    assert paper.board.button("Logs") == LOGS
    assert paper.board.button("Frob") is None


async def test_an_edit_of_an_older_message_takes_no_number_away(paper: Paper) -> None:
    await paper.board.say("a", moving(0, 1))
    await paper.board.say("b", Reply("Scale?", parts=(Buttons((Button("Confirm", "confirm b", id="b.1"),)),)))
    paper.tear()

    await paper.board.say("a", DONE)

    assert "[Undo]  [Logs]" in paper.text
    assert getattr(paper.board.button("1"), "line", "") == "confirm b"


async def test_while_the_newest_message_is_under_way_an_older_one_gets_no_numbers(paper: Paper) -> None:
    await paper.board.say("a", DONE)
    await paper.board.say("b", Reply("Undo myapp", Tone.WAIT))

    assert paper.board.button("1") is None
    assert paper.board.button("Undo") == UNDO


async def test_a_button_that_an_edit_took_away_is_gone(paper: Paper) -> None:
    await paper.board.say("a", moving(0, 1))
    await paper.board.say("a", Reply("Over.", Tone.GOOD))

    assert paper.board.button("Undo") is None


async def test_an_old_message_is_forgotten_in_the_end(paper: Paper) -> None:
    for number in range(201):
        await paper.board.say(str(number), Reply("Hello."))

    assert paper.board.last("0") is None
    assert paper.board.last("1") is not None


async def test_what_a_chat_says_itself_is_made_harmless_too(paper: Paper) -> None:
    paper.board.note("\x1b[31m[red]evil\u202e")

    assert paper.text == "[red]evil\n"
