"""`pods` and `logs`: those in trouble first, the log that tells something, and every silence explained."""

import pytest
from rigs.chat import labels
from rigs.reading import Shelf, app_workload, container, pod, reading_bot

from bot.core.errors import NotFound
from bot.core.reply import Tone

COLUMNS = {"pods": ("Name", "Ready", "Status", "Restarts", "Age", "*Node")}
ROWS = [
    ("myapp-1", "1/1", "Running", "0", "3d", "node-1"),
    ("myapp-2", "0/1", "CrashLoopBackOff", "7", "4m", "node-2"),
    ("myapp-3", "1/1", "Terminating", "0", "3d", "node-1"),
]


def shop(*pods: object, **more: object) -> Shelf:
    return Shelf(there=[app_workload()], some_pods=pods, columns=COLUMNS, **more)  # type: ignore[arg-type]  # passed on


async def test_pods_in_trouble_stand_first_with_their_logs_one_press_away() -> None:
    bot = reading_bot(
        shop(
            tables={("pods", "shop"): ROWS},
            log="boom\n",
        )
    )

    answer = await bot.says("pods")

    assert answer.reply.headline == "3 pods: 1 CrashLoopBackOff, 1 Running, 1 Terminating."
    assert answer.reply.tone is Tone.WARN
    assert answer.text.index("myapp-2") < answer.text.index("myapp-1")
    assert labels(answer.reply.buttons()) == ["Logs of myapp-2", "Show myapp-2"]


async def test_pods_of_several_workloads_are_listed_once() -> None:
    shelf = Shelf(
        there=[app_workload("cart-web"), app_workload("cart-worker")],
        columns=COLUMNS,
        tables={("pods", "shop"): ROWS[:1]},
    )

    assert (await reading_bot(shelf).says("ps cart")).reply.headline == "1 pod of cart: 1 Running."


async def test_all_pods_and_one_app_do_not_go_together() -> None:
    assert "Leave one of the two out." in (await reading_bot(shop()).says("pods myapp -A")).text


async def test_no_pods_of_an_app_at_zero_says_why() -> None:
    shelf = Shelf(there=[app_workload(replicas=0)], columns=COLUMNS)

    assert (await reading_bot(shelf).says("pods myapp")).reply.headline == (
        "There are no pods of myapp in dev/shop. It is scaled to 0."
    )


async def test_logs_take_the_newest_pod_that_is_not_ready() -> None:
    shelf = shop(
        pod("old-bad", ready=False, minutes=90),
        pod("new-bad", ready=False, minutes=5),
        pod("newest-good", minutes=1),
        pod("dying", ready=False, minutes=1, deleting=True),
        log="one\ntwo\n",
    )
    bot = reading_bot(shelf)

    answer = await bot.says("logs myapp")

    assert shelf.asked_logs[0].pod == "new-bad"
    assert answer.reply.headline == "2 lines of pod new-bad (not ready)."
    assert "one\ntwo" in answer.text
    assert labels(answer.reply.buttons()) == ["Refresh", "old-bad", "newest-good"]
    assert "There is 1 more pod: see `pods myapp`." in answer.text


async def test_all_ready_then_the_newest() -> None:
    shelf = shop(pod("older", minutes=9), pod("newer", minutes=1), log="x")

    await reading_bot(shelf).says("logs myapp")

    assert shelf.asked_logs[0].pod == "newer"


async def test_refresh_asks_the_same_again() -> None:
    shelf = shop(pod(), log="x")
    bot = reading_bot(shelf)

    await bot.says("logs myapp --since 10m --tail 7")
    await bot.clicks("Refresh")

    assert shelf.asked_logs[0] == shelf.asked_logs[1]
    assert (shelf.asked_logs[1].since, shelf.asked_logs[1].tail) == (600, 7)


@pytest.mark.parametrize(
    ("names", "chosen"),
    [(("proxy", "myapp"), "myapp"), (("web",), "web"), (("web", "proxy"), "proxy")],
    ids=["named like the app", "the only one", "the pod's default"],
)
async def test_the_container_is_the_one_that_is_meant(names: tuple[str, ...], chosen: str) -> None:
    annotations = {"kubectl.kubernetes.io/default-container": "proxy"}
    shelf = shop(
        pod("myapp-1", *(container(name) for name in names)),
        manifests={"pods/myapp-1": {"metadata": {"annotations": annotations}}},
        log="x",
    )

    await reading_bot(shelf).says("logs myapp")

    assert shelf.asked_logs[0].container == chosen


async def test_unclear_containers_are_asked_about() -> None:
    shelf = shop(pod("myapp-1", container("web"), container("proxy")), manifests={"pods/myapp-1": {}}, log="x")
    bot = reading_bot(shelf)

    answer = await bot.says("logs myapp")
    await bot.clicks("proxy")

    assert answer.reply.headline == "Pod myapp-1 has several containers: `web` and `proxy`."
    assert shelf.asked_logs[0].container == "proxy"


async def test_a_misspelt_container_is_offered_rightly() -> None:
    answer = await reading_bot(shop(pod())).says("logs myapp -c myap")

    assert answer.reply.headline == "Pod myapp-1 has no container `myap`."
    assert labels(answer.reply.buttons()) == ["myapp"]


async def test_what_waits_for_an_init_container_shows_its_log() -> None:
    waiting = container(waiting="PodInitializing")
    shelf = shop(
        pod("p", waiting, container("setup", init=True, exit_code=0), container("migrate", init=True)), log="x"
    )

    await reading_bot(shelf).says("logs myapp")

    assert shelf.asked_logs[0].container == "migrate"


async def test_a_container_that_never_started_says_why_there_is_no_log() -> None:
    shelf = shop(pod("p", container(waiting="ImagePullBackOff", message="no such image"), ready=False))

    answer = await reading_bot(shelf).says("logs myapp")

    assert answer.reply.headline == "Pod p has not started: ImagePullBackOff (no such image). There is no log yet."
    assert not shelf.asked_logs


async def test_a_pod_without_a_node_says_so() -> None:
    shelf = shop(pod("p", ready=False, unschedulable="0/2 nodes are available"))

    assert "Pod p runs nowhere yet: 0/2 nodes are available" in (await reading_bot(shelf).says("logs myapp")).text


async def test_a_crashed_container_has_a_previous_run_to_press() -> None:
    shelf = shop(pod("p", container(waiting="CrashLoopBackOff", restarts=3), ready=False), log="boom")
    bot = reading_bot(shelf)

    answer = await bot.says("logs myapp")
    previous = await bot.clicks("Previous run")

    assert answer.reply.headline == "1 line of pod p (not ready, 3 restarts)."
    assert previous.reply.headline == "1 line of pod p before its last restart (not ready, 3 restarts)."
    assert [request.previous for request in shelf.asked_logs] == [False, True]


async def test_no_previous_run_is_a_sentence_and_no_error() -> None:
    answer = await reading_bot(shop(pod())).says("logs myapp --previous")

    assert answer.reply.headline == "Pod myapp-1 has not restarted, so there is no previous log."


async def test_a_run_that_vanished_in_between_is_said_too() -> None:
    shelf = shop(pod("p", container(restarts=1)), log_error=NotFound("The container myapp of p has no previous run."))

    assert "has no previous run" in (await reading_bot(shelf).says("logs myapp -p")).text


async def test_silence_is_said_with_its_span() -> None:
    answer = await reading_bot(shop(pod())).says("logs myapp --since 5m")

    assert answer.reply.headline == "Pod myapp-1 wrote nothing in the last 5 m."


async def test_a_long_log_keeps_its_newest_lines_and_says_so() -> None:
    log = "".join(f"{n:05} {'x' * 200}\n" for n in range(200))

    answer = await reading_bot(shop(pod(), log=log)).says("logs myapp --tail 200")

    assert "00199 x" in answer.text
    assert "00000 x" not in answer.text
    assert "a message holds no more." in answer.text


async def test_secrets_in_a_log_are_hidden() -> None:
    answer = await reading_bot(shop(pod(), log="start\npassword=hunter2\n")).says("logs myapp")

    assert "password=***" in answer.text
    assert "hunter2" not in answer.text
    assert "Values that look like secrets are hidden." in answer.text


async def test_one_pod_by_its_name() -> None:
    shelf = shop(pod("loner", app="other"), log="x")

    await reading_bot(shelf).says("logs pod/loner")

    assert shelf.asked_logs[0].pod == "loner"


async def test_an_app_without_pods_has_no_log() -> None:
    assert "`myapp` has no pods" in (await reading_bot(shop()).says("logs myapp")).text
