"""What a person writes for any object that a cluster serves: a kind, a name, `kind/name`, a label selector."""

import re
from dataclasses import dataclass
from typing import Annotated, Final, Self

from pydantic import AfterValidator, GetCoreSchemaHandler, model_validator
from pydantic_core import CoreSchema, core_schema

from bot.core.args import KIND_WORDS, AppRef, Arg, PlaceArgs

_KIND: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*", re.ASCII)
# A path segment: what objects of all kinds are named by at most. Roles have colons (`system:node`).
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]*", re.ASCII)
_SELECTOR: Final = re.compile(r"[A-Za-z0-9._/=!,() -]+", re.ASCII)
_LONGEST: Final = 253
POD_WORDS: Final = frozenset({"pod", "pods", "po"})


def _kind(text: str) -> str:
    if len(text) > _LONGEST or not _KIND.fullmatch(text):
        raise ValueError("is not a kind such as `pods`, `ingress` or `certificates.cert-manager.io`")
    return text


def _name(text: str) -> str:
    if len(text) > _LONGEST or not _NAME.fullmatch(text):
        raise ValueError("must be letters, digits, dashes, dots and colons, with a letter or digit first")
    return text


def _selector(text: str) -> str:
    if not _SELECTOR.fullmatch(text) or not text.strip(" ,"):
        raise ValueError("is not a label selector such as `app=web,tier!=cache`")
    return text


KindWord = Annotated[str, AfterValidator(_kind)]
"""A kind as kubectl takes it: plural, singular, short name, Kind or `plural.group`. Never empty."""
ObjectName = Annotated[str, AfterValidator(_name)]
"""The name of an object of any kind. Never empty: an empty one would address the whole collection."""
Selector = Annotated[str, AfterValidator(_selector)]
"""A label selector; its grammar is judged by the API server."""


@dataclass(frozen=True, slots=True)
class ThingRef:
    """`kind/name` for any kind: `ingress/web`, `pod/web-7f9c`. Workloads are no things: an `AppRef` names them."""

    kind: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}/{self.name}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError with a sentence."""
        kind, slash, name = text.partition("/")
        if not slash:
            raise ValueError("must be an app, or a kind and a name such as `ingress/web`")
        ref = cls(_kind(kind), _name(name))
        if kind.lower() in KIND_WORDS:
            raise ValueError("must be the name of a workload, in small letters, digits and dashes")
        return ref

    @classmethod
    def __get_pydantic_core_schema__(cls, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        return core_schema.union_schema(
            [
                core_schema.is_instance_schema(cls),
                core_schema.no_info_after_validator_function(cls.parse, core_schema.str_schema()),
            ],
            mode="left_to_right",
            serialization=core_schema.to_string_ser_schema(),
        )


class PodRef(ThingRef):
    """`pod/web-7f9c`, where a command takes an app or one pod."""

    __slots__ = ()

    @classmethod
    def parse(cls, text: str) -> Self:
        """Raises ValueError with a sentence."""
        kind, _, name = text.partition("/")
        if kind.lower() not in POD_WORDS:
            raise ValueError("must be an app, or one of deploy/…, sts/…, ds/…, pod/…")
        return cls("pod", _name(name))


class ThingArgs(PlaceArgs):
    """One object of any kind: `kind/name`, `kind name`, or an app."""

    app: Annotated[ThingRef | AppRef, Arg(help="kind/name, a kind with a name behind it, or an app", metavar="what")]
    name: Annotated[ObjectName | None, Arg(help="the name, where only a kind was said")] = None

    @model_validator(mode="before")
    @classmethod
    def _join(cls, values: object) -> object:
        """`ingress web` is `ingress/web` in two words."""
        if isinstance(values, dict) and isinstance(kind := values.get("app"), str) and "/" not in kind:
            name = values.get("name")
            return {**values, "app": f"{kind}/{name}", "name": None} if isinstance(name, str) and name else values
        return values
