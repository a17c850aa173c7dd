"""Somebody tampers with the audit in a real SQLite file: whatever they do before the last checkpoint is found."""

import asyncio
import os
import random
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from rigs.chains import TAMPERINGS, chained, checkpoint, record, tampering

from bot.app import SystemClock
from bot.auditor import run_verify
from bot.core.chain import GENESIS
from bot.core.checkpoint import to_line
from bot.core.codec import dumps
from bot.core.ledger import Entry
from bot.store.engine import open_store
from bot.store.tables import micros

ROUNDS = 1_000 if os.environ.get("STEERSMAN_SOAK") else 100
COUNT, SEALED = 24, 20

Tamper = Callable[[list[Entry], random.Random], list[Entry]]


def url(path: Path) -> str:
    return f"sqlite:///{path}"


async def _fill(path: Path) -> tuple[Entry, ...]:
    lease = timedelta(seconds=15)
    async with open_store(url(path), owner="test", lease=lease, outbox=False, clock=SystemClock()) as store:
        for number in range(1, COUNT + 1):
            await store.ledger.note(record(number))
        return await store.audit.entries(0, COUNT)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, tuple[Entry, ...]]:
    """An audit that the bot itself wrote, in a file that lies still."""
    path = tmp_path_factory.mktemp("audit") / "steersman.db"
    return path, asyncio.run(_fill(path))


@pytest.fixture(scope="module")
def seals(original: tuple[Path, tuple[Entry, ...]], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("log") / "stdout"
    _, entries = original
    path.write_text("".join(f"{to_line(checkpoint(entries[seq - 1]))}\n" for seq in (7, SEALED)))
    return path


def test_the_chain_in_the_database_is_the_chain(original: tuple[Path, tuple[Entry, ...]]) -> None:
    _, entries = original

    assert list(entries) == chained([record(number) for number in range(1, COUNT + 1)])


def test_the_database_itself_refuses_an_honest_mistake(original: tuple[Path, tuple[Entry, ...]]) -> None:
    path, _ = original
    with closing(sqlite3.connect(path)) as file:
        for mistake in ("DELETE FROM audit", "UPDATE audit SET content = ''"):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                file.execute(mistake)


def _opened(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(path)) as file:
        file.executescript("DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete;")
        yield file
        file.commit()


def write_back(path: Path, entries: Sequence[Entry], *, head: bool) -> None:
    """Put another audit in the place of the one in the file, with the head that fits it or the one of before."""
    for file in _opened(path):
        file.execute("DELETE FROM audit")
        rows = [
            (e.seq, micros(e.record.at), e.record.actor.id, e.record.place, dumps(e.record), e.hash) for e in entries
        ]
        file.executemany(
            "INSERT INTO audit (seq, at, actor, cluster, namespace, content, hash) VALUES (?, ?, ?, ?, ?, ?, ?)",
            [
                (seq, at, actor, place.cluster, place.namespace, said, sealed)
                for seq, at, actor, place, said, sealed in rows
            ],
        )
        if head:
            last = entries[-1] if entries else Entry(0, record(0), GENESIS)
            file.execute("UPDATE chain_head SET seq = ?, hash = ?", (last.seq, last.hash))


def verified(path: Path, seals: Path) -> tuple[int, list[str]]:
    said: list[str] = []
    return run_verify(url(path), [seals], [], said.append), said


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_every_tampering_up_to_the_last_checkpoint_is_found(
    tamper: Tamper, original: tuple[Path, tuple[Entry, ...]], seals: Path, tmp_path: Path
) -> None:
    source, entries = original
    found = 0
    for seed in range(ROUNDS // len(TAMPERINGS)):
        luck = tampering(seed)
        tampered = tamper(list(entries), luck)
        if luck.random() < 0.5:  # by somebody who knows the chain and makes it anew
            tampered = chained([entry.record for entry in tampered])
        path = tmp_path / f"{seed}.db"
        shutil.copy(source, path)
        write_back(path, tampered, head=luck.random() < 0.8)

        code, said = verified(path, seals)

        path.unlink()
        if tampered[:SEALED] != list(entries[:SEALED]):
            found += 1
            assert code == 1, (seed, said)
            assert not any(f"Up to record {SEALED}" in line for line in said), (seed, said)
        else:  # what lies behind the last checkpoint is the chain's and the head's to find
            assert any(line.startswith(f"Up to record {SEALED}") for line in said), (seed, said)
    assert found


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET content = replace(content, 'myapp', 'other') WHERE seq = 9",
        "UPDATE audit SET content = '' WHERE seq = 9",
        "UPDATE audit SET content = '{}' WHERE seq = 9",
        "UPDATE audit SET content = content || ' ' WHERE seq = 9",
        "UPDATE audit SET content = x'ff00' WHERE seq = 9",
        "UPDATE audit SET at = at - 1 WHERE seq = 9",
        "UPDATE audit SET at = 9223372036854775807, content = '' WHERE seq = 9",
        "UPDATE audit SET actor = 'U9' WHERE seq = 9",
        "UPDATE audit SET cluster = '' WHERE seq = 9",
        "UPDATE audit SET namespace = 'data' WHERE seq = 9",
        "UPDATE audit SET hash = upper(hash) WHERE seq = 9",
        "UPDATE audit SET hash = '' WHERE seq = 9",
        "UPDATE audit SET seq = -seq WHERE seq = 9",
        "UPDATE audit SET seq = 0 WHERE seq = 24",
        "UPDATE audit SET seq = (1 << 63) WHERE seq = 24",
        "INSERT INTO audit SELECT 0, at, actor, cluster, namespace, content, hash FROM audit WHERE seq = 1",
        "INSERT INTO audit SELECT (1 << 63), at, actor, cluster, namespace, content, hash FROM audit LIMIT 1",
        "INSERT INTO audit SELECT 99, at, actor, cluster, namespace, content, hash FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq = 1",
        "DELETE FROM audit WHERE seq > 12",
        "DELETE FROM audit WHERE seq = 24",
        "DELETE FROM audit",
        "DELETE FROM audit; UPDATE chain_head SET seq = 0",
    ],
)
def test_every_stroke_of_a_pen_in_the_table_is_found(
    statement: str, original: tuple[Path, tuple[Entry, ...]], seals: Path, tmp_path: Path
) -> None:
    path = tmp_path / "copy.db"
    shutil.copy(original[0], path)
    for file in _opened(path):
        file.executescript(statement)

    code, said = verified(path, seals)

    assert code == 1, said
    assert "finding" in said[0]


def test_an_audit_that_nobody_touched_is_proved_up_to_the_last_checkpoint(
    original: tuple[Path, tuple[Entry, ...]], seals: Path
) -> None:
    assert verified(original[0], seals) == (
        0,
        [
            "24 records, and each fits the chain.",
            "Up to record 20 of 2026-11-24 10:20 UTC this is proved by checkpoint 2; "
            "the 4 after it only by the chain itself.",
            "Whoever wrote the checkpoints: their signatures were not looked at, for no key was given.",
        ],
    )
