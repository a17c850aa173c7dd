"""`steersman demo` as a person meets it: on a real pseudo-terminal, by Enter alone and by whatever else is typed."""

import sys
from collections.abc import Iterator

import pytest
from rigs.pty import Terminal, terminal

from bot.console.tour import END, TOUR

DEMO = [sys.executable, "-m", "bot", "demo"]
ENTER, TAB, CTRL_C, CTRL_D, CTRL_U = "\r", "\t", "\x03", "\x04", "\x15"


@pytest.fixture
def person() -> Iterator[Terminal]:
    """Somebody who sees the first step of the tour."""
    with terminal(DEMO, {}) as screen:
        screen.sees("Press Enter to run ▸ /k8s")
        yield screen


def test_enter_alone_goes_through_the_whole_tour() -> None:
    with terminal(DEMO, {}) as screen:
        for stop in TOUR:
            screen.sees(stop.why)
            screen.sees(f"@{stop.by} · Press Enter to run ▸ {stop.line}")
            screen.types(ENTER)
            screen.sees(f"@{stop.by} ▸ {stop.line}")
        screen.sees(END)
        last = screen.sees("@bob ▸")
        screen.types(CTRL_D)

        assert screen.ends() == 0, screen.text[-3000:]
        assert "Press Enter" not in screen.text[screen.text.index(END) :]
        assert TOUR[-1].line not in last
        for words in (
            "rolled out",
            "image cannot be pulled",
            "back on v2",
            "You may not `deploy`",
            "runs v2 everywhere",
        ):
            assert words in screen.text


def test_a_line_of_ones_own_does_not_take_a_step_and_the_steps_line_does(person: Terminal) -> None:
    person.types("whoami" + ENTER)
    person.sees("You are @alice.")
    person.sees("Press Enter to run ▸ /k8s")

    person.types("/k8s" + ENTER)
    person.sees("6 apps")
    person.sees(f"Press Enter to run ▸ {TOUR[1].line}")


def test_tab_on_an_empty_line_changes_who_speaks_and_enter_still_runs_the_step(person: Terminal) -> None:
    person.types(TAB)
    # The prompt is redrawn by its differences: what both names begin with may not be written again.
    person.sees("Enter, as @alice: /k8s")
    person.types("whoami" + ENTER)
    person.sees("You are @bob.")

    person.types(ENTER)
    person.sees("@alice ▸ /k8s")
    person.sees("6 apps")


def test_tab_completes_commands_apps_and_people(person: Terminal) -> None:
    # What was typed is on the screen already; the rest is what completion adds.
    person.types("/k8s vers" + TAB)
    person.sees("ions")
    person.types(" mya" + TAB)
    person.sees("pp")
    person.types(ENTER)
    person.sees("myapp runs v1 everywhere.")

    person.types("@car" + TAB)
    person.sees("ol")
    person.types("whoami" + ENTER)
    person.sees("You are @carol.")


def test_ctrl_c_leaves_a_rollout_to_itself_and_its_end_is_told_once(person: Terminal) -> None:
    person.types("deploy myapp v2" + ENTER)
    person.sees("0/3 ready")
    person.types(CTRL_C)
    person.sees("Left to itself: how it ends is told here.")
    person.types("whoami" + ENTER)
    person.sees("You are @alice.")

    person.sees("↑ deploy myapp v2")
    person.sees("rolled out")
    person.types("myapp" + ENTER)
    person.sees("v2, 3/3 ready")
    person.types("quit" + ENTER)

    assert person.ends() == 0, person.text[-3000:]
    assert person.text.count("rolled out in") == 1


def test_ctrl_c_at_the_prompt_drops_the_line_and_says_how_to_leave(person: Terminal) -> None:
    person.types("scale myapp 0" + CTRL_C)
    person.sees("`quit` or Ctrl-D leaves.")
    person.sees("Press Enter to run")
    person.types(CTRL_D)

    assert person.ends() == 0, person.text[-3000:]
    assert "Confirm" not in person.text


def test_a_paste_of_several_lines_is_so_many_commands_without_its_escapes(person: Terminal) -> None:
    person.types("\x1b[200~who\u202eami\x07\r\nversions myapp\n\x1b[201~")
    person.types(ENTER)

    person.sees("You are @alice.")
    person.sees("myapp runs v1 everywhere.")
    assert "\u202e" not in person.text


def test_leaving_names_what_is_not_followed_any_further(person: Terminal) -> None:
    person.types("deploy myapp v-slow" + ENTER)
    person.sees("0/3 ready")
    person.types(CTRL_C)
    person.sees("Left to itself")
    person.types("quit" + ENTER)

    assert person.ends() == 0, person.text[-3000:]
    assert "Not followed any further: deploy myapp v-slow" in person.text


def test_a_terminal_that_cannot_be_drawn_on_is_spoken_to_in_lines() -> None:
    with terminal(DEMO, {"TERM": "dumb"}) as screen:
        screen.types("whoami\n")
        screen.sees("You are @alice.")
        screen.types(CTRL_D)

        assert screen.ends() == 0, screen.text[-3000:]
        assert "\x1b" not in screen.text


def test_without_colours_there_are_none() -> None:
    with terminal(DEMO, {"NO_COLOR": "1"}) as screen:
        screen.sees("Press Enter to run")
        screen.types(ENTER)
        screen.sees("6 apps")
        screen.types(CTRL_D)

        assert screen.ends() == 0, screen.text[-3000:]
        assert screen.colours() == []
