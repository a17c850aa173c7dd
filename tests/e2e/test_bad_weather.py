"""A cluster that fails before and during a write: one sentence, the right ending, nothing overwritten or done twice."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest
from rigs.weather import (
    Call,
    Fault,
    When,
    answering,
    answering_after,
    anything,
    changing,
    cut,
    cut_after,
    hang,
    hang_after,
    overtaken,
    previewing,
    reading,
    refusing,
)
from rigs.whole_bot import Whole, small_world, whole_bot

from bot.core.diff import ACTION_ANNOTATION
from bot.core.ledger import State
from bot.demo import admission
from bot.demo.objects import Json, annotations_of, copied

LOGIN_PAGE = "<html><body>Please log in to corp-proxy.internal<script>alert(1)</script></body></html>"


@pytest.fixture
async def whole() -> AsyncIterator[Whole]:
    async with small_world("myapp") as world, whole_bot(world, deadline=0.5, answer=timedelta(seconds=5)) as whole:
        yield whole
        assert whole.bugs == []
        assert all(state.final or state is State.WAITING for state in whole.ledger.states)


def deployment(whole: Whole, cluster: str = "dev") -> Json:
    return whole.world.clusters[cluster].store.get("deployments.apps", "shop", "myapp")


def image(whole: Whole, cluster: str = "dev") -> str:
    found: str = deployment(whole, cluster)["spec"]["template"]["spec"]["containers"][0]["image"]
    return found


def written(whole: Whole) -> int:
    """How many writes of ours the API server carried out."""
    return sum(
        entry.code < 300 and not entry.dry_run and entry.verb == "patch" and entry.user_agent.startswith("steersman")
        for entry in whole.world.clusters["dev"].audit
    )


async def ending(whole: Whole) -> str:
    return (await whole.ledger.records())[-1].kind


def touch(whole: Whole) -> None:
    """The controller's status, bumped: the resourceVersion moves and nothing of ours does."""
    changed = copied(deployment(whole))
    changed["metadata"]["annotations"] = {**annotations_of(changed), "touched": str(whole.dev.count(changing))}
    whole.world.clusters["dev"].store.update("deployments.apps", changed)


def set_image(whole: Whole, name: str) -> None:
    changed = copied(deployment(whole))
    changed["spec"]["template"]["spec"]["containers"][0]["image"] = name
    admission.update(whole.world.clusters["dev"].store, "deployments.apps", changed)


# -- before the write: nothing happened, and that is certain -----------------------------------------------------------


FAULTS = {
    "is cut off": (cut, "The connection to dev broke before its answer came."),
    "hangs": (hang, "dev did not answer in time."),
    "answers 500": (answering(500, "boom"), "dev failed (HTTP 500)"),
    "answers 503": (refusing(503, "ServiceUnavailable", "etcd is away"), "dev failed (HTTP 503): etcd is away"),
    "rejects the token": (refusing(401, "Unauthorized", "Unauthorized"), "dev does not accept the credentials"),
    "is a login page": (answering(200, LOGIN_PAGE, Content_Type="text/html"), "is not what the Kubernetes API sends"),
    "moved away": (answering(302, LOGIN_PAGE, Location="https://corp-proxy.internal/"), "is not a Kubernetes API"),
    "is busy for long": (answering(429, "", Retry_After="600"), "dev is too busy to answer (429)."),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(("stage", "when"), [("resolve", reading), ("preview", previewing)], ids=["resolve", "preview"])
async def test_a_cluster_that_fails_before_the_write_is_told_in_one_sentence(
    whole: Whole, stage: str, when: When, fault: str
) -> None:
    weather, says = FAULTS[fault]
    whole.dev.strike(when, weather, times=None)

    answer = await whole.bot.says("deploy myapp v2")

    assert says in answer.reply.headline or (stage == "preview" and "What answered for dev" in answer.reply.headline)
    assert "\n" not in answer.reply.headline
    assert answer.text.count("\n") >= 1  # with a next step
    assert "corp-proxy" not in answer.text
    assert whole.dev.count(changing) == 0
    assert whole.ledger.actions == ()


def scales(call: Call) -> bool:
    return call.method == "GET" and call.path.endswith("/scale")


@pytest.mark.parametrize("fault", FAULTS)
async def test_a_cluster_that_fails_while_a_command_plans_is_told_too(whole: Whole, fault: str) -> None:
    weather, says = FAULTS[fault]
    whole.dev.strike(scales, weather, times=None)

    answer = await whole.bot.says("scale myapp 5")

    assert says in answer.reply.headline or "What answered for dev" in answer.reply.headline
    assert whole.dev.count(changing) == 0
    assert whole.ledger.actions == ()


@pytest.mark.parametrize(
    ("code", "message", "says"),
    [
        (
            403,
            'pods "myapp" is forbidden: exceeded quota: few, requested: pods=3, limited: pods=2',
            "exceeded quota: few",
        ),
        (
            403,
            'deployments.apps "myapp" is forbidden: violates PodSecurity "restricted:latest"',
            "violates PodSecurity",
        ),
        (400, 'admission webhook "tags.corp.io" denied the request: no tag v2 on Mondays', "no tag v2 on Mondays"),
        (422, 'Deployment.apps "myapp" is invalid: spec.replicas: Invalid value: 7: odd', "Invalid value: 7: odd"),
        (500, 'Internal error occurred: failed calling webhook "tags.corp.io": no endpoints', "failed calling webhook"),
    ],
)
async def test_what_admission_refuses_in_the_preview_is_told_in_its_words(
    whole: Whole, code: int, message: str, says: str
) -> None:
    whole.dev.strike(previewing, refusing(code, "Forbidden", message))

    answer = await whole.bot.says("deploy myapp v2")

    assert says in answer.reply.headline
    assert whole.dev.count(changing) == 0
    assert whole.ledger.actions == ()


async def test_a_cluster_that_is_down_is_told_and_found_again_when_it_is_up(whole: Whole) -> None:
    await whole.dev.down()
    down = await whole.bot.says("deploy myapp v2")
    await whole.dev.up()
    up = await whole.bot.says("deploy myapp v2")

    assert "dev cannot be reached: 127.0.0.1" in down.reply.headline
    assert "Check that the cluster is up" in down.text
    assert "v2 rolled out" in up.reply.headline


async def test_a_short_hiccup_of_a_read_is_not_worth_a_word(whole: Whole) -> None:
    whole.dev.strike(reading, cut)
    whole.dev.strike(reading, answering(429, "", Retry_After="0"))

    assert "v2 rolled out" in (await whole.bot.says("deploy myapp v2")).reply.headline


async def test_a_cluster_that_goes_down_between_preview_and_write_leaves_nothing_in_doubt(whole: Whole) -> None:
    await whole.bot.says("scale myapp 0")
    whole.dev.strike(lambda call: whole.dev.count(previewing) == 2 and not previewing(call), cut, times=None)

    answer = await whole.bot.clicks("Confirm")

    assert "The connection to dev broke before its answer came." in answer.reply.headline
    assert whole.ledger.states == [State.FAILED]
    assert await ending(whole) == "FAILED"
    assert whole.dev.count(changing) == 0


# -- the write: the object itself says whether it happened -------------------------------------------------------------


@pytest.mark.parametrize(
    "fault", [cut_after, hang_after, answering_after(500), answering_after(503), answering_after(200, LOGIN_PAGE)]
)
async def test_a_write_whose_answer_was_lost_is_recognised_and_followed(whole: Whole, fault: Fault) -> None:
    whole.dev.strike(changing, fault)

    answer = await whole.bot.says("deploy myapp v2")

    assert "v2 rolled out" in answer.reply.headline
    assert whole.ledger.states == [State.DONE]
    assert annotations_of(deployment(whole))[ACTION_ANNOTATION] == whole.ledger.last.id
    assert written(whole) == 1


async def test_a_scaling_whose_answer_was_lost_is_recognised_by_its_result(whole: Whole) -> None:
    whole.dev.strike(changing, cut_after)

    assert "5 replicas" in (await whole.bot.says("scale myapp 5")).reply.headline
    assert whole.ledger.states == [State.DONE]


@pytest.mark.parametrize("fault", [cut, hang, answering(500), answering(503), answering(200, LOGIN_PAGE)])
async def test_a_write_that_did_not_arrive_is_said_to_be_unknown(whole: Whole, fault: Fault) -> None:
    whole.dev.strike(changing, fault)

    answer = await whole.bot.says("deploy myapp v2")

    assert "not known" in answer.reply.headline
    assert "When I looked again it had not happened, but it still may." in answer.text
    assert "before you repeat the command" in answer.text
    assert whole.ledger.states == [State.UNKNOWN]
    assert await ending(whole) == "UNKNOWN"
    assert whole.dev.count(changing) == 1  # never sent twice
    assert image(whole) == "myapp:v1"


async def test_a_cluster_that_dies_with_the_write_leaves_it_unknown(whole: Whole) -> None:
    whole.dev.strike(changing, cut_after)
    whole.dev.strike(lambda call: whole.dev.count(changing) > 0, cut, times=None)

    answer = await whole.bot.says("deploy myapp v2")

    assert "not known" in answer.reply.headline
    assert "I could not look again." in answer.text
    assert whole.ledger.states == [State.UNKNOWN]


async def test_a_cluster_that_comes_back_soon_is_asked_whether_the_write_arrived(whole: Whole) -> None:
    whole.dev.strike(changing, cut_after)
    whole.dev.strike(lambda call: whole.dev.count(changing) > 0, answering(503), times=2)

    assert "v2 rolled out" in (await whole.bot.says("deploy myapp v2")).reply.headline
    assert whole.ledger.states == [State.DONE]


# -- others write too --------------------------------------------------------------------------------------------------


async def test_a_status_that_moves_all_the_time_does_not_stop_a_write(whole: Whole) -> None:
    whole.dev.strike(changing, overtaken(lambda: touch(whole)), times=3)

    answer = await whole.bot.says("deploy myapp v2")

    assert "v2 rolled out" in answer.reply.headline
    assert whole.dev.count(changing) == 4
    assert written(whole) == 1


async def test_somebody_elses_edit_of_the_same_field_is_never_overwritten(whole: Whole) -> None:
    whole.dev.strike(changing, overtaken(lambda: set_image(whole, "myapp:v7")))

    answer = await whole.bot.says("deploy myapp v2")

    assert "deployment/myapp was changed by somebody else meanwhile." in answer.reply.headline
    assert "Nothing was written." in answer.text
    assert whole.ledger.states == [State.STALE]
    assert image(whole) == "myapp:v7"
    assert written(whole) == 0


async def test_an_app_that_is_deleted_in_between_is_stale(whole: Whole) -> None:
    store = whole.world.clusters["dev"].store
    whole.dev.strike(changing, overtaken(lambda: store.delete("deployments.apps", "shop", "myapp")))

    answer = await whole.bot.says("deploy myapp v2")

    assert "There is no deployments/myapp in dev/shop" in answer.reply.headline or "is gone" in answer.reply.headline
    assert whole.ledger.last.state in (State.STALE, State.FAILED)


async def test_a_busy_server_is_asked_again_when_it_says_and_not_before(whole: Whole) -> None:
    whole.dev.strike(changing, answering(429, "", Retry_After="1"))

    answer = await whole.bot.says("deploy myapp v2")

    assert "v2 rolled out" in answer.reply.headline
    assert whole.dev.count(changing) == 2
    assert written(whole) == 1


async def test_a_server_that_asks_for_ten_minutes_is_not_waited_for(whole: Whole) -> None:
    whole.dev.strike(changing, answering(429, "", Retry_After="600"))

    answer = await whole.bot.says("deploy myapp v2")

    assert "dev is too busy to answer (429)." in answer.reply.headline
    assert "Try again in 600 s." in answer.text
    assert whole.ledger.states == [State.FAILED]
    assert image(whole) == "myapp:v1"


# -- several clusters --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", [cut, hang, answering(503)])
async def test_one_cluster_that_is_away_does_not_block_the_other(whole: Whole, fault: Fault) -> None:
    whole.dev.strike(anything, fault, times=None)

    versions = await whole.bot.says("versions", by="bob")
    deployed = await whole.bot.says("deploy myapp v2 to prod", by="bob")

    assert "myapp" in versions.text
    assert "v1" in versions.text
    assert "dev does not answer" in versions.text
    assert "v2 rolled out" in deployed.reply.headline
    assert image(whole, "prod") == "myapp:v2"


async def test_a_namespace_that_may_be_on_the_cluster_that_is_away_is_not_denied(whole: Whole) -> None:
    whole.prod.strike(anything, answering(503), times=None)

    answer = await whole.bot.says("pods in only-there", by="bob")

    assert "prod failed (HTTP 503)" in answer.reply.headline
