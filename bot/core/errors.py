"""Errors whose message a person may read, each with what to do next.

Everything that is not a `SteersmanError` is a bug: its text never leaves the process, only a reference to it does.

    SteersmanError
    ├── UsageError        the words could not be read
    ├── Ambiguous         the words name several things; carries the choices
    ├── NotFound          the thing named is not there
    ├── Forbidden         the policy or the cluster says no; says which of the two
    ├── Refused           the thing is there, and its state forbids this (kubectl's own refusals)
    ├── Invalid           the cluster rejected the content (400, 422, admission)
    ├── Stale             it changed in between; nothing was written
    └── Unavailable       the cluster, or what stands before it, does not answer
        ├── TimedOut      no answer in time; a write may have happened
        ├── TooManyRequests   429, with the seconds to wait
        └── Expired       410: the resourceVersion is too old, list again
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class Choice:
    """One way out of an error: a label for the button and the command line behind it."""

    label: str
    line: str


class SteersmanError(Exception):
    """What happened (`message`), what to do next (`hint`), and lines that would do it (`choices`)."""

    def __init__(self, message: str, *, hint: str = "", choices: Sequence[Choice] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.choices = tuple(choices)


class UsageError(SteersmanError):
    """The words could not be read as a command. `usage` is the command's own line, where one was recognised."""

    def __init__(
        self,
        message: str,
        *,
        hint: str = "",
        choices: Sequence[Choice] = (),
        suggestions: Sequence[str] = (),
        usage: str = "",
        field: str = "",
    ) -> None:
        super().__init__(message, hint=hint, choices=choices)
        self.suggestions = tuple(suggestions)
        self.usage = usage
        self.field = field


class HelpWanted(SteersmanError):  # `--help` behind a command is a wish, answered by the help of that command
    """The person asked for the help of `command`."""

    def __init__(self, command: str) -> None:
        super().__init__(f"help for {command}")
        self.command = command


class Ambiguous(SteersmanError):
    """The words name several things; `choices` holds a line for each."""


class NotFound(SteersmanError):
    """The thing that was named does not exist, or is hidden from this person."""


class Judge(StrEnum):
    """Who said no."""

    POLICY = "policy"
    CLUSTER = "cluster"


class Forbidden(SteersmanError):
    """Not permitted; `judge` tells whether Steersman's policy or the cluster's own rights refused.

    `at` is the cluster and the namespace, where it is a place that was refused.
    """

    def __init__(self, message: str, *, judge: Judge, hint: str = "", at: tuple[str, str] = ("", "")) -> None:
        super().__init__(message, hint=hint)
        self.judge = judge
        self.at = at


class Refused(SteersmanError):
    """It exists and one may, but its state forbids it: paused, owned by somebody else, nothing to undo, and so on."""


class Invalid(SteersmanError):
    """The API server rejected the content (400, 413, 415, 422, or an admission plugin), in the server's words."""


class Stale(SteersmanError):
    """The target changed since the plan was made; nothing was written."""


class Superseded(SteersmanError):
    """Another process has taken this work over; whatever is still to do or to say is the other's."""


class Unavailable(SteersmanError):
    """The cluster cannot be reached, or it failed (5xx). Nothing is known to have been written."""


class StoreUnavailable(Unavailable):
    """The bot's own database cannot be reached, read or written. What was asked of it has not happened."""


class TimedOut(Unavailable):
    """No answer within the deadline. A write may or may not have happened: read back before saying anything."""


class TooManyRequests(Unavailable):
    """429. Nothing was done; safe to repeat after `retry_after` seconds."""

    def __init__(self, message: str, *, retry_after: float, hint: str = "") -> None:
        super().__init__(message, hint=hint)
        self.retry_after = retry_after


class Expired(Unavailable):
    """410 Gone: the resourceVersion of a list or watch is too old; list again."""
