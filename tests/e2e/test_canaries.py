"""No secret gets out: canaries in Secrets, in variables, flags and files that look like secrets, and in error texts.

What is searched are surfaces: replies, logs at DEBUG, and all that the ledger keeps. `logs` shows what somebody asked
to read and may read, so a container's own output is no canary here; the lines that a follow quotes from it are.
"""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import pytest
import structlog
from rigs.aviary import DEEDS, FLOCK, LOOKS, NEW, change_password, event, settle_in
from rigs.canaries import forms
from rigs.chat import as_text
from rigs.weather import Call, answering, anything, changing, previewing, refusing
from rigs.whole_bot import Whole, small_world, whole_bot

from bot.app import log_to_stderr, report_bug
from bot.core.ledger import ActionRecord
from bot.settings import LogFormat, LogLevel, Settings

Surface: TypeAlias = tuple[str, Callable[[], str]]


@dataclass(frozen=True)
class Aviary:
    """The bot, and everything that is searched for canaries."""

    whole: Whole
    surfaces: tuple[Surface, ...]

    async def says(self, line: str, by: str = "bob") -> str:
        return (await self.whole.bot.says(line, by=by)).all_text

    def assert_nothing_got_out(self) -> None:
        texts = [(where, read()) for where, read in self.surfaces]
        telling = [(where, line[:400]) for where, text in texts for line in text.splitlines() if FLOCK.found_in(line)]
        assert telling == []
        assert [(where, names) for where, text in texts if (names := FLOCK.found_in(text))] == []


@pytest.fixture
async def aviary(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> AsyncIterator[Aviary]:
    caplog.set_level(logging.DEBUG)
    async with small_world() as world:
        for cluster in world.clusters.values():
            settle_in(cluster.store)
        async with whole_bot(world) as whole:
            (answer,) = [await whole.bot.says("deploy bank v2", by="bob")]
            assert "v2 rolled out" in answer.reply.headline
            change_password(world)
            yield Aviary(whole, surfaces_of(whole, caplog, capfd))


def surfaces_of(
    whole: Whole, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> tuple[Surface, ...]:
    def replies() -> str:
        said = whole.bot.recorder.said
        lines = [f"{button.line} {button.ask}" for reply in said for button in reply.buttons()]
        return "\n".join([*map(as_text, said), *lines])

    def ledger() -> str:
        return "\n".join(f"{name}: {value!r}" for name, value in vars(whole.ledger).items())

    return (
        ("replies", replies),
        ("ledger", ledger),
        ("logs", lambda: caplog.text),
        ("output", lambda: "".join(capfd.readouterr())),
        ("bugs", lambda: repr(whole.bugs)),
    )


async def test_no_question_shows_a_secret_not_even_to_whom_the_cluster_opens_them(aviary: Aviary) -> None:
    shown = [await aviary.says(line) for line in LOOKS]
    pod = next(line for line in shown[LOOKS.index("pods")].split() if line.startswith("bank-"))
    await aviary.says(f"show pod/{pod}")
    revision = next(word for word in shown[LOOKS.index("get replicasets")].split() if word.startswith("bank-"))
    await aviary.says(f"show replicaset/{revision}")

    assert "pin" in shown[LOOKS.index("show secret/bank")]  # it was read, and its keys are shown
    assert "DB_PASSWORD" in shown[LOOKS.index("show bank")]
    assert "--db-password" in shown[LOOKS.index("rollout history bank --revision 1")]
    aviary.assert_nothing_got_out()


async def test_no_deed_shows_or_keeps_a_secret(aviary: Aviary) -> None:
    said = [await aviary.says(line) for line in DEEDS]

    assert "*** (before)" in said[0]  # the variable's change is told, its values are not
    assert "cannot be pulled" in said[DEEDS.index("deploy bank v-bad")]
    await aviary.says("scale bank 0")
    await aviary.whole.bot.clicks("Cancel", by="bob")
    for line in ("audit", "audit --csv", "why bank", "changes bank"):
        await aviary.says(line)
    aviary.assert_nothing_got_out()


async def test_nothing_is_kept_while_it_is_under_way_either(aviary: Aviary, monkeypatch: pytest.MonkeyPatch) -> None:
    ledger = aviary.whole.ledger
    begin, advance = ledger.begin, ledger.advance
    kept: list[str] = []

    async def begun(*what: Any) -> ActionRecord:
        kept.append(repr(what))
        return await begin(*what)

    async def advanced(*what: Any) -> ActionRecord:
        kept.append(repr(what))
        return await advance(*what)

    monkeypatch.setattr(ledger, "begin", begun)
    monkeypatch.setattr(ledger, "advance", advanced)
    for line in DEEDS:
        await aviary.says(line)

    assert len(kept) > len(DEEDS)
    assert FLOCK.found_in("\n".join(kept)) == []


@pytest.mark.parametrize("form", list(forms(NEW)))
async def test_a_refusal_that_quotes_a_variable_does_not_reach_anybody(
    aviary: Aviary, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(aviary.whole.clock, "sleep", lambda _: asyncio.sleep(0.001))  # between tries of a conflict
    echo = forms(NEW)[form]
    told = (
        (422, "Invalid", f'Deployment.apps "bank" is invalid: spec.env[0].value: Invalid value: "{echo}": too odd'),
        (403, "Forbidden", f'admission webhook "odd.example" denied the request: the value {echo} is forbidden'),
        (400, "BadRequest", f"strict decoding error: unknown field {echo}"),
        (409, "Conflict", f"the object has been modified: {echo}"),
        (500, "InternalError", f'failed calling webhook "odd.example": {echo}'),
        (422, "Invalid", f"{'x' * 370} {echo}"),  # cut off in the middle of it
    )
    for place, (when, line) in enumerate(((previewing, "deploy bank v3"), (changing, "scale bank 3"))):
        for code, reason, message in told:
            aviary.whole.dev.strike(when, refusing(code, reason, message), times=None)
            answer = await aviary.says(line)
            aviary.whole.dev.clear()
            assert answer, (place, code)
    aviary.whole.dev.strike(previewing, answering(502, echo))
    await aviary.says("deploy bank v3")
    found = json.dumps(aviary.whole.world.clusters["dev"].store.get("deployments.apps", "shop", "bank"))
    warning = f'299 - "{clean(echo)} is deprecated"'
    aviary.whole.dev.strike(previewing, answering(200, found, Warning=warning, Content_Type="application/json"))
    assert "The API server warns" in await aviary.says("deploy bank v3")
    aviary.assert_nothing_got_out()


@pytest.mark.parametrize("form", list(forms(NEW)))
async def test_an_event_that_quotes_a_variable_is_told_without_it(aviary: Aviary, form: str) -> None:
    event(aviary.whole.world, "odd", f"The password {forms(NEW)[form]} was not taken")

    shown = [await aviary.says(line) for line in ("bank", "events bank", "show deploy/bank", "status bank")]

    assert "was not taken" in shown[1]
    aviary.assert_nothing_got_out()


@pytest.mark.parametrize(
    "words",
    [
        "env DB_PASSWORD={} is not allowed",
        'exec: ["run","--db-password","{}"]',
        "started with --api-token={} in its command",
        "Env:[]EnvVar{{EnvVar{{Name:DB_PASSWORD,Value:{},}}}}",
        '{{"name": "DB_PASSWORD", "value": "{}"}}',
        "Get https://bank:{}@registry.example/v2/: unauthorized",
        "authorization: Bearer {}",
    ],
)
async def test_what_says_that_it_is_a_secret_is_hidden_wherever_it_is_quoted(aviary: Aviary, words: str) -> None:
    """Nobody can know these values: not the app's, but those of the Secret."""
    plain = "".join(letter for letter in FLOCK.values["of the Secret"] if letter.isascii() and letter.isalnum())
    event(aviary.whole.world, "odd", words.format(plain), about="something-else")
    whole = aviary.whole

    for line in ("events", "get events", "events -A"):
        await aviary.says(line)
    whole.dev.strike(previewing, refusing(422, "Invalid", words.format(plain)))
    await aviary.says("deploy bank v3")

    said = "\n".join(read() for where, read in aviary.surfaces if where in ("replies", "ledger"))
    assert not [plain[at : at + 8] for at in range(len(plain) - 7) if plain[at : at + 8] in said]


async def test_a_body_that_nobody_understands_is_not_quoted(aviary: Aviary) -> None:
    def listing(call: Call) -> bool:
        return call.method == "GET" and call.path.endswith("/deployments")

    for body in (f'{{"items": [{{"metadata": {{"name": 5}}, "x": "{clean(NEW)}"', f"<html>{NEW}</html>", NEW):
        aviary.whole.dev.strike(listing, answering(200, body), times=None)
        await aviary.says("apps")
        aviary.whole.dev.clear()
        aviary.whole.dev.strike(anything, answering(403, body), times=None)
        await aviary.says("pods")
        aviary.whole.dev.clear()
    aviary.assert_nothing_got_out()


@pytest.mark.parametrize("form", list(LogFormat))
def test_a_line_of_the_log_hides_what_looks_like_a_secret(form: LogFormat, capsys: pytest.CaptureFixture[str]) -> None:
    log_to_stderr(Settings.model_construct(log_level=LogLevel.DEBUG, log_format=form))
    try:
        login = "postgres://bob:hunter2-x@db/x"  # pragma: allowlist secret
        report_bug("r1", ValueError(f"cannot read DB_PASSWORD=hunter2-x from {login}"))
        structlog.get_logger().debug("asked", header="authorization: Bearer hunter2-x-hunter2-x")
    finally:
        structlog.reset_defaults()

    written = capsys.readouterr().err
    assert "hunter2" not in written
    assert "cannot read DB_PASSWORD=***" in written


def clean(text: str) -> str:
    """As a header or a JSON string can hold it."""
    return "".join(letter for letter in text if letter.isascii() and letter.isprintable() and letter not in '"\\')


def test_the_search_itself_finds_every_form() -> None:
    for form, written in forms(NEW).items():
        assert FLOCK.found_in(f"Something said {written} here."), form
        assert FLOCK.found_in(f"cut off: {written[:12]}…"), form
    assert FLOCK.found_in("Nothing of that sort is said here, in so many words and at some length.") == []
