"""Whatever a cluster shows, a follow ends once for each pin, and never calls rolled out what kubectl would not."""

import asyncio
from datetime import timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from rigs.rollouts import Frame, Story, container, pin_to, played, pod, revision, workload

from bot.core.cluster import Gone
from bot.core.errors import Forbidden, Judge, NotFound, SteersmanError, Unavailable
from bot.core.follow import Limits
from bot.core.ledger import Fate
from bot.core.pod import Pod
from bot.core.reply import Tone
from bot.core.rollout import Verdict, status
from bot.core.workload import Condition, Kind, Status, Strategy, Workload

LIMITS = Limits(stall=timedelta(minutes=2), total=timedelta(minutes=10))
COUNTS = st.integers(0, 4)
CONDITIONS = st.sampled_from(
    [
        Condition("Progressing", "True", "ReplicaSetUpdated"),
        Condition("Progressing", "False", "ProgressDeadlineExceeded"),
        Condition("ReplicaFailure", "True", "FailedCreate", 'pods "myapp-2-x" is forbidden: exceeded quota: q'),
    ]
)
CONTAINERS = st.builds(
    container,
    ready=st.booleans(),
    restarts=st.integers(0, 3),
    waiting=st.sampled_from([None, ("ErrImagePull", "not found"), ("CrashLoopBackOff", ""), ("Odd", "words")]),
)
ERRORS = st.sampled_from(
    [Unavailable("dev does not answer."), Forbidden("not yours.", judge=Judge.CLUSTER), NotFound("no such thing.")]
)


@st.composite
def pods(draw: st.DrawFn) -> tuple[Pod, ...]:
    owners = draw(st.lists(st.sampled_from(["myapp-1", "myapp-2", "myapp", "other"]), max_size=4))
    return tuple(
        pod(
            f"{owner}-{at}",
            draw(CONTAINERS),
            owner=owner,
            ready=draw(st.booleans()),
            labels={"controller-revision-hash": draw(st.sampled_from(["1", "myapp-2", ""]))},
        )
        for at, owner in enumerate(owners)
    )


@st.composite
def states(draw: st.DrawFn, kind: Kind) -> Workload:
    generation = draw(st.integers(1, 4))
    return workload(
        draw(st.sampled_from(["myapp:v1", "myapp:v2", "myapp:v2", "myapp:v2"])),
        kind=kind,
        uid=draw(st.sampled_from(["u1"] * 9 + ["u2"])),
        generation=generation,
        observed=draw(st.integers(0, generation)),
        replicas=draw(COUNTS),
        status=draw(st.builds(Status, replicas=COUNTS, updated=COUNTS, ready=COUNTS, available=COUNTS)),
        conditions=draw(st.lists(CONDITIONS, max_size=2)),
        paused=kind is Kind.DEPLOYMENT and draw(st.booleans()),
        strategy=draw(st.sampled_from([Strategy(), Strategy(partition=2), Strategy("OnDelete", rolling=False)])),
    )


@st.composite
def histories(draw: st.DrawFn) -> tuple[Kind, dict[float, Frame]]:
    """Frames at growing times; some readings fail; the last state may stay for ever."""
    kind = draw(st.sampled_from(list(Kind)))
    known = tuple(revision(number, f"myapp:v{number}", kind=kind) for number in (1, 2))
    at, frames = 0.0, {}
    for _ in range(draw(st.integers(1, 6))):
        seen: Workload | Gone | SteersmanError = draw(
            st.one_of(states(kind), states(kind), states(kind), st.builds(Gone), ERRORS)
        )
        failing = draw(st.one_of(st.none(), st.none(), ERRORS))
        frames[at] = Frame(
            seen, known[: draw(st.integers(0, 2))], failing or draw(pods()), get=draw(st.none() | ERRORS)
        )
        if not isinstance(seen, Workload):
            break
        at += draw(st.floats(0.1, 90))
    return kind, frames


def shown_at_the_end(story: Story) -> Workload:
    assert isinstance(story.play.shown, Workload)
    return story.play.shown


@settings(max_examples=200, deadline=None)
@given(histories())
def test_every_history_ends_once_and_rolled_out_means_what_kubectl_means(
    history: tuple[Kind, dict[float, Frame]],
) -> None:
    kind, frames = history
    pin = pin_to(workload(kind=kind))

    story = asyncio.run(played(frames, pin, limits=LIMITS))

    assert len(story.endings) == 1
    assert story.phases[-1] == "ended"
    assert [update.phase.value for update in story.updates].count("ended") == 1
    assert story.times[-1] <= LIMITS.total.total_seconds() + 10
    if story.only.verdict is Verdict.ROLLED_OUT:
        assert status(shown_at_the_end(story)).rolled_out
    if story.only.verdict is Verdict.FAILED:
        seen = shown_at_the_end(story)
        assert not status(seen).rolled_out or seen.generation < pin.generation  # a state of before the write counts not
        assert story.last.tone is Tone.BAD
    for update in story.updates:
        assert update.headline
        assert update.headline == update.headline.strip()


@settings(max_examples=100, deadline=None)
@given(histories(), st.sampled_from(list(Kind)))
def test_whatever_came_before_a_complete_state_ends_rolled_out(
    history: tuple[Kind, dict[float, Frame]], kind: Kind
) -> None:
    """Only changing states come before: nothing that ends by itself."""
    _, frames = history
    moving = workload(kind=kind, status=Status(replicas=4, updated=1, ready=2, available=2))
    known = tuple(revision(number, f"myapp:v{number}", kind=kind) for number in (1, 2))
    before = {at: Frame(moving, known, frame.pods, get=frame.get) for at, frame in frames.items()}
    complete = Frame(workload(kind=kind), known, ())

    story = asyncio.run(played({**before, max(before) + 1: complete}, pin_to(workload(kind=kind))))

    lost_rights = any(isinstance(f.pods, Forbidden) and isinstance(f.get, Forbidden) for f in before.values())
    assert story.only.verdict is Verdict.ROLLED_OUT or (lost_rights and story.only.verdict is Verdict.UNKNOWN)
    if story.only.verdict is Verdict.ROLLED_OUT and story.only.revision:
        assert story.fates[-1] == ("myapp-2", Fate.ROLLED_OUT)
