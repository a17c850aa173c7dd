"""`get` and `show`: tables of any kind, and objects in words."""

from rigs.chat import labels
from rigs.reading import Shelf, app_workload, event, reading_bot

from bot.core.errors import Forbidden, Judge, Unavailable
from bot.core.plan import Json
from bot.core.reply import Tone

PODS = {
    ("pods", "shop"): [("myapp-1", "1/1", "10.0.0.1", "<none>")],
    ("pods", "data"): [("db-0", "1/1", "10.0.0.2", "<none>")],
}
COLUMNS = {"pods": ("Name", "Ready", "*IP", "*Readiness Gates")}


async def test_the_servers_table_is_shown_as_it_is() -> None:
    bot = reading_bot(Shelf(tables=PODS, columns=COLUMNS))

    answer = await bot.says("get po")

    assert answer.reply.headline == "1 pod."
    assert "Name  Ready\nmyapp-1  1/1" in answer.text


async def test_wide_shows_the_columns_that_say_something() -> None:
    answer = await reading_bot(Shelf(tables=PODS, columns=COLUMNS)).says("get pods --wide")

    assert "Name  Ready  IP\nmyapp-1  1/1  10.0.0.1" in answer.text


async def test_all_namespaces_have_a_column_of_their_own() -> None:
    answer = await reading_bot(Shelf(tables=PODS, columns=COLUMNS)).says("get pods -A")

    assert "Namespace  Name  Ready" in answer.text
    assert "data  db-0  1/1" in answer.text


async def test_none_here_says_where_there_are_some() -> None:
    bot = reading_bot(Shelf(tables={("ingresses", "data"): [("web", "3d")]}))

    answer = await bot.says("get ing")

    assert answer.reply.headline == "There are no ingresses in dev/shop."
    assert "web  3d" in (await bot.clicks("data (1)")).text


async def test_none_anywhere_is_said_shortly() -> None:
    answer = await reading_bot(Shelf()).says("get ingresses -l app=web")

    assert answer.text == "[plain] dev/shop There are no ingresses with app=web in dev/shop."


async def test_looking_elsewhere_never_turns_an_answer_into_an_error() -> None:
    class Denied(Shelf):
        async def answering(self, noun: str = "") -> None:
            if noun == "ingresses" and self.asked:
                raise Forbidden("no", judge=Judge.CLUSTER)
            self.asked = noun == "ingresses"

        asked = False

    assert "There are no ingresses" in (await reading_bot(Denied()).says("get ingresses")).text


async def test_a_misspelt_name_is_offered_rightly() -> None:
    bot = reading_bot(Shelf(tables={("services", "shop"): [("myapp", "3d")]}))

    answer = await bot.says("get svc myap")

    assert answer.reply.headline == "There is no service `myap` in dev/shop."
    assert "myapp  3d" in (await bot.clicks("myapp")).text


async def test_a_kind_that_is_not_served_is_refused_in_the_doors_words() -> None:
    assert "dev serves no kind 'wodget'." in (await reading_bot(Shelf()).says("get wodget")).text


async def test_a_cluster_wide_kind_speaks_of_the_cluster() -> None:
    answer = await reading_bot(Shelf(tables={("nodes", ""): [("n1", "9d")]})).says("get nodes")

    assert answer.reply.place == "dev"
    assert "n1  9d" in answer.text


async def test_a_name_and_all_namespaces_do_not_go_together() -> None:
    assert "say `-n` instead of `-A`" in (await reading_bot(Shelf()).says("get pods myapp -A")).text
    assert "not both" in (await reading_bot(Shelf()).says("get pods myapp -l a=b")).text


async def test_a_long_table_is_cut_and_says_how_to_narrow_it() -> None:
    rows = [(f"w{n}", "1d") for n in range(60)]

    answer = await reading_bot(Shelf(tables={("widgets", "shop"): rows})).says("get widgets")

    assert answer.reply.headline == "60 widgets."
    assert "w49" in answer.text
    assert "w50" not in answer.text
    assert "The first 50 of 60." in answer.text


async def test_show_tells_an_object_and_its_events() -> None:
    manifest: Json = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {"type": "ClusterIP"}}
    endpoints: Json = {"endpoints": [{"addresses": ["10.0.0.7"], "conditions": {"ready": True}}]}
    shelf = Shelf(
        manifests={"services/web": manifest, "endpointslices/web-x": endpoints},
        tables={("endpointslices", "shop"): [("web-x",)]},
        columns={"endpointslices": ("Name",)},
        happened=[event("SyncLoadBalancerFailed", "web", kind="Service", warning=True), event("Other")],
    )

    answer = await reading_bot(shelf).says("show svc web")

    assert answer.reply.headline == "Service web."
    assert "10.0.0.7  yes" in answer.text
    assert "SyncLoadBalancerFailed" in answer.text
    assert "Other" not in answer.text


async def test_show_never_shows_a_secret_value() -> None:
    manifest: Json = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "name": "keys",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": '{"stringData":{"K":"hunter2"}}'},
        },
        "data": {"K": "aHVudGVyMg=="},
    }

    answer = await reading_bot(Shelf(manifests={"secrets/keys": manifest})).says("show secret/keys")

    assert "K  7 B" in answer.text
    assert "hunter2" not in answer.text
    assert "aHVudGVyMg" not in answer.text


async def test_show_takes_an_app_and_asks_which_of_its_workloads() -> None:
    bot = reading_bot(Shelf(there=[app_workload(), app_workload("cart-web"), app_workload("cart-worker")]))

    one, several = await bot.says("show myapp"), await bot.says("show cart")

    assert one.reply.headline == "Deployment myapp."
    assert "Image: myapp:v1" in one.text
    assert labels(several.reply.buttons()) == ["deploy/cart-web", "deploy/cart-worker"]
    assert (await bot.clicks("deploy/cart-worker")).reply.headline == "Deployment cart-worker."


async def test_show_of_an_unknown_name_offers_the_nearest() -> None:
    bot = reading_bot(
        Shelf(tables={("widgets", "shop"): [("gadget", "1d")]}, manifests={"widgets/gadget": {"kind": "Widget"}})
    )

    answer = await bot.says("show widget/gadgt")

    assert answer.reply.headline == "There is no widget `gadgt` in dev/shop."
    assert labels(answer.reply.buttons()) == ["gadget"]


async def test_an_outage_is_said_and_nothing_invented() -> None:
    answer = await reading_bot(Shelf(denied={"pods": Unavailable("dev does not answer.")})).says("get pods")

    assert answer.reply.tone is Tone.WARN
    assert answer.reply.headline == "dev does not answer."
