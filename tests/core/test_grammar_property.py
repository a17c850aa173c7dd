"""Whatever is typed ends in a parsed command, a UsageError or a wish for help, and nothing unseen gets through.

5,000 lines here; 100,000 with STEERSMAN_SOAK=1.
"""

import os
from collections.abc import Iterator, Mapping
from datetime import timedelta
from enum import Enum

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from rigs.grammar_commands import sample_registry
from rigs.phone_lines import PHONE_LINES

import commands
from bot.core.args import AppRef, Args, Where
from bot.core.command import Registry
from bot.core.errors import HelpWanted, UsageError
from bot.core.grammar import Grammar, Parsed
from bot.core.text import quote, visible, words
from bot.core.usage import parameters, place_parameters

_MANY = settings(
    max_examples=50_000 if os.environ.get("STEERSMAN_SOAK") else 2_500,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)

_NASTY = (
    *"\"'`<>|&;$(){}[]*?!#@=/\\:.,-_~^%+\0\x01\x1b\x7f\x85",
    "--", "\u2014", "\u2013", "\u2212", "\u2018", "\u2019", "\u201c", "\u201d", "\u00a0", "\u200b", "\u200d", "\u202a",
    "\u202e", "\u2066", "\u2069", "\u061c", "\ufeff", "\ufe0f", "\u034f", "\u2028", "\u3000", "\ud800", "\ue000",
    "&lt;", "&amp;", "&#0;", "<@U1|bob>", "<http://a.io/b:c|a.io/b:c>", "<!here>", "\U000e0001", "\u0663", "é",
)  # fmt: skip

_JUNK = st.lists(st.sampled_from(_NASTY) | st.characters(), max_size=6).map("".join)
_REGISTRIES = {"sample": sample_registry(), "real": Registry.of(commands)}


def _vocabulary(registry: Registry) -> Iterator[str]:
    for command in registry:
        yield from command.name.split()
        yield from (word for example in command.examples for word in example.split())
        for parameter in (*parameters(command.args), *place_parameters(command.args)):
            yield from parameter.spellings
            yield from parameter.choices
    yield from (
        "to",
        "in",
        "on",
        "at",
        "prod",
        "shop",
        "prod/shop",
        "myapp",
        "myapp@prod",
        "5",
        "-3",
        "0",
        "--",
        "-h",
        "1h",
    )
    yield from ('""', "''", '" "', '"a b"', "--reason=", "-n=", "=", "-", "@", "/", "deploy/", "/x", "MyApp", "it's")


def _mutate(word: str, at: int, extra: str) -> str:
    cut = at % (len(word) + 1)
    return word[:cut] + extra + word[cut:]


def _lines(registry: Registry) -> st.SearchStrategy[str]:
    word = st.sampled_from(sorted(set(_vocabulary(registry))))
    mutated = st.builds(_mutate, word, st.integers(0, 12), _JUNK)
    name = st.sampled_from(registry.names)
    free = st.lists(word | word | mutated | _JUNK, max_size=9)
    phone = st.sampled_from([typed for typed, _ in PHONE_LINES])
    return (
        st.builds(
            lambda first, rest, gap: gap.join([first, *rest]), name, free, st.sampled_from([" ", " ", "\u00a0", "  "])
        )
        | free.map(" ".join)
        | st.builds(lambda line, extra: f"{line} {extra}", phone, _JUNK | word)
        | st.text(max_size=60)
    )


def _read(grammar: Grammar, line: str) -> Parsed | HelpWanted | UsageError:
    try:
        return grammar.parse(line)
    except (HelpWanted, UsageError) as said:
        return said


def _texts(value: object) -> Iterator[str]:
    match value:
        case AppRef():
            yield value.name
        case str():
            yield value
        case tuple():
            for item in value:
                yield from _texts(item)
        case Where():
            yield from (text for text in (value.cluster, value.namespace) if text)
            yield from value.words
        case Enum() | int() | timedelta() | None:
            pass
        case other:
            yield str(other)


def _assert_sound(parsed: Parsed) -> None:
    given: Mapping[str, object] = {field: getattr(parsed.args, field) for field in parsed.args.model_fields_set}
    for field, value in given.items():
        for text in _texts(value):
            assert text.strip(), f"{field} is empty"
            assert visible(text) == text, f"{field} holds what nobody sees"
            assert text.isprintable(), f"{field} holds a control character"
    assert parsed.line.isprintable()


def _at(args: Args, where: Where) -> Args:
    return args.model_copy(update={"where": where}) if args.takes_cluster else args


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("which", _REGISTRIES)
def test_every_line_ends_in_a_command_or_a_sentence(which: str) -> None:
    grammar = Grammar(_REGISTRIES[which])

    @_MANY
    @given(_lines(grammar.registry))
    def check(line: str) -> None:
        match _read(grammar, line):
            case Parsed() as parsed:
                _assert_sound(parsed)
                _assert_reads_back(grammar, parsed)
            case HelpWanted() as wish:
                assert wish.command
            case UsageError() as error:
                assert error.message
                assert visible(error.message) == error.message
                for choice in error.choices:
                    grammar.parse(choice.line)

    check()


def _assert_reads_back(grammar: Grammar, parsed: Parsed) -> None:
    model = parsed.command.args
    everywhere = grammar.parse(parsed.line_at("dev", ""))
    there = grammar.parse(parsed.line_at("user@dev.io", "shop"))

    assert (there.command, there.line) == (parsed.command, parsed.line)
    assert there.args == _at(parsed.args, Where("user@dev.io", "shop" if model.takes_namespace else ""))
    assert everywhere.args == _at(parsed.args, Where("dev", everywhere=model.takes_everywhere))


@pytest.mark.parametrize("which", _REGISTRIES)
def test_completion_never_fails(which: str) -> None:
    grammar = Grammar(_REGISTRIES[which])

    @settings(max_examples=500, deadline=None)
    @given(_lines(grammar.registry))
    def check(line: str) -> None:
        assert all(word and word.isprintable() for word in grammar.complete(line))

    check()


@settings(max_examples=2_000, deadline=None)
@given(st.lists(_JUNK, max_size=5))
def test_quoted_words_are_read_back_as_they_are(typed: list[str]) -> None:
    once = [seen for text in typed if (seen := visible(text).replace("`", ""))]
    texts = [word.text for text in once for word in words(quote(text))]  # curly quotes are straight from here on

    assert [word.text for word in words(" ".join(map(quote, texts)))] == texts


def test_every_example_of_every_command_parses() -> None:
    grammar = Grammar(_REGISTRIES["real"])
    examples = [(command, example) for command in grammar.registry for example in command.examples]

    assert examples
    for command, example in examples:
        assert grammar.parse(example).command is command
