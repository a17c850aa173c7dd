"""Values become JSON and come back as they were; what does not fit is refused, never guessed."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.cluster import Stamp
from bot.core.codec import dumps, encode, loads
from bot.core.deed import Work
from bot.core.ledger import ActionRecord, Fate, Record, RevisionFate
from bot.core.message import Message
from bot.core.people import Actor, Identity, Impersonated, KubeconfigUser
from bot.core.pin import Pin
from bot.core.plan import Absent, ClusterWrite, FieldChange, ObjectRef, Plan, Preview, Same
from bot.core.reply import Reply, Text
from bot.core.request import Request

NOW = datetime(2026, 11, 24, 9, 30, 0, 250, tzinfo=UTC)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
st.register_type_strategy(datetime, st.datetimes(timezones=st.just(UTC)))
refs = st.builds(ObjectRef, *(st.text(),) * 5, st.text(min_size=1), st.text())
st.register_type_strategy(ObjectRef, refs)
st.register_type_strategy(FieldChange, st.builds(FieldChange, st.text(), json_values, json_values))
bodies = st.dictionaries(st.text(), json_values, max_size=3)
st.register_type_strategy(
    ClusterWrite,
    st.builds(ClusterWrite, body=bodies, expects=st.builds(Absent) | st.builds(Same)),
)

KEPT = [Work, Reply, Plan, Pin, ActionRecord, Record, Preview, Stamp, Message, Request, RevisionFate]


@dataclass(frozen=True, slots=True)
class Holder:
    """One field of each kind that no value of the core happens to have."""

    who: Identity
    names: frozenset[str]
    waits: timedelta
    share: float
    groups: MappingProxyType[str, tuple[str, ...]] | None = None


@pytest.mark.parametrize("kind", KEPT, ids=lambda kind: kind.__name__)
@given(data=st.data())
def test_whatever_is_kept_comes_back_as_it_was(kind: type, data: st.DataObject) -> None:
    value = data.draw(st.from_type(kind))

    text = dumps(value)

    assert loads(kind, text) == value
    assert dumps(loads(kind, text)) == text
    text.encode()  # half a character in it would break the database's door


def test_a_value_has_one_text_and_it_is_canonical() -> None:
    text = dumps(Request("r1", "alice", "C1", "größe"))

    assert text == '{"actor_id":"alice","button":"","channel":"C1","id":"r1","text":"größe"}'


def test_times_are_in_utc_and_durations_whole_microseconds() -> None:
    berlin = timezone(timedelta(hours=1))
    record = RevisionFate("u", "r", Fate.STUCK, datetime(2026, 11, 24, 10, 30, tzinfo=berlin))

    assert json.loads(dumps(record))["at"] == "2026-11-24T09:30:00+00:00"
    assert encode(timedelta(seconds=1, microseconds=1)) == 1_000_001


def test_who_of_a_union_it_was_is_told_by_name() -> None:
    person = Holder(Impersonated("alice", ("devs",)), frozenset({"b", "a"}), timedelta(seconds=2), 1)
    login = Holder(KubeconfigUser(), frozenset(), timedelta(0), 0.5)

    assert json.loads(dumps(person))["who"]["$"] == "Impersonated"
    assert json.loads(dumps(person))["names"] == ["a", "b"]
    assert loads(Holder, dumps(person)) == person
    assert loads(Holder, dumps(login)) == login


def test_what_an_older_program_did_not_write_takes_its_default() -> None:
    assert loads(Reply, '{"headline":"Hello."}') == Reply("Hello.")


def test_json_of_a_cluster_is_kept_as_it_is_whatever_its_keys() -> None:
    change = FieldChange("spec", None, {"$": "Text", "at": [1, 2.5, None, {"x": "2026-11-24T00:00:00Z"}]})

    assert loads(FieldChange, dumps(change)) == change


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Reply, "{"),
        (Reply, "[]"),
        (Reply, "{}"),
        (Reply, '{"headline":1}'),
        (Reply, '{"headline":"a","later":1}'),
        (Reply, '{"headline":"a","tone":"jubilant"}'),
        (Reply, '{"headline":"a","parts":[{"$":"Video","url":"x"}]}'),
        (Reply, '{"headline":"a","parts":[{"text":"no name"}]}'),
        (Reply, '{"headline":"a","parts":[{"$":"Table","columns":"abc","rows":[]}]}'),
        (Reply, '{"headline":"a","parts":[{"$":"Progress","done":true,"total":3,"text":""}]}'),
        (Reply, '{"headline":"a","parts":[{"$":"Fields","items":[["one"]]}]}'),
        (RevisionFate, '{"uid":"u","revision":"r","fate":"stuck","at":"2026-11-24T09:30:00"}'),
        (RevisionFate, '{"uid":"u","revision":"r","fate":"stuck","at":"yesterday"}'),
        (ObjectRef, '{"cluster":"c","api_version":"v1","kind":"Pod","resource":"pods","namespace":"n","name":""}'),
        (Holder, '{"who":{"$":"KubeconfigUser"},"names":[],"waits":1.5,"share":0}'),
    ],
)
def test_a_shape_that_is_not_ours_is_refused(kind: type, text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        loads(kind, text)


@pytest.mark.parametrize(
    "value",
    [
        object(),
        b"bytes",
        float("nan"),
        Reply(1),  # type: ignore[arg-type]  # what no type checker saw
        Reply("a", parts=("text",)),  # type: ignore[arg-type]  # as above
        RevisionFate("u", "r", "stuck", NOW),  # type: ignore[arg-type]  # as above
        RevisionFate("u", "r", Fate.STUCK, NOW.replace(tzinfo=None)),
        {1: "a key that is no text"},
    ],
    ids=lambda value: type(value).__name__,
)
def test_what_json_cannot_say_is_refused(value: object) -> None:
    with pytest.raises(ValueError, match=r"."):
        dumps(value)


def test_a_member_of_an_enum_is_text_where_text_is_meant() -> None:
    assert loads(Actor, dumps(Actor(Fate.STUCK, "b"))) == Actor("stuck", "b")


def test_a_message_keeps_its_reply_whole() -> None:
    message = Message("r1", "C1", "alice", Reply("Done.", parts=(Text("half \ud800 a character"),)))

    assert loads(Message, dumps(message)) == message
    assert encode(Actor("a", "b")) == {"id": "a", "name": "b"}
