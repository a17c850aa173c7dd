"""`steersman audit verify | export | key`, as an auditor types them, on what a bot has really done."""

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rigs.chains import record

from bot import seal
from bot.__main__ import cli
from bot.app import SystemClock
from bot.core.chain import GENESIS, link
from bot.core.checkpoint import from_lines
from bot.core.checkpointer import Checkpointer
from bot.core.codec import decode
from bot.core.ledger import Record
from bot.store.engine import Store, open_store


def steersman(database: Path | str, *words: str) -> Result:
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    return CliRunner(env={"STEERSMAN_DATABASE_URL": url}).invoke(cli, ["audit", *words])


@asynccontextmanager
async def at_work(database: Path | str) -> AsyncIterator[Store]:
    """A process that has the database, as a bot does."""
    url = database if isinstance(database, str) else f"sqlite:///{database}"
    lease = timedelta(seconds=15)
    async with open_store(url, owner="bot", lease=lease, outbox=False, clock=SystemClock()) as store:
        yield store


async def live(database: Path | str, key: Path, log: Path, records: int) -> None:
    """A life of the bot: some records, and a checkpoint at its end."""

    def emit(line: str) -> None:
        with log.open("a") as out:
            out.write(f"something else\n{line}\n")

    def broke(where: str, error: Exception) -> None:
        raise AssertionError(where) from error

    clock = SystemClock()
    async with (
        at_work(database) as store,
        Checkpointer(store.audit.head, seal.signer(key), emit, clock, broke).at_work(),
    ):
        for number in range(1, records + 1):
            await store.ledger.note(record(number))


class Desk:
    """A database with 13 records, 10 of them under a signed checkpoint."""

    def __init__(self, folder: Path) -> None:
        self.database = folder / "state" / "steersman.db"
        self.key, self.public, self.log = folder / "key.pem", folder / "key.pub", folder / "stdout"
        self.public.write_text(steersman("", "key", "--new", str(self.key)).output)
        asyncio.run(live(self.database, self.key, self.log, 7))
        asyncio.run(live(self.database, self.key, self.log, 3))
        asyncio.run(self.more(3))

    async def more(self, count: int) -> None:
        async with at_work(self.database) as store:
            for number in range(count):
                await store.ledger.note(record(number))

    def verify(self, *words: str) -> Result:
        return steersman(self.database, "verify", *words)

    @property
    def sealed(self) -> tuple[str, ...]:
        return ("--checkpoints", str(self.log), "--public-key", str(self.public))


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def test_a_whole_audit_is_proved_up_to_the_last_checkpoint(desk: Desk) -> None:
    result = desk.verify(*desk.sealed)

    assert result.exit_code == 0, result.stderr
    assert result.output == (
        "13 records, and each fits the chain.\n"
        "Up to record 10 of 2026-11-24 10:03 UTC this is proved by checkpoint 2; "
        "the 3 after it only by the chain itself.\n"
    )


def test_a_changed_record_ends_with_1_and_says_where_the_proof_ends(desk: Desk) -> None:
    with closing(sqlite3.connect(desk.database)) as file:
        file.executescript("DROP TRIGGER audit_no_update; UPDATE audit SET actor = 'U9' WHERE seq = 9")

    result = desk.verify(*desk.sealed)

    assert result.exit_code == 1
    assert result.output == (
        "1 finding in 13 records:\n"
        "  Record 9 is none that I could have written: it was overwritten.\n"
        "Up to record 7 of 2026-11-24 10:07 UTC this is proved by checkpoint 1.\n"
    )


def test_without_checkpoints_it_says_what_that_is_worth(desk: Desk) -> None:
    result = desk.verify()

    assert result.exit_code == 0
    assert "No checkpoint was given" in result.output


def test_the_wrong_key_is_no_proof_of_tampering(desk: Desk, tmp_path: Path) -> None:
    other = tmp_path / "other.pub"
    other.write_text(steersman("", "key", "--new", str(tmp_path / "other.pem")).output)

    result = desk.verify("--checkpoints", str(desk.log), "--public-key", str(other))

    assert result.exit_code == 2
    assert result.stderr.startswith("None of the 2 checkpoints is signed by this key.\n")


def test_a_checkpoint_that_somebody_else_wrote_is_a_finding(desk: Desk) -> None:
    first, *_ = from_lines(desk.log.read_text().splitlines())
    forged = f'{{"checkpoint":{{"seq":13,"hash":"{first.hash}","at":"{first.at.isoformat()}","signature":"00"}}}}\n'
    with desk.log.open("a") as log:
        log.write(forged)

    result = desk.verify(*desk.sealed)

    assert result.exit_code == 1
    assert "Checkpoint 3 is not signed by this key, so it proves nothing." in result.output
    assert "Up to record 10" in result.output


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ("nothing of that kind\n", "holds no checkpoint."),
        ('{"checkpoint":{"seq":1}}\n', "Line 1 is a checkpoint that cannot be read."),
    ],
)
def test_a_log_that_is_none_is_a_sentence(desk: Desk, tmp_path: Path, written: str, said: str) -> None:
    (tmp_path / "log").write_text(written)

    result = desk.verify("--checkpoints", str(tmp_path / "log"))

    assert result.exit_code == 2
    assert said in result.stderr


def test_no_database_yet_is_a_sentence(tmp_path: Path) -> None:
    for words in (("verify",), ("export",)):
        result = steersman(tmp_path / "none.db", *words)

        assert result.exit_code == 2
        assert "There is no database at" in result.stderr
    assert list(tmp_path.iterdir()) == []


def test_an_empty_audit_says_so(tmp_path: Path) -> None:
    async def start() -> None:
        async with at_work(tmp_path / "new.db"):
            pass

    asyncio.run(start())

    checked, written = steersman(tmp_path / "new.db", "verify"), steersman(tmp_path / "new.db", "export")

    assert (checked.exit_code, checked.output) == (0, "There is no record yet.\n")
    assert (written.exit_code, written.stdout) == (0, "")
    assert written.stderr == "There is no record of that time.\n"


def test_the_export_is_a_line_a_record_that_anybody_can_verify(desk: Desk) -> None:
    result = steersman(desk.database, "export")

    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, 14))
    previous = GENESIS
    for line in lines:
        previous = link(previous, line["seq"], decode(Record, line["record"]))
        assert line["hash"] == previous


def test_an_export_of_a_time_has_that_time_alone(desk: Desk) -> None:
    result = steersman(desk.database, "export", "--since", "2026-11-24T10:03Z", "--until", "2026-11-24T10:06Z")

    times = [datetime.fromisoformat(json.loads(line)["record"]["at"]) for line in result.stdout.splitlines()]
    assert {at.minute for at in times} == {3, 4, 5}
    assert all(at.tzinfo == UTC for at in times)


def test_a_time_that_is_none_is_a_sentence(desk: Desk) -> None:
    result = steersman(desk.database, "export", "--since", "soon")

    assert result.exit_code == 2
    assert result.stderr.startswith("--since cannot be `soon`: it must be a time such as 24h")


def test_it_reads_while_the_bot_runs(desk: Desk) -> None:
    async def beside() -> tuple[Result, Result]:
        async with at_work(desk.database) as store:
            await store.ledger.note(record(99))
            return (
                await asyncio.to_thread(desk.verify, *desk.sealed),
                await asyncio.to_thread(steersman, desk.database, "export"),
            )

    verified, exported = asyncio.run(beside())

    assert verified.exit_code == 0, verified.output
    assert len(exported.stdout.splitlines()) == 14


def test_the_public_half_of_a_key_is_printed_again(desk: Desk) -> None:
    assert steersman("", "key", str(desk.key)).output == desk.public.read_text()


@pytest.mark.postgres
async def test_the_same_on_postgresql(tmp_path: Path) -> None:
    from rigs.postgres import shared_server

    key, log = tmp_path / "key.pem", tmp_path / "stdout"
    (tmp_path / "key.pub").write_text(seal.new_key(key))
    server = await shared_server()
    async with server.database() as url:
        await live(url, key, log, 9)
        sealed = ("--checkpoints", str(log), "--public-key", str(tmp_path / "key.pub"))
        whole = await asyncio.to_thread(steersman, url, "verify", *sealed)
        exported = await asyncio.to_thread(steersman, url, "export")
        name = url.rpartition("/")[2]
        await server.sql("DROP TRIGGER audit_append_only ON audit", name)
        await server.sql("DELETE FROM audit WHERE seq = 4", name)
        changed = await asyncio.to_thread(steersman, url, "verify", *sealed)

    assert (whole.exit_code, whole.output.splitlines()[0]) == (0, "9 records, and each fits the chain.")
    assert len(exported.stdout.splitlines()) == 9
    assert changed.exit_code == 1
    assert "Record 4 is missing." in changed.output
