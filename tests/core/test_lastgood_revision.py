"""Which revision `undo` returns to, by what became of each; and which one `rollout undo` takes."""

from datetime import timedelta

import pytest
from rigs.planning import NOW, revision, workload

from bot.core.lastgood import Evidence, NoReturn, Return, fate_words, last_good, previous, title, words
from bot.core.ledger import Fate, RevisionFate
from bot.core.revisions import current, matches, template
from bot.core.workload import Kind, Revision, Workload


def stands_on(version: str, *numbered: str, kind: Kind = Kind.DEPLOYMENT) -> tuple[Workload, list[Revision]]:
    """A workload that runs a version, with revisions 1, 2, 3 … of the images given."""
    now = workload(images={"myapp": f"myapp:{version}"}, kind=kind)
    return now, [
        revision(now, number, f"myapp:{tag}", days=10 - number) for number, tag in enumerate(numbered, start=1)
    ]


def fate(number: int, fate: Fate, *, days: float = 1) -> RevisionFate:
    return RevisionFate("uid", f"myapp-{number}", fate, NOW - timedelta(days=days))


def chosen(answer: Return | NoReturn) -> Return:
    assert isinstance(answer, Return)
    return answer


def test_failed_and_stuck_revisions_are_skipped_on_the_way_back_to_the_one_that_rolled_out() -> None:
    now, revisions = stands_on("v-worse", "v1", "v-bad", "v-crash", "v-worse")
    fates = [fate(1, Fate.ROLLED_OUT, days=7), fate(2, Fate.FAILED), fate(3, Fate.STUCK), fate(4, Fate.STUCK)]

    answer = chosen(last_good(now, revisions, fates))

    assert answer.to.number == 1
    assert answer.evidence is Evidence.ROLLED_OUT
    assert [(item.revision.number, item.fate) for item in answer.skipped] == [(3, Fate.STUCK), (2, Fate.FAILED)]
    assert (
        words(answer, now.containers, NOW)
        == "Back to v1, rolled out 7 d ago; skipping 2 (v-bad), which failed, and 3 (v-crash), which got stuck"
    )


def test_several_that_share_a_fate_are_told_together() -> None:
    now, revisions = stands_on("v-worse", "v1", "v-bad", "v-crash", "v-worse")
    fates = [fate(1, Fate.ROLLED_OUT, days=7), fate(2, Fate.FAILED), fate(3, Fate.FAILED)]

    sentence = words(chosen(last_good(now, revisions, fates)), now.containers, NOW)

    assert sentence.endswith("; skipping 2 (v-bad) and 3 (v-crash), which failed")


def test_how_long_it_was_healthy_is_told_from_its_rollout_to_the_change_that_replaced_it() -> None:
    now, revisions = stands_on("v2", "v1", "v2")
    fates = [fate(1, Fate.ROLLED_OUT, days=8), fate(1, Fate.HEALTHY_BEFORE, days=2)]

    answer = chosen(last_good(now, revisions, fates))

    assert answer.evidence is Evidence.ROLLED_OUT
    assert words(answer, now.containers, NOW) == "Back to v1, healthy 6 d"


def test_one_that_rolled_out_goes_before_a_newer_one_that_was_only_seen_healthy() -> None:
    now, revisions = stands_on("v3", "v1", "v2", "v3")
    fates = [fate(1, Fate.ROLLED_OUT, days=8), fate(2, Fate.HEALTHY_BEFORE, days=2)]

    answer = chosen(last_good(now, revisions, fates))

    assert answer.to.number == 1
    assert "skipping 2 (v2), which was healthy, but was not rolled out by us" in words(answer, now.containers, NOW)


def test_without_a_rollout_on_record_the_newest_that_was_seen_healthy_is_taken() -> None:
    now, revisions = stands_on("v4", "v1", "v2", "v3", "v4")
    fates = [fate(1, Fate.HEALTHY_BEFORE), fate(2, Fate.HEALTHY_BEFORE), fate(3, Fate.FAILED)]

    answer = chosen(last_good(now, revisions, fates))

    assert (answer.to.number, answer.evidence) == (2, Evidence.HEALTHY_BEFORE)


def test_without_any_record_the_newest_earlier_one_is_taken_and_that_is_said() -> None:
    now, revisions = stands_on("v3", "v1", "v2", "v3")

    answer = chosen(last_good(now, revisions, []))

    assert (answer.to.number, answer.evidence) == (2, Evidence.UNRECORDED)
    assert words(answer, now.containers, NOW) == "Back to v2, of which nothing is recorded"


def test_a_revision_that_failed_and_rolled_out_later_is_good_and_the_other_way_round_bad() -> None:
    now, revisions = stands_on("v3", "v1", "v2", "v3")
    healed = [fate(2, Fate.STUCK, days=3), fate(2, Fate.ROLLED_OUT, days=2)]
    broke = [fate(2, Fate.ROLLED_OUT, days=3), fate(2, Fate.STUCK, days=2)]

    assert chosen(last_good(now, revisions, healed)).to.number == 2
    assert chosen(last_good(now, revisions, broke)).to.number == 1


def test_when_all_earlier_ones_are_bad_there_is_no_return_and_they_are_named() -> None:
    now, revisions = stands_on("v3", "v1", "v2", "v3")

    answer = last_good(now, revisions, [fate(1, Fate.FAILED), fate(2, Fate.STUCK)])

    assert isinstance(answer, NoReturn)
    assert [item.revision.number for item in answer.bad] == [2, 1]


def test_a_first_revision_has_nothing_before_it() -> None:
    now, revisions = stands_on("v1", "v1")

    assert last_good(now, revisions, []) == NoReturn(())
    assert previous(revisions) is None


def test_after_an_undo_renumbered_the_old_revision_the_next_undo_still_skips_the_bad_one() -> None:
    now = workload(images={"myapp": "myapp:v2"})
    revisions = [revision(now, 1, "myapp:v1"), revision(now, 3, "myapp:v-bad"), revision(now, 4, "myapp:v2")]

    answer = chosen(last_good(now, revisions, [fate(3, Fate.FAILED), fate(1, Fate.ROLLED_OUT)]))

    assert answer.to.number == 1


def test_kubectl_takes_the_second_highest_number_whatever_became_of_it() -> None:
    _, revisions = stands_on("v3", "v1", "v2", "v3")

    assert previous(list(reversed(revisions))) == revisions[1]


@pytest.mark.parametrize("kind", list(Kind))
def test_the_present_revision_is_the_one_with_the_same_template_for_all_kinds(kind: Kind) -> None:
    now, revisions = stands_on("v2", "v1", "v2", "v3", kind=kind)

    assert current(now, revisions) == revisions[1]
    assert [matches(now, one) for one in revisions] == [False, True, False]
    assert template(kind, revisions[1]) == now.manifest["spec"]["template"]  # type: ignore[index,call-overload]


def test_of_equal_replica_sets_the_oldest_is_present_and_of_controller_revisions_the_newest() -> None:
    deployment, replica_sets = stands_on("v1", "v1", "v1")
    stateful, controlled = stands_on("v1", "v1", "v1", kind=Kind.STATEFUL_SET)

    assert current(deployment, replica_sets) == replica_sets[0]
    assert current(stateful, controlled) == controlled[1]


def test_absent_and_empty_fields_make_no_difference_between_templates() -> None:
    now = workload()
    same = revision(now, 1, "myapp:v1")
    padded = Revision(
        same.number,
        same.name,
        same.uid,
        same.created,
        same.containers,
        "",
        {},
        {**same.payload, "metadata": {"labels": {"app": "x"}, "creationTimestamp": None, "annotations": {}}},
    )

    assert current(now, [padded]) == padded


def test_a_workload_whose_revision_is_not_made_yet_stands_on_none() -> None:
    now, revisions = stands_on("v9", "v1", "v2")

    assert current(now, revisions) is None


def test_a_revision_is_called_by_what_differs_from_the_running_containers() -> None:
    now = workload(images={"web": "shop:v2", "proxy": "envoy:3"})

    assert title(revision(now, 1, {"web": "shop:v1", "proxy": "envoy:3"}), now.containers) == "v1"
    assert title(revision(now, 1, {"web": "shop:v1", "proxy": "envoy:2"}), now.containers) == "web v1, proxy 2"
    assert title(revision(now, 7, {"web": "shop:v2", "proxy": "envoy:3"}), now.containers) == "revision 7"


def test_one_that_was_healthy_for_seconds_only_is_told_by_when_it_rolled_out() -> None:
    now, revisions = stands_on("v2", "v1", "v2")
    fates = [fate(1, Fate.ROLLED_OUT, days=0.01), fate(1, Fate.HEALTHY_BEFORE, days=0.0099)]

    assert words(chosen(last_good(now, revisions, fates)), now.containers, NOW) == "Back to v1, rolled out 14 m ago"


def test_what_became_of_a_revision_is_told_with_its_time() -> None:
    told = [fate_words(fate(1, became, days=2), NOW) for became in Fate]

    assert told == ["was healthy 2 d ago", "rolled out 2 d ago", "got stuck 2 d ago", "failed 2 d ago"]
