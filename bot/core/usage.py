"""An argument model as words: its parameters, its usage line, and the line that says given arguments again."""

from collections.abc import Container
from dataclasses import dataclass
from datetime import timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Annotated, Final, Literal, Union, get_args, get_origin

import durationpy
from pydantic.fields import FieldInfo

from bot.core.args import AppRef, Arg, Args, Opt
from bot.core.command import Command
from bot.core.text import quote
from bot.core.whereabouts import literal


@dataclass(frozen=True, slots=True)
class Parameter:
    """One field of a model as people write it.

    `spellings` is empty for a positional one; `choices` for one that takes any text; `number` and
    `workload` tell that it is an int or an `AppRef`.
    """

    field: str
    metavar: str
    help: str = ""
    spellings: tuple[str, ...] = ()
    required: bool = False
    repeated: bool = False
    flag: bool = False
    number: bool = False
    workload: bool = False
    choices: tuple[str, ...] = ()

    @property
    def positional(self) -> bool:
        return not self.spellings

    @property
    def name(self) -> str:
        """How a sentence names it: `<replicas>`, `--current`."""
        return self.spellings[0] if self.spellings else f"<{self.metavar}>"

    @property
    def form(self) -> str:
        """How usage shows it: `<app>`, `[version]`, `[--current <n>]`, `[command…]`."""
        more = "…" if self.repeated else ""
        if self.flag:
            return f"[{self.name}]"
        if self.spellings:
            shown = f"{self.name} <{self.metavar}>{more}"
            return shown if self.required else f"[{shown}]"
        return f"<{self.metavar}{more}>" if self.required else f"[{self.metavar}{more}]"


CLUSTER: Final = Parameter("cluster", "cluster", "the cluster", ("--cluster", "--context"))
NAMESPACE: Final = Parameter("namespace", "namespace", "the namespace", ("--namespace", "-n"))
EVERYWHERE: Final = Parameter("everywhere", "", "all namespaces within reach", ("--all-namespaces", "-A"), flag=True)
HELP: Final = Parameter("help", "", "what this command does", ("--help", "-h"), flag=True)


def parameters(model: type[Args]) -> tuple[Parameter, ...]:
    """The fields of a model in order, without the place."""
    return tuple(_parameter(name, info) for name, info in model.model_fields.items() if name != "where")


def place_parameters(model: type[Args]) -> tuple[Parameter, ...]:
    """The options that say where, as far as the command takes them."""
    taken = ((CLUSTER, model.takes_cluster), (NAMESPACE, model.takes_namespace), (EVERYWHERE, model.takes_everywhere))
    return tuple(parameter for parameter, takes in taken if takes)


def summary(command: Command) -> str:
    """The first line of the model's docstring."""
    return (command.args.__doc__ or "").strip().partition("\n")[0]


def usage(command: Command, prefix: str = "/k8s") -> str:
    """`/k8s scale <app> <replicas> [--current <n>] [in <place>]`."""
    model = command.args
    place = (
        ("[in <place> | -A]",)
        if model.takes_everywhere
        else ("[in <place>]",)
        if model.takes_namespace
        else ("[on <cluster>]",)
        if model.takes_cluster
        else ()
    )
    return " ".join((prefix, command.name, *(parameter.form for parameter in parameters(model)), *place))


def line(command: Command, args: Args, names: Container[str] = ()) -> str:
    """The command line that says these arguments, without the place; the grammar reads it back as the same.

    `names` are those of all commands: `top "nodes"`, the app, is not `top nodes`, the command.
    """
    first, *more = _said(args) or [""]
    if f"{command.name} {first}".lower() in names:
        first = f'"{first}"'
    return " ".join(filter(None, (command.name, first, *more)))


def _said(args: Args) -> list[str]:
    said: list[str] = []
    for parameter in parameters(type(args)):
        value: object = getattr(args, parameter.field)
        if not parameter.required and value == type(args).model_fields[parameter.field].default:
            continue
        for item in value if isinstance(value, tuple) else (value,):
            if parameter.flag:
                said.append(parameter.name)
            elif parameter.spellings:
                said.append(f"{parameter.name} {quote(_text(item))}")
            else:
                said.append(literal(_text(item)))
    return said


def _text(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.value)
    return durationpy.to_str(value) if isinstance(value, timedelta) else str(value)


def _parameter(field: str, info: FieldInfo) -> Parameter:
    mark = next((mark for mark in info.metadata if isinstance(mark, Arg)), Arg())
    kind = _bare(info.annotation)
    repeated = get_origin(kind) is tuple
    item = _bare(get_args(kind)[0]) if repeated else kind
    option = isinstance(mark, Opt) or (not info.is_required() and type(mark) is Arg and mark not in info.metadata)
    dashed = field.replace("_", "-")
    return Parameter(
        field,
        mark.metavar or ("n" if option and item is int else dashed),
        mark.help,
        tuple(dict.fromkeys((f"--{dashed}", *(mark.names if isinstance(mark, Opt) else ())))) if option else (),
        info.is_required(),
        repeated,
        item is bool,
        item is int,
        item is AppRef,
        _choices(item),
    )


def _bare(annotation: object) -> object:
    """The type inside `Annotated` and `… | None`."""
    while True:
        origin = get_origin(annotation)
        some = [inner for inner in get_args(annotation) if inner is not NoneType]
        if origin is not Annotated and (origin not in (Union, UnionType) or len(some) != 1):
            return annotation
        annotation = some[0]


def _choices(kind: object) -> tuple[str, ...]:
    if get_origin(kind) is Literal:
        return tuple(str(choice) for choice in get_args(kind))
    return tuple(str(choice.value) for choice in kind) if isinstance(kind, type) and issubclass(kind, Enum) else ()
