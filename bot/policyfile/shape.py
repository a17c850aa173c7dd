"""The shape of `policy.yaml`, as pydantic models: keys, types, what each value looks like. The JSON schema is theirs.

What one value says of another (a role that nobody described) is checked in `rules.py`. A ValueError in here finishes
a sentence that begins with "it".
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Final, Literal, Self, TypeVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bot.core.args import ClusterName, Label, Name, label
from bot.core.policy import GROUP_PREFIX, NOBODY, OBSERVER, Mode
from bot.core.text import visible

_RESERVED: Final = ("system:", GROUP_PREFIX)
_NAMESPACES: Final = re.compile(r"[a-z0-9*]([-a-z0-9*]*[a-z0-9*])?", re.ASCII)
_CLUSTERS: Final = re.compile(r"[A-Za-z0-9*]([-A-Za-z0-9_.:/@*]*[A-Za-z0-9*])?", re.ASCII)
_COMMANDS: Final = re.compile(r"[a-z*][-a-z* ]*", re.ASCII)
_KIND: Final = re.compile(r"[a-z0-9]+(\.[a-z0-9]([-a-z0-9.]*[a-z0-9])?)?", re.ASCII)

T = TypeVar("T")


def _matching(pattern: re.Pattern[str], complaint: str, longest: int = 253) -> AfterValidator:
    def check(text: str) -> str:
        if len(text) > longest or not pattern.fullmatch(text):
            raise ValueError(complaint)
        return text

    return AfterValidator(check)


def _plain(text: str) -> str:
    if not text.strip() or text != text.strip() or visible(text) != text or not text.isprintable():
        raise ValueError("must be one line of text that can be seen, without blanks around it")
    return text


def _word(text: str) -> str:
    if any(letter.isspace() for letter in _plain(text)):
        raise ValueError("must be one word")
    return text


def _unreserved(text: str) -> str:
    if reserved := next((start for start in _RESERVED if text.lower().startswith(start)), ""):
        owner = "Kubernetes" if reserved == "system:" else "the bot"
        raise ValueError(f"begins with `{reserved}`, which is reserved to {owner}")
    return text


def _not_the_bots(text: str) -> str:
    if text in (OBSERVER, NOBODY):
        raise ValueError("is the name of a role of the bot itself")
    return text


def _shown(text: str) -> str:
    if text.partition(".")[0] == "secrets":
        raise ValueError("may not be shown: nobody is given Secrets to read")
    return text


def _each_once(items: tuple[T, ...]) -> tuple[T, ...]:
    twice = next((item for at, item in enumerate(items) if item in items[:at]), None)
    if twice is not None:
        raise ValueError(f"names `{twice}` twice")
    return items


_ONCE: Final = (Field(min_length=1), AfterValidator(_each_once))
_PATTERN: Final = "may hold `*` as a wildcard, and otherwise only what such a name may hold"

Line = Annotated[str, Field(max_length=300), AfterValidator(_plain)]
PersonId = Annotated[str, Field(max_length=128), AfterValidator(_word)]
User = Annotated[str, Field(max_length=253), AfterValidator(_word), AfterValidator(_unreserved)]
RoleName = Annotated[
    str, Field(max_length=50), AfterValidator(_unreserved), AfterValidator(label), AfterValidator(_not_the_bots)
]
Namespaces = Annotated[str, _matching(_NAMESPACES, _PATTERN, 63)]
Clusters = Annotated[str, _matching(_CLUSTERS, _PATTERN)]
Commands = Annotated[str, _matching(_COMMANDS, _PATTERN)]
Kind = Annotated[str, _matching(_KIND, "must be a kind as `certificates.cert-manager.io`"), AfterValidator(_shown)]


class Environment(StrEnum):
    """What a cluster is for. On production no write ever falls because nobody said where."""

    PRODUCTION = "production"
    STAGING = "staging"
    DEVELOPMENT = "development"


class Danger(StrEnum):
    """How much an action may do: `low`, `change` (most of them), or `danger` (takes something out of service)."""

    LOW = "low"
    CHANGE = "change"
    DANGER = "danger"


class _Part(BaseModel):
    """Whatever is not a key is refused, and nothing is turned into what it is not."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class ClusterPart(_Part):
    """A cluster, called as its context in the bot's kubeconfig."""

    environment: Annotated[Environment, Field(strict=False)] = Environment.PRODUCTION


class PersonPart(_Part):
    """A person, under their id (in Slack the member id, U…): a name to read, and the Kubernetes user they act as."""

    name: Name
    user: User


class RolePart(_Part):
    """What a role gives: names of commands, patterns of them, or `reads` for all that change nothing."""

    commands: Annotated[tuple[Commands, ...], Field(strict=False), *_ONCE]


class WhoPart(_Part):
    """People by their ids, and groups of them; at least somebody."""

    people: Annotated[tuple[PersonId, ...], Field(strict=False), *_ONCE] = ()
    groups: Annotated[tuple[Label, ...], Field(strict=False), *_ONCE] = ()

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not self.people and not self.groups:
            raise ValueError("names nobody: say `people` or `groups`")
        return self


class GrantPart(WhoPart):
    """These people and groups hold this role on these clusters, in these namespaces."""

    role: RoleName
    clusters: Annotated[tuple[Clusters, ...], Field(strict=False), *_ONCE]
    namespaces: Annotated[tuple[Namespaces, ...], Field(strict=False), *_ONCE]


class ApproversPart(WhoPart):
    """Who may approve: any one of them, never the one who asked."""


class GatePart(_Part):
    """What stands before a granted action: its own requester confirms, or somebody else approves."""

    reason: Line
    confirm: Literal[True] | None = None
    ask: ApproversPart | None = None
    clusters: Annotated[tuple[Clusters, ...], Field(strict=False), *_ONCE] = ("*",)
    commands: Annotated[tuple[Commands, ...], Field(strict=False), *_ONCE] = ("*",)
    risk: Annotated[Danger, Field(strict=False, description="From this risk on.")] = Danger.LOW

    @model_validator(mode="after")
    def _one_outcome(self) -> Self:
        if (self.confirm is None) == (self.ask is None):
            raise ValueError("must say either `confirm: true` or `ask`")
        return self


class ChannelPart(_Part):
    """Where a channel (under its id) speaks of when nobody says a place."""

    cluster: ClusterName
    namespace: Label


class AppPart(_Part):
    """In which namespace an app lives, on every cluster that has it."""

    namespace: Label


class PolicyShape(_Part):
    """Who may do what, where. Nothing is allowed that no grant gives."""

    model_config = ConfigDict(title="Steersman's policy")

    version: Literal[1]
    name: Line
    identity: Annotated[Mode, Field(strict=False)] = Mode.PERSON
    clusters: Annotated[Mapping[ClusterName, ClusterPart], Field(min_length=1)]
    people: Annotated[Mapping[PersonId, PersonPart], Field(min_length=1)]
    groups: Mapping[Label, Annotated[tuple[PersonId, ...], Field(strict=False), *_ONCE]] = {}
    roles: Annotated[Mapping[RoleName, RolePart], Field(min_length=1)]
    grants: Annotated[tuple[GrantPart, ...], Field(strict=False, min_length=1)]
    gates: Annotated[tuple[GatePart, ...], Field(strict=False)] = ()
    channels: Mapping[PersonId, ChannelPart] = {}
    apps: Mapping[Name, AppPart] = {}
    kinds: Annotated[tuple[Kind, ...], Field(strict=False), AfterValidator(_each_once)] = ()
