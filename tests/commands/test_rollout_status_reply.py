"""What `rollout status` says: kubectl's sentence, the progress, the cause with the field that did it, what to press."""

import pytest
from rigs.planning import DEV, NOW, Desk, desk, revision, workload

from bot.core.pod import ContainerState, Pod, Waiting
from bot.core.reply import Fields, Progress, Reply, Text, Tone
from bot.core.workload import Condition, Kind, Status, Strategy, Workload

AT = "--cluster dev -n shop"


def pod(of: Workload, number: int, *, ready: bool, waiting: str = "") -> Pod:
    image = of.containers[0].image
    state = ContainerState(
        of.containers[0].name, image, ready, 0, Waiting(waiting, f'pulling "{image}"') if waiting else None, None, None
    )
    owner = f"{of.name}-{number}" if of.kind is Kind.DEPLOYMENT else of.name
    return Pod(f"{owner}-{ready}", DEV.namespace, "", NOW, "Running", "n1", owner, {}, (state,), ready, False, "")


def rolling(updated: int, ready: int) -> Status:
    """Of three wanted replicas; one old one is still there."""
    return Status(4, 4, updated, ready, ready)


def buttons(reply: Reply) -> list[str]:
    return [button.line for button in reply.buttons()]


async def test_a_rollout_that_is_done_says_so_and_offers_what_tells_more() -> None:
    reply = await desk(workload()).answers("status myapp")

    assert reply.headline == 'myapp v1: deployment "myapp" successfully rolled out'
    assert (reply.tone, reply.place) == (Tone.GOOD, "dev/shop")
    assert buttons(reply) == [f"logs myapp {AT}", f"rollout history myapp {AT}"]


async def test_one_that_moves_shows_how_far_it_is() -> None:
    myapp = workload(images={"myapp": "myapp:v2"}, status=rolling(updated=1, ready=3))
    there = desk(myapp, revisions={"myapp": [revision(myapp, 1, "myapp:v1"), revision(myapp, 2, "myapp:v2")]})
    there.reader.running = [pod(myapp, 2, ready=True), pod(myapp, 1, ready=True)]

    reply = await there.answers("rollout status myapp")

    assert reply.headline == (
        'myapp v2: Waiting for deployment "myapp" rollout to finish: 1 out of 3 new replicas have been updated...'
    )
    assert reply.tone is Tone.WAIT
    assert reply.parts[0] == Progress(1, 3, "1/3 ready · 1 old left · v1 still serves 1/3")
    assert buttons(reply)[:2] == [f"undo myapp {AT}", f"rollout pause deploy/myapp {AT}"]


async def test_an_image_that_cannot_be_pulled_is_told_with_the_field_that_did_it() -> None:
    myapp = workload(images={"myapp": "myapp:v-bad"}, status=rolling(updated=1, ready=3))
    there = desk(myapp, revisions={"myapp": [revision(myapp, 1, "myapp:v1"), revision(myapp, 2, "myapp:v-bad")]})
    there.reader.running = [pod(myapp, 2, ready=False, waiting="ImagePullBackOff")]

    reply = await there.answers("status myapp")

    assert reply.tone is Tone.BAD
    assert reply.headline == "myapp v-bad is stuck: image cannot be pulled."
    assert reply.parts[0] == Text(
        'Waiting for deployment "myapp" rollout to finish: 1 out of 3 new replicas have been updated...'
    )
    told = dict(next(part for part in reply.parts if isinstance(part, Fields)).items)
    assert told["Changed"] == "the image changed from `myapp:v1` to `myapp:v-bad`"


async def test_a_deadline_that_passed_is_bad_even_without_a_cause() -> None:
    late = Status(4, 4, 1, 3, 3, conditions=(Condition("Progressing", "False", "ProgressDeadlineExceeded"),))

    reply = await desk(workload(status=late)).answers("status myapp")

    assert reply.headline == 'myapp v1: deployment "myapp" exceeded its progress deadline'
    assert reply.tone is Tone.BAD


async def test_a_paused_rollout_says_what_it_waits_for_and_can_be_resumed() -> None:
    reply = await desk(workload(paused=True, status=rolling(updated=0, ready=3))).answers("status myapp")

    assert reply.tone is Tone.WARN
    assert "deploy/myapp is paused: nothing rolls out until" in str(reply.parts)
    assert f"rollout resume deploy/myapp {AT}" in buttons(reply)


@pytest.mark.parametrize("kind", [Kind.STATEFUL_SET, Kind.DAEMON_SET])
async def test_on_delete_has_no_status_in_kubectls_words(kind: Kind) -> None:
    reply = await desk(workload(kind=kind, strategy=Strategy("OnDelete"))).answers("status myapp")

    assert reply.headline == "myapp v1: rollout status is only available for RollingUpdate strategy type"
    assert reply.tone is Tone.WARN
    assert buttons(reply)[0] == f"undo myapp {AT}"


async def test_each_workload_of_an_app_is_told_and_the_gravest_sets_the_tone() -> None:
    web = workload("web", {"web": "cart:v1"})
    worker = workload("worker", {"worker": "cart:v1"}, status=rolling(updated=1, ready=3))

    reply = await desk(web, worker).answers("status cart", app="cart")

    assert reply.headline == "cart v1: 1 of 2 workloads rolled out."
    assert reply.tone is Tone.WAIT
    assert 'deploy/web: deployment "web" successfully rolled out' in str(reply.parts)


async def test_who_may_not_see_pods_still_gets_kubectls_sentence() -> None:
    there: Desk = desk(workload(status=rolling(updated=1, ready=3)))
    there.reader.may_see_pods = False

    assert "1 out of 3 new replicas" in (await there.answers("status myapp")).headline
