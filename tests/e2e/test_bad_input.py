"""Bad input, through the front door: one clear sentence, a next step, and nothing is changed."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime

import pytest
import pytest_asyncio
from rigs.weather import changing
from rigs.whole_bot import Whole, whole_bot

from bot.app import new_uid
from bot.core.reply import Text
from bot.demo.controllers.tempo import FAST
from bot.demo.world import World

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def whole() -> AsyncIterator[Whole]:
    """One bot for all of these lines: none of them changes anything."""
    async with (
        World(tempo=FAST, clock=lambda: datetime.now(UTC), new_uid=new_uid) as world,
        whole_bot(world) as whole,
    ):
        yield whole


def versions(whole: Whole) -> dict[tuple[str, str, str], str]:
    """The resourceVersion of every workload of both clusters."""
    return {
        (name, resource, workload["metadata"]["uid"]): workload["metadata"]["resourceVersion"]
        for name, cluster in whole.world.clusters.items()
        for resource in ("deployments.apps", "statefulsets.apps", "daemonsets.apps")
        for workload in cluster.store.list(resource)
    }


@dataclass(frozen=True)
class Bad:
    """A line, words of the one sentence that answers it, and of the next step (a hint, a usage line, or a button)."""

    line: str
    says: str
    next: str
    by: str = "alice"


LINES = (
    # what is named is not there
    Bad("deploy mapp v2", "There is no app `mapp` in dev/shop.", "Did you mean `myapp`?"),
    Bad("scale deploy/myap 2", "There is no `deploy/myap` in dev/shop.", "Did you mean `deploy/myapp`?"),
    Bad("undo zzzzzz", "There is no app `zzzzzz` in dev/shop.", "`apps` lists what is there."),
    Bad("deploy storefront v9 -c storefrnt", "has no container `storefrnt`", "Did you mean `storefront`?"),
    Bad("deploy myapp v2 --container sidecar", "has no container `sidecar`", "It has `myapp`."),
    Bad("logs myapp -c myap", "has no container `myap`", "myapp"),
    Bad("deploy myapp v2 in shp", "There is no cluster or namespace `shp` that you may see.", "Did you mean `shop`?"),
    Bad("deploy myapp v2 to prd", "There is no cluster or namespace `prd` that you may see.", "Did you mean `prod`?"),
    Bad("deploy myapp v2 to xyz", "There is no cluster or namespace `xyz` that you may see.", "There are dev, prod"),
    Bad("deploy myapp v2 --cluster qa", "There is no cluster `qa` that you may see.", "There are dev, prod."),
    Bad("deploy myapp v2 -n nope", "There is no namespace `nope` on dev that you may see.", "There are "),
    Bad("pods -n kube-sytem", "There is no namespace `kube-sytem` on dev", "Did you mean `kube-system`?"),
    Bad("get widgets", "dev serves no kind", "Did you mean"),
    Bad("logs pod/gone", "There is no pods/gone in dev/shop.", "`get pods` lists what is there."),
    Bad("show svc/gone", "There is no", "lists what is there."),
    Bad("rollout undo myapp --to 99", "unable to find specified revision 99 in history", "The history holds 1."),
    Bad("confirm 7k2m4q", "There is no action `7k2m4q`.", "Run the command again"),
    Bad("cancel 7k2m4q", "There is no action `7k2m4q`.", "Run the command again"),
    # what cannot be read
    Bad("deploi myapp v2", "There is no command `deploi`. Did you mean `deploy`?", "`/k8s help` lists the commands."),
    Bad("🚀🚀🚀", "There is no command `🚀🚀🚀`.", "`/k8s help` lists the commands."),
    Bad("deploy myapp v2 --contaner x", "has no option `--contaner`. Did you mean `--container`?", "Usage: /k8s"),
    Bad("deploy", "`deploy` needs `<app>`.", "Usage: /k8s deploy <app>"),
    Bad("confirm", "`confirm` needs `<id>`.", "Usage: /k8s confirm <id>"),
    Bad('deploy "myapp v2', "A quote is opened and never closed.", "Close it"),
    Bad("deploy 🚀 v2", "`🚀` does not fit <app>", "Usage: /k8s deploy"),
    Bad("deploy ../../secrets v2", "does not fit <app>", "Usage: /k8s deploy"),
    Bad("deploy my_app v2", "does not fit <app>", "Usage: /k8s deploy"),
    Bad("get pods -n ../kube-system", "`../kube-system` is no place", "Usage: /k8s get"),
    Bad("deploy myapp v2 in shop in data", "You said both `shop` and `data`.", "Say the place once."),
    Bad("deploy myapp v2 to prod in shop --cluster dev", "The place is said several times", "Say one."),
    # versions and numbers that are none
    Bad("deploy myapp :", "has no valid tag", "Say a tag such as `v2`, or a full image."),
    Bad("deploy myapp v2!x", "has no valid tag", "Say a tag such as `v2`, or a full image."),
    Bad(f"deploy myapp {'v' * 129}", "has no valid tag", "Say a tag such as `v2`, or a full image."),
    Bad("deploy myapp Reg/App:v2", "has capital letters in its name", "Say a tag such as `v2`, or a full image."),
    Bad("deploy myapp reg.io/app:v2:v3", "has no valid tag", "Say a tag such as `v2`, or a full image."),
    Bad("deploy myapp @sha256:12", "has no valid digest", "Say a tag such as `v2`, or a full image."),
    Bad("deploy myapp reg.io/app@sha256:12", "has no valid digest", "Say a tag such as `v2`, or a full image."),
    Bad("scale myapp -1", "`-1` does not fit <n>: it must be from 0 to 1000.", "Usage: /k8s scale"),
    Bad("scale myapp 1001", "`1001` does not fit <n>: it must be from 0 to 1000.", "Usage: /k8s scale"),
    Bad(f"scale myapp {'9' * 40}", "does not fit <n>: it must be from 0 to 1000.", "Usage: /k8s scale"),
    Bad(f"scale myapp {'9' * 5000}", "This line is too long", "A command is one short line"),
    Bad("scale myapp 2.5", "`2.5` does not fit <n>: it must be a whole number.", "Usage: /k8s scale"),
    Bad("scale myapp three", "`three` does not fit <n>: it must be a whole number.", "Usage: /k8s scale"),
    Bad("scale myapp ٣", "does not fit <n>: it must be a whole number.", "Usage: /k8s scale"),
    Bad("scale myapp 5 --current 9", "Expected replicas to be 9, was 3.", "Scale from 3 to 5"),
    # it is there, and its state forbids it
    Bad("scale agent 2 -n ops", "ds/agent cannot be scaled", "one pod on each node"),
    Bad("rollout resume myapp", "is not paused", ""),
    Bad("rollout pause ds/agent -n ops", "pausing is not supported", ""),
    Bad("undo recommender", "no rollout history found", ""),
    # which one?
    Bad("scale payments 3", "`payments` is at several places: dev/payments or prod/payments.", "[dev/payments]", "bob"),
    Bad("scale cart 3", "`cart` is `deploy/cart-web` and `deploy/cart-worker`.", "[deploy/cart-web]"),
    # who may not
    Bad("deploy myapp v2 to prod", "You may not `deploy` in prod/shop.", "ask @bob."),
    Bad("scale myapp 0", "You may not `scale` in dev/shop.", "ask @alice or @bob.", by="carol"),
    Bad("pods", "You may not see anything in dev/shop.", "ask @alice, @bob or @carol.", by="eve"),
    Bad("pods", "I do not know @mallory, so I do nothing for them.", "The owner of the policy", by="mallory"),
)


@pytest.mark.parametrize("bad", LINES, ids=lambda bad: f"{bad.by}: {bad.line[:60]}")
async def test_bad_input_gets_a_sentence_and_a_next_step_and_changes_nothing(whole: Whole, bad: Bad) -> None:
    before, writes = versions(whole), [sky.count(changing) for sky in whole.weather.values()]

    answer = await whole.bot.says(bad.line, by=bad.by)

    assert len(answer.versions) == 1
    assert bad.says in answer.reply.headline
    assert "\n" not in answer.reply.headline
    assert len(answer.reply.headline) < 300
    assert bad.next in answer.text.partition("\n")[2]
    assert any(isinstance(part, Text) for part in answer.reply.parts) or answer.reply.buttons()
    assert versions(whole) == before
    assert [sky.count(changing) for sky in whole.weather.values()] == writes
    assert whole.bugs == []


@pytest.mark.parametrize("line", ["", "/k8s", "   ", "​ ", "@steersman"])
async def test_an_empty_line_lists_the_apps(whole: Whole, line: str) -> None:
    answer = await whole.bot.says(line)

    assert "6 apps up" in answer.reply.headline


@pytest.mark.parametrize("filler", ["x", "x ", "🚀", '"', "--a ", "‮", "deploy myapp v2 "], ids=repr)
async def test_ten_thousand_characters_are_answered_with_a_short_sentence(whole: Whole, filler: str) -> None:
    before = versions(whole)

    answer = await whole.bot.says(("deploy " + filler * 10_000)[:10_000])

    assert len(answer.text) < 2_000
    assert versions(whole) == before
    assert whole.bugs == []


async def test_the_version_that_runs_is_no_change(whole: Whole) -> None:
    before, actions = versions(whole), len(whole.ledger.actions)

    for line in ("deploy myapp v1", "deploy myapp :v1", "deploy myapp myapp:v1", "scale myapp 3"):
        assert "already" in (await whole.bot.says(line)).reply.headline

    assert versions(whole) == before
    assert len(whole.ledger.actions) == actions


@pytest.mark.parametrize(
    ("line", "label", "says"),
    [
        ("deploi myapp v1", "deploy myapp v1", "already runs v1"),
        ("scale payments 2", "dev/payments", "payments already has 2 replicas"),
        ("scale cart 2", "deploy/cart-web", "deploy/cart-web already has 2 replicas"),
        ("deploy storefront 2.8.1 -c storefrnt", "storefront", "already runs 2.8.1"),
        ("scale myapp 3 --current 9", "Scale from 3 to 3", "already has 3 replicas"),
    ],
)
async def test_the_buttons_of_an_error_work(whole: Whole, line: str, label: str, says: str) -> None:
    """Each button is a whole command line, which does what it says."""
    answer = await whole.bot.says(line, by="bob")
    assert label in [button.label for button in answer.reply.buttons()]

    assert says in (await whole.bot.clicks(label, by="bob")).reply.headline


async def test_an_unknown_button_is_answered(whole: Whole) -> None:
    answer = await whole.bot.presses("r999.1")

    assert answer.reply.headline == "This button is no longer known."
    assert "Type the command instead." in answer.text


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("scale storefront 0", "Argo CD (`storefront`) owns deploy/storefront and will put back what its Git says"),
        ("scale grafana 0 -n ops", "Helm (`grafana`) owns deploy/grafana: its next upgrade may put this back"),
        ("scale myapp 0", "At 0 replicas deploy/myapp serves nothing."),
    ],
)
async def test_who_owns_an_app_and_what_is_lost_is_told_before_the_change(whole: Whole, line: str, words: str) -> None:
    answer = await whole.bot.says(line)
    await whole.bot.clicks("Cancel")

    assert words in answer.text
    assert whole.dev.count(changing) == 0
