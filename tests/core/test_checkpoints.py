"""Checkpoints as lines of a log, and when one is due."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from rigs.chains import BEGAN

from bot.core.checkpoint import Checkpoint, Head, from_lines, to_line
from bot.core.checkpointer import Checkpointer, Often
from bot.core.errors import StoreUnavailable

SEALED = Checkpoint(412, "ab" * 32, BEGAN, "cd" * 64)
OFTEN = Often(records=10, at_latest=timedelta(minutes=5), look=timedelta(seconds=15))


class TestLines:
    def test_a_line_is_read_back_as_it_was(self) -> None:
        assert list(from_lines([to_line(SEALED)])) == [SEALED]

    def test_what_else_a_log_holds_is_passed_over(self) -> None:
        log = ["starting", "", f"2026-11-24T10:00:00Z stdout F {to_line(SEALED)}\n", '{"event":"bug"}', "{"]

        assert list(from_lines(log)) == [SEALED]

    @pytest.mark.parametrize(
        "said",
        [
            "",
            "}",
            "7}",
            '{"seq":1}}',
            '{"seq":"1","hash":"x","at":"2026-11-24T10:00:00+00:00","signature":""}}',
            '{"seq":0,"hash":"x","at":"2026-11-24T10:00:00+00:00","signature":""}}',
            '{"seq":1,"hash":"x","at":"yesterday","signature":""}}',
            '{"seq":1,"hash":7,"at":"2026-11-24T10:00:00+00:00","signature":""}}',
        ],
    )
    def test_a_checkpoint_that_cannot_be_read_is_named_by_its_line(self, said: str) -> None:
        with pytest.raises(ValueError, match="Line 2 is a checkpoint that cannot be read"):
            list(from_lines(["fine", f'{{"checkpoint":{said}']))

    def test_number_hash_and_time_are_all_signed(self) -> None:
        others = (
            Checkpoint(413, SEALED.hash, SEALED.at),
            Checkpoint(412, "ef" * 32, SEALED.at),
            Checkpoint(412, SEALED.hash, SEALED.at + timedelta(seconds=1)),
        )

        assert len({SEALED.statement, *(other.statement for other in others)}) == 4


@dataclass
class Watched:
    """A chain that grows when the test says so, and a clock that moves with every sleep."""

    seq: int = 0
    time: datetime = BEGAN
    fails: bool = False
    hangs: bool = False
    closed: bool = False
    reported: list[Exception] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    slept: asyncio.Condition = field(default_factory=asyncio.Condition)
    looks: int = 0

    async def head(self) -> Head:
        if self.hangs:
            await asyncio.Event().wait()
        if self.fails:
            raise StoreUnavailable("The database is away.")
        return Head(self.seq, f"hash {self.seq}")

    def now(self) -> datetime:
        return self.time

    async def sleep(self, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)
        self.looks += 1
        async with self.slept:
            self.slept.notify_all()
        await asyncio.sleep(0)

    @property
    def sealed(self) -> list[int]:
        return [one.seq for one in from_lines(self.lines)]

    async def after(self, looks: int) -> None:
        """Wait until so many more looks were taken."""
        wanted = self.looks + looks
        async with self.slept:
            await self.slept.wait_for(lambda: self.looks >= wanted)

    def emit(self, line: str) -> None:
        if self.closed:
            raise BrokenPipeError
        self.lines.append(line)

    def checkpointer(self, often: Often = OFTEN) -> Checkpointer:
        def report(where: str, error: Exception) -> None:
            self.reported.append(error)

        return Checkpointer(self.head, lambda statement: f"signed {len(statement)}", self.emit, self, report, often)


async def during(watched: Watched, looks: int) -> None:
    """So many looks, and no proper stop: what is new at the end stays unsigned."""
    async with watched.checkpointer().at_work():
        await watched.after(looks)
        watched.fails = True
    watched.fails = False


class TestWhenOneIsDue:
    async def test_an_audit_without_records_is_not_sealed(self) -> None:
        watched = Watched()

        await during(watched, 50)

        assert watched.lines == []

    async def test_many_new_records_are_sealed_at_once(self) -> None:
        watched = Watched(seq=10)

        await during(watched, 1)

        assert watched.sealed == [10]

    async def test_few_are_sealed_when_it_is_time_and_then_not_again(self) -> None:
        watched = Watched(seq=3)

        await during(watched, 19)
        early = list(watched.lines)
        await during(watched, 60)

        assert early == []
        assert watched.sealed == [3]
        [sealed] = from_lines(watched.lines)
        assert sealed.hash == "hash 3"
        assert sealed.signature.startswith("signed")

    async def test_a_store_that_is_away_is_asked_again(self) -> None:
        watched = Watched(seq=10, fails=True)

        async with watched.checkpointer().at_work():
            await watched.after(3)
            assert watched.lines == []
            watched.fails = False
            await watched.after(2)
            assert watched.sealed == [10]

    async def test_a_log_that_cannot_be_written_is_reported_and_tried_again(self) -> None:
        watched = Watched(seq=10, closed=True)

        async with watched.checkpointer().at_work():
            await watched.after(2)
            watched.closed = False
            await watched.after(2)

        assert {type(error) for error in watched.reported} == {BrokenPipeError}
        assert watched.sealed == [10]

    async def test_the_stop_seals_what_is_new_however_little_and_once(self) -> None:
        watched = Watched(seq=1)
        checkpointer = watched.checkpointer()

        async with checkpointer.at_work():
            pass
        async with checkpointer.at_work():
            pass

        assert watched.sealed == [1]

    async def test_a_store_that_hangs_does_not_hold_up_the_stop(self) -> None:
        watched = Watched(seq=1, hangs=True)

        async with asyncio.timeout(5), watched.checkpointer(Often(patience=timedelta(milliseconds=20))).at_work():
            pass

        assert watched.lines == []
