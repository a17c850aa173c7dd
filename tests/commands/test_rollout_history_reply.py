"""What `rollout history` shows: the revisions with what became of them, or one of them in full."""

import pytest
from rigs.planning import NOW, desk, lines_of, revision, workload

from bot.core.errors import Ambiguous, NotFound
from bot.core.ledger import Fate, RevisionFate
from bot.core.reply import Code, Table, Text
from bot.core.workload import Kind

AT = "--cluster dev -n shop"


async def test_revisions_stand_with_version_cause_age_and_what_became_of_them() -> None:
    myapp = workload(images={"myapp": "myapp:v2"})
    revisions = [
        revision(myapp, 1, "myapp:v1", days=6, cause="First"),
        revision(myapp, 2, "myapp:v-bad", days=2),
        revision(myapp, 3, "myapp:v2", days=0.001),
    ]
    there = desk(myapp, revisions={"myapp": revisions})
    for number, fate in ((2, Fate.FAILED), (3, Fate.ROLLED_OUT)):
        await there.ledger.fate(RevisionFate(myapp.uid, f"myapp-{number}", fate, NOW))

    reply = await there.answers("rollout history myapp")

    assert reply.headline == "Revisions of myapp."
    assert [part.rows for part in reply.parts if isinstance(part, Table)] == [
        (
            ("1", "v1", "First", "6 d", ""),
            ("2", "v-bad", "<none>", "2 d", "failed just now"),
            ("3", "v2", "<none>", "86 s", "current, rolled out just now"),
        )
    ]
    assert [button.line for button in reply.buttons()] == [f"undo myapp {AT}"]


async def test_each_workload_of_an_app_has_its_own_table_and_containers_are_named_where_there_are_several() -> None:
    web = workload("web", {"web": "cart:v2", "proxy": "envoy:3"})
    worker = workload("worker", {"worker": "cart:v2"}, kind=Kind.STATEFUL_SET)
    there = desk(web, worker, revisions={"web": [revision(web, 1, {"web": "cart:v2", "proxy": "envoy:3"})]})

    reply = await there.answers("rollout history cart", app="cart")

    assert [part.text for part in reply.parts if isinstance(part, Text)] == [
        "deploy/web",
        "sts/worker: no rollout history found.",
    ]
    assert next(part.rows for part in reply.parts if isinstance(part, Table))[0][1] == "web v2, proxy 3"


async def test_no_history_is_one_sentence() -> None:
    reply = await desk(workload()).answers("rollout history myapp")

    assert (reply.headline, reply.parts) == ("myapp: no rollout history found.", ())


async def test_one_revision_shows_its_template_and_a_button_back_to_it() -> None:
    myapp = workload(images={"myapp": "myapp:v2"})
    there = desk(myapp, revisions={"myapp": [revision(myapp, 1, "myapp:v1"), revision(myapp, 2, "myapp:v2")]})

    old = await there.answers("rollout history myapp --revision 1")
    present = await there.answers("rollout history myapp --revision 2")

    code = next(part for part in old.parts if isinstance(part, Code))
    assert "image: myapp:v1" in code.text
    assert "pod-template-hash" not in code.text
    assert [button.line for button in old.buttons()] == [f"rollout undo deploy/myapp --to 1 {AT}"]
    assert not present.buttons()


async def test_a_revision_that_is_not_there_is_refused_with_those_that_are() -> None:
    myapp = workload()
    there = desk(myapp, revisions={"myapp": [revision(myapp, 2, "myapp:v1")]})

    with pytest.raises(NotFound, match="unable to find the specified revision 1") as caught:
        await there.answers("rollout history myapp --revision 1")

    assert caught.value.hint == "The history holds 2."


async def test_one_revision_of_several_workloads_is_asked_about() -> None:
    with pytest.raises(Ambiguous) as caught:
        await desk(workload("web"), workload("worker")).answers("rollout history cart --revision 3", app="cart")

    assert lines_of(caught.value.choices)[0] == f"rollout history deploy/web --revision 3 {AT}"
