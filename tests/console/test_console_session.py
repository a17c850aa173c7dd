"""What a typed line means, who says it, and where it goes."""

import pytest
from rigs.paper import Paper, session

from bot.console.session import Become, Leave, Press, Say, Wish
from bot.core.reply import Button, Buttons, Reply
from bot.core.request import Conversation, Request


class Road:
    """A pipeline that notes what it is asked."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def handle(self, request: Request, to: Conversation) -> None:
        self.requests.append(request)
        await to.say(request.id, Reply("Heard."))

    async def settled(self, request_id: str) -> None: ...

    async def complete(self, actor_id: str, channel: str, text: str) -> tuple[str, ...]:
        return (actor_id, channel, text)


@pytest.fixture
def road() -> Road:
    return Road()


@pytest.fixture
def paper() -> Paper:
    return Paper()


@pytest.mark.parametrize(
    ("line", "wish"),
    [
        ("/k8s deploy myapp v2", Say("alice", "deploy myapp v2")),
        ("deploy myapp v2", Say("alice", "deploy myapp v2")),
        ("  /k8s   pods \r\n", Say("alice", "pods")),
        ("/k8s", Say("alice", "")),
        ("", Say("alice", "")),
        ("\ufeff/k8s pods", Say("alice", "pods")),
        ("\u00a0pods\u00a0", Say("alice", "pods")),
        ("/k8sfoo", Say("alice", "/k8sfoo")),
        ("/deploy myapp", Say("alice", "/deploy myapp")),
        ("?", Say("alice", "help")),
        ("/k8s ?", Say("alice", "help")),
        ("2", Press("alice", "2")),
        ("12", Press("alice", "12")),
        ("²", Say("alice", "²")),
        ("-1", Say("alice", "-1")),
        ("click Undo", Press("alice", "Undo")),
        ("CLICK  Deploy… ", Press("alice", "Deploy…")),
        ("click [2]", Press("alice", "2")),
        ("click", Say("alice", "click")),
        ("clicked", Say("alice", "clicked")),
        ("@bob", Become("bob")),
        ("@Bob", Become("bob")),
        ("@bob:", Become("bob")),
        ("@bob /k8s pods", Say("bob", "pods")),
        ("@bob, pods", Say("bob", "pods")),
        ("@bob 1", Press("bob", "1")),
        ("@bob click Undo", Press("bob", "Undo")),
        ("@mallory pods", Say("mallory", "pods")),
        ("@", Say("alice", "@")),
        ("@steersman pods", Say("alice", "@steersman pods")),
        ("quit", Leave()),
        ("EXIT", Leave()),
        ("q", Leave()),
        ("/k8s q", Say("alice", "q")),
    ],
)
def test_a_line_means(line: str, wish: Wish, road: Road, paper: Paper) -> None:
    assert session(road, paper).read(line) == wish


def test_alone_nobody_else_can_speak(road: Road, paper: Paper) -> None:
    assert session(road, paper, "root").read("@bob pods") == Say("root", "@bob pods")


def test_the_next_line_is_from_whoever_speaks_now(road: Road, paper: Paper) -> None:
    chat = session(road, paper)
    chat.speaker = "bob"

    assert chat.read("pods") == Say("bob", "pods")


async def test_a_line_goes_to_the_pipeline_as_its_speaker(road: Road, paper: Paper) -> None:
    reply = await session(road, paper).send(Say("bob", "pods"), "r1")

    assert road.requests == [Request("r1", "bob", "shop", "pods")]
    assert reply == Reply("Heard.")


async def test_a_press_goes_to_the_pipeline_as_the_buttons_id(road: Road, paper: Paper) -> None:
    await paper.board.say("a", Reply("Done.", parts=(Buttons((Button("Undo", "undo myapp", id="a.1"),)),)))

    await session(road, paper).send(Press("bob", "1"), "r1")

    assert road.requests == [Request("r1", "bob", "shop", button="a.1")]
    assert paper.board.about("r1") == "undo myapp"


async def test_a_confirmation_is_about_the_line_that_it_confirms(road: Road, paper: Paper) -> None:
    paper.board.open("a", "scale myapp 0")
    await paper.board.say("a", Reply("Sure?", parts=(Buttons((Button("Confirm", "confirm 7k2m4q", id="a.1"),)),)))

    await session(road, paper).send(Press("alice", "Confirm"), "r1")

    assert paper.board.about("r1") == "scale myapp 0"


async def test_a_button_that_is_not_there_is_answered_with_those_that_are(road: Road, paper: Paper) -> None:
    await paper.board.say("a", Reply("Done.", parts=(Buttons((Button("Undo", "undo myapp", id="a.1"),)),)))
    paper.tear()

    await session(road, paper).send(Press("alice", "Frob"), "r1")

    assert paper.text == "! There is no button `Frob` to press.\n  There are: [1] Undo\n"
    assert road.requests == []


async def test_where_there_are_no_buttons_that_is_said(road: Road, paper: Paper) -> None:
    await session(road, paper).send(Press("alice", "1"), "r1")

    assert paper.text == "! There is no button `1` to press.\n  The newest message has no buttons.\n"


async def test_words_are_completed_for_whoever_would_say_them(road: Road, paper: Paper) -> None:
    assert await session(road, paper).complete("bob", "de") == ("bob", "shop", "de")
