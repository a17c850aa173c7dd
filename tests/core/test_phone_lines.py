"""What phones and Slack make of a line is undone: each of the corpus is read as it was meant."""

import pytest
from rigs.phone_lines import PHONE_LINES

import commands
from bot.core import whereabouts
from bot.core.command import Registry
from bot.core.errors import UsageError
from bot.core.grammar import Grammar


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar(Registry.of(commands))


def test_the_corpus_is_large() -> None:
    assert len({typed for typed, _ in PHONE_LINES}) >= 100


@pytest.mark.parametrize(("typed", "meant"), PHONE_LINES)
def test_is_read_as_it_was_meant(grammar: Grammar, typed: str, meant: str | None) -> None:
    if meant is None:
        with pytest.raises(UsageError):
            grammar.parse(typed)
        return

    parsed = grammar.parse(typed)

    assert parsed.line + whereabouts.say(parsed.where) == meant
    assert grammar.parse(meant).args == parsed.args
