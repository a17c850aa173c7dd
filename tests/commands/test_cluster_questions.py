"""`events`, `top`, `nodes`, `images`, `versions`, `whoami`: the daily questions and their empty answers."""

import asyncio

import pytest
from rigs.chat import labels
from rigs.planning import workload
from rigs.reading import Shelf, app_workload, container, event, pod, reading_bot

from bot.core.errors import NotFound, Unavailable
from bot.core.plan import Place
from bot.core.pod import Usage
from bot.core.reply import Table, Tone
from bot.core.workload import Status
from commands import versions


async def test_events_of_an_app_are_those_of_its_workloads_and_pods() -> None:
    events = [
        event("Scaled", "myapp", kind="Deployment", minutes=9),
        event("Foreign", "other-1"),
        event("BackOff", minutes=2, warning=True),
    ]
    bot = reading_bot(Shelf(there=[app_workload()], some_pods=[pod()], happened=events))

    answer = await bot.says("events myapp")

    assert answer.reply.headline == "2 events about myapp, 1 warning."
    assert answer.text.index("Scaled") < answer.text.index("BackOff")
    assert "Foreign" not in answer.text
    assert "2 m  Warning  BackOff  pod/myapp-1  BackOff happened" in answer.text


async def test_only_warnings_on_demand() -> None:
    answer = await reading_bot(Shelf(happened=[event("Pulled"), event("BackOff", warning=True)])).says("events -w")

    assert "BackOff" in answer.text
    assert "Pulled" not in answer.text


async def test_no_events_is_good_news_with_its_limit() -> None:
    answer = await reading_bot(Shelf()).says("events --warnings")

    assert answer.reply.tone is Tone.GOOD
    assert answer.reply.headline == "There are no recent warnings in dev/shop."
    assert "forgets" in answer.text


async def test_many_events_keep_the_newest() -> None:
    events = [event(f"E{n}", minutes=100 - n) for n in range(80)]

    answer = await reading_bot(Shelf(happened=events)).says("events")

    assert "E79" in answer.text
    assert "E29 " not in answer.text
    assert "The newest 50 of 80." in answer.text


USAGE = [Usage("small", "shop", 5, 400), Usage("big", "shop", 70, 20)]


@pytest.mark.parametrize(("line", "first"), [("top", "big"), ("top pods --by memory", "small")])
async def test_the_hungriest_stand_first(line: str, first: str) -> None:
    answer = await reading_bot(Shelf(used=USAGE)).says(line)

    assert answer.reply.headline == "2 pods: 75m CPU and 420Mi memory together."
    assert _table(answer.reply.parts).rows[0][0] == first


async def test_nodes_without_a_percentage_say_unknown() -> None:
    answer = await reading_bot(Shelf(used=[Usage("n1", "", 100, 900, 12, None)])).says("top nodes")

    assert _table(answer.reply.parts).rows == (("n1", "100m", "12%", "900Mi", "<unknown>"),)


async def test_without_a_metrics_api_it_is_said() -> None:
    shelf = Shelf(denied={"metrics": NotFound("dev has no metrics API.")})

    assert (await reading_bot(shelf).says("top")).reply.headline == "dev has no metrics API."


async def test_no_measurements_yet_is_said() -> None:
    assert "There are no measurements of pods in dev/shop." in (await reading_bot(Shelf()).says("top")).text


async def test_a_node_that_is_not_ready_is_one_press_away() -> None:
    rows = [("n1", "Ready"), ("n2", "NotReady"), ("n3", "Ready,SchedulingDisabled")]
    bot = reading_bot(Shelf(tables={("nodes", ""): rows}, columns={"nodes": ("Name", "Status")}))

    answer = await bot.says("nodes")

    assert answer.reply.headline == "3 nodes on dev: 2 not simply ready."
    assert labels(answer.reply.buttons()) == ["Show n2", "Show n3", "Usage"]


async def test_images_tell_what_the_pods_really_run() -> None:
    digest = "sha256:" + "a" * 64
    pods = [
        pod("new", container(image="myapp:v2")),
        pod("old", container(image="myapp:v1", image_id=f"docker.io/library/myapp@{digest}")),
    ]
    shelf = Shelf(there=[app_workload(images={"myapp": "myapp:v2"})], some_pods=pods)

    answer = await reading_bot(shelf).says("images myapp")

    assert answer.reply.headline == "2 images of myapp."
    assert _table(answer.reply.parts).rows == (
        ("deploy/myapp", "myapp", "myapp:v2", "", "1"),
        ("deploy/myapp", "myapp", "myapp:v1", digest[:19], "1"),
    )


async def test_an_image_that_no_pod_runs_yet_is_listed_with_none() -> None:
    shelf = Shelf(there=[app_workload(images={"myapp": "myapp"})])

    answer = await reading_bot(shelf).says("images")

    assert _table(answer.reply.parts).rows == (("deploy/myapp", "myapp", "myapp", "", "0"),)
    assert "Not pinned to a version: myapp." in answer.text


async def test_a_namespace_without_apps_has_no_images() -> None:
    assert "No app runs in dev/shop" in (await reading_bot(Shelf()).says("images")).text


def prod(*there: object, **more: object) -> Shelf:
    return Shelf("prod", there=there, **more)  # type: ignore[arg-type]  # passed on


async def test_versions_differing_between_clusters_stand_first() -> None:
    place = Place("prod", "shop")
    dev = Shelf(there=[app_workload(), workload("web", images={"web": "web:2"})])
    there = prod(workload("myapp", place=place), workload("web", images={"web": "web:1"}, place=place))

    answer = await reading_bot(dev, there).says("versions")

    assert answer.reply.headline == "2 apps on 2 clusters; 1 not the same everywhere."
    assert _table(answer.reply.parts).rows == (("shop/web", "2", "1"), ("shop/myapp", "v1", "v1"))


async def test_a_cluster_that_fails_is_named_and_blocks_nobody() -> None:
    answer = await reading_bot(Shelf(there=[app_workload()]), prod(fails=Unavailable("connection refused"))).says(
        "versions"
    )

    assert "prod does not answer: connection refused" in answer.text
    assert _table(answer.reply.parts).rows == (("shop/myapp", "v1", "?"),)
    assert answer.reply.headline == "1 app on 1 cluster; the same versions everywhere."


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(versions, "_PATIENCE_SECONDS", 0.01)


@pytest.mark.usefixtures("impatient")
async def test_a_cluster_that_is_silent_is_not_waited_for() -> None:
    async with asyncio.timeout(5):
        answer = await reading_bot(Shelf(there=[app_workload()]), prod(slow=True)).says("versions myapp")

    assert answer.reply.headline == "myapp runs v1, in dev/shop only."
    assert "prod does not answer" in answer.text


async def test_one_app_over_all_places() -> None:
    dev = Shelf(there=[app_workload(images={"myapp": "myapp:v2"})])
    there = prod(workload("myapp", place=Place("prod", "shop")))
    bot = reading_bot(dev, there)

    answer = await bot.says("versions myapp")

    assert answer.reply.headline == "myapp runs 2 versions: v2, v1."
    assert "myapp is up: v1" in (await bot.clicks("prod/shop")).text


async def test_versions_that_one_app_runs_side_by_side_are_counted_once_each() -> None:
    mixed = [
        app_workload("cart-web", images={"web": "cart:v2"}),
        app_workload("cart-worker", images={"worker": "cart:v1"}),
    ]
    there = prod(app_workload("cart-web", images={"web": "cart:v1"}, place=Place("prod", "shop")))

    answer = await reading_bot(Shelf(there=mixed), there).says("versions cart")

    assert answer.reply.headline == "cart runs 2 versions: v2, v1."


async def test_an_app_that_rolls_out_says_so_beside_its_version() -> None:
    dev = Shelf(there=[app_workload(status=Status(4, 4, 1, 3, 3))])

    assert "v1 (rolling out)" in (await reading_bot(dev).says("versions")).text


async def test_an_unknown_app_is_guessed_at() -> None:
    answer = await reading_bot(Shelf(there=[app_workload()])).says("versions myap")

    assert answer.reply.headline == "There is no app `myap` on any cluster that you may see."
    assert "Did you mean `myapp`?" in answer.text


async def test_an_unknown_app_may_be_where_nobody_answers() -> None:
    answer = await reading_bot(Shelf(), prod(fails=Unavailable("down"))).says("versions web")

    assert answer.reply.headline == "There is no app `web` on the clusters that answer."


async def test_whoami_tells_user_groups_and_rights_of_each_cluster() -> None:
    answer = await reading_bot(Shelf(), Shelf("prod")).says("whoami")

    assert answer.reply.headline == "You are @alice."
    assert "Roles: keeper: everywhere" in answer.text
    rows = _table(answer.reply.parts).rows
    assert [row[:3] for row in rows] == [
        ("dev", "alice", "steersman:keeper"),
        ("prod", "alice", "steersman:keeper"),
    ]
    assert "deploy" in rows[0][3]


def _table(parts: object) -> Table:
    assert isinstance(parts, tuple)
    return next(part for part in parts if isinstance(part, Table))
