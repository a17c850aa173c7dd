"""Settings: what the environment may say, what is refused, and that .env.example tells all of it."""

import re
from pathlib import Path

import pytest
from pydantic import SecretStr

from bot.core.errors import UsageError
from bot.settings import PREFIX, LogLevel, Settings, read_settings

EXAMPLE = (Path(__file__).parents[1] / ".env.example").read_text()


@pytest.fixture(autouse=True)
def an_empty_folder_and_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for field in Settings.model_fields:
        monkeypatch.delenv(PREFIX + field.upper(), raising=False)


def test_the_example_lists_every_setting_with_its_comment_and_default() -> None:
    listed = re.findall(r"^# (.+)\n# (STEERSMAN_\w+)=(.*)$", EXAMPLE, re.MULTILINE)

    fields = Settings.model_fields
    assert listed == [
        (field.description, PREFIX + name.upper(), written(field.default)) for name, field in fields.items()
    ]


def written(default: object) -> str:
    """A default as a person writes it."""
    if isinstance(default, SecretStr):
        return default.get_secret_value()
    return "" if default is None else str(default)


def test_the_example_changes_nothing_until_somebody_uncomments() -> None:
    assert not [line for line in EXAMPLE.splitlines() if line and not line.startswith("#")]


def test_the_example_uncommented_is_accepted_and_means_the_defaults() -> None:
    Path(".env").write_text(re.sub(r"^# STEERSMAN", "STEERSMAN", EXAMPLE, flags=re.MULTILINE))

    assert read_settings() == Settings.model_construct()


def test_the_environment_comes_before_the_file(monkeypatch: pytest.MonkeyPatch) -> None:
    Path(".env").write_text("STEERSMAN_COMMAND=/file\nSTEERSMAN_LOG_LEVEL=ERROR\nSOMEBODY_ELSES=1\n")
    monkeypatch.setenv("STEERSMAN_COMMAND", "/steer")

    settings = read_settings()

    assert settings.command == "/steer"
    assert settings.log_level is LogLevel.ERROR


def test_a_tilde_is_the_home_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STEERSMAN_KUBECONFIG", "~/clusters.yaml")

    assert read_settings().kubeconfig == Path.home() / "clusters.yaml"


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("STEERSMAN_LOG_LEVL", "Did you mean STEERSMAN_LOG_LEVEL?"),
        ("steersman_kube_config", "Did you mean STEERSMAN_KUBECONFIG?"),
        ("STEERSMAN_XYZZY", "There are STEERSMAN_LOG_LEVEL"),
    ],
)
@pytest.mark.parametrize("place", ["environment", "file"])
def test_a_setting_that_does_not_exist_is_refused(
    name: str, hint: str, place: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if place == "file":
        Path(".env").write_text(f"{name}=1\n")
    else:
        monkeypatch.setenv(name, "1")

    with pytest.raises(UsageError, match=f"There is no setting {name.upper()}") as refused:
        read_settings()

    assert refused.value.hint.startswith(hint)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("LOG_LEVEL", "loud"),
        ("LOG_FORMAT", "xml"),
        ("REQUEST_TIMEOUT_SECONDS", "0"),
        ("REQUEST_TIMEOUT_SECONDS", "soon"),
        ("REQUEST_TIMEOUT_SECONDS", "nan"),
        ("COMMAND", "k8s"),
        ("COMMAND", "/two words"),
        ("FIELD_MANAGER", "x" * 129),
        ("FOLLOW_LIMIT_SECONDS", "0"),
        ("LEASE_SECONDS", "1"),
    ],
)
def test_a_value_that_does_not_fit_is_refused_by_name(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(PREFIX + name, value)

    with pytest.raises(UsageError, match=f"{PREFIX}{name} is '{re.escape(value)}'") as refused:
        read_settings()

    assert ".env.example" in refused.value.hint


def test_settings_cannot_be_changed_afterwards() -> None:
    settings = read_settings()

    with pytest.raises(ValueError, match="frozen"):
        settings.command = "/other"  # type: ignore[misc]  # the plugin knows that it is frozen, and so does the test
