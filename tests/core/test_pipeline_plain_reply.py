"""No character of a reply moves a cursor, hides or turns text round; everything else stays as it was."""

from dataclasses import fields, is_dataclass
from enum import Enum

from hypothesis import given
from hypothesis import strategies as st

from bot.core.plain_reply import plain_reply
from bot.core.reply import Button, Buttons, Code, Diff, Fields, Note, Progress, Reply, Sign, Table, Text

TEXT = st.text(alphabet=st.sampled_from("ab <!>&\n\t\x1b[31m\x07\x00\u202e\u200b\u2028")) | st.text()
PARTS = st.one_of(
    st.builds(Text, TEXT),
    st.builds(Note, TEXT),
    st.builds(Fields, st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)),
    st.builds(Table, st.tuples(TEXT, TEXT), st.lists(st.tuples(TEXT, TEXT), max_size=2).map(tuple)),
    st.builds(Code, TEXT, TEXT, TEXT),
    st.builds(Diff, TEXT, st.lists(st.tuples(st.sampled_from(Sign), TEXT), max_size=2).map(tuple)),
    st.builds(Progress, st.integers(), st.integers(), TEXT),
    st.builds(Buttons, st.lists(st.builds(Button, TEXT, TEXT, ask=TEXT), max_size=2).map(tuple)),
)
REPLIES = st.builds(Reply, TEXT, parts=st.lists(PARTS, max_size=3).map(tuple), place=TEXT)


def texts(value: object) -> list[str]:
    """All strings in a reply, however deep."""
    if isinstance(value, Enum):
        return []
    if isinstance(value, str):
        return [value]
    if isinstance(value, tuple):
        return [text for item in value for text in texts(item)]
    if is_dataclass(value):
        return [text for each in fields(value) for text in texts(getattr(value, each.name))]
    return []


@given(REPLIES)
def test_every_text_of_a_reply_is_readable(reply: Reply) -> None:
    shown = "".join(texts(plain_reply(reply)))

    assert [char for char in shown if not (char.isprintable() or char in "\n\t\u00a0")] == []


@given(REPLIES)
def test_what_is_readable_already_stays_as_it_is(reply: Reply) -> None:
    once = plain_reply(reply)

    assert plain_reply(once) == once


def test_words_and_marks_that_only_look_dangerous_are_left_to_the_doors() -> None:
    reply = Reply(
        "<!channel> *bold* [link]", parts=(Text("a\n\tb"), Table(("A",), (("ü",),), total=3)), place="dev/shop"
    )

    assert plain_reply(reply) == reply
