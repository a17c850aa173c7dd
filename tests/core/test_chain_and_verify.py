"""The audit's chain and the walk over it: whatever is done to the records is found, and the proof's end is told."""

import hashlib
import os
import random
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rigs.chains import (
    BEGAN,
    TAMPERINGS,
    chained,
    checkpoint,
    edited,
    head,
    made_anew,
    record,
    renumbered,
    tampering,
)

from bot.core import chain
from bot.core.chain import ALTERED, GENESIS, link
from bot.core.checkpoint import Head
from bot.core.ledger import Entry, Record
from bot.core.people import Actor
from bot.core.plan import Place
from bot.core.verify import Broken, Cut, Misplaced, Missing, Proof, Rewritten, Unreadable, Untrusted, verify, words

ROUNDS = 1_000 if os.environ.get("STEERSMAN_SOAK") else 100


def audit(count: int = 20) -> list[Entry]:
    return chained([record(number) for number in range(1, count + 1)])


class TestLink:
    def test_depends_on_the_record_its_place_and_all_before_it(self) -> None:
        one, other = record(1), record(2)

        assert len({link(GENESIS, 1, one), link(GENESIS, 1, other), link(GENESIS, 2, one), link("f" * 64, 1, one)}) == 4

    def test_is_the_same_on_every_machine(self) -> None:
        known = Record(BEGAN, "STARTED", "a1", Actor("U1", "alice"), "al", "deploy ü", Place("dev", "shop"))
        sealed = (
            f'[1,"{GENESIS}",'
            '{"action":"a1","actor":{"id":"U1","name":"alice"},"at":"2026-11-24T10:00:00+00:00","identity":"al",'
            '"kind":"STARTED","line":"deploy ü","place":{"cluster":"dev","namespace":"shop"}}]'
        )

        assert link(GENESIS, 1, known) == hashlib.sha256(sealed.encode()).hexdigest()

    def test_a_field_that_a_later_version_adds_changes_no_old_hash(self) -> None:
        @dataclass(frozen=True)
        class Later:
            kind: str
            approvals: tuple[str, ...] = ()
            notes: tuple[str, ...] = field(default=())

        @dataclass(frozen=True)
        class Now:
            kind: str
            approvals: tuple[str, ...] = ()

        assert chain.link(GENESIS, 1, Later("DONE")) == chain.link(GENESIS, 1, Now("DONE"))  # type: ignore[arg-type]
        assert chain.link(GENESIS, 1, Later("DONE", ("x",))) != chain.link(GENESIS, 1, Now("DONE"))  # type: ignore[arg-type]


class TestWholeAudits:
    def test_an_empty_audit_says_so(self) -> None:
        assert words(verify([])) == ("There is no record yet.",)

    def test_without_a_checkpoint_only_the_chain_vouches(self) -> None:
        found = verify(audit(3))

        assert found.total == 0
        assert words(found)[0] == "3 records, and each fits the chain."
        assert words(found)[1].startswith("No checkpoint was given")

    def test_the_proof_ends_at_the_last_checkpoint(self) -> None:
        entries = audit(20)

        found = verify(entries, [checkpoint(entries[4]), checkpoint(entries[11])], lambda *_: True, head(entries))

        assert found.proof == Proof(12, entries[11].record.at, 2)
        assert words(found) == (
            "20 records, and each fits the chain.",
            "Up to record 12 of 2026-11-24 10:12 UTC this is proved by checkpoint 2; "
            "the 8 after it only by the chain itself.",
        )

    def test_a_single_record_after_the_proof_is_worded_as_one(self) -> None:
        entries = audit(3)

        assert "; the one after it only by the chain itself." in words(verify(entries, [checkpoint(entries[1])]))[1]

    def test_a_proof_of_all_needs_no_but(self) -> None:
        entries = audit(3)

        assert words(verify(entries, [checkpoint(entries[2])], lambda *_: True))[1].endswith("by checkpoint 1.")

    def test_checkpoints_without_a_key_prove_as_much_as_their_keeper(self) -> None:
        entries = audit(3)

        assert "no key was given" in words(verify(entries, [checkpoint(entries[2])]))[-1]

    def test_records_that_come_during_the_walk_are_no_finding(self) -> None:
        entries = audit(5)

        assert verify(entries, head=head(entries[:3])).total == 0


class TestFindings:
    def test_an_edit_breaks_the_chain_where_it_is(self) -> None:
        entries = audit()
        entries[6] = replace(entries[6], record=replace(entries[6].record, detail="nothing happened"))

        found = verify(entries)

        assert found.found == (Broken(7, entries[6].record.at),)
        assert "Record 7 of 2026-11-24 10:07 UTC does not fit" in words(found)[1]

    def test_an_edit_with_its_hash_made_again_breaks_the_next(self) -> None:
        entries = audit()
        new = replace(entries[6].record, detail="nothing happened")
        entries[6] = Entry(7, new, link(entries[5].hash, 7, new))

        assert verify(entries).found == (Broken(8, entries[7].record.at),)

    def test_a_deletion_leaves_a_gap(self) -> None:
        entries = audit()

        assert verify(entries[:4] + entries[7:]).found == (Missing(5, 7),)
        assert verify(entries[:4] + entries[5:]).found == (Missing(5, 5),)
        assert verify(entries[2:]).found == (Missing(1, 2),)

    def test_a_deletion_that_counts_on_breaks_the_chain(self) -> None:
        entries = audit()

        assert isinstance(verify(renumbered(entries[:4] + entries[7:])).found[0], Broken)

    def test_a_record_below_the_first_or_a_second_of_a_number_is_misplaced(self) -> None:
        entries = audit(3)

        assert verify([Entry(0, record(9), "x"), *entries]).found == (Misplaced(0),)
        assert verify([*entries[:2], entries[1], entries[2]]).found == (Misplaced(2),)

    def test_a_row_that_nobody_wrote_is_a_finding_even_with_a_fitting_hash(self) -> None:
        entries = chained([record(1), record(2, kind=ALTERED), record(3)])

        assert verify(entries).found == (Unreadable(2),)

    def test_a_chain_made_anew_is_found_by_the_checkpoint(self) -> None:
        entries = audit()
        seals = [checkpoint(entries[4]), checkpoint(entries[9])]
        forged = chained([replace(entry.record, detail="x") if entry.seq == 8 else entry.record for entry in entries])

        found = verify(forged, seals)

        assert found.found == (Rewritten(10, 2),)
        assert found.proof == Proof(5, entries[4].record.at, 1)

    def test_a_chain_made_anew_behind_the_last_checkpoint_is_found_by_the_head(self) -> None:
        entries = audit()
        forged = chained([*(entry.record for entry in entries[:-1]), record(99)])

        assert verify(forged, head=head(entries)).found == (Rewritten(20, 0),)

    def test_a_cut_off_end_is_found_by_the_checkpoint_or_the_head(self) -> None:
        entries = audit()

        assert verify(entries[:5], [checkpoint(entries[9])]).found == (Cut(5, 10, 1),)
        assert verify(entries[:15], [checkpoint(entries[9])], head=head(entries)).found == (Cut(15, 20, 0),)
        assert verify([], [checkpoint(entries[9])]).found == (Cut(0, 10, 1),)

    def test_a_checkpoint_that_is_not_trusted_proves_nothing_and_takes_nothing_away(self) -> None:
        entries = audit()
        good, forged = checkpoint(entries[4], lambda _: "good"), checkpoint(entries[9], lambda _: "forged")

        found = verify(entries, [good, forged], lambda _, signature: signature == "good")

        assert found.found == (Untrusted(2),)
        assert found.proof == Proof(5, entries[4].record.at, 1)

    def test_nothing_is_proved_behind_a_finding(self) -> None:
        entries = audit()
        seals = [checkpoint(entries[4]), checkpoint(entries[14])]
        entries[9] = replace(entries[9], record=record(99))

        found = verify(entries, seals)

        assert found.proof == Proof(5, entries[4].record.at, 1)
        assert words(found)[-2].startswith("Up to record 5")

    def test_of_a_thousand_findings_the_first_are_told(self) -> None:
        entries = [replace(entry, hash="0") for entry in audit(1000)]

        told = words(verify(entries))

        assert told[0] == "1000 findings in 1000 records:"
        assert "  … and 980 more." in told
        assert len(told) < 30


def never_the_same(
    tamper: Callable[[list[Entry], random.Random], list[Entry]], entries: list[Entry], seed: int
) -> list[Entry]:
    """Tampered with so that something did change: two equal records may have changed places."""
    luck = tampering(seed)
    while (tampered := tamper(list(entries), luck)) == entries:
        pass
    return tampered


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_every_tampering_before_a_checkpoint_is_found(
    tamper: Callable[[list[Entry], random.Random], list[Entry]],
) -> None:
    entries = audit(30)
    seals = [checkpoint(entries[9]), checkpoint(entries[-1])]

    for seed in range(ROUNDS):
        assert verify(never_the_same(tamper, entries, seed), seals).total, seed


@pytest.mark.parametrize("tamper", TAMPERINGS)
def test_every_tampering_by_somebody_who_makes_the_chain_again_is_found(
    tamper: Callable[[list[Entry], random.Random], list[Entry]],
) -> None:
    entries = audit(30)
    seals = [checkpoint(entries[9]), checkpoint(entries[-1])]

    for seed in range(ROUNDS):
        found = verify(never_the_same(made_anew(tamper), entries, seed), seals)
        assert found.total, seed
        assert found.proof is None or found.proof.seq == 10


@given(st.integers(2, 25), st.integers(1, 25), st.integers())
def test_what_is_proved_is_as_it_was(count: int, seal: int, seed: int) -> None:
    entries = audit(count)
    sealed = entries[min(seal, count) - 1]
    luck = tampering(seed)
    tampered = luck.choice(TAMPERINGS)(list(entries), luck)
    tampered = luck.choice((tampered, chained([entry.record for entry in tampered])))

    found = verify(tampered, [checkpoint(sealed)])

    if tampered[: sealed.seq] != entries[: sealed.seq]:
        assert found.total
        assert found.proof is None
    elif found.proof is not None:
        assert found.proof.seq == sealed.seq


def test_an_edit_changes_something() -> None:
    entries = audit(5)

    assert all(edited(list(entries), tampering(seed)) != entries for seed in range(50))
    assert Head(5, entries[-1].hash) == head(entries)
