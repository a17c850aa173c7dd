"""The arguments of a command: one frozen pydantic model each, and the types that its fields may have.

A field marked `Arg()` is positional; `Opt("-n")` adds a short or second spelling to an option; without a mark a field
without a default is positional and one with a default is an option (`bool` = flag, tuple = repeatable).
The model is the only source: the grammar reads it, help reads it, and a form asks for what is missing.

Each ValueError in here finishes a sentence that begins with "it".
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, ClassVar, Final, Self

import durationpy
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, GetCoreSchemaHandler, field_validator
from pydantic_core import CoreSchema, core_schema

from bot.core.text import visible
from bot.core.workload import Kind

_LABEL: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", re.ASCII)
_SUBDOMAIN: Final = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
_CLUSTER: Final = re.compile(r"[A-Za-z0-9]([-A-Za-z0-9_.:/@]*[A-Za-z0-9])?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Arg:
    """A positional argument. `metavar` is how usage shows it; `ge` and `le` bound a number, both inclusive."""

    help: str = ""
    metavar: str = ""
    ge: int | None = None
    le: int | None = None

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Apply the bounds; without any, the type is as it was."""
        schema = handler(source)
        if self.ge is None and self.le is None:
            return schema
        return core_schema.no_info_after_validator_function(self._bounded, schema)

    def _bounded(self, value: object) -> object:
        """Numbers within the bounds, and None, which an optional number may be."""
        if isinstance(value, int) and not (
            (self.ge is None or value >= self.ge) and (self.le is None or value <= self.le)
        ):
            raise ValueError(
                f"must be from {self.ge} to {self.le}"
                if self.ge is not None and self.le is not None
                else f"must be {self.ge} or more"
                if self.ge is not None
                else f"must be {self.le} or less"
            )
        return value


@dataclass(frozen=True, slots=True, init=False)
class Opt(Arg):
    """An option. `names` are spellings besides `--field-name`."""

    names: tuple[str, ...] = ()

    def __init__(
        self,
        *names: str,
        help: str = "",  # noqa: A002 - reads as click's does
        metavar: str = "",
        ge: int | None = None,
        le: int | None = None,
    ) -> None:
        Arg.__init__(self, help, metavar, ge, le)
        object.__setattr__(self, "names", names)


def label(text: str) -> str:
    """Check an RFC 1123 label. Raises ValueError."""
    if len(text) > 63 or not _LABEL.fullmatch(text):
        raise ValueError(
            "must be lower-case letters, digits and dashes (63 at most), with a letter or digit at both ends"
        )
    return text


def _subdomain(text: str) -> str:
    if len(text) > 253 or not _SUBDOMAIN.fullmatch(text):
        raise ValueError("must be lower-case letters, digits, dashes and dots, with a letter or digit at both ends")
    return text


def cluster_name(text: str) -> str:
    """Check the name of a cluster: contexts may be ARNs and `user@host`. Raises ValueError."""
    if len(text) > 253 or not _CLUSTER.fullmatch(text):
        raise ValueError("is not the name of a cluster")
    return text


def _duration(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        duration = durationpy.from_str(value)
    except (durationpy.DurationError, OverflowError) as error:
        raise ValueError("must be a time such as 30s, 15m, 2h or 1d") from error
    if duration <= timedelta():
        raise ValueError("must be more than nothing")
    return duration


Label = Annotated[str, AfterValidator(label)]
"""An RFC 1123 label: what namespaces and containers are named by. Never empty."""
Name = Annotated[str, AfterValidator(_subdomain)]
"""An RFC 1123 subdomain: what most objects are named by. Never empty."""
ClusterName = Annotated[str, AfterValidator(cluster_name)]
"""The name of a cluster in the policy, or of a kubeconfig context."""
Duration = Annotated[timedelta, BeforeValidator(_duration)]
"""A time such as `90s`, `1h30m`, `2d`, above zero; bare numbers are refused."""


@dataclass(frozen=True, slots=True)
class AppRef:
    """What a person writes for an app or one workload: `myapp`, `deploy/web`, `sts/db`."""

    name: str
    kind: Kind | None = None

    def __str__(self) -> str:
        return f"{self.kind.short}/{self.name}" if self.kind else self.name

    @classmethod
    def parse(cls, text: str) -> Self:
        """Upper case is taken for lower: phones capitalise, and Kubernetes has no other names. Raises ValueError."""
        word, slash, rest = text.lower().partition("/")
        if not slash:
            return cls(_subdomain(word))
        if (kind := KIND_WORDS.get(word)) is None:
            raise ValueError("must be an app, or a workload as deploy/web, sts/db, ds/agent")
        return cls(_subdomain(rest), kind)

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Take an AppRef as it is, and text by `parse`."""
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema()),
            ],
            mode="left_to_right",
            serialization=core_schema.to_string_ser_schema(),
        )


KIND_WORDS: Final = {
    word: kind
    for kind in Kind
    for word in (kind.short, kind.resource, kind.kind.lower(), f"{kind.resource}.apps", f"{kind.kind.lower()}.apps")
}
"""Every word that kubectl too takes for a workload kind, lower-case."""


@dataclass(frozen=True, slots=True)
class Where:
    """The place as said, before anybody looked it up.

    `cluster` and `namespace` come from options; `words` from `to prod`, `in shop`, `on prod`, `myapp@prod` and
    `in prod/shop`: each may be a cluster, a namespace or `cluster/namespace`.
    """

    cluster: str = ""
    namespace: str = ""
    words: tuple[str, ...] = ()
    everywhere: bool = False

    def __bool__(self) -> bool:
        return bool(self.cluster or self.namespace or self.words or self.everywhere)


class Args(BaseModel):
    """The base of all argument models. The first line of the docstring is the command's summary."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    takes_namespace: ClassVar[bool] = False
    takes_cluster: ClassVar[bool] = False
    takes_everywhere: ClassVar[bool] = False

    @field_validator("*", mode="before")
    @classmethod
    def _can_be_seen(cls, value: object) -> object:
        """No text of any field is empty or holds what nobody sees, whichever door it came through."""
        for text in value if isinstance(value, tuple | list) else (value,):
            if isinstance(text, str) and (not text.strip() or visible(text) != text):
                raise ValueError("cannot be empty" if not text.strip() else "holds characters that cannot be seen")
        return value


class ClusterArgs(Args):
    """For commands about one cluster: `--cluster`, `on prod`."""

    takes_cluster: ClassVar[bool] = True

    where: Where = Where()


class PlaceArgs(ClusterArgs):
    """For commands about one namespace: `-n`, `--cluster`, `in shop`, `on prod`."""

    takes_namespace: ClassVar[bool] = True


class WidePlaceArgs(PlaceArgs):
    """For commands about one namespace or, with `-A`, all within reach."""

    takes_everywhere: ClassVar[bool] = True


class AppArgs(PlaceArgs):
    """For commands about one app or workload, found before the command runs: `ctx.app`."""

    app: Annotated[AppRef, Arg(help="app, or deploy/…, sts/…, ds/…", metavar="app")]
