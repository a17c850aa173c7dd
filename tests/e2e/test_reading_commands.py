"""Every reading command answers about every part of the seed application, through the front door, on both clusters."""

import re
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from rigs.both import EMBEDDED_AND_REAL, bot_before
from rigs.chat import Bot

from bot.app import demo_pipeline
from bot.core.reply import Reply, Table, Tone
from bot.demo.controllers.tempo import FAST
from bot.settings import Settings

pytestmark = pytest.mark.asyncio(loop_scope="module")

PARTS = (
    "deploy/myapp",
    "svc/myapp",
    "ingress/myapp",
    "cm/myapp-config",
    "pvc/myapp-data",
    "storageclass/gp2",
    "hpa/myapp",
)


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=EMBEDDED_AND_REAL)
async def bot(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bot]:
    """One world for all of them: nothing here changes it."""
    async with bot_before(request.param, tmp_path_factory.mktemp("reading")) as chat:
        yield chat


@pytest.mark.parametrize("part", PARTS)
async def test_each_part_is_listed_and_described(bot: Bot, part: str) -> None:
    kind, _, name = part.partition("/")

    listed, one, described = (
        await bot.says(f"get {kind}"),
        await bot.says(f"get {kind} {name}"),
        await bot.says(f"show {part}"),
    )

    assert any(name in row for row in _rows(listed.reply))
    assert [row[0] for row in _rows(one.reply)] == [name]
    assert re.search(rf" {name}, [0-9]+ \w+ old\.", described.reply.headline)
    assert described.reply.parts


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", ["shop is fine: 6 apps up.", "Last change: ", " ago by kubectl apply.", "myapp  v1  3/3  up"]),
        ("apps -A", ["data  db", "ops  agent", "shop  myapp"]),
        ("myapp", ["myapp is up: v1, 3/3 ready.", "myapp: 3 to 10 replicas"]),
        ("cart", ["deploy/cart-web", "deploy/cart-worker"]),
        ("storefront", ["Owned by: Argo CD (storefront)"]),
        ("pods myapp --wide", ["3 pods of myapp: 3 Running.", "dev-worker-"]),
        ("pods -A", ["data  db-0  1/1  Running"]),
        ("logs myapp --tail 5", ["lines of pod myapp-"]),
        ("logs storefront -c migrate", ["`migrate` in pod storefront-"]),
        ("logs sts/db in data", ["lines of pod db-"]),
        ("events myapp", ["events about myapp"]),
        ("top myapp", ["3 pods of myapp:"]),
        ("top nodes", ["2 nodes:", "dev-worker-1"]),
        ("nodes on prod", ["all ready."]),
        ("images myapp", ["deploy/myapp  myapp  myapp:v1  sha256:"]),
        ("versions myapp", ["myapp runs v1 everywhere.", "prod/shop  v1  3/3  up"]),
        ("versions", ["shop/recommender", "1 not the same everywhere."]),
        (
            "whoami",
            ["dev  alice  steersman:deployer, steersman:viewer  deploy", "prod  alice  steersman:viewer  nothing"],
        ),
        ("show svc/myapp", ["Session affinity: ClientIP for 10800 s", "  yes  myapp-"]),
        ("show node dev-worker-1", ["Pods you may see: ", "Roles: none"]),
        ("show ds/agent in ops", ["host path /var/log"]),
        ("get hpa -A", ["payments  payments", "shop  myapp"]),
    ],
)
async def test_the_answer_tells_what_was_asked(bot: Bot, line: str, told: list[str]) -> None:
    answer = await bot.says(line)

    for words in told:
        assert words in answer.text


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def old() -> AsyncIterator[Bot]:
    """A world with a past: a real control plane began a moment ago."""
    async with demo_pipeline(Settings.model_construct(), FAST) as (pipeline, _):
        yield Bot(pipeline)


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("", r"Last change: myapp v1, \d d ago by kubectl apply\."),
        ("logs myapp --tail 5", r"5 lines of pod myapp-"),
        ("events myapp", r"There are no recent events about myapp in dev/shop\."),
        ("show deploy/myapp", r"myapp, \d d old\."),
        ("show node dev-worker-1", r"cpu  4  3920m"),
    ],
)
async def test_what_has_long_been_there_is_told_with_its_age(old: Bot, line: str, told: str) -> None:
    assert re.search(told, (await old.says(line)).text)


@pytest.mark.parametrize(
    "line",
    [
        "apps",
        "cart",
        "pods",
        "logs storefront",
        "show cart",
        "show myapp",
        "show pod/db-0 in data",
        "get svc myapp",
        "get svc myap",
        "get ing myapp",
        "get ing in data",
        "nodes",
        "versions cart",
        "apps in default",
    ],
)
async def test_every_button_that_is_shown_can_be_pressed(bot: Bot, line: str) -> None:
    answer = await bot.says(line)

    for button in answer.reply.buttons():
        if not button.line.startswith(("deploy", "undo")):
            assert (await bot.says(button.line)).reply.tone is not Tone.BAD, button.line


async def test_secrets_stay_with_those_who_may_read_them(bot: Bot) -> None:
    answer = await bot.says("show secret/myapp-secrets")

    assert answer.reply.tone is Tone.BAD
    assert "alice may not get secrets" in answer.reply.headline


def _rows(reply: Reply) -> tuple[tuple[str, ...], ...]:
    return next(part for part in reply.parts if isinstance(part, Table)).rows
