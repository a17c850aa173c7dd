import pytest

from bot.core.errors import UsageError
from bot.core.text import LONGEST, Word, plain, quote, short, visible, words


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("<http://reg.io/app:v2|reg.io/app:v2>", "reg.io/app:v2"),
        ("<https://reg.io/app>", "https://reg.io/app"),
        ("<http://real.io|http://shown.io>", "http://real.io"),
        ("<@U1|bob> <#C1|shop> <!subteam^S1|@sre> <!here>", "@U1 #C1 @sre @here"),
        ("<app> < 3 > 2", "<app> < 3 > 2"),
        ("&lt;@U1&gt; &amp;", "<@U1> &"),
        ("&amp;lt;", "&lt;"),
        ("&copy &nbsp;", "&copy &nbsp;"),
        ("a\u00a0b\u3000c\u2028d\te\r\nf", "a b c d e  f"),
        ("a\u200bb\u202ec\u2066d\u00ade\x1bf\x00g\ufe0fh\U000e0041", "abcdefgh"),
        ("```kubectl``` `get`", "kubectl get"),
        ("\u201ca\u201d \u201eb\u201c \u00abc\u00bb", '"a" "b" "c"'),
        ("\u2018a\u2019", "'a'"),
        ("my\u2011app\u2010x", "my-app-x"),
        ("one \u2013 two", "one \u2013 two"),
    ],
)
def test_a_line_is_what_was_meant(typed: str, meant: str) -> None:
    assert plain(typed) == meant


def test_a_typed_entity_does_not_become_a_mention() -> None:
    assert plain(plain("&lt;@U1|bob&gt;")) != "<@U1|bob>"
    assert plain("&lt;@U1|bob&gt;") == "<@U1|bob>"


def test_an_accented_letter_is_seen() -> None:
    assert visible("Grüße, 東京 👋") == "Grüße, 東京 👋"


@pytest.mark.parametrize(
    ("typed", "cut"),
    [
        ("", ()),
        (" \u00a0 ", ()),
        ("a b", (Word("a"), Word("b"))),
        ('"a b" c', (Word("a b", quoted=True), Word("c"))),
        ("--reason='a b'", (Word("--reason=a b"),)),
        ('""', (Word("", quoted=True),)),
        ("don't it's", (Word("don't"), Word("it's"))),
        ("'it's fine'", (Word("it's fine", quoted=True),)),
        ("#C1 a\\b c#d", (Word("#C1"), Word("a\\b"), Word("c#d"))),
        ("a;b|c&d>e $(f) *", (Word("a;b|c&d>e"), Word("$(f)"), Word("*"))),
        ("\u2014wait \u2013n \u20145m \u2013n=x", (Word("--wait"), Word("-n"), Word("-5m"), Word("-n=x"))),
        ("\u2013-wait ---x", (Word("--wait"), Word("---x"))),
        ("a\u2014b \u2014 c", (Word("a\u2014b"), Word("\u2014"), Word("c"))),
        ('"\u2014wait"', (Word("\u2014wait", quoted=True),)),
    ],
)
def test_words_are_cut_as_people_mean_them(typed: str, cut: tuple[Word, ...]) -> None:
    assert words(typed) == cut


@pytest.mark.parametrize("typed", ["'never closed", 'a "b', "\u201cnever closed", "the users' cart"])
def test_an_open_quote_is_refused(typed: str) -> None:
    with pytest.raises(UsageError, match="A quote is opened and never closed"):
        words(typed)


def test_a_line_has_an_end() -> None:
    assert words("x" * LONGEST)
    with pytest.raises(UsageError, match="This line is too long: 4,001 characters, and 4,000 is the most"):
        words("x" * (LONGEST + 1))


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ("v2", "v2"),
        ("reg.io:5000/app:v2", "reg.io:5000/app:v2"),
        ("a b", '"a b"'),
        ("-3", '"-3"'),
        ("don't", '"don\'t"'),
        ('say "it"', '"say "\'"\'"it"\'"\'""'),
        ("a&lt;b", '"a&amp;lt;b"'),
        ("a & b", '"a & b"'),
        ("end.", '"end."'),
    ],
)
def test_a_quoted_value_is_read_back(value: str, said: str) -> None:
    assert quote(value) == said
    assert [word.text for word in words(said)] == [value]


def test_a_long_word_is_cut_where_an_error_names_it() -> None:
    assert short("x" * 500) == "x" * 60 + "…"
    assert short("x" * 60) == "x" * 60
