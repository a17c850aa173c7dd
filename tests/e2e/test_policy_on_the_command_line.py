"""`steersman policy …`, `steersman rbac …` and `demo --policy`, as their owner types them."""

import asyncio
import json
import shutil
import time
from pathlib import Path
from typing import TextIO, cast

import pytest
import yaml
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.demo.seed_people import BOT
from bot.demo.world import ADMIN, World
from bot.settings import Settings
from bot.trial import run_trial

ROOT = Path(__file__).parents[2]
EXAMPLE = str(ROOT / "deploy/policy.yaml")
RBAC = "rbac.authorization.k8s.io"


def steersman(*words: str, **more: str) -> Result:
    return CliRunner().invoke(cli, words, **more)  # type: ignore[arg-type]  # input is text


def explained(person: str, line: str, *more: str) -> Result:
    return steersman("policy", "explain", "--policy", EXAMPLE, "--as", person, line, *more)


def test_a_right_policy_is_told_in_one_sentence() -> None:
    result = steersman("policy", "check", EXAMPLE)

    assert (result.exit_code, result.output) == (
        0,
        "policy.yaml is right: 3 people, 3 roles, 3 grants and 2 gates on `dev` and `prod`.\n",
    )


def test_a_wrong_policy_ends_with_2_and_every_line(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(Path(EXAMPLE).read_text().replace("role: viewer", "role: boss"))

    result = steersman("policy", "check", str(file))

    assert result.exit_code == 2
    assert result.stderr == "The policy is refused.\n  line 28: there is no role `boss` in this policy.\n"


def test_the_schema_is_the_one_in_docs_and_the_example_names_it() -> None:
    printed = steersman("policy", "schema").output

    assert (ROOT / "docs/policy.schema.json").read_text() == printed, (
        "steersman policy schema > docs/policy.schema.json"
    )
    assert json.loads(printed)["additionalProperties"] is False
    assert "$schema=../docs/policy.schema.json" in Path(EXAMPLE).read_text().partition("\n")[0]


def test_a_denial_is_explained_with_who_could() -> None:
    result = explained("alice", "deploy myapp v2 to prod", "--in", "C0SHOPDEV")

    assert result.exit_code == 0
    assert "prod/shop  ✗ @alice may not `deploy` in prod/shop." in result.output
    assert "Who else may  @bob" in result.output
    assert "what is not granted is denied" in result.output


def test_a_permission_is_explained_with_its_rule_and_the_identity() -> None:
    output = explained("U0ALICE01", "deploy db 17 on dev").output

    assert "dev/data  ✓ @alice may `deploy` in dev/data." in output  # its home, by the policy's apps
    assert "Granted by    line 29: the role deployer, on dev in shop, data" in output
    assert "As user       alice@example.com" in output
    assert "With groups   steersman:deployer, steersman:viewer" in output
    assert "Should the plan turn out dangerous: line 33: the requester confirms" in output


def test_a_gate_is_explained_with_its_line() -> None:
    output = explained("bob", "rollout undo myapp in prod/shop").output

    assert "@bob may `rollout undo` in prod/shop once somebody else approves it: @bob." in output
    assert "Held up by    line 34: somebody else approves (@bob)" in output


def test_what_is_anybodys_is_anybodys() -> None:
    assert "@carol may `whoami`" in explained("carol", "whoami").output


@pytest.mark.parametrize(
    ("person", "line", "more", "said"),
    [
        ("alise", "deploy db 17 on dev", (), "Did you mean `alice`?"),
        ("alice", "deplyo db 17 on dev", (), "deploy"),
        ("alice", "deploy db 17", (), "On which cluster?"),
        ("alice", "deploy db 17 --cluster dve", (), "The policy knows no cluster `dve`."),
        ("alice", "deploy myapp 17 on dev", (), "In which namespace?"),
        ("alice", "deploy myapp 17", ("--in", "C0SHOP"), "The policy knows no channel `C0SHOP`."),
    ],
)
def test_what_cannot_be_explained_is_a_sentence_and_exit_code_2(
    person: str, line: str, more: tuple[str, ...], said: str
) -> None:
    result = explained(person, line, *more)

    assert result.exit_code == 2
    assert said in result.stderr
    assert "bug" not in result.stderr


def test_a_policy_that_is_not_there_is_said() -> None:
    result = steersman("rbac", "--policy", "nowhere.yaml")

    assert result.exit_code == 2
    assert "nowhere.yaml cannot be read: No such file or directory" in result.stderr


def test_rights_are_printed_for_one_cluster() -> None:
    several = steersman("rbac", "--policy", EXAMPLE)
    one = steersman("rbac", "--policy", EXAMPLE, "--cluster", "prod", "--mode", "role", "--account", "bots/steer")

    assert several.exit_code == 2
    assert "`dev` and `prod`" in several.stderr
    documents = list(yaml.safe_load_all(one.output))
    assert documents[-1]["subjects"] == [{"kind": "ServiceAccount", "name": "steer", "namespace": "bots"}]
    assert documents[-2]["rules"][-1]["resources"] == ["userextras/steersman/person"]


def test_an_account_that_is_none_is_refused() -> None:
    result = steersman("rbac", "--policy", EXAMPLE, "--cluster", "dev", "--account", "steersman")

    assert result.exit_code == 2
    assert "`steersman` is no ServiceAccount." in result.stderr


async def told(world: World, kubeconfig: Path, user: str, *words: str) -> tuple[int, str]:
    """One run of the command line beside the world, on its own thread: it has an event loop of its own."""
    world.write_kubeconfig(kubeconfig, user)
    runner = CliRunner(env={"STEERSMAN_KUBECONFIG": str(kubeconfig)})
    result = await asyncio.to_thread(runner.invoke, cli, words)
    return result.exit_code, result.output


async def test_the_report_names_who_could_without_the_bot(world: World, tmp_path: Path) -> None:
    clean = await told(world, tmp_path / "k", ADMIN, "rbac", "--report", "--policy", EXAMPLE, "--context", "dev")
    rule = {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["patch"]}
    subject = {"kind": "User", "name": "alice@example.com", "apiGroup": RBAC}
    ref = {"kind": "Role", "name": "edit", "apiGroup": RBAC}
    meta = {"name": "edit", "namespace": "shop"}
    store = world.clusters["dev"].store
    store.create(f"roles.{RBAC}", {"kind": "Role", "metadata": meta, "rules": [rule]})
    store.create(
        f"rolebindings.{RBAC}", {"kind": "RoleBinding", "metadata": meta, "roleRef": ref, "subjects": [subject]}
    )

    found = await told(world, tmp_path / "k", ADMIN, "rbac", "--report", "--policy", EXAMPLE, "--context", "dev")
    closed = await told(world, tmp_path / "k", BOT, "rbac", "--report", "--policy", EXAMPLE, "--context", "dev")

    assert "Nobody but the bot's groups" in clean[1]
    assert found[0] == 0
    assert "1 subject could do it without the bot" in found[1]
    assert "(@alice)" in found[1]
    assert closed[0] == 2
    assert "may not list clusterroles" in closed[1]


async def test_the_audit_finds_the_bot_harmless_and_an_administrator_not(world: World, tmp_path: Path) -> None:
    bot = await told(world, tmp_path / "k", BOT, "rbac", "--audit", "--context", "dev")
    admin = await told(world, tmp_path / "k", ADMIN, "rbac", "--audit", "--context", "dev")

    assert bot[0] == 0
    assert "may do nothing that a bot should not" in bot[1]
    assert admin[0] == 2
    assert "speak as an administrator of the cluster" in admin[1]
    assert "read Secrets" in admin[1]


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on this machine")
@pytest.mark.parametrize("flags", [(), ("--constrained",), ("--mode", "role")])
async def test_the_real_kubectl_applies_what_is_printed(world: World, tmp_path: Path, flags: tuple[str, ...]) -> None:
    printed = tmp_path / "rights.yaml"
    printed.write_text(steersman("rbac", "--policy", EXAMPLE, "--cluster", "dev", *flags).output)
    world.write_kubeconfig(tmp_path / "k", ADMIN)

    applied = await asyncio.create_subprocess_exec(
        "kubectl", "--kubeconfig", tmp_path / "k", "apply", "-f", printed, "-o", "name",
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, errors = await applied.communicate()

    assert applied.returncode == 0, errors.decode()
    assert out.decode().count("\n") == len(list(yaml.safe_load_all(printed.read_text())))


def test_the_demo_is_judged_by_the_policy_that_is_given() -> None:
    script = "@alice can deploy in data\n@carol can deploy\n@alice /k8s deploy cart 1.5.0 in prod/shop\n"

    result = steersman("demo", "--policy", EXAMPLE, input=script)

    assert result.exit_code == 0
    assert "dev/data  ✓ Yes, you may `deploy` in dev/data." in result.output
    assert "✗ No: the policy does not let you `deploy` in dev/shop." in result.output
    assert "✗ You may not `deploy` in prod/shop." in result.output


def test_a_policy_of_other_clusters_is_refused_by_the_demo(tmp_path: Path) -> None:
    file = tmp_path / "p.yaml"
    elsewhere = {"dev:": "eu:", "prod:": "us:", "[dev]": "[eu]", "[prod]": "[us]", "cluster: dev": "cluster: eu"}
    text = Path(EXAMPLE).read_text()
    for here, there in elsewhere.items():
        text = text.replace(here, there)
    file.write_text(text)

    result = steersman("demo", "--policy", str(file), input="apps\n")

    assert result.exit_code == 2
    assert "The demo has the clusters `dev` and `prod`, and the policy only `eu` and `us`." in result.stderr


class Script:
    """Carol asks, the policy's owner makes her a developer, and she asks again once that counts."""

    def __init__(self, file: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.said = ""
        self._file = file
        self._capsys = capsys
        self._lines = 0

    def readline(self) -> str:
        self._lines += 1
        if self._lines == 2:
            self._file.write_text(self._file.read_text().replace("developers: [", "developers: [U0CAROL03, "))
            deadline = time.monotonic() + 60
            while "policy changed" not in self._heard() and time.monotonic() < deadline:
                time.sleep(0.05)
        return "@carol can deploy\n" if self._lines < 3 else ""

    def _heard(self) -> str:
        heard = self._capsys.readouterr()
        self.said += heard.out
        return heard.err


def test_a_change_of_the_file_counts_while_the_demo_runs(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "p.yaml"
    file.write_text(Path(EXAMPLE).read_text())
    script = Script(file, capsys)

    code = run_trial(Settings.model_construct(), file, cast("TextIO", script))

    said = script.said + capsys.readouterr().out
    assert code == 0
    assert said.index("the policy does not let you `deploy`") < said.index("Yes, you may `deploy` in dev/shop.")
