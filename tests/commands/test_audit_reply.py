"""What `audit` answers: whose records, of when, in which words, and as a sheet that runs nothing."""

import csv
import io
from collections.abc import Sequence
from datetime import timedelta

import pytest
from rigs.chains import record
from rigs.chat import Answer, Bot
from rigs.planning import NOW
from rigs.process_ledger import MemoryLedger
from rigs.reading import Shelf, app_workload, reading_bot

from bot.core.ledger import Record
from bot.core.people import Actor
from bot.core.plan import Place
from bot.core.reply import Code, Table

ALICE, BOB = Actor("alice", "alice"), Actor("U2", "bob")


def started(action: str, line: str, *, by: Actor = ALICE, minutes: float = 10, place: Place | None = None) -> Record:
    where = place or Place("dev", "shop")
    full = f"{line} --cluster {where.cluster} -n {where.namespace}"
    at = NOW - timedelta(minutes=minutes)
    return record(1, at=at, kind="STARTED", action=action, actor=by, line=full, place=where, detail="")


def ended(of: Record, kind: str = "DONE", detail: str = "") -> Record:
    return Record(of.at + timedelta(seconds=5), kind, of.action, of.actor, "", of.line, of.place, detail)


def refused(line: str, *, by: Actor = BOB) -> Record:
    words = "You may not `deploy` in prod/shop."
    return Record(NOW - timedelta(minutes=1), "DENIED", "", by, "", line, Place("prod", "shop"), words)


async def asked(line: str, *records: Record, shelves: Sequence[Shelf] = (Shelf(), Shelf("prod"))) -> Answer:
    return await (await chat(*records, shelves=shelves)).says(line)


async def chat(*records: Record, shelves: Sequence[Shelf] = (Shelf(), Shelf("prod"))) -> Bot:
    ledger = MemoryLedger()
    for one in records:
        await ledger.note(one)
    return reading_bot(*shelves, ledger=ledger)


def rows(answer: Answer) -> list[tuple[str, ...]]:
    return [row for part in answer.reply.parts if isinstance(part, Table) for row in part.rows]


def sheet(answer: Answer) -> list[list[str]]:
    [code] = [part for part in answer.reply.parts if isinstance(part, Code)]
    assert code.title == "audit.csv"
    return list(csv.reader(io.StringIO(code.text)))


async def test_an_action_is_one_row_from_its_start_to_its_ending_and_the_newest_comes_first() -> None:
    first, second = started("a1", "deploy myapp v2"), started("a2", "scale myapp 0", by=BOB, minutes=5)

    answer = await asked("audit", first, ended(first, detail="myapp v2 rolled out"), second)

    assert answer.reply.headline == "2 actions since 2026-11-22 09:00 UTC."
    assert answer.reply.place == "dev, prod"
    assert rows(answer) == [
        ("2026-11-23 08:55:00", "@bob", "scale myapp 0", "dev/shop", "under way"),
        ("2026-11-23 08:50:00", "@alice", "deploy myapp v2", "dev/shop", "done: myapp v2 rolled out"),
    ]


async def test_refusals_are_told_too() -> None:
    answer = await asked("audit", refused("deploy myapp v2 to prod"))

    assert answer.reply.headline == "1 refusal since 2026-11-22 09:00 UTC."
    assert rows(answer)[0][1:] == (
        "@bob", "deploy myapp v2 to prod", "prod/shop", "refused: You may not `deploy` in prod/shop."
    )  # fmt: skip


async def test_nothing_is_a_kind_sentence_with_a_way_on() -> None:
    bot = await chat(started("a1", "deploy myapp v2", minutes=3000))

    nothing = await bot.says("audit")
    week = await bot.clicks("The last 7 days")

    assert nothing.reply.headline == (
        "Nothing was changed or refused since 2026-11-22 09:00 UTC, as far as you may see."
    )
    assert len(rows(week)) == 1


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("audit", ["a3", "a2", "a1"]),
        ("audit 7d", ["a3", "a2", "a1", "a0"]),
        ("audit today", ["a3", "a2", "a1"]),
        ("audit yesterday", []),
        ("audit 2026-11-19..2026-11-21", ["a0"]),
        ("audit myapp", ["a3", "a1"]),
        ("audit deploy/myapp", ["a3"]),
        ("audit 7d myapp", ["a3", "a1", "a0"]),
        ("audit myapp 7d", ["a3", "a1", "a0"]),
        ("audit @bob", ["a2"]),
        ("audit @U2", ["a2"]),
        ("audit @alice 7d myapp", ["a3", "a1", "a0"]),
        ("audit in data", ["a2"]),
        ("audit in dev/shop", ["a1"]),
        ("audit on prod -A", ["a3"]),
    ],
)
async def test_a_time_an_app_a_person_and_a_place_in_any_order(line: str, expected: list[str]) -> None:
    records = [
        started("a0", "deploy myapp v1", minutes=60 * 24 * 3),
        started("a1", "deploy myapp v2", minutes=60),
        started("a2", "restart sts/db", by=BOB, minutes=50, place=Place("dev", "data")),
        started("a3", "scale deploy/myapp 4", minutes=40, place=Place("prod", "shop")),
    ]

    answer = await asked(line, *records)

    of = {one.line.partition(" --cluster")[0]: one.action for one in records}
    assert [of[row[2]] for row in rows(answer)] == expected


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("audit 7d 24h", "Two are too many: name one time."),
        ("audit myapp web", "Two are too many: name one app."),
        ("audit @bob @carol", "Two are too many: name one person."),
        ("audit 2026-11-08..2026-11-01", "it must end after it begins"),
        ("audit 2026-13-45", "is no time: it must be a time such as 24h"),
        ("audit 2027-01-01", "it must begin in the past"),
        ("audit my_app", "is neither a time nor an app"),
    ],
)
async def test_what_cannot_be_read_is_said(line: str, said: str) -> None:
    assert said in (await asked(line)).text


async def test_a_sheet_has_every_record_in_full() -> None:
    one = started("a1", "deploy myapp v2")

    answer = await asked("audit --csv", one, ended(one, detail='say "hi", then\ngo'))

    header, first, last = sheet(answer)
    assert dict(zip(header, first, strict=True)) == {
        "when": "2026-11-23T08:50:00+00:00",
        "who": "alice",
        "id": "alice",
        "as": "alice",
        "what": "started",
        "line": "deploy myapp v2 --cluster dev -n shop",
        "cluster": "dev",
        "namespace": "shop",
        "detail": "",
        "change": "deployment/myapp\n- image: myapp:v0\n+ image: myapp:v1",
        "action": "a1",
        "audit ids": "audit-1",
        "policy": "demo@1",
    }
    assert last[header.index("detail")] == 'say "hi", then\ngo'


@pytest.mark.parametrize(
    "formula", ["=cmd|'/c calc'!A1", "+1+1", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "\u200b=1", "\x1b[1m=1"]
)
async def test_no_cell_of_a_sheet_is_a_formula(formula: str) -> None:
    one = record(
        1,
        at=NOW - timedelta(minutes=1),
        actor=Actor(formula, formula),
        identity=formula,
        line=formula,
        detail=formula,
        diff=(formula,),
        policy=formula,
        place=Place("dev", "shop"),
    )

    answer = await asked("audit --csv", one)

    assert not [cell for row in sheet(answer) for cell in row if cell.lstrip().startswith(("=", "+", "-", "@"))]
    assert len(sheet(answer)) == 2


async def test_more_than_a_message_holds_is_counted_and_narrowed() -> None:
    answer = await asked("audit", *(started(f"a{at}", "deploy myapp v2") for at in range(60)))

    assert len(rows(answer)) == 50
    assert "The first 50 of 60." in answer.text


async def test_an_app_that_is_called_as_it_likes_needs_no_cluster_that_answers() -> None:
    """The audit is the bot's own: a cluster that is down keeps nobody from reading it."""
    one = started("a1", "deploy myapp v2")

    answer = await asked("audit myapp", one, shelves=[Shelf(there=[app_workload()], slow=True)])

    assert len(rows(answer)) == 1
