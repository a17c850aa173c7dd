"""`audit` and `why` at the front door: what one may see of what others did, and edits that went around the bot."""

from pathlib import Path

from rigs.chat import Bot
from rigs.oracle_kubectl import Kubectl, needs_kubectl

from bot.core.reply import Code, Table
from bot.demo.world import ADMIN, World


def rows(answer_parts: object) -> list[tuple[str, ...]]:
    parts = answer_parts if isinstance(answer_parts, tuple) else ()
    return [row for part in parts if isinstance(part, Table) for row in part.rows]


async def test_what_was_done_and_what_was_refused_is_told_to_who_may_see_it(bot: Bot) -> None:
    await bot.says("deploy myapp v2")
    await bot.says("deploy myapp v2 to prod", by="alice")
    await bot.says("deploy myapp v2 to prod", by="bob")

    answer = await bot.says("audit", by="carol")

    assert answer.reply.headline.startswith("2 actions and 1 refusal since ")
    told = [row[1:] for row in rows(answer.reply.parts)]
    assert told[0][:3] == ("@bob", "deploy myapp v2", "prod/shop")
    assert told[1][:2] == ("@alice", "deploy myapp v2 to prod")
    assert told[1][3] == "refused: You may not `deploy` in prod/shop."
    assert told[2][:3] == ("@alice", "deploy myapp v2", "dev/shop")
    assert told[2][3].startswith("done: myapp v2 rolled out")


async def test_a_guest_sees_no_audit_and_is_told_who_could(bot: Bot) -> None:
    await bot.says("deploy myapp v2")

    answer = await bot.says("audit", by="eve")

    assert answer.reply.headline == "You may not see anything in dev/shop."
    assert "@carol" in answer.text


async def test_a_waiting_action_is_in_the_audit_once_it_was_decided(bot: Bot) -> None:
    await bot.says("scale myapp 0")
    await bot.clicks("Cancel")

    told = rows((await bot.says("audit myapp")).reply.parts)

    assert [(row[2], row[4]) for row in told] == [("scale myapp 0", "cancelled: cancelled by the requester")]


async def test_the_sheet_has_the_change_and_the_clusters_audit_ids(bot: Bot, world: World) -> None:
    await bot.says("deploy myapp v2")

    [code] = [part for part in (await bot.says("audit --csv")).reply.parts if isinstance(part, Code)]

    assert "+ image: myapp:v2" in code.text
    ids = {entry.audit_id for entry in world.clusters["dev"].audit if entry.verb == "patch" and entry.audit_id}
    assert any(audit_id in code.text for audit_id in ids)


async def test_why_names_the_person_the_line_and_the_change(bot: Bot) -> None:
    await bot.says("deploy myapp v2", by="bob")

    answer = await bot.says("why myapp")

    assert "@bob changed deploy/myapp last" in answer.reply.headline
    assert "- image: myapp:v1" in answer.text
    assert "+ image: myapp:v2" in answer.text


async def test_why_of_a_stuck_app_says_the_cause_and_undo_is_a_press_away(bot: Bot) -> None:
    await bot.says("deploy myapp v-bad")

    answer = await bot.says("why myapp")

    assert answer.reply.headline.startswith("deploy/myapp is stuck: image cannot be pulled. @alice changed")
    assert "the image changed from `myapp:v1` to `myapp:v-bad`" in answer.text
    assert "is back on v1" in (await bot.clicks("Undo")).reply.headline


async def test_why_knows_who_the_gitops_owner_is(bot: Bot) -> None:
    answer = await bot.says("why storefront")

    assert answer.reply.headline.startswith("Argo CD changed deploy/storefront last")
    assert "will put back what its Git says" in answer.text


@needs_kubectl
async def test_why_tells_what_kubectl_did_behind_our_back(bot: Bot, world: World, tmp_path: Path) -> None:
    await bot.says("deploy myapp v2")
    world.write_kubeconfig(tmp_path / "kubeconfig", ADMIN)
    kubectl = Kubectl(tmp_path / "kubeconfig", tmp_path, "dev")
    await kubectl.run("set image deploy/myapp myapp=myapp:v1 -n shop")
    await kubectl.run("scale deploy/myapp --replicas=4 -n shop")

    answer = await bot.says("why myapp")

    ways = {row[1]: (row[2], row[3]) for row in rows(answer.reply.parts)}
    assert ways["kubectl set"] == ("update", "image of myapp")
    assert ways["kubectl scale"] == ("update of scale", "replicas")
    assert "@alice" in ways
