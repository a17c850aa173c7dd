"""The list of apps, and the card of one."""

from dataclasses import replace
from datetime import timedelta

from rigs.chat import labels
from rigs.planning import ALICE, DEV, NOW, revision, workload
from rigs.process_ledger import MemoryLedger
from rigs.reading import Shelf, app_workload, container, event, pod, reading_bot

from bot.core.errors import Forbidden, Judge
from bot.core.ledger import ActionRecord, State
from bot.core.reply import Table, Tone
from bot.core.workload import Autoscaler, Condition, Edit, Owner, Status

DOWN = Status(4, 3, 3, 0, 0, conditions=(Condition("Progressing", "True", "NewReplicaSetAvailable"),))


async def test_workloads_of_one_label_are_one_app() -> None:
    bot = reading_bot(Shelf(there=[app_workload(), app_workload("cart-web"), app_workload("cart-worker")]))

    answer = await bot.says("apps")

    assert answer.reply.headline == "shop is fine: 2 apps up."
    assert [row[:4] for row in _table(answer.reply.parts).rows] == [
        ("cart", "v1", "6/6", "up"),
        ("myapp", "v1", "3/3", "up"),
    ]


async def test_no_words_at_all_mean_the_apps() -> None:
    bot = reading_bot(Shelf(there=[app_workload()]))

    assert (await bot.says("")).reply.headline == "shop is fine: 1 app up."


async def test_an_app_in_trouble_is_named_and_one_press_away() -> None:
    bot = reading_bot(Shelf(there=[app_workload(), app_workload("cart-web", status=DOWN)]))

    answer = await bot.says("apps")

    assert answer.reply.tone is Tone.WARN
    assert answer.reply.headline == "shop: 1 of 2 apps in trouble: `cart`."
    assert "cart is down" in (await bot.clicks("cart")).text


async def test_a_rollout_that_cannot_succeed_is_called_stuck_at_once() -> None:
    stuck = app_workload(status=Status(4, 4, 1, 3, 3))
    broken = replace(pod("new", container(waiting="ImagePullBackOff", ready=False), ready=False), owner="myapp-2")
    shelf = Shelf(there=[stuck], past=[revision(stuck, 2, "myapp:v1")], some_pods=[broken])
    bot = reading_bot(shelf)

    listed, card = await bot.says("apps"), await bot.says("myapp")

    assert "stuck" in listed.text
    assert card.reply.headline.startswith("myapp is stuck: v1")
    assert "The registry" in card.text or "pull" in card.text


async def test_an_empty_namespace_says_where_there_are_apps() -> None:
    there = [
        workload("db", place=replace(DEV, namespace="data")),
        workload("etl", place=replace(DEV, namespace="data")),
    ]
    bot = reading_bot(Shelf(there=there))

    answer = await bot.says("apps")

    assert answer.reply.headline == "There are no apps in dev/shop. Elsewhere on dev there are."
    assert "data is fine: 2 apps up." in (await bot.clicks("data (2)")).text


async def test_a_cluster_without_anything_says_so() -> None:
    assert "There are no apps in dev/shop that you may see." in (await reading_bot(Shelf()).says("apps")).text


async def test_all_namespaces_have_a_column() -> None:
    there = [app_workload(), workload("db", place=replace(DEV, namespace="data"))]

    table = _table((await reading_bot(Shelf(there=there)).says("apps -A")).reply.parts)

    assert table.columns[0] == "Namespace"
    assert [row[:2] for row in table.rows] == [("data", "db"), ("shop", "myapp")]


async def test_the_card_tells_version_change_image_autoscaler_and_owner() -> None:
    edit = Edit("helm", "Update", NOW - timedelta(days=6))
    app = replace(app_workload(owner=Owner("Helm", "shop", gitops=False)), edits=(edit,))
    bot = reading_bot(Shelf(there=[app], scaler=Autoscaler("hpa", 3, 10, 3, 4, "Deployment", "myapp")))

    answer = await bot.says("myapp")

    assert answer.reply.place == "dev/shop"
    assert answer.reply.headline == "myapp is up: v1, 3/3 ready."
    for line in (
        "Changed: 6 d ago by Helm",
        "Image: myapp:v1",
        "Autoscaler: hpa: 3 to 10 replicas, 3 now, 4 wanted",
        "Owned by: Helm (shop)",
    ):
        assert line in answer.text
    assert labels(answer.reply.buttons()) == ["Deploy…", "Logs", "Undo", "Status"]


async def test_the_card_tells_who_of_us_changed_it() -> None:
    ledger = MemoryLedger()
    app = app_workload()
    at = NOW - timedelta(minutes=4)
    await ledger.begin(
        ActionRecord("a0", "", "deploy", ALICE, DEV, State.DONE, at, "Deploy myapp v1", targets=(app.ref,))
    )

    answer = await reading_bot(Shelf(there=[app]), ledger=ledger).says("app myapp")

    assert "Changed: 4 m ago by @alice: Deploy myapp v1" in answer.text


async def test_the_newest_warning_stands_on_the_card() -> None:
    events = [event("BackOff", minutes=9, warning=True), event("Unhealthy", minutes=4, warning=True), event("Pulled")]
    bot = reading_bot(Shelf(there=[app_workload(status=DOWN)], some_pods=[pod()], happened=events))

    assert "pod/myapp-1 Unhealthy, 4 m ago: Unhealthy happened" in (await bot.says("myapp")).text


async def test_the_card_does_without_what_may_not_be_read() -> None:
    no = Forbidden("no", judge=Judge.CLUSTER)
    bot = reading_bot(Shelf(there=[app_workload()], denied={"events": no, "autoscalers": no}))

    assert "myapp is up" in (await bot.says("myapp")).text


async def test_an_app_of_several_workloads_has_a_row_for_each() -> None:
    bot = reading_bot(Shelf(there=[app_workload("cart-web"), app_workload("cart-worker", status=DOWN)]))

    answer = await bot.says("cart")

    assert _table(answer.reply.parts).rows == (
        ("deploy/cart-web", "v1", "3/3", "up"),
        ("deploy/cart-worker", "v1", "0/3", "down"),
    )


def _table(parts: object) -> Table:
    assert isinstance(parts, tuple)
    return next(part for part in parts if isinstance(part, Table))
