"""What the deployment decides: read from the environment (and `.env`) once, at the top, and passed down as a value.

Here belong the settings' names, defaults and limits, and the sentences about wrong ones. Each is an environment
variable `STEERSMAN_<NAME>`; `.env.example` lists them all (a test keeps it equal). Nobody below the root imports this.
"""

import difflib
import os
from enum import StrEnum
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, StringConstraints, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from bot.core.errors import UsageError

PREFIX = "STEERSMAN_"
ENV_FILE = Path(".env")
# Read by the test suite (`make soak`); the processes that a test starts inherit it.
_NAMES_OF_OTHERS = frozenset({"STEERSMAN_SOAK"})


class LogLevel(StrEnum):
    DEBUG = "debug"
    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class LogFormat(StrEnum):
    TEXT = "text"
    JSON = "json"


class Settings(BaseSettings):
    """One value for the life of the process. Build it with `read_settings`, which words the mistakes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX,
        env_file=ENV_FILE,
        env_ignore_empty=True,
        dotenv_filtering="match_prefix",
        extra="forbid",
        frozen=True,
    )

    log_level: Annotated[
        LogLevel,
        BeforeValidator(str.lower),
        Field(description="The least important log line to write, on standard error: debug, info, warning, error"),
    ] = LogLevel.WARNING
    log_format: Annotated[
        LogFormat, BeforeValidator(str.lower), Field(description="What a log line looks like: text or json")
    ] = LogFormat.TEXT
    kubeconfig: Annotated[
        Path | None,
        AfterValidator(lambda path: path and path.expanduser()),
        Field(description="Kubeconfig of the clusters to steer; unset: KUBECONFIG, then ~/.kube/config, as in kubectl"),
    ] = None
    request_timeout_seconds: Annotated[
        float, Field(gt=0, le=300, description="How long one request to a cluster may take")
    ] = 10
    command: Annotated[
        str,
        StringConstraints(pattern=r"^/[a-z0-9_-]{1,31}$"),
        Field(description="The slash command that people type"),
    ] = "/k8s"
    field_manager: Annotated[
        str,
        StringConstraints(pattern=r"^[ -~]{1,128}$"),
        Field(description="The name under which the clusters record our changes (managedFields)"),
    ] = "steersman"
    follow_limit_seconds: Annotated[
        float, Field(gt=0, le=86_400, description="How long a rollout is followed before its verdict is left open")
    ] = 3600
    allow_overprivileged: Annotated[
        bool,
        Field(description="Start although the bot's own login may do too much on a cluster: true or false"),
    ] = False
    database_url: Annotated[
        SecretStr,
        Field(description="Where everything is kept: a SQLite file, or postgresql://user:[password]@host/name"),
    ] = SecretStr("sqlite:///~/.local/state/steersman/steersman.db")
    lease_seconds: Annotated[
        float, Field(ge=2, le=300, description="How long a process may be silent before another takes its work up")
    ] = 15
    checkpoint_key: Annotated[
        Path | None,
        AfterValidator(lambda path: path and path.expanduser()),
        Field(description="The key that signs how far the audit reaches; `steersman audit key --new FILE` makes one"),
    ] = None
    console_state: Annotated[
        Path,
        Field(description="The folder where `steersman console` keeps a database of what it did, one a context"),
    ] = Path("~/.local/state/steersman/console")


def read_settings() -> Settings:
    """The settings of this process: the environment over `.env` over the defaults.

    Raises UsageError for a value that does not fit, and for a `STEERSMAN_` name that does not exist: a misspelt setting
    that is silently the default is found in the incident it causes.
    """
    for name in sorted(os.environ):
        if name.upper().startswith(PREFIX) and name.upper() not in _NAMES_OF_OTHERS:
            _refuse_unknown(name)
    try:
        return Settings()
    except ValidationError as error:
        mistake = error.errors(include_url=False)[0]
        place = str(mistake["loc"][0])
        if mistake["type"] == "extra_forbidden":
            _refuse_unknown(place)
        raise UsageError(
            f"{PREFIX}{place.upper()} is {mistake['input']!r}: {mistake['msg']}",
            hint=f"{Settings.model_fields[place].description} (.env.example has them all)",
        ) from error


def _refuse_unknown(name: str) -> None:
    fields = list(Settings.model_fields)
    wanted = name.lower().removeprefix(PREFIX.lower())
    if wanted in fields:
        return
    near = difflib.get_close_matches(wanted, fields, n=1) or fields
    names = ", ".join(PREFIX + field.upper() for field in near)
    raise UsageError(
        f"There is no setting {PREFIX}{wanted.upper()}",
        hint=f"Did you mean {names}?" if near is not fields else f"There are {names}",
    )
