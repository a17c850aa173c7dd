"""The main job, end to end, on the embedded clusters and on real ones: deploy, scale, follow, undo, and the words."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.real import DEV, PROD, bot_on, real_cluster

from bot.app import demo_pipeline
from bot.demo.controllers.tempo import FAST
from bot.settings import Settings

ON_REAL = pytest.param("real", marks=[pytest.mark.real, pytest.mark.xdist_group("shop")])


@pytest.fixture(params=["embedded", ON_REAL])
async def bot(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Bot]:
    """The bot before two clusters, `dev` and `prod`, on which `myapp:v1` runs."""
    if request.param == "embedded":
        async with demo_pipeline(Settings.model_construct(), FAST) as (pipeline, _):
            yield Bot(pipeline)
        return
    async with real_cluster(DEV, tmp_path) as dev, real_cluster(PROD, tmp_path) as prod:
        for cluster in (dev, prod):
            await cluster.seeded(anew=True)
        async with bot_on((dev, prod), tmp_path) as chat:
            yield chat


async def test_a_version_is_shown_as_a_diff_and_rolled_out(bot: Bot) -> None:
    answer = await bot.says("/k8s deploy myapp v2")

    assert "- image: myapp:v1" in answer.all_text
    assert "+ image: myapp:v2" in answer.all_text
    assert "v2 rolled out" in answer.reply.headline
    assert answer.reply.place == "dev/shop"


async def test_why_names_who_changed_it_last_and_the_change(bot: Bot) -> None:
    await bot.says("deploy myapp v2")

    answer = await bot.says("why myapp")

    assert "@alice changed deploy/myapp last" in answer.reply.headline
    assert "+ image: myapp:v2" in answer.text


async def test_a_bad_image_is_stuck_at_once_with_its_cause_and_undone_to_the_last_good(bot: Bot) -> None:
    await bot.says("deploy myapp v2")
    stuck = await bot.says("deploy myapp v-bad")

    assert "stuck: image cannot be pulled; v2 still serves 3/3" in stuck.reply.headline
    assert "the image changed from `myapp:v2` to `myapp:v-bad`" in stuck.text

    undone = await bot.clicks("Undo")

    assert "myapp is back on v2" in undone.reply.headline


async def test_two_bad_versions_in_a_row_are_skipped_by_undo(bot: Bot) -> None:
    await bot.says("deploy myapp v-bad")
    await bot.says("deploy myapp v-crash")

    undone = await bot.says("undo myapp")

    assert "myapp is back on v1" in undone.reply.headline
    assert "skipping" in undone.all_text
    assert "v-bad" in undone.all_text


async def test_bob_deploys_to_production_and_alice_may_not(bot: Bot) -> None:
    refused = await bot.says("deploy myapp v2 to prod", by="alice")
    done = await bot.says("deploy myapp v2 to prod", by="bob")

    assert refused.reply.headline == "You may not `deploy` in prod/shop."
    assert "@bob" in refused.text
    assert done.reply.place == "prod/shop"
    assert "rolled out" in done.reply.headline


async def test_scaling_to_zero_waits_for_its_requester_alone(bot: Bot) -> None:
    waiting = await bot.says("scale myapp 0")

    assert "- replicas: 3" in waiting.text
    assert "+ replicas: 0" in waiting.text

    other = await bot.clicks("Confirm", by="bob")
    assert "for the person who asked" in other.reply.headline

    done = await bot.clicks("Confirm")
    assert "0 replicas" in done.reply.headline


async def test_a_confirmation_works_once(bot: Bot) -> None:
    await bot.says("scale myapp 0")
    await bot.clicks("Confirm")

    again = await bot.clicks("Confirm")

    assert "already" in again.reply.headline


async def test_what_is_cancelled_is_not_done(bot: Bot) -> None:
    await bot.says("scale myapp 0")
    cancelled = await bot.clicks("Cancel")

    assert "Nothing was changed" in cancelled.reply.headline
    assert "3/3" in (await bot.says("status myapp")).all_text or "myapp" in (await bot.says("myapp")).text
