"""What `undo` plans: the way back to the last good revision, exactly as kubectl restores one, and every refusal."""

from dataclasses import replace
from datetime import timedelta

import pytest
from rigs.planning import ALICE, DEV, NOW, Desk, desk, lines_of, notes, revision, workload

from bot.core.errors import Ambiguous, Refused
from bot.core.ledger import ActionRecord, Fate, RevisionFate, State
from bot.core.plan import ClusterWrite, Followed, PatchType, Risk, Verb, same
from bot.core.reply import Tone
from bot.core.workload import Kind, Owner, Revision, Workload

AT = "--cluster dev -n shop"


def after(*tags: str, of: Workload) -> list[Revision]:
    """Revisions 1, 2, 3 … with these tags of the workload's image."""
    return [revision(of, number, f"myapp:{tag}", days=9 - number) for number, tag in enumerate(tags, start=1)]


async def fated(there: Desk, of: Workload, number: int, fate: Fate, *, days: float = 1, action: str = "") -> None:
    at = NOW - timedelta(days=days)
    await there.ledger.fate(RevisionFate(of.uid, f"{of.name}-{number}", fate, at, ALICE, action))


async def acted(
    there: Desk,
    action: str,
    *targets: Workload,
    days: float,
    state: State = State.DONE,
    command: str = "deploy",
    subresource: str = "",
) -> None:
    refs = tuple(replace(target.ref, subresource=subresource) for target in targets)
    at = NOW - timedelta(days=days)
    await there.ledger.begin(ActionRecord(action, "", command, ALICE, DEV, state, at, targets=refs))


async def test_two_bad_deploys_in_a_row_go_back_to_the_one_that_worked_and_it_says_what_it_skips() -> None:
    myapp = workload(images={"myapp": "myapp:v-worse"})
    there = desk(myapp, revisions={"myapp": after("v1", "v-bad", "v-worse", of=myapp)})
    await fated(there, myapp, 1, Fate.ROLLED_OUT, days=8)
    await fated(there, myapp, 1, Fate.HEALTHY_BEFORE, days=2)
    await fated(there, myapp, 2, Fate.FAILED)
    await fated(there, myapp, 3, Fate.STUCK, days=0)

    plan = await there.plans("undo myapp")

    assert (plan.summary, plan.risk, plan.done) == ("Undo myapp to v1", Risk.CHANGE, "myapp is back on v1")
    assert notes(plan) == "Back to v1, healthy 6 d; skipping 2 (v-bad), which failed."
    assert plan.follow == (Followed(myapp.ref, "v1"),)
    assert plan.undo == "", "nobody wants back what is known to be bad"


async def test_a_deployment_gets_the_old_template_and_annotations_as_kubectl_writes_them() -> None:
    myapp = workload(
        images={"myapp": "myapp:v2"},
        annotations={
            "deployment.kubernetes.io/revision": "2",
            "kubectl.kubernetes.io/last-applied-configuration": "{}",
            "kubernetes.io/change-cause": "new",
            "only/deployment": "lost, as with kubectl",
        },
    )
    old = revision(
        myapp,
        1,
        "myapp:v1",
        annotations={
            "deployment.kubernetes.io/revision": "1",
            "deployment.kubernetes.io/desired-replicas": "3",
            "deployment.kubernetes.io/max-replicas": "4",
            "kubernetes.io/change-cause": "old",
        },
    )

    plan = await desk(myapp, revisions={"myapp": [old, revision(myapp, 2, "myapp:v2")]}).plans("rollback myapp")

    assert plan.steps == (
        ClusterWrite(
            myapp.ref,
            Verb.PATCH,
            {
                "operations": [
                    {
                        "op": "replace",
                        "path": "/spec/template",
                        "value": {
                            "metadata": {"labels": {"app": "x"}},
                            "spec": {"containers": [{"name": "myapp", "image": "myapp:v1"}]},
                        },
                    },
                    {
                        "op": "add",
                        "path": "/metadata/annotations",
                        "value": {
                            "deployment.kubernetes.io/revision": "2",
                            "kubectl.kubernetes.io/last-applied-configuration": "{}",
                            "kubernetes.io/change-cause": "old",
                        },
                    },
                ]
            },
            PatchType.JSON,
            same(myapp.uid, myapp.manifest, "spec.template", "spec.paused", "metadata.annotations"),
        ),
    )
    assert "the next apply may bring back what is undone" in notes(plan)


@pytest.mark.parametrize("kind", [Kind.STATEFUL_SET, Kind.DAEMON_SET])
async def test_the_other_kinds_get_the_controller_revisions_data_verbatim(kind: Kind) -> None:
    myapp = workload(images={"myapp": "myapp:v2"}, kind=kind)
    revisions = after("v1", "v2", of=myapp)

    plan = await desk(myapp, revisions={"myapp": revisions}).plans("undo myapp")

    expects = same(myapp.uid, myapp.manifest, "spec.template")
    assert plan.steps == (ClusterWrite(myapp.ref, Verb.PATCH, revisions[0].payload, PatchType.STRATEGIC, expects),)
    assert plan.steps[0].body["spec"]["template"]["$patch"] == "replace"  # type: ignore[index,call-overload]


async def test_what_somebody_else_took_back_already_is_not_undone_once_more() -> None:
    myapp = workload(images={"myapp": "myapp:v2"})
    there = desk(myapp, revisions={"myapp": after("v1", "v2", of=myapp)})

    with pytest.raises(Refused, match=r"^myapp runs v2 now, and v-bad no more\.$") as caught:
        await there.plans("undo myapp --from v-bad")

    assert lines_of(caught.value.choices) == [f"undo myapp {AT}"]
    assert (await there.plans("undo myapp --from v2")).steps


async def test_taking_back_a_restart_says_that_the_version_stays() -> None:
    stamp = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    myapp = workload(images={"myapp": "myapp:v2"}, template_annotations=stamp)
    before = revision(myapp, 2, "myapp:v2")
    now = revision(myapp, 3, "myapp:v2", template_annotations=stamp)
    there = desk(myapp, revisions={"myapp": [revision(myapp, 1, "myapp:v1"), before, now]})

    plan = await there.plans("undo myapp")

    assert plan.summary == "Undo myapp to revision 2"
    assert "Only the restart of deploy/myapp is taken back, the version stays" in notes(plan)
    assert "`/k8s rollout history deploy/myapp` has older ones" in notes(plan)


async def test_an_undo_of_what_is_not_known_to_be_bad_can_itself_be_undone() -> None:
    myapp = workload(images={"myapp": "myapp:v2"})

    plan = await desk(myapp, revisions={"myapp": after("v1", "v2", of=myapp)}).plans("undo myapp")

    assert plan.undo == f"rollout undo deploy/myapp --to 2 {AT}"
    assert notes(plan) == "Back to v1, of which nothing is recorded."


async def test_when_every_earlier_revision_is_bad_nothing_is_planned_and_the_choice_is_left_to_the_person() -> None:
    myapp = workload(images={"myapp": "myapp:v3"})
    there = desk(myapp, revisions={"myapp": after("v1", "v2", "v3", of=myapp)})
    await fated(there, myapp, 1, Fate.FAILED)
    await fated(there, myapp, 2, Fate.STUCK)

    with pytest.raises(Refused, match="no earlier revision is known to be good") as caught:
        await there.plans("undo myapp")

    assert "1 (v1), which failed, and 2 (v2), which got stuck" in caught.value.message
    assert lines_of(caught.value.choices) == [f"rollout undo deploy/myapp --to {number} {AT}" for number in (2, 1)]


@pytest.mark.parametrize(
    ("kind", "says"),
    [
        (Kind.DEPLOYMENT, 'no rollout history found for deployment "myapp"'),
        (Kind.STATEFUL_SET, "no last revision to roll back to"),
        (Kind.DAEMON_SET, "no last revision to roll back to"),
    ],
)
async def test_a_first_revision_has_no_way_back(kind: Kind, says: str) -> None:
    myapp = workload(kind=kind)

    with pytest.raises(Refused, match=says):
        await desk(myapp, revisions={"myapp": after("v1", of=myapp)}).plans("undo myapp")


async def test_a_paused_deployment_is_refused_in_kubectls_words_with_a_button_to_resume() -> None:
    myapp = workload(images={"myapp": "myapp:v2"}, paused=True)

    with pytest.raises(Refused, match="you cannot rollback a paused deployment; resume it first") as caught:
        await desk(myapp, revisions={"myapp": after("v1", "v2", of=myapp)}).plans("undo myapp")

    assert [choice.label for choice in caught.value.choices] == ["Resume"]
    assert lines_of(caught.value.choices) == [f"rollout resume deploy/myapp {AT}"]


async def test_right_after_a_change_it_waits_until_the_controller_has_seen_it() -> None:
    myapp = workload(images={"myapp": "myapp:v-bad"}, observed=False)
    there = desk(myapp, revisions={"myapp": after("v1", "v2", "v-bad", of=myapp)})
    there.reader.later = workload(images={"myapp": "myapp:v-bad"}, observed=True)

    assert (await there.plans("undo myapp")).summary == "Undo myapp to v2"


async def test_what_stays_unobserved_is_refused_rather_than_undone_two_steps_back() -> None:
    myapp = workload(images={"myapp": "myapp:v-bad"}, observed=False)
    there = desk(myapp, revisions={"myapp": after("v1", "v2", of=myapp)})

    with pytest.raises(Refused, match="still being observed") as caught:
        await there.plans("undo myapp")

    assert lines_of(caught.value.choices) == [f"undo myapp {AT}"]


async def test_owners_and_unready_pods_of_a_stateful_set_are_spoken_of() -> None:
    argo = workload(images={"myapp": "myapp:v2"}, owner=Owner("Argo CD", "shop", gitops=True))
    database = workload(images={"myapp": "myapp:v2"}, kind=Kind.STATEFUL_SET, unready=1)

    owned = await desk(argo, revisions={"myapp": after("v1", "v2", of=argo)}).plans("undo myapp")
    unready = await desk(database, revisions={"myapp": after("v1", "v2", of=database)}).plans("undo myapp")

    assert [note.text for note in owned.notes if note.tone is Tone.WARN] == [
        "Argo CD (`shop`) owns deploy/myapp and will put back what its Git says. Change it there to keep it."
    ]
    assert "A pod of sts/myapp is not ready. If it stays so after the undo, it has to be deleted." in notes(unready)


def cart() -> tuple[Workload, Workload, Workload, Desk]:
    """web and worker on cart:v2, a database that nobody touched; all with a revision before."""
    web, worker = workload("web", {"web": "cart:v2"}), workload("worker", {"worker": "cart:v2"})
    database = workload("db", {"db": "postgres:17"}, kind=Kind.STATEFUL_SET)
    past = {
        "web": [revision(web, 1, "cart:v1", days=20), revision(web, 2, "cart:v2", days=1)],
        "worker": [revision(worker, 1, "cart:v1", days=20), revision(worker, 2, "cart:v2", days=1)],
        "db": [revision(database, 1, "postgres:16", days=30), revision(database, 2, "postgres:17", days=20)],
    }
    return web, worker, database, desk(web, worker, database, revisions=past)


async def test_of_an_app_of_several_workloads_those_go_back_that_our_last_action_moved() -> None:
    web, worker, database, there = cart()
    await acted(there, "old", database, days=20)
    await fated(there, database, 2, Fate.ROLLED_OUT, action="old", days=20)
    await acted(there, "last", web, worker, days=1)
    for moved in (web, worker):
        await fated(there, moved, 2, Fate.STUCK, action="last")

    plan = await there.plans("undo cart", app="cart")

    assert plan.summary == "Undo cart to v1"
    assert [step.target for step in plan.steps] == [web.ref, worker.ref]
    assert [note.text for note in plan.notes[:2]] == [
        "deploy/web: Back to v1, of which nothing is recorded.",
        "deploy/worker: Back to v1, of which nothing is recorded.",
    ]


async def test_an_undo_of_several_workloads_that_ran_well_can_itself_be_undone() -> None:
    web, worker, _, there = cart()
    await acted(there, "last", web, worker, days=1)
    for moved in (web, worker):
        await fated(there, moved, 2, Fate.ROLLED_OUT, action="last")

    assert (await there.plans("undo cart", app="cart")).undo == f"undo cart --from v1 {AT}"


async def test_a_rollout_that_still_runs_counts_as_the_last_change() -> None:
    web, worker, _, there = cart()
    await acted(there, "running", web, worker, days=0.5, state=State.FOLLOWING)

    plan = await there.plans("undo cart", app="cart")

    assert [step.target for step in plan.steps] == [web.ref, worker.ref]


async def test_a_workload_without_pods_of_which_nothing_was_ever_seen_goes_back_with_the_others() -> None:
    web, worker, _, there = cart()
    await acted(there, "last", web, worker, days=1)
    await fated(there, web, 2, Fate.STUCK, action="last")

    plan = await there.plans("undo cart", app="cart")

    assert [step.target for step in plan.steps] == [web.ref, worker.ref]


async def test_scaling_and_pausing_since_then_and_what_was_never_written_are_not_the_last_change() -> None:
    web, worker, _, there = cart()
    await acted(there, "last", web, worker, days=1)
    for moved in (web, worker):
        await fated(there, moved, 2, Fate.ROLLED_OUT, action="last")
    await acted(there, "scaled", web, days=0.5, command="scale", subresource="scale")
    await acted(there, "paused", web, days=0.4, command="rollout pause")
    await acted(there, "refused", web, days=0.3, state=State.REFUSED)

    plan = await there.plans("undo cart", app="cart")

    assert [step.target for step in plan.steps] == [web.ref, worker.ref]


async def test_one_that_has_nothing_to_return_to_stays_and_that_is_said() -> None:
    web, worker, _, there = cart()
    await acted(there, "last", web, worker, days=1)
    for moved in (web, worker):
        await fated(there, moved, 2, Fate.STUCK, action="last")
    await fated(there, worker, 1, Fate.FAILED, days=15)

    plan = await there.plans("undo cart", app="cart")

    assert [step.target for step in plan.steps] == [web.ref]
    assert "deploy/worker stays: no earlier revision is known to be good (1 (v1), which failed)." in notes(plan)


async def test_without_any_change_of_ours_it_is_asked_which_workload_goes_back() -> None:
    *_, there = cart()

    with pytest.raises(Ambiguous, match="what was changed last is not clear") as caught:
        await there.plans("undo cart", app="cart")

    assert lines_of(caught.value.choices) == [
        f"undo deploy/web {AT}",
        f"undo deploy/worker {AT}",
        f"undo sts/db {AT}",
    ]


async def test_a_newer_revision_by_somebody_else_is_asked_about_too() -> None:
    web, worker, _, there = cart()
    await acted(there, "last", web, days=2)
    await fated(there, web, 2, Fate.ROLLED_OUT, action="last", days=2)

    with pytest.raises(Ambiguous) as caught:
        await there.plans("undo cart", app="cart")

    assert caught.value.hint == f"{worker.label} was changed by somebody else since. Which one shall go back?"
