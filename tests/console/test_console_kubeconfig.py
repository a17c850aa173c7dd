"""`steersman console` on the embedded cluster, as a program with a kubeconfig: confirmations, the audit, refusals."""

import asyncio
import os
import re
import sys
from pathlib import Path

import pytest
import yaml
from rigs.auditor import records
from rigs.pty import terminal

from bot.core.ledger import Record
from bot.demo.objects import Json
from bot.demo.world import World

STEERSMAN = [sys.executable, "-m", "bot", "console"]
ENTER, CTRL_D = "\r", "\x04"


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """Where alice's kubeconfig is, and the audit will be."""
    world.write_kubeconfig(tmp_path / "config", "alice")
    return tmp_path


def environ(folder: Path) -> dict[str, str]:
    return {"STEERSMAN_CONSOLE_STATE": str(folder / "state"), "KUBECONFIG": str(folder / "config")}


async def audit(folder: Path) -> list[Record]:
    return await records(folder / "state" / "dev.db")


def image(world: World, cluster: str = "dev") -> str:
    deployment = world.clusters[cluster].store.get("deployments.apps", "shop", "myapp")
    containers: list[Json] = deployment["spec"]["template"]["spec"]["containers"]
    return str(containers[0]["image"])


async def runs(folder: Path, script: str, *options: str) -> tuple[int, str, str]:
    """Exit code, output and errors of a console with a script; the clusters go on meanwhile."""
    process = await asyncio.create_subprocess_exec(
        *STEERSMAN,
        *options,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env={**os.environ, **environ(folder)},
    )
    out, err = await asyncio.wait_for(process.communicate(script.encode()), 60)
    return process.returncode or 0, out.decode(), err.decode()


async def test_at_a_terminal_no_changes_nothing_and_yes_writes(world: World, folder: Path) -> None:
    def a_person() -> int:
        with terminal([*STEERSMAN, "--context", "dev"], environ(folder)) as screen:
            screen.sees("dev/shop · as the kubeconfig's own user · every write is confirmed")
            screen.types("deploy myapp v2" + ENTER)
            screen.sees("+ image: myapp:v2")
            screen.sees("Apply? [y/N]")
            screen.types(ENTER)
            screen.sees("Cancelled: Deploy myapp v2. Nothing was changed.")
            assert image(world) == "myapp:v1"

            screen.types("deploy myapp v2" + ENTER)
            screen.sees("Apply? [y/N]")
            screen.types("y" + ENTER)
            screen.sees("rolled out")
            screen.types(CTRL_D)
            return screen.ends()

    assert await asyncio.to_thread(a_person) == 0
    assert image(world) == "myapp:v2"
    assert [record.kind for record in await audit(folder)] == ["CANCELLED", "STARTED", "DONE"]


async def test_what_was_typed_before_the_question_does_not_answer_it(world: World, folder: Path) -> None:
    def a_hasty_person() -> None:
        with terminal([*STEERSMAN, "--context", "dev"], environ(folder)) as screen:
            screen.sees("▸")
            screen.types(f"deploy myapp v2{ENTER}y{ENTER}")
            screen.sees("Apply? [y/N]")
            screen.types(CTRL_D)
            screen.sees("Nothing was changed.")

    await asyncio.to_thread(a_hasty_person)

    assert image(world) == "myapp:v1"


async def test_a_script_without_yes_changes_nothing_and_says_so(world: World, folder: Path) -> None:
    code, out, err = await runs(folder, "deploy myapp v2\nstatus myapp\n@bob whoami\n", "--context", "dev")

    assert (code, err) == (0, "")
    assert "Not applied: a script confirms nothing by itself. Run it with --yes." in out
    assert "successfully rolled out" in out
    assert "There is no command `@bob`." in out
    assert image(world) == "myapp:v1"
    assert await audit(folder) == []


async def test_a_script_with_yes_writes_and_each_write_is_in_the_audit(world: World, folder: Path) -> None:
    code, out, err = await runs(folder, "deploy myapp v2\nscale myapp 5\n", "--context", "dev", "--yes")

    assert (code, err) == (0, "")
    assert "[1] Confirm" not in out
    assert image(world) == "myapp:v2"
    written = await audit(folder)
    assert [(record.kind, record.line) for record in written] == [
        ("STARTED", "deploy myapp v2 --cluster dev -n shop"),
        ("DONE", "deploy myapp v2 --cluster dev -n shop"),
        ("STARTED", "scale myapp 5 --cluster dev -n shop"),
        ("DONE", "scale myapp 5 --cluster dev -n shop"),
    ]
    assert written[0].diff == ("deployment/myapp", "- image: myapp:v1", "+ image: myapp:v2")

    await runs(folder, "deploy myapp v3\n", "--context", "dev", "--yes")

    assert (await audit(folder))[:4] == written
    assert (await audit(folder))[4].detail == "Deploy myapp v3"
    assert (folder / "state" / "dev.db").stat().st_mode & 0o777 == 0o600


async def test_without_an_audit_nothing_is_written(world: World, folder: Path) -> None:
    (folder / "state").write_text("a file where the folder should be")

    code, out, err = await runs(folder, "deploy myapp v2\n", "--context", "dev", "--yes")

    assert (code, out) == (2, "")
    assert str(folder / "state") in err
    assert "Traceback" not in err
    assert image(world) == "myapp:v1"


async def test_a_follow_that_a_console_left_is_taken_up_by_the_next(world: World, folder: Path) -> None:
    def leaves() -> None:
        with terminal([*STEERSMAN, "--context", "dev", "--yes"], environ(folder)) as screen:
            screen.sees("▸")
            screen.types(f"deploy myapp v-bad{ENTER}")
            screen.sees("cannot be pulled")
            screen.types(CTRL_D)
            screen.ends()

    def comes_back() -> None:
        with terminal([*STEERSMAN, "--context", "dev", "--yes"], environ(folder)) as screen:
            screen.sees("cannot be pulled")
            screen.types(f"undo myapp{ENTER}")
            screen.sees("is back on v1")
            screen.types(CTRL_D)
            screen.ends()

    await asyncio.to_thread(leaves)
    assert [record.kind for record in await audit(folder)] == ["STARTED"]
    await asyncio.to_thread(comes_back)

    endings = {record.line.split()[0]: record.kind for record in await audit(folder) if record.kind != "STARTED"}
    assert endings == {"deploy": "DONE", "undo": "DONE"}  # the deploy heard of the undo


async def test_two_consoles_work_side_by_side(world: World, folder: Path) -> None:
    both = await asyncio.gather(
        runs(folder, "deploy myapp v2\n", "--context", "dev", "--yes"),
        runs(folder, "scale search 3\n", "--context", "dev", "--yes"),
    )

    assert [(code, err) for code, _, err in both] == [(0, "")] * 2
    assert sorted(record.kind for record in await audit(folder)) == ["DONE", "DONE", "STARTED", "STARTED"]


async def test_what_the_cluster_forbids_this_user_is_refused_by_the_cluster(world: World, folder: Path) -> None:
    code, out, _ = await runs(folder, "deploy myapp v2\n", "--context", "prod", "--yes")

    assert code == 0
    assert "The cluster refused: alice may not patch deployments" in out
    assert image(world, "prod") == "myapp:v1"


@pytest.mark.parametrize(
    ("user", "words"),
    [
        ({}, "anonymous"),
        ({"token": "t", "as": "bob"}, "acts as somebody else"),
        (
            {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "no-such-plugin-here"}},
            "no-such-plugin",
        ),
    ],
    ids=["anonymous", "as somebody else", "a plugin that is not there"],
)
async def test_a_context_that_is_nobodys_own_is_refused(folder: Path, user: Json, words: str) -> None:
    kubeconfig = yaml.safe_load((folder / "config").read_text())
    for entry in kubeconfig["users"]:
        entry["user"] = user
    (folder / "config").write_text(yaml.safe_dump(kubeconfig))

    code, out, err = await runs(folder, "pods\n", "--context", "dev")

    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err


async def test_a_context_that_is_not_there_is_answered_with_those_that_are(folder: Path) -> None:
    code, out, err = await runs(folder, "pods\n", "--context", "dve")

    assert (code, out) == (2, "")
    assert "dve" in err
    assert "dev" in err


async def test_a_cluster_that_is_down_is_said_in_a_sentence(folder: Path) -> None:
    text = (folder / "config").read_text()
    (folder / "config").write_text(re.sub(r"(https://[^:]+):\d+", r"\1:9", text))

    code, out, err = await runs(folder, "pods\n", "--context", "dev")

    assert "Traceback" not in out + err
    assert (code == 2 and err) or "dev" in out
