"""What `scale` plans: the patch of /scale, its precondition, who has a say, and every refusal before a write."""

from dataclasses import replace

import pytest
from rigs.planning import autoscaler, desk, lines_of, notes, workload

from bot.core.errors import Ambiguous, Refused, UsageError
from bot.core.plan import ClusterWrite, Followed, PatchType, Plan, Risk, Same, Verb, fields_digest
from bot.core.workload import Kind

AT = "--cluster dev -n shop"


@pytest.mark.parametrize("kind", [Kind.DEPLOYMENT, Kind.STATEFUL_SET])
async def test_it_is_a_merge_patch_of_the_scale_that_expects_the_replicas_it_was_decided_from(kind: Kind) -> None:
    myapp = workload(kind=kind, replicas=3)

    plan = await desk(myapp).plans("scale myapp 5")

    digest = fields_digest({"spec": {"replicas": 3}}, ["spec.replicas"])
    assert plan == Plan(
        summary="Scale myapp from 3 to 5",
        steps=(
            ClusterWrite(
                replace(myapp.ref, subresource="scale"),
                Verb.PATCH,
                {"spec": {"replicas": 5}},
                PatchType.MERGE,
                Same(myapp.uid, ("spec.replicas",), digest),
            ),
        ),
        risk=Risk.CHANGE,
        follow=(Followed(myapp.ref),),
        done="myapp has 5 replicas",
        undo=f"scale {kind.short}/myapp 3 {AT}",
    )


async def test_a_scale_at_zero_leaves_its_replicas_out_and_is_still_expected_to_be_zero() -> None:
    plan = await desk(workload(replicas=0)).plans("scale myapp 2")

    expects = plan.steps[0].expects
    assert plan.summary == "Scale myapp from 0 to 2"
    assert isinstance(expects, Same)
    assert expects.digest == fields_digest({"spec": {"replicas": 0}}, ["spec.replicas"])


async def test_the_scale_itself_decides_not_the_workload_that_was_read_before() -> None:
    there = desk(workload(replicas=3))
    there.reader.scale_replicas = 4

    assert (await there.plans("scale myapp 5")).summary == "Scale myapp from 4 to 5"


async def test_the_number_that_is_there_already_is_nothing_to_do() -> None:
    plan = await desk(workload(replicas=1)).plans("scale myapp 1")

    assert (plan.summary, plan.steps) == ("myapp already has 1 replica", ())


async def test_current_is_a_precondition_in_kubectls_words_with_the_way_on() -> None:
    there = desk(workload(replicas=3))

    with pytest.raises(Refused, match=r"^Expected replicas to be 2, was 3\.$") as caught:
        await there.plans("scale myapp 5 --current 2")

    assert lines_of(caught.value.choices) == [f"scale deploy/myapp 5 --current 3 {AT}"]
    assert (await there.plans("scale myapp 5 --current-replicas 3")).steps


@pytest.mark.parametrize("count", ["-1", "-3", "1001", "100000000000000000000", "many", "2.5"])
async def test_a_number_out_of_range_is_no_line_at_all(count: str) -> None:
    with pytest.raises(UsageError):
        await desk(workload()).plans(f"scale myapp {count}")


async def test_zero_is_dangerous_and_says_what_it_takes_away() -> None:
    plan = await desk(workload()).plans("scale myapp 0")

    assert plan.risk is Risk.DANGER
    assert "At 0 replicas deploy/myapp serves nothing." in notes(plan)


@pytest.mark.parametrize(
    ("now", "wanted", "says"),
    [
        (3, 5, "may change this again as the load asks"),
        (3, 20, "it will set 10 again"),
        (3, 1, "will set 2 again"),
        (3, 0, "at 0 it is switched off"),
        (0, 4, "works again from now on"),
    ],
)
async def test_an_autoscaler_that_owns_the_replicas_is_spoken_of_and_does_not_forbid(
    now: int, wanted: int, says: str
) -> None:
    there = desk(workload(replicas=now))
    there.reader.scaler = autoscaler(2, 10)

    plan = await there.plans(f"scale myapp {wanted}")

    assert plan.steps
    assert "The autoscaler `myapp` owns the replicas of deploy/myapp (2 to 10)" in notes(plan)
    assert says in notes(plan)


async def test_who_may_not_see_autoscalers_scales_all_the_same_and_is_told() -> None:
    there = desk(workload())
    there.reader.may_see_scalers = False

    plan = await there.plans("scale myapp 5")

    assert plan.steps
    assert "whether one owns the replicas is not known" in notes(plan)


async def test_a_stateful_set_that_deletes_its_volumes_is_dangerous_to_shrink_only() -> None:
    database = workload(
        "db",
        kind=Kind.STATEFUL_SET,
        spec={"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}},
    )

    down = await desk(database).plans("scale sts/db 2", app="db")
    up = await desk(database).plans("scale sts/db 4", app="db")

    assert (down.risk, up.risk) == (Risk.DANGER, Risk.CHANGE)
    assert "deletes the volumes of the pods it loses" in notes(down)
    assert not up.notes


async def test_a_daemon_set_is_refused_in_kubectls_words() -> None:
    with pytest.raises(Refused, match="the server could not find the requested resource"):
        await desk(workload("agent", kind=Kind.DAEMON_SET)).plans("scale ds/agent 3", app="agent")


async def test_of_several_workloads_it_is_asked_which_and_daemon_sets_do_not_count() -> None:
    web, worker = workload("web"), workload("worker")
    agent = workload("agent", kind=Kind.DAEMON_SET)

    with pytest.raises(Ambiguous, match="`cart` is `deploy/web` and `deploy/worker`") as caught:
        await desk(web, worker, agent).plans("scale cart 5 --current 3", app="cart")
    one = await desk(web, agent).plans("scale cart 5", app="cart")

    assert lines_of(caught.value.choices) == [
        f"scale deploy/web 5 --current 3 {AT}",
        f"scale deploy/worker 5 --current 3 {AT}",
    ]
    assert one.summary == "Scale deploy/web from 3 to 5"
