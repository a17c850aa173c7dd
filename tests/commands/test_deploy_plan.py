"""What `deploy` plans: which containers of which workloads, the very patch, what it warns of, and when it asks back."""

import pytest
from rigs.planning import DEV, NOW, Desk, Held, desk, lines_of, notes, revision, workload

from bot.core.errors import Ambiguous, NotFound, Unavailable, UsageError
from bot.core.ledger import Fate, RevisionFate
from bot.core.plan import ClusterWrite, Followed, PatchType, Place, Plan, Risk, Verb, same
from bot.core.reply import Table, Tone
from bot.core.workload import Kind, Owner, Strategy, Workload

AT = "--cluster dev -n shop"


def images(plan: Plan) -> dict[str, object]:
    """What each step patches: the `spec` of the pod template by workload."""
    return {str(step.target): step.body["spec"]["template"]["spec"] for step in plan.steps}  # type: ignore[index,call-overload]


async def test_a_tag_becomes_a_strategic_patch_of_the_container_by_its_name() -> None:
    myapp = workload(images={"myapp": "reg.io:5000/team/myapp:v1", "proxy": "envoy:3"})

    plan = await desk(myapp).plans("deploy myapp v2")

    assert plan == Plan(
        summary="Deploy myapp v2",
        steps=(
            ClusterWrite(
                myapp.ref,
                Verb.PATCH,
                {
                    "spec": {
                        "template": {"spec": {"containers": [{"name": "myapp", "image": "reg.io:5000/team/myapp:v2"}]}}
                    }
                },
                PatchType.STRATEGIC,
                same(myapp.uid, myapp.manifest, "spec.template.spec.containers[name=myapp].image"),
            ),
        ),
        risk=Risk.CHANGE,
        follow=(Followed(myapp.ref, "v2"),),
        done="myapp v2 rolled out",
        undo=f"undo myapp --from v2 {AT}",
    )


async def test_planning_twice_gives_one_fingerprint_and_another_image_another_one() -> None:
    there = desk(workload())

    first, again, other = [await there.plans(f"deploy myapp {tag}") for tag in ("v2", "v2", "v3")]

    assert first.fingerprint == again.fingerprint != other.fingerprint


async def test_a_container_that_one_would_not_expect_is_named_with_its_version() -> None:
    myapp = workload(images={"myapp": "myapp:v1", "proxy": "nginx:1.27"})

    plan = await desk(myapp).plans("deploy myapp nginx:1.28 --container proxy")

    assert (plan.summary, plan.done) == ("Deploy myapp proxy 1.28", "myapp proxy 1.28 rolled out")
    assert plan.follow == (Followed(myapp.ref, "proxy 1.28"),)


@pytest.mark.parametrize("kind", list(Kind))
async def test_every_kind_takes_the_same_patch(kind: Kind) -> None:
    plan = await desk(workload(kind=kind)).plans("ship myapp v2")

    assert images(plan) == {f"{kind.kind.lower()}/myapp": {"containers": [{"name": "myapp", "image": "myapp:v2"}]}}


async def test_all_workloads_that_run_the_image_change_in_one_plan_and_the_others_are_named() -> None:
    web, worker = workload("web", {"web": "cart:v1"}), workload("worker", {"worker": "cart:v1", "log": "fluent:2"})
    database = workload("db", {"postgres": "postgres:16", "backup": "pgdump:1"}, kind=Kind.STATEFUL_SET)

    plan = await desk(web, worker, database).plans("deploy cart v2", app="cart")

    assert [step.target for step in plan.steps] == [web.ref, worker.ref]
    assert plan.follow == (Followed(web.ref, "v2"), Followed(worker.ref, "v2"))
    assert "Left alone, running other images: sts/db." in notes(plan)


async def test_one_that_already_runs_the_version_is_not_written_again() -> None:
    web, worker = workload("web", {"web": "cart:v2"}), workload("worker", {"worker": "cart:v1"})

    plan = await desk(web, worker).plans("deploy cart v2", app="cart")

    assert [step.target for step in plan.steps] == [worker.ref]


async def test_a_version_equal_to_what_runs_is_nothing_to_do() -> None:
    plan = await desk(workload()).plans("deploy myapp v1")

    assert (plan.summary, plan.steps, plan.notes) == ("myapp already runs v1", (), ())


async def test_a_version_that_is_wanted_but_not_rolled_out_says_how_it_stands() -> None:
    plan = await desk(workload(observed=False)).plans("deploy myapp v1")

    assert plan.steps == ()
    assert notes(plan) == "Waiting for deployment spec update to be observed..."


async def test_the_workload_named_like_the_app_decides_between_several_images() -> None:
    myapp, cache = workload("myapp", {"main": "myapp:v1"}), workload("cache", {"redis": "redis:7"})

    plan = await desk(cache, myapp).plans("deploy myapp v2")

    assert [step.target for step in plan.steps] == [myapp.ref]


async def test_several_images_with_no_workload_of_that_name_are_asked_about() -> None:
    web, cache = workload("web", {"web": "shop:v1"}), workload("cache", {"redis": "redis:7"})

    with pytest.raises(Ambiguous, match="runs several images: `shop` and `redis`") as caught:
        await desk(web, cache).plans("deploy shop v2", app="shop")

    assert lines_of(caught.value.choices) == [f"deploy deploy/web v2 {AT}", f"deploy deploy/cache v2 {AT}"]


async def test_several_containers_without_a_telling_name_are_asked_about() -> None:
    myapp = workload(images={"a": "myapp:v1", "b": "other:1"}, init={"setup": "setup:1"})

    with pytest.raises(Ambiguous, match="`deploy/myapp` has several containers: `a` and `b`") as caught:
        await desk(myapp).plans("deploy myapp v2 --reason 'Fix the cart'")

    assert lines_of(caught.value.choices) == [
        f'deploy deploy/myapp v2 --container a --reason "Fix the cart" {AT}',
        f'deploy deploy/myapp v2 --container b --reason "Fix the cart" {AT}',
    ]


async def test_in_a_second_workload_the_container_of_the_same_image_is_meant() -> None:
    web = workload("web", {"web": "cart:v1"})
    worker = workload("worker", {"queue": "cart:v1", "proxy": "envoy:3"})

    plan = await desk(web, worker).plans("deploy cart v2", app="cart")

    assert images(plan)["deployment/worker"] == {"containers": [{"name": "queue", "image": "cart:v2"}]}


async def test_two_containers_of_the_same_image_in_a_second_workload_are_asked_about() -> None:
    web = workload("web", {"web": "cart:v1"})
    worker = workload("worker", {"a": "cart:v1", "b": "cart:v1"})

    with pytest.raises(Ambiguous, match="`deploy/worker` has several containers"):
        await desk(web, worker).plans("deploy cart v2", app="cart")


async def test_a_named_container_is_taken_also_among_the_init_containers() -> None:
    myapp = workload(images={"myapp": "myapp:v1", "proxy": "envoy:3"}, init={"migrate": "myapp:v1"})
    there = desk(myapp)

    proxy = await there.plans("deploy myapp 4 --container proxy")
    migrate = await there.plans("deploy myapp v2 -c migrate")

    assert images(proxy) == {"deployment/myapp": {"containers": [{"name": "proxy", "image": "envoy:4"}]}}
    assert images(migrate) == {"deployment/myapp": {"initContainers": [{"name": "migrate", "image": "myapp:v2"}]}}
    assert isinstance(migrate.steps[0].expects, type(same("", {}, "")))
    assert migrate.steps[0].expects.fields == ("spec.template.spec.initContainers[name=migrate].image",)


async def test_an_unknown_container_is_refused_before_it_could_become_a_ghost() -> None:
    with pytest.raises(NotFound, match="`myapp` has no container `myap`") as caught:
        await desk(workload()).plans("deploy myapp v2 --container myap")

    assert caught.value.hint == "Did you mean `myapp`?"
    assert lines_of(caught.value.choices) == [f"deploy myapp v2 --container myapp {AT}"]


async def test_a_container_of_the_same_image_that_stays_is_pointed_out() -> None:
    plan = await desk(workload(init={"migrate": "myapp:v1"})).plans("deploy myapp v2")

    assert "runs this image in `migrate` too, which stays: `--container migrate` changes it" in notes(plan)


@pytest.mark.parametrize(
    ("version", "says"),
    [("My/App:v2", "`My/App:v2` has capital letters"), ("v2*", "`v2*` has no valid tag"), ("a:b:c", "`a:b:c` ")],
)
async def test_a_malformed_image_gets_one_sentence(version: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        await desk(workload()).plans(f"deploy myapp {version}")

    assert caught.value.message.startswith(says)
    assert "deploy/myapp runs `myapp:v1`" in caught.value.hint


async def test_the_reason_becomes_the_change_cause_and_is_not_written_without_one() -> None:
    there = desk(workload())

    with_reason = await there.plans("deploy myapp v2 --reason 'Fix the cart'")
    without = await there.plans("deploy myapp v2")

    assert with_reason.steps[0].body["metadata"] == {"annotations": {"kubernetes.io/change-cause": "Fix the cart"}}
    assert "metadata" not in without.steps[0].body


@pytest.mark.parametrize(
    ("myapp", "line", "says"),
    [
        (workload(paused=True), "deploy myapp v2", "deploy/myapp is paused: nothing rolls out until"),
        (workload(kind=Kind.DAEMON_SET, strategy=Strategy("OnDelete")), "deploy myapp v2", "strategy OnDelete"),
        (workload(kind=Kind.STATEFUL_SET, strategy=Strategy(partition=2)), "deploy myapp v2", "has the partition 2"),
        (workload(replicas=0), "deploy myapp v2", "scaled to 0: no pod will start"),
        (workload(images={"myapp": "myapp:v14"}), "deploy myapp v2", "v2 is older than v14, which runs now"),
        (workload(), "deploy myapp nginx:1", "The image changes from `myapp` to `nginx`"),
        (workload(), "deploy myapp latest", "`myapp:latest` may mean another content tomorrow"),
        (
            workload(owner=Owner("Argo CD", "s", gitops=True)),
            "deploy myapp v2",
            "Argo CD (`s`) owns deploy/myapp",
        ),
        (workload(owner=Owner("Helm", "shop", gitops=False)), "deploy myapp v2", "its next upgrade may put this back"),
    ],
)
async def test_what_one_should_know_before_is_noted_and_forbids_nothing(myapp: Workload, line: str, says: str) -> None:
    plan = await desk(myapp).plans(line)

    assert plan.steps
    assert says in notes(plan)
    assert all(note.tone is Tone.WARN for note in plan.notes)


async def test_another_repository_is_named_in_full() -> None:
    plan = await desk(workload()).plans("deploy myapp nginx:1")

    assert plan.summary == "Deploy myapp nginx:1"


async def test_without_a_version_the_known_ones_are_offered_as_buttons() -> None:
    myapp = workload(images={"myapp": "myapp:v3"})
    there = desk(myapp, revisions={"myapp": [revision(myapp, n, f"myapp:v{n}") for n in (1, 2, 3)]})
    there.others = [
        Held("prod", [workload(images={"myapp": "myapp:v4"}, place=Place("prod", DEV.namespace))]),
        Held("edge", fails=Unavailable("edge does not answer.")),
        Held("lab"),
    ]
    await there.ledger.fate(RevisionFate(myapp.uid, "myapp-2", Fate.FAILED, NOW))

    reply = await there.answers("deploy myapp --reason 'Fix it'")

    assert reply.headline == "Which version? myapp runs v3."
    assert next(part for part in reply.parts if isinstance(part, Table)).rows == (
        ("v4", "runs in prod/shop"),
        ("v2", "revision 2, failed just now"),
        ("v1", "revision 1"),
    )
    assert "What edge runs is not known: edge does not answer." in str(reply.parts)
    assert [(button.label, button.line) for button in reply.buttons()] == [
        (f"Deploy {tag}", f'deploy myapp {tag} --reason "Fix it" {AT}') for tag in ("v4", "v1")
    ], "what failed here is listed, but not offered"


async def test_a_known_image_that_its_tag_would_not_name_is_offered_in_full() -> None:
    myapp = workload()
    pinned = "myapp:v0@sha256:" + "a" * 64
    there = desk(myapp, revisions={"myapp": [revision(myapp, 1, pinned), revision(myapp, 2, "old/myapp:v1")]})

    reply = await there.answers("deploy myapp")

    assert [button.line for button in reply.buttons()] == [
        f"deploy myapp old/myapp:v1 {AT}",
        f"deploy myapp {pinned} {AT}",
    ]
    plan = await there.plans(reply.buttons()[1].line)
    assert images(plan)["deployment/myapp"] == {"containers": [{"name": "myapp", "image": pinned}]}


async def test_without_any_other_known_version_it_says_how_to_name_one() -> None:
    reply = await desk(workload()).answers("deploy myapp")

    assert reply.headline == "Which version? myapp runs v1."
    assert "Say one: `/k8s deploy myapp v2`." in str(reply.parts)
    assert not reply.buttons()


async def test_an_image_that_only_its_runtime_can_read_can_still_be_replaced_by_a_full_one() -> None:
    odd = workload(images={"myapp": "Odd Image"})

    plan = await Desk(Held(there=[odd])).plans("deploy myapp myapp:v2")

    assert plan.summary == "Deploy myapp myapp:v2"
