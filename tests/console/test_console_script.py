"""A chat from a script: in the process through the real pipeline, and as `steersman demo` with lines on its input."""

import os
import shlex
import subprocess
import sys

import pytest
from rigs.chat import Bot
from rigs.paper import Paper, play, session

DEMO = [sys.executable, "-m", "bot", "demo"]
ISSUE = (
    "/k8s deploy myapp v2\n/k8s status myapp\n/k8s deploy myapp v-bad\n/k8s undo myapp\n/k8s rollout history myapp\n"
)
ENV = {name: value for name, value in os.environ.items() if name != "COLUMNS"}


@pytest.fixture
def paper() -> Paper:
    return Paper()


async def test_each_line_is_repeated_and_answered_with_its_verdict(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "/k8s deploy myapp v2\ndeploy myapp v-bad\n")

    first, second = paper.text.split("alice ▸ ")[1:]
    assert first.startswith("/k8s deploy myapp v2\n")
    assert "rolled out" in first
    assert second.startswith("/k8s deploy myapp v-bad\n")
    assert "is stuck: image cannot be pulled" in second


async def test_the_diff_of_a_change_is_printed_once(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "deploy myapp v2\n")

    assert paper.text.count("+ image: myapp:v2") == 1


async def test_a_button_is_pressed_by_label_and_by_number(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "deploy myapp v2\nclick Undo\nscale myapp 0\nclick 1\n")

    assert "back on v1" in paper.text
    assert "myapp has 0 replicas" in paper.text


async def test_a_rollout_that_is_superseded_later_says_which_it_was(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "deploy myapp v-bad\nundo myapp\n")

    assert "↑ deploy myapp v-bad\ndev/shop  ! myapp v-bad was superseded" in paper.text


async def test_others_speak_one_line_or_from_now_on(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "@bob whoami\nwhoami\n@bob\nwhoami\n@mallory whoami\n")

    assert [line for line in paper.text.splitlines() if "You are" in line or "▸" in line] == [
        "bob ▸ /k8s whoami",
        "dev, prod  You are @bob.",
        "alice ▸ /k8s whoami",
        "dev, prod  You are @alice.",
        "bob ▸ /k8s whoami",
        "dev, prod  You are @bob.",
        "mallory ▸ /k8s whoami",
    ]


async def test_comments_and_empty_lines_are_passed_over_and_quit_ends_it(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "# a comment\n\n  \t\r\n  # another\nquit\nwhoami\n")

    assert paper.text == ""


async def test_line_ends_of_windows_and_a_last_line_without_one_are_fine(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "\ufeffwhoami\r\nwhoami")

    assert paper.text.count("You are @alice.") == 2


async def test_what_waits_is_not_confirmed_by_a_script_that_did_not_say_so(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "scale myapp 0\nmyapp\n", confirms=True)

    assert "Not applied: a script confirms nothing by itself. Run it with --yes." in paper.text
    assert "3/3 ready" in paper.text


async def test_a_long_line_with_escapes_is_repeated_short_and_harmless(bot: Bot, paper: Paper) -> None:
    await play(session(bot.pipeline, paper), "\x1b[31m\u202e" + "x" * 5000)

    assert "\x1b" not in paper.text
    assert "\u202e" not in paper.text
    assert len(paper.text) < 1000


def test_the_script_of_the_readme_ends_well_and_shows_the_main_job() -> None:
    ran = subprocess.run(DEMO, input=ISSUE, capture_output=True, text=True, timeout=90, env=ENV)

    assert (ran.returncode, ran.stderr) == (0, "")
    deploy, status, bad, undo, history = ran.stdout.split("alice ▸ ")[1:]
    assert "- image: myapp:v1\n  + image: myapp:v2\n" in deploy
    assert "1/3 ready" in deploy
    assert "rolled out" in deploy
    assert "successfully rolled out" in status
    assert "image cannot be pulled" in bad
    assert "v2 still serves 3/3" in bad
    assert "back on v2" in undo
    assert [line.split()[:2] for line in history.splitlines()[3:6]] == [["1", "v1"], ["3", "v-bad"], ["4", "v2"]]
    lines = ran.stdout.splitlines()
    assert "\x1b" not in ran.stdout
    assert [line for line in lines if line != line.rstrip() or len(line) > 100] == []


def test_the_width_is_that_of_columns_where_it_is_set() -> None:
    ran = subprocess.run(DEMO, input="pods\n", capture_output=True, text=True, timeout=60, env={**ENV, "COLUMNS": "60"})

    assert max(map(len, ran.stdout.splitlines())) in range(50, 61)


def test_bytes_that_are_no_letters_do_not_end_a_script() -> None:
    ran = subprocess.run(DEMO, input=b"\xff\xfe\x00 \xc3\nwhoami", capture_output=True, timeout=60, env=ENV)

    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"You are @alice." in ran.stdout


def test_an_output_that_knows_fewer_letters_gets_question_marks() -> None:
    env = {**ENV, "PYTHONIOENCODING": "ascii"}

    ran = subprocess.run(DEMO, input=b"whoami\n", capture_output=True, timeout=60, env=env)

    assert (ran.returncode, ran.stderr) == (0, b"")
    assert b"alice ? /k8s whoami" in ran.stdout


def test_nobody_reading_to_the_end_is_no_trouble() -> None:
    ran = subprocess.run(
        ["bash", "-o", "pipefail", "-c", f"{shlex.join(DEMO)} | head -n 2"],
        input="\npods\n" * 20,
        capture_output=True,
        text=True,
        timeout=60,
        env=ENV,
    )

    assert (ran.returncode, ran.stderr) == (0, "")
    assert ran.stdout.count("\n") == 2


@pytest.mark.parametrize("how", ["<&-", "</dev/null"])
def test_no_input_at_all_is_an_empty_script(how: str) -> None:
    line = f"{shlex.join(DEMO)} {how}"

    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=60, env=ENV)

    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
