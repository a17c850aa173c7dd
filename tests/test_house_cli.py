"""The command line: what it costs to ask for help, and how a run ends."""

import re
import subprocess
import sys
from collections.abc import Callable
from types import ModuleType

import click
import pytest
from click.testing import CliRunner, Result

from bot.__main__ import cli
from bot.core.errors import NotFound

Run = Callable[..., Result]


@pytest.fixture
def app(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """A composition root that only notes what it was asked for."""
    stand_in = ModuleType("bot.app")
    ends(stand_in, AssertionError("the demo was not to start"))
    monkeypatch.setitem(sys.modules, "bot.app", stand_in)
    return stand_in


def ends(app: ModuleType, error: BaseException) -> None:
    def run_demo(*_: object) -> int:
        raise error

    app.__dict__["run_demo"] = run_demo


def echo(*words: object) -> int:
    click.echo(" ".join(map(str, words)))
    return 0


def test_help_imports_click_and_nothing_else_of_weight() -> None:
    listing = "import sys, bot.__main__; print(*sorted({name.split('.')[0] for name in sys.modules}))"

    ran = subprocess.run([sys.executable, "-c", listing], capture_output=True, text=True, check=True)

    assert set(ran.stdout.split()) & {"click", "pydantic", "aiohttp", "kubernetes", "rich", "asyncio", "yaml"} == {
        "click"
    }


def test_help_names_every_command() -> None:
    result = CliRunner().invoke(cli, ["--help"])

    assert result.exit_code == 0
    assert re.findall(r"^  (\w+) {2,}\S", result.output, re.MULTILINE) == [
        "audit",
        "console",
        "demo",
        "policy",
        "rbac",
        "version",
    ]


def test_version_is_that_of_the_project() -> None:
    result = CliRunner().invoke(cli, ["version"])

    assert re.fullmatch(r"steersman \d+\.\d+\.\d+\n", result.output)


def test_a_misspelt_command_is_answered_with_the_nearest() -> None:
    result = CliRunner().invoke(cli, ["consol"])

    assert result.exit_code == 2
    assert "Did you mean 'console'?" in result.output


def test_lines_on_standard_input_reach_the_demo_as_its_script(app: ModuleType) -> None:
    app.__dict__["run_demo"] = lambda settings, script: echo(settings.command, script.read())

    result = CliRunner().invoke(cli, ["demo"], input="/k8s status myapp\n")

    assert result.output == "/k8s /k8s status myapp\n\n"


def test_the_exit_code_of_the_run_is_that_of_the_process(app: ModuleType) -> None:
    app.__dict__["run_demo"] = lambda *_: 3

    assert CliRunner().invoke(cli, ["demo"]).exit_code == 3


def test_the_console_passes_on_what_was_asked(app: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> None:
    kubeconfig = tmp_path_factory.mktemp("kube") / "config"
    kubeconfig.touch()
    app.__dict__["run_console"] = lambda settings, *rest: echo(settings.kubeconfig, *rest[:3])

    options = ["--context", "dev", "--kubeconfig", str(kubeconfig), "-n", "shop", "--yes"]
    result = CliRunner().invoke(cli, ["console", *options])

    assert result.output == f"{kubeconfig} dev shop True\n"


def test_a_kubeconfig_that_is_not_there_is_refused(app: ModuleType) -> None:
    result = CliRunner().invoke(cli, ["console", "--kubeconfig", "/no/such/file"])

    assert result.exit_code == 2
    assert "/no/such/file" in result.output


def test_an_error_for_people_is_its_message_and_its_hint(app: ModuleType) -> None:
    ends(app, NotFound("There is no context `prd`", hint="Did you mean `prod`?"))

    result = CliRunner().invoke(cli, ["demo"])

    assert result.exit_code == 2
    assert result.stderr == "There is no context `prd`\nDid you mean `prod`?\n"
    assert result.stdout == ""


def test_a_wrong_setting_stops_the_start(app: ModuleType) -> None:
    result = CliRunner(env={"STEERSMAN_LOG_LEVEL": "loud"}).invoke(cli, ["demo"])

    assert result.exit_code == 2
    assert "STEERSMAN_LOG_LEVEL is 'loud'" in result.stderr


def test_an_interrupt_ends_quietly(app: ModuleType) -> None:
    ends(app, KeyboardInterrupt())

    result = CliRunner().invoke(cli, ["demo"])

    assert result.exit_code == 130
    assert result.output == ""


def test_a_bug_shows_its_kind_and_not_its_text(app: ModuleType) -> None:
    ends(app, ValueError("token abc in /some/path"))

    result = CliRunner().invoke(cli, ["demo"])

    assert result.exit_code == 1
    assert "ValueError" in result.stderr
    assert "abc" not in result.output


def test_debug_shows_where_it_happened(app: ModuleType) -> None:
    ends(app, NotFound("There is no context `prd`"))

    result = CliRunner().invoke(cli, ["--debug", "demo"])

    assert isinstance(result.exception, NotFound)
