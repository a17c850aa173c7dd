"""What `rollout undo | restart | pause | resume` plan: kubectl's patches, kubectl's refusals, and the way out."""

import pytest
from rigs.planning import NOW, desk, lines_of, notes, revision, workload

from bot.core.errors import Ambiguous, NotFound, Refused, UsageError
from bot.core.ledger import Fate, RevisionFate
from bot.core.plan import ClusterWrite, Followed, PatchType, Verb, same
from bot.core.workload import Kind, Status, Strategy

AT = "--cluster dev -n shop"
RESTARTED_AT = "kubectl.kubernetes.io/restartedAt"


class TestUndo:
    async def test_it_takes_the_second_highest_revision_even_where_that_failed_and_says_so(self) -> None:
        myapp = workload(images={"myapp": "myapp:v3"})
        revisions = [revision(myapp, number, f"myapp:v{number}") for number in (1, 2, 3)]
        there = desk(myapp, revisions={"myapp": revisions})
        await there.ledger.fate(RevisionFate(myapp.uid, "myapp-2", Fate.FAILED, NOW))

        plan = await there.plans("rollout undo myapp")

        assert plan.summary == "Undo myapp to v2"
        assert notes(plan) == "Revision 2 did not work when it ran last."
        assert plan.undo == f"rollout undo deploy/myapp --to 3 {AT}"

    @pytest.mark.parametrize("option", ["--to 1", "--to-revision 1", "--to=1"])
    async def test_a_given_revision_is_taken(self, option: str) -> None:
        myapp = workload(images={"myapp": "myapp:v3"}, kind=Kind.DAEMON_SET)
        revisions = [revision(myapp, number, f"myapp:v{number}") for number in (1, 2, 3)]

        plan = await desk(myapp, revisions={"myapp": revisions}).plans(f"rollout undo myapp {option}")

        assert plan.steps[0].body == revisions[0].payload
        assert plan.follow == (Followed(myapp.ref, "v1"),)

    async def test_zero_means_the_one_before(self) -> None:
        myapp = workload(images={"myapp": "myapp:v2"})
        revisions = [revision(myapp, number, f"myapp:v{number}") for number in (1, 2)]

        assert (await desk(myapp, revisions={"myapp": revisions}).plans("rollout undo myapp --to 0")).steps

    async def test_an_unknown_revision_is_refused_in_kubectls_words_with_those_that_are(self) -> None:
        myapp = workload(images={"myapp": "myapp:v2"})
        there = desk(myapp, revisions={"myapp": [revision(myapp, 1, "myapp:v1"), revision(myapp, 4, "myapp:v2")]})

        with pytest.raises(NotFound, match="unable to find specified revision 2 in history") as caught:
            await there.plans("rollout undo myapp --to 2")

        assert caught.value.hint == "The history holds 1, 4."

    async def test_a_revision_that_stands_already_is_skipped_in_kubectls_words(self) -> None:
        myapp = workload(images={"myapp": "myapp:v1"})
        revisions = [revision(myapp, 1, "myapp:v1"), revision(myapp, 2, "myapp:v2")]

        plan = await desk(myapp, revisions={"myapp": revisions}).plans("rollout undo myapp")

        assert plan.steps == ()
        assert plan.summary == "myapp: skipped rollback (current template already matches revision 1)"

    async def test_a_single_revision_and_a_negative_number_are_refused(self) -> None:
        myapp = workload()
        there = desk(myapp, revisions={"myapp": [revision(myapp, 1, "myapp:v1")]})

        with pytest.raises(Refused, match='no rollout history found for deployment "myapp"'):
            await there.plans("rollout undo myapp")
        with pytest.raises(UsageError):
            await there.plans("rollout undo myapp --to -1")

    async def test_a_paused_deployment_is_refused_with_the_way_out(self) -> None:
        myapp = workload(images={"myapp": "myapp:v2"}, paused=True)
        revisions = [revision(myapp, 1, "myapp:v1"), revision(myapp, 2, "myapp:v2")]

        with pytest.raises(Refused, match="you cannot rollback a paused deployment") as caught:
            await desk(myapp, revisions={"myapp": revisions}).plans("rollout undo myapp")

        assert lines_of(caught.value.choices) == [f"rollout resume deploy/myapp {AT}"]

    async def test_of_several_workloads_it_is_asked_which(self) -> None:
        with pytest.raises(Ambiguous) as caught:
            await desk(workload("web"), workload("worker")).plans("rollout undo cart --to 2", app="cart")

        assert lines_of(caught.value.choices) == [
            f"rollout undo deploy/web --to 2 {AT}",
            f"rollout undo deploy/worker --to 2 {AT}",
        ]


class TestRestart:
    @pytest.mark.parametrize("kind", list(Kind))
    async def test_it_stamps_the_template_of_every_kind(self, kind: Kind) -> None:
        myapp = workload(kind=kind)

        plan = await desk(myapp).plans("restart myapp")

        stamp = {"spec": {"template": {"metadata": {"annotations": {RESTARTED_AT: "2026-11-23T09:00:00Z"}}}}}
        path = f'spec.template.metadata.annotations."{RESTARTED_AT}"'
        expects = same(myapp.uid, myapp.manifest, "spec.paused", path)
        assert plan.steps == (ClusterWrite(myapp.ref, Verb.PATCH, stamp, PatchType.STRATEGIC, expects),)
        assert plan.follow == (Followed(myapp.ref),)

    async def test_every_workload_of_the_app_restarts(self) -> None:
        plan = await desk(workload("web"), workload("worker")).plans("rollout restart cart", app="cart")

        assert [str(step.target) for step in plan.steps] == ["deployment/web", "deployment/worker"]

    async def test_a_paused_deployment_is_refused_in_kubectls_words(self) -> None:
        with pytest.raises(Refused, match=r"can't restart paused deployment \(run rollout resume first\)") as caught:
            await desk(workload(paused=True)).plans("restart myapp")

        assert lines_of(caught.value.choices) == [f"rollout resume deploy/myapp {AT}"]

    async def test_as_with_kubectl_a_paused_one_does_not_stop_the_others(self) -> None:
        plan = await desk(workload("web"), workload("worker", paused=True)).plans("restart cart", app="cart")

        assert [str(step.target) for step in plan.steps] == ["deployment/web"]
        assert 'Left alone: deployments.apps "worker" can\'t restart paused deployment' in notes(plan)

    async def test_twice_in_one_second_is_refused(self) -> None:
        myapp = workload(template_annotations={RESTARTED_AT: "2026-11-23T09:00:00Z"})

        with pytest.raises(Refused, match="restart has already been triggered within the past second"):
            await desk(myapp).plans("restart myapp")

    async def test_on_delete_is_noted_because_nothing_restarts_by_itself(self) -> None:
        agent = workload("agent", kind=Kind.DAEMON_SET, strategy=Strategy("OnDelete"))

        plan = await desk(agent).plans("restart ds/agent", app="agent")

        assert "a pod changes when somebody deletes it, not before" in notes(plan)


class TestPauseAndResume:
    async def test_pause_sets_the_field_and_resume_removes_it_as_kubectl_does(self) -> None:
        running, held = workload(), workload(paused=True)

        pause = await desk(running).plans("rollout pause myapp")
        resume = await desk(held).plans("rollout resume myapp")

        assert [step.body for step in (*pause.steps, *resume.steps)] == [
            {"spec": {"paused": True}},
            {"spec": {"paused": None}},
        ]
        assert pause.steps[0].expects == same(running.uid, running.manifest, "spec.paused")
        assert pause.follow == ()
        assert resume.follow == (Followed(held.ref),)
        assert pause.undo == f"rollout resume myapp {AT}"
        assert resume.undo == f"rollout pause myapp {AT}"

    @pytest.mark.parametrize("kind", [Kind.STATEFUL_SET, Kind.DAEMON_SET])
    async def test_other_kinds_are_refused_in_kubectls_words(self, kind: Kind) -> None:
        there = desk(workload(kind=kind))

        with pytest.raises(Refused, match=rf'^{kind.resource}\.apps "myapp" pausing is not supported\.$'):
            await there.plans("rollout pause myapp")
        with pytest.raises(Refused, match=rf'^{kind.resource}\.apps "myapp" resuming is not supported\.$'):
            await there.plans("rollout resume myapp")

    async def test_undoing_a_resume_that_lets_a_version_out_takes_the_version_back(self) -> None:
        waiting = workload(images={"myapp": "myapp:v2"}, paused=True, status=Status(3, 3, 0, 3, 3))

        assert (await desk(waiting).plans("rollout resume myapp")).undo == f"undo myapp {AT}"

    async def test_paused_twice_and_resumed_twice_are_refused(self) -> None:
        with pytest.raises(Refused, match=r'^deployments\.apps "myapp" is already paused\.$') as caught:
            await desk(workload(paused=True)).plans("rollout pause myapp")
        with pytest.raises(Refused, match=r'^deployments\.apps "myapp" is not paused\.$'):
            await desk(workload()).plans("rollout resume myapp")

        assert lines_of(caught.value.choices) == [f"rollout resume deploy/myapp {AT}"]

    async def test_of_a_mixed_app_the_deployments_are_paused_and_the_rest_is_named(self) -> None:
        web, database = workload("web"), workload("db", kind=Kind.STATEFUL_SET)

        plan = await desk(web, database).plans("rollout pause cart", app="cart")

        assert [step.target for step in plan.steps] == [web.ref]
        assert notes(plan) == 'Left alone: statefulsets.apps "db" pausing is not supported.'
