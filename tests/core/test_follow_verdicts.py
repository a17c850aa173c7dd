"""A follow tells a rollout from its first pod to its verdict, and gives each pin exactly one ending."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.rollouts import (
    BEGAN,
    CRASHED,
    Frame,
    container,
    event,
    pin_to,
    played,
    pod,
    revision,
    template,
    workload,
)

from bot.core.cluster import Gone
from bot.core.errors import Forbidden, Judge, NotFound, Unavailable
from bot.core.follow import Limits
from bot.core.ledger import Fate
from bot.core.plan import FieldChange
from bot.core.pod import Pod
from bot.core.reply import Button, Buttons, Code, Fields, Note, Progress, Text, Tone
from bot.core.rollout import Verdict
from bot.core.workload import Condition, Kind, Revision, Status, Strategy

V1, V2 = revision(1, "myapp:v1"), revision(2, "myapp:v2")
BOTH = (V1, V2)
WRITTEN = workload(observed=1, status=Status(replicas=3, updated=3, ready=3, available=3))
PIN = pin_to(WRITTEN)
EXCEEDED = Condition("Progressing", "False", "ProgressDeadlineExceeded")
REFUSED = Condition("ReplicaFailure", "True", "FailedCreate", 'pods "myapp-2-x" is forbidden: exceeded quota: q')
AT = "--cluster dev -n shop"


def pods(number: int, ready: str, *, image: str = "myapp:v2") -> tuple[Pod, ...]:
    """Pods of a revision, one for each letter of `ready`: R is ready, anything else is not."""
    return tuple(
        pod(f"myapp-{number}-{at}", container(image, ready=letter == "R"), ready=letter == "R")
        for at, letter in enumerate(ready)
    )


def counted(updated: int, total: int, available: int) -> Status:
    return Status(replicas=total, updated=updated, ready=available, available=available)


ROLLING = {
    0.0: Frame(WRITTEN, (V1,), pods(1, "RRR")),
    1.0: Frame(workload(status=counted(1, 4, 3)), BOTH, (*pods(1, "RRR"), *pods(2, "."))),
    3.0: Frame(workload(status=counted(3, 4, 3)), BOTH, (*pods(1, "R"), *pods(2, "RR."))),
    6.0: Frame(workload(), BOTH, pods(2, "RRR")),
}


async def test_a_deploy_is_told_pod_by_pod_and_ends_rolled_out() -> None:
    story = await played(ROLLING, PIN)

    bars = [part for update in story.updates for part in update.parts if isinstance(part, Progress)]
    assert story.phases == ["moving", "ended"]
    assert [(bar.done, bar.total) for bar in bars] == [(0, 3), (2, 3)]
    assert bars[-1].text == "2/3 ready · 1 old pod left · 3 s"
    assert story.updates[0].headline == "Rolling out myapp v2"
    assert (story.last.headline, story.last.tone) == ("myapp v2 rolled out in 6 s", Tone.GOOD)
    assert (story.only.verdict, story.only.revision, story.only.text) == (
        Verdict.ROLLED_OUT,
        "myapp-2",
        "myapp v2 rolled out in 6 s",
    )
    assert story.fates == [("myapp-2", Fate.ROLLED_OUT)]


async def test_what_takes_no_time_is_not_said_to_take_0_seconds() -> None:
    story = await played({0.0: ROLLING[6.0]}, PIN)

    assert story.last.headline == "myapp v2 rolled out at once"


async def test_the_buttons_are_full_command_lines() -> None:
    story = await played(ROLLING, PIN)

    def lines(buttons: tuple[Button, ...]) -> dict[str, str]:
        return {button.label: button.line for button in buttons}

    assert lines(buttons_of(story.updates[0].parts)) == {
        "Undo": "undo myapp",
        "Pause": f"rollout pause deploy/myapp {AT}",
    }
    assert lines(buttons_of(story.last.parts)) == {"Undo": "undo myapp", "Logs": f"logs deploy/myapp {AT}"}


async def test_the_plans_own_words_of_success_are_used() -> None:
    story = await played(ROLLING, PIN, done="back on v2")

    assert story.last.headline == story.only.text == "back on v2 in 6 s"


async def test_a_missing_image_is_stuck_at_once_and_says_what_still_serves() -> None:
    broken = container(waiting=("ErrImagePull", "rpc error: code = NotFound desc = myapp:v2: not found"))
    stuck = Frame(workload(status=counted(1, 4, 3)), BOTH, (*pods(1, "RRR"), pod("myapp-2-0", broken)))
    failed = replace(stuck, seen=workload(status=counted(1, 4, 3), conditions=[EXCEEDED]))

    story = await played({0.0: ROLLING[0.0], 2.0: stuck, 600.0: failed}, PIN)

    at = story.phases.index("stuck")
    first = next(update for update in story.updates if update.phase.value == "stuck")
    assert story.phases[at:] == ["stuck", "ended"]
    assert min(time for time, update in zip(story.times, story.updates, strict=True) if update is first) <= 2.5
    assert first.headline == "myapp v2 is stuck: image cannot be pulled; v1 still serves 3/3"
    assert first.tone is Tone.BAD
    assert ("Changed", "the image changed from `myapp:v1` to `myapp:v2`") in field_items(first.parts)
    assert [button.label for button in buttons_of(first.parts)] == ["Undo", "Events", "Pause"]
    assert story.last.headline == "myapp v2 failed: image cannot be pulled; v1 still serves 3/3"
    assert story.only.verdict is Verdict.FAILED
    assert story.only.cause is not None
    assert story.fates == [("myapp-2", Fate.STUCK), ("myapp-2", Fate.FAILED)]


async def test_a_cause_that_shows_in_the_pods_alone_is_seen_without_any_news_of_the_workload() -> None:
    broken = container(waiting=("CreateContainerConfigError", 'secret "x" not found'))
    calm = Frame(workload(status=counted(1, 4, 3)), BOTH, (*pods(1, "RRR"), *pods(2, ".")))
    silent = replace(calm, pods=(*pods(1, "RRR"), pod("myapp-2-0", broken)))

    story = await played({0.0: calm, 5.2: silent, 30.0: Frame(Gone())}, PIN)

    stuck_at = next(at for at, update in zip(story.times, story.updates, strict=True) if update.phase.value == "stuck")
    assert stuck_at <= 6


async def test_a_stuck_rollout_may_recover() -> None:
    broken = container(waiting=("CreateContainerConfigError", 'secret "x" not found'))
    half = workload(status=counted(1, 4, 3))
    stuck = Frame(half, BOTH, (*pods(1, "RRR"), pod("myapp-2-0", broken)))

    story = await played(
        {0.0: stuck, 20.0: replace(stuck, pods=(*pods(1, "RRR"), *pods(2, "R"))), 60.0: ROLLING[6.0]}, PIN
    )

    assert story.phases == ["stuck", "moving", "ended"]
    assert story.only.verdict is Verdict.ROLLED_OUT
    assert story.fates == [("myapp-2", Fate.STUCK), ("myapp-2", Fate.ROLLED_OUT)]


async def test_a_crashing_container_that_is_ready_between_two_crashes_stays_stuck() -> None:
    half = workload(status=counted(1, 4, 3))
    down = pod("myapp-2-0", container(restarts=2, waiting=("CrashLoopBackOff", ""), last=CRASHED))
    frames = {
        float(at): Frame(half, BOTH, (*pods(1, "RRR"), *(pods(2, "R") if at % 6 == 3 else (down,))))
        for at in range(0, 60, 3)
    }

    story = await played({**frames, 60.0: Frame(Gone())}, PIN)

    assert story.phases == ["stuck", "ended"]


async def test_the_last_lines_of_a_crash_are_read_once_a_story() -> None:
    down = pod("myapp-2-0", container(restarts=2, waiting=("CrashLoopBackOff", ""), last=CRASHED))
    frame = Frame(workload(status=counted(1, 4, 3)), BOTH, (*pods(1, "RRR"), down), log="boom\nat main.py:3\n")

    story = await played({0.0: frame, 30.0: Frame(Gone())}, PIN)

    codes = [part for part in story.updates[0].parts if isinstance(part, Code)]
    assert codes == [Code("boom\nat main.py:3", title="last lines of web")]
    assert len(story.play.logs_read) == 1
    assert buttons_of(story.updates[0].parts)[1].line == f"logs pod/myapp-2-0 --container web --previous {AT}"


@pytest.mark.parametrize("why", [NotFound("gone"), Forbidden("no", judge=Judge.CLUSTER)])
async def test_a_log_or_events_that_may_not_be_read_are_done_without(why: NotFound | Forbidden) -> None:
    down = pod("myapp-2-0", container(restarts=2, waiting=("CrashLoopBackOff", ""), last=CRASHED))
    events = why if isinstance(why, Forbidden) else ()
    frame = Frame(workload(status=counted(1, 4, 3)), BOTH, (down,), events, log=why)

    story = await played({0.0: frame, 9.0: Frame(Gone())}, PIN)

    assert story.updates[0].headline == "myapp v2 is stuck: container crashes"
    assert not any(isinstance(part, Code) for part in story.updates[0].parts)


async def test_a_failing_probe_is_a_hint_and_becomes_the_reason_when_the_deadline_passes() -> None:
    told = (event("myapp-2-0", "Unhealthy", "Readiness probe failed: HTTP probe failed with statuscode: 503"),)
    half = Frame(workload(status=counted(1, 4, 3)), BOTH, (*pods(1, "RRR"), *pods(2, ".")), told)
    failed = replace(half, seen=workload(status=counted(1, 4, 3), conditions=[EXCEEDED]))

    story = await played({0.0: half, 600.0: failed}, PIN)

    notes = [part.text for update in story.updates[:-1] for part in update.parts if isinstance(part, Note)]
    assert story.phases == ["moving", "ended"]
    assert "Container `web` runs, but its readiness probe fails: HTTP probe failed with statuscode: 503." in notes
    assert story.last.headline == "myapp v2 failed: readiness probe fails; v1 still serves 3/3"


async def test_a_deadline_without_any_visible_cause_says_so() -> None:
    failed = workload(status=counted(1, 4, 3), conditions=[EXCEEDED])

    story = await played({0.0: Frame(failed, BOTH, (*pods(1, "RRR"), *pods(2, ".")))}, PIN)

    assert story.only.text == "myapp v2 failed: it exceeded its progress deadline; v1 still serves 3/3"


async def test_without_a_deadline_of_the_api_standing_still_is_a_failure_after_the_limit() -> None:
    sts = Kind.STATEFUL_SET
    old, new = revision(1, "myapp:v1", kind=sts), revision(2, "myapp:v2", kind=sts)
    labels = [{"controller-revision-hash": f"myapp-{number}"} for number in (1, 2)]
    seen = workload(kind=sts, status=Status(replicas=2, updated=1, ready=1, available=1), replicas=2)
    both = (
        pod("myapp-0", ready=True, owner="myapp", labels=labels[0]),
        pod("myapp-1", owner="myapp", labels=labels[1]),
    )
    pin = pin_to(workload(kind=sts, replicas=2))

    story = await played({0.0: Frame(seen, (old, new), both)}, pin, limits=Limits(stall=timedelta(minutes=3)))

    assert story.only.text == "myapp v2 failed: nothing moved for 3 m; v1 still serves 1/2"
    assert 180 <= story.times[-1] <= 190
    assert story.fates == [("myapp-2", Fate.FAILED)]


async def test_what_an_older_revision_broke_is_not_held_against_the_new_one() -> None:
    sts = Kind.STATEFUL_SET
    revisions = (revision(1, "myapp:v1", kind=sts), revision(2, "myapp:v2", kind=sts))
    broken = pod(
        "myapp-1",
        container("myapp:v1", waiting=("ImagePullBackOff", "not found")),
        owner="myapp",
        labels={"controller-revision-hash": "myapp-1"},
    )
    seen = workload(kind=sts, replicas=2, status=Status(replicas=2, updated=0, ready=1, available=1))

    story = await played({0.0: Frame(seen, revisions, (broken,))}, pin_to(seen))

    assert story.phases == ["stuck", "ended"]
    assert story.only.verdict is Verdict.FAILED
    assert "myapp-1 of an older revision is broken" in story.only.text
    assert story.fates == []


async def test_progress_puts_the_limit_off_and_going_in_circles_does_not() -> None:
    ds = Kind.DAEMON_SET
    new = revision(2, "myapp:v2", kind=ds)
    labels = {"controller-revision-hash": "2"}

    def frame(ready: int) -> Frame:
        seen = workload(kind=ds, replicas=4, status=Status(replicas=4, updated=4, available=ready, ready=ready))
        up = tuple(pod(f"p-{at}", ready=at < ready, owner="myapp", labels=labels) for at in range(4))
        return Frame(seen, (new,), up)

    frames = {0.0: frame(0), 50.0: frame(1), 100.0: frame(2)}
    circles = {100.0 + at: frame(1 + at // 10 % 2) for at in range(10, 100, 10)}

    limits = Limits(stall=timedelta(seconds=60))
    story = await played({**frames, **circles}, pin_to(workload(kind=ds, replicas=4)), limits=limits)

    assert story.only.verdict is Verdict.FAILED
    assert 160 <= story.times[-1] <= 170


async def test_a_rollout_that_never_ends_is_let_go_and_said_so() -> None:
    story = await played({0.0: ROLLING[1.0]}, PIN, limits=Limits(total=timedelta(minutes=30)))

    assert story.only.verdict is Verdict.UNKNOWN
    assert story.only.text == "I lost sight of myapp v2: it has not ended after 30 m, and I stopped watching"
    assert buttons_of(story.last.parts) == (Button("Status", f"rollout status deploy/myapp {AT}"),)


async def test_a_paused_deployment_is_held_with_the_way_on() -> None:
    story = await played({0.0: Frame(workload(paused=True, status=counted(0, 3, 3)), (V1,), pods(1, "RRR"))}, PIN)

    assert (story.only.verdict, story.only.text) == (Verdict.HELD, "myapp v2 is held: it is paused")
    assert [button.label for button in buttons_of(story.last.parts)] == ["Resume"]
    assert story.last.tone is Tone.WARN
    assert story.fates == []


async def test_what_is_paused_is_scaled_all_the_same_and_says_so() -> None:
    seen = workload(replicas=5, paused=True, status=Status(replicas=5, updated=0, ready=5, available=5))
    unnamed = replace(PIN.followed, version="")
    pin = replace(PIN, changes=(FieldChange("spec.replicas", 3, 5),), followed=unnamed, undo="")

    story = await played({0.0: Frame(seen, (V1,), pods(1, "RRRRR"))}, pin)

    assert story.only.text == "deploy/myapp has 5/5 pods ready; its rollout is held: it is paused"


async def test_on_delete_is_held() -> None:
    seen = workload(kind=Kind.STATEFUL_SET, strategy=Strategy("OnDelete", rolling=False), status=counted(0, 3, 3))

    story = await played({0.0: Frame(seen, ())}, pin_to(seen))

    assert story.only.verdict is Verdict.HELD
    assert "takes the new version when it is deleted" in story.only.text


async def test_somebody_elses_change_ends_the_follow() -> None:
    other = workload("myapp:v3", generation=3, observed=2)

    story = await played({**ROLLING, 4.0: Frame(other, BOTH)}, PIN)

    assert story.only.text == "myapp v2 was superseded: the pod template was changed again"
    assert [button.label for button in buttons_of(story.last.parts)] == ["Status"]


async def test_whoever_of_us_changed_it_again_is_named() -> None:
    other = workload("myapp:v3", generation=3, observed=2)

    bobs = "@bob changed it again (Deploy myapp v3)"
    story = await played({**ROLLING, 4.0: Frame(other, BOTH)}, PIN, changed_by=bobs)

    assert story.only.text == "myapp v2 was superseded: @bob changed it again (Deploy myapp v3)"


@pytest.mark.parametrize("seen", [Gone(), workload(uid="u9")])
async def test_a_deleted_workload_is_gone(seen: Gone) -> None:
    story = await played({0.0: ROLLING[0.0], 2.0: Frame(seen)}, PIN)

    assert story.only.verdict is Verdict.GONE
    assert story.only.text.startswith("deploy/myapp is gone: it was deleted")


async def test_a_lost_right_is_said_as_unknown() -> None:
    lost = Forbidden("alice may no longer watch deployments in dev/shop.", judge=Judge.CLUSTER)

    story = await played({0.0: ROLLING[0.0], 2.0: Frame(lost)}, PIN)

    assert story.only.text == "I lost sight of myapp v2: alice may no longer watch deployments in dev/shop"
    assert Text("What was written stays written, and the rollout goes on without me.") in story.last.parts


async def test_without_the_right_to_pods_the_workload_alone_is_followed() -> None:
    no = Forbidden("alice may not list pods in dev/shop.", judge=Judge.CLUSTER)
    frames = {at: replace(frame, pods=no) for at, frame in ROLLING.items()}

    story = await played(frames, PIN)

    assert story.only.verdict is Verdict.ROLLED_OUT
    notes = [part.text for part in story.updates[0].parts if isinstance(part, Note)]
    assert notes == ["I cannot see why, should it stop: alice may not list pods in dev/shop."]


async def test_a_refusal_that_passes_is_an_api_server_waking_up() -> None:
    no = Forbidden("alice may not list pods in dev/shop.", judge=Judge.CLUSTER)

    story = await played({0.0: replace(ROLLING[0.0], pods=no, get=no), 3.0: ROLLING[1.0], 9.0: ROLLING[6.0]}, PIN)

    assert story.only.verdict is Verdict.ROLLED_OUT
    assert not any(isinstance(part, Note) for part in story.last.parts)


async def test_losing_the_pods_and_the_workload_is_losing_sight() -> None:
    no = Forbidden("alice may not list pods in dev/shop.", judge=Judge.CLUSTER)
    nothing = Forbidden("alice may not get deployments in dev/shop.", judge=Judge.CLUSTER)

    story = await played({0.0: ROLLING[0.0], 1.0: replace(ROLLING[1.0], pods=no, get=nothing)}, PIN)

    assert story.only.verdict is Verdict.UNKNOWN
    assert "alice may not get deployments" in story.only.text


async def test_a_cluster_that_is_silent_for_a_while_is_named_and_waited_for() -> None:
    down = Unavailable("dev does not answer.")
    frames = {0.0: ROLLING[0.0], 1.0: replace(ROLLING[1.0], pods=down), 20.0: ROLLING[6.0]}

    story = await played(frames, PIN)

    notes = {part.text for update in story.updates for part in update.parts if isinstance(part, Note)}
    assert notes == {"dev does not answer. Still trying."}
    assert story.only.verdict is Verdict.ROLLED_OUT


async def test_a_rollout_that_ends_while_pods_cannot_be_read_still_ends() -> None:
    down = Unavailable("dev does not answer.")

    story = await played({0.0: replace(ROLLING[6.0], pods=down)}, PIN)

    assert (story.only.verdict, story.only.revision) == (Verdict.ROLLED_OUT, "")
    assert story.fates == []


async def test_a_rollout_that_ends_in_a_short_silence_is_still_remembered() -> None:
    down = Unavailable("dev does not answer.")

    story = await played({0.0: replace(ROLLING[6.0], pods=down), 1.2: ROLLING[6.0]}, PIN)

    assert story.only.revision == "myapp-2"
    assert story.fates == [("myapp-2", Fate.ROLLED_OUT)]


async def test_pods_that_ended_long_ago_are_not_old_pods_left() -> None:
    evicted = pod("myapp-1-9", phase="Failed", reason="Evicted")

    story = await played({0.0: replace(ROLLING[1.0], pods=(evicted, *pods(2, "R"))), 3.0: ROLLING[6.0]}, PIN)

    (bar,) = [part for part in story.updates[0].parts if isinstance(part, Progress)]
    assert bar.text == "1/3 ready · 0 s"


async def test_no_replicas_end_at_once_and_prove_nothing_about_the_revision() -> None:
    empty = workload(replicas=0, status=Status())

    story = await played({0.0: Frame(empty, BOTH)}, pin_to(empty))

    assert story.only.verdict is Verdict.ROLLED_OUT
    assert story.times[-1] < 1
    assert story.fates == []


async def test_a_scaling_is_told_as_one_and_judges_no_revision() -> None:
    scaled = replace(PIN, changes=(FieldChange("spec.replicas", 3, 5),), generation=0, template="", uid="")
    pin = replace(scaled, followed=replace(PIN.followed, version=""))
    refused = workload(replicas=5, status=counted(3, 3, 3), conditions=[REFUSED])
    frames = {
        0.0: Frame(refused, BOTH, pods(2, "RRR")),
        20.0: Frame(workload(replicas=5), BOTH, pods(2, "RRRRR")),
    }

    story = await played(frames, pin)

    assert story.updates[0].headline == "deploy/myapp is stuck: quota is full"
    assert ("Changed", "the number of replicas changed from `3` to `5`") in field_items(story.updates[0].parts)
    assert story.last.headline == "deploy/myapp scaled to 5 (20 s)"
    assert story.fates == []


@pytest.mark.parametrize(
    "change",
    [
        FieldChange('spec.template.metadata.annotations."kubectl.kubernetes.io/restartedAt"', "2025", "2026"),
        FieldChange("spec.template.metadata.annotations", None, {"kubectl.kubernetes.io/restartedAt": "2026"}),
    ],
)
async def test_a_restart_is_told_as_one(change: FieldChange) -> None:
    pin = replace(PIN, changes=(change,), followed=replace(PIN.followed, version=""))

    story = await played(ROLLING, pin)

    assert story.updates[0].headline == "Restarting myapp"
    assert story.last.headline == "deploy/myapp restarted in 6 s"


async def test_restarts_on_the_way_are_mentioned_and_older_ones_are_not() -> None:
    shaky = pod("myapp-2-0", container(ready=True, restarts=2, last=CRASHED), ready=True)
    old = replace(shaky, created=BEGAN - timedelta(days=9))
    alone = workload(replicas=1)

    new_story = await played({0.0: Frame(alone, BOTH, (shaky,))}, pin_to(alone))
    old_story = await played({0.0: Frame(alone, BOTH, (old,))}, pin_to(alone))

    assert new_story.last.tone is Tone.WARN
    assert (
        Note("Its pods restarted 2 times on the way: keep an eye on deploy/myapp.", Tone.WARN) in new_story.last.parts
    )
    assert old_story.last.tone is Tone.GOOD


async def test_ready_pods_that_do_not_count_yet_are_explained() -> None:
    slow = workload(status=counted(3, 3, 0), spec={"minReadySeconds": 30})

    story = await played({0.0: Frame(slow, BOTH, pods(2, "RRR")), 30.0: ROLLING[6.0]}, PIN)

    (bar,) = [part for part in story.updates[0].parts if isinstance(part, Progress)]
    assert bar.text == "3/3 ready · waiting for them to count as available · 0 s"


async def test_messages_are_a_second_apart_unless_the_phase_changes() -> None:
    half = workload(status=counted(1, 4, 3))
    frames: dict[float, Frame] = {}
    for step in range(200):
        ready = "R" * (step % 3) + "." * (3 - step % 3)
        frames[step / 10] = Frame(replace(half), BOTH, pods(2, ready))

    story = await played({**frames, 20.0: ROLLING[6.0]}, PIN)

    gaps = [later - earlier for earlier, later in zip(story.times[:-2], story.times[1:-1], strict=True)]
    assert min(gaps) > 0.99
    assert len(story.updates) > 10


async def test_a_message_in_which_only_the_seconds_change_is_rarely_said_again() -> None:
    story = await played({0.0: ROLLING[1.0], 300.0: ROLLING[6.0]}, PIN)

    assert len(story.updates) < 40
    assert max(later - earlier for earlier, later in zip(story.times[:-1], story.times[1:], strict=True)) <= 20


async def test_nothing_to_follow_ends_at_once_without_a_word() -> None:
    story = await played({0.0: Frame(Gone())})

    assert (story.endings, story.updates) == ((), [])


async def test_an_app_of_several_workloads_is_one_message() -> None:
    story = await played(ROLLING, PIN, replace(PIN, followed=replace(PIN.followed)))

    assert [ending.text for ending in story.endings] == ["deploy/myapp v2 rolled out in 6 s"] * 2
    assert story.last.headline == "myapp v2 rolled out in 6 s"
    bars = [part.text for part in story.updates[0].parts if isinstance(part, Progress)]
    assert [bar.split(":")[0] for bar in bars] == ["deploy/myapp", "deploy/myapp"]
    assert [button.label for button in buttons_of(story.last.parts)] == ["Undo", "Logs"]


async def test_of_several_workloads_each_trouble_says_whose_it_is() -> None:
    other = workload(name="worker", status=counted(1, 4, 3))
    pin = pin_to(other)
    stuck = workload(status=counted(1, 4, 3), conditions=[REFUSED])

    mine = {0.0: Frame(stuck, BOTH, pods(1, "RRR")), 60.0: Frame(Gone())}

    story = await played(mine, PIN, pin, beside={"worker": {0.0: Frame(other), 30.0: Frame(Gone())}})

    first = story.updates[0]
    assert first.headline == "deploy/myapp v2 is stuck: quota is full; v1 still serves 3/3"
    assert [button.label for button in buttons_of(first.parts)] == ["Undo", "Events", "Pause myapp", "Pause worker"]
    assert story.last.headline == "deploy/myapp is gone: it was deleted"


async def test_the_owner_of_a_pod_is_told_by_its_revision_and_not_by_the_selector() -> None:
    strangers = (pod("other-9-0", ready=True), pod("other-9-1", ready=False))

    story = await played(
        {0.0: Frame(workload(status=counted(1, 4, 3)), BOTH, (*strangers, *pods(2, "R"))), 5.0: ROLLING[6.0]}, PIN
    )

    (bar,) = [part for part in story.updates[0].parts if isinstance(part, Progress)]
    assert (bar.done, bar.text) == (1, "1/3 ready · 0 s")


async def test_after_a_chain_of_failures_the_revision_that_serves_is_named() -> None:
    bad: Revision = revision(3, "myapp:v-bad")
    pin = pin_to(workload("myapp:v-bad", generation=3), version="v-bad", before="myapp:v-crash")
    broken = pod("myapp-3-0", container("myapp:v-bad", waiting=("ImagePullBackOff", "not found")))
    seen = workload("myapp:v-bad", generation=3, status=counted(1, 4, 3))
    assert seen.manifest["spec"] == {"template": template("myapp:v-bad")}

    story = await played({0.0: Frame(seen, (V1, V2, bad), (*pods(1, "RRR"), broken)), 9.0: Frame(Gone())}, pin)

    assert story.updates[0].headline == "myapp v-bad is stuck: image cannot be pulled; v1 still serves 3/3"


def buttons_of(parts: tuple[object, ...]) -> tuple[Button, ...]:
    return tuple(button for part in parts if isinstance(part, Buttons) for button in part.items)


def field_items(parts: tuple[object, ...]) -> tuple[tuple[str, str], ...]:
    return tuple(item for part in parts if isinstance(part, Fields) for item in part.items)
