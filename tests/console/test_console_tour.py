"""The guided tour as data, walked through the real pipeline: every step works, and shows what it says."""

import pytest
from rigs.chat import Bot
from rigs.paper import Paper, play, session

from bot.console.tour import TOUR

SHOWS = {
    "/k8s": ["6 apps", "myapp        v1"],
    "/k8s deploy myapp v2": ["- image: myapp:v1", "+ image: myapp:v2", "rolled out"],
    "/k8s myapp": ["v2, 3/3 ready"],
    "/k8s deploy myapp v-bad": ["stuck: image cannot be pulled; v2 still serves 3/3", "[1] Undo"],
    "click Undo": ["back on v2"],
    "/k8s rollout history myapp": ["v-bad", "got stuck"],
    "/k8s deploy myapp v2 to prod": ["You may not `deploy` in prod/shop.", "@bob"],
    "@bob /k8s deploy myapp v2 to prod": ["prod/shop", "rolled out"],
    "@bob /k8s versions myapp": ["myapp runs v2 everywhere."],
}


@pytest.fixture
def script() -> list[str]:
    return [stop.line if stop.by == "alice" else f"@{stop.by} {stop.line}" for stop in TOUR]


async def test_every_step_shows_what_it_says(bot: Bot, script: list[str]) -> None:
    paper = Paper()
    chat = session(bot.pipeline, paper)

    assert script == list(SHOWS)
    for line, words in SHOWS.items():
        await play(chat, line)
        answer = paper.tear()
        assert [word for word in words if word not in answer] == [], answer


def test_every_step_says_why(script: list[str]) -> None:
    assert all(stop.why.endswith((".", "?")) for stop in TOUR)
