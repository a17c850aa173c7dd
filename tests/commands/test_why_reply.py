"""What `why` answers: who changed an app last, what, by which way, and why it is broken."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from rigs.chat import Answer, Bot, labels
from rigs.planning import ALICE, NOW, revision
from rigs.process_ledger import MemoryLedger
from rigs.reading import Shelf, app_workload, container, pod, reading_bot

from bot.core.errors import Forbidden, Judge
from bot.core.ledger import ActionRecord, Record, State
from bot.core.plan import Json, JsonValue, Place
from bot.core.reply import Diff, Sign, Table, Tone
from bot.core.workload import Owner, Status, Workload

SHOP = Place("dev", "shop")
IMAGE: Json = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"myapp"}': {".": {}, "f:image": {}}}}}}}
REPLICAS: Json = {"f:spec": {"f:replicas": {}}}


def edit(manager: str, minutes: float, fields: Json = IMAGE, *, sub: str = "", operation: str = "Update") -> Json:
    time = (NOW - timedelta(minutes=minutes)).isoformat().replace("+00:00", "Z")
    return {"manager": manager, "operation": operation, "time": time, "subresource": sub, "fieldsV1": fields}


def managed(workload: Workload, *entries: JsonValue) -> Workload:
    return replace(workload, manifest={**workload.manifest, "metadata": {"managedFields": entries}})


async def remember(ledger: MemoryLedger, workload: Workload, minutes: float, state: State = State.DONE) -> None:
    """An action of alice's on a workload, with its audit record."""
    at = NOW - timedelta(minutes=minutes)
    line = f"deploy {workload.name} v2 --cluster dev -n shop"
    action = f"a{minutes:g}"
    diff = ("deployment/myapp", "@ spec", "- image: myapp:v1", "+ image: myapp:v2", "  name: web")
    await ledger.note(Record(at, "STARTED", action, ALICE, "alice", line, SHOP, "Deploy myapp v2", diff=diff))
    ended = at + timedelta(seconds=9)
    summary, result = f"Deploy {workload.name} v2", f"{workload.name} v2 rolled out in 9 s"
    done = ActionRecord(action, line, "deploy", ALICE, SHOP, state, at, summary, ended=ended, result=result)
    await ledger.begin(replace(done, targets=(workload.ref,)))


def chat(*workloads: Workload, ledger: MemoryLedger | None = None, **more: object) -> Bot:
    return reading_bot(Shelf(there=workloads, **more), ledger=ledger)  # type: ignore[arg-type]  # passed on


def rows(answer: Answer) -> Sequence[tuple[str, ...]]:
    return [row for part in answer.reply.parts if isinstance(part, Table) for row in part.rows]


async def test_our_own_change_is_told_with_who_what_and_its_diff() -> None:
    ledger, app = MemoryLedger(), app_workload()
    await remember(ledger, app, 4)

    answer = await chat(managed(app, edit("steersman", 4)), ledger=ledger).says("why myapp")

    assert answer.reply.headline == "@alice changed deploy/myapp last, 4 m ago: Deploy myapp v2."
    assert answer.reply.tone is Tone.PLAIN
    assert rows(answer) == [("4 m", "@alice", "/k8s deploy myapp v2", "myapp v2 rolled out in 9 s")]
    assert [part for part in answer.reply.parts if isinstance(part, Diff)] == [
        Diff(
            "deployment/myapp",
            (
                (Sign.WHERE, "spec"),
                (Sign.GONE, "image: myapp:v1"),
                (Sign.NEW, "image: myapp:v2"),
                (Sign.SAME, "name: web"),
            ),
        )
    ]


async def test_an_edit_that_went_around_us_is_told_with_its_tool_and_fields() -> None:
    ledger, app = MemoryLedger(), app_workload()
    await remember(ledger, app, 60)

    app = managed(app, edit("kubectl-edit", 3), edit("steersman", 60))
    answer = await chat(app, ledger=ledger).says("why myapp")

    assert answer.reply.headline == "kubectl edit changed deploy/myapp last, 3 m ago, not through me."
    assert rows(answer)[0] == ("3 m", "kubectl edit", "update", "image of myapp")
    assert rows(answer)[1][1] == "@alice"
    assert "its own audit log names them" in answer.text
    assert not [part for part in answer.reply.parts if isinstance(part, Diff)]


async def test_an_autoscaler_and_a_scale_are_told_apart_and_are_not_who_changed_it_last() -> None:
    app = managed(
        app_workload(),
        edit("kube-controller-manager", 1, REPLICAS, sub="scale"),
        edit("kube-controller-manager", 1, {"f:status": {}}, sub="status"),
        edit("kubectl", 7, REPLICAS, sub="scale"),
        edit("argocd-controller", 80, operation="Apply"),
    )

    answer = await chat(app).says("why deploy/myapp")

    assert answer.reply.headline == "kubectl scale changed deploy/myapp last, 7 m ago, not through me."
    assert rows(answer) == [
        ("60 s", "an autoscaler", "update of scale", "replicas"),
        ("7 m", "kubectl scale", "update of scale", "replicas"),
        ("80 m", "Argo CD", "server-side apply", "image of myapp"),
    ]


async def test_our_own_write_that_the_ledger_has_forgotten_is_still_told() -> None:
    answer = await chat(managed(app_workload(), edit("steersman", 4))).says("why myapp")

    assert answer.reply.headline.startswith("steersman changed deploy/myapp last, 4 m ago")


async def test_what_was_never_carried_out_changed_nothing() -> None:
    ledger, app = MemoryLedger(), app_workload()
    for minutes, state in enumerate((State.WAITING, State.CANCELLED, State.REFUSED, State.STALE), start=1):
        await remember(ledger, app, minutes, state)

    answer = await chat(app, ledger=ledger).says("why myapp")

    assert answer.reply.headline.startswith("Nothing tells who changed myapp")


async def test_of_several_workloads_the_newest_change_comes_first() -> None:
    ledger = MemoryLedger()
    web, worker = app_workload("cart-web"), app_workload("cart-worker")
    await remember(ledger, web, 30)

    answer = await chat(web, managed(worker, edit("helm", 5)), ledger=ledger).says("why cart")

    assert answer.reply.headline == "Helm changed deploy/cart-worker last, 5 m ago, not through me."
    assert [row[:3] for row in rows(answer)] == [
        ("5 m", "deploy/cart-worker", "Helm"),
        ("30 m", "deploy/cart-web", "@alice"),
    ]


async def test_a_broken_app_says_its_cause_and_what_to_do_first() -> None:
    ledger = MemoryLedger()
    app = app_workload(status=Status(4, 4, 1, 3, 3))
    await remember(ledger, app, 4)
    broken = replace(pod("new", container(waiting="ImagePullBackOff", ready=False), ready=False), owner="myapp-2")
    past = [revision(app, 1, "myapp:v0", days=9), revision(app, 2, "myapp:v1")]
    bot = chat(app, ledger=ledger, past=past, some_pods=[broken])

    answer = await bot.says("why myapp")

    assert answer.reply.tone is Tone.BAD
    assert answer.reply.headline.startswith("deploy/myapp is stuck: image cannot be pulled. @alice changed")
    assert "the image changed from `myapp:v0` to `myapp:v1`" in answer.text
    assert labels(answer.reply.buttons()) == ["Undo", "Status", "History"]


async def test_pods_that_may_not_be_read_still_leave_who() -> None:
    ledger = MemoryLedger()
    app = app_workload(status=Status(4, 4, 1, 3, 3))
    await remember(ledger, app, 4)
    no = Forbidden("no pods", judge=Judge.CLUSTER)

    answer = await chat(app, ledger=ledger, past=[revision(app, 2, "myapp:v1")], denied={"pods": no}).says("why myapp")

    assert answer.reply.headline == "@alice changed deploy/myapp last, 4 m ago: Deploy myapp v2."


async def test_an_owner_that_puts_things_back_is_named() -> None:
    answer = await chat(app_workload(owner=Owner("Argo CD", "shop", gitops=True))).says("why myapp")

    assert "Argo CD (`shop`) owns deploy/myapp and will put back what its Git says." in answer.text


async def test_a_long_past_is_cut_and_counted() -> None:
    ledger, app = MemoryLedger(), app_workload()
    for minutes in range(1, 13):
        await remember(ledger, app, minutes)

    answer = await chat(app, ledger=ledger).says("why myapp")

    assert len(rows(answer)) == 8
    assert "4 older changes left out: `/k8s audit 30d myapp`." in answer.text
