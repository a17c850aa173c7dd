"""A command as one value: Query, Action or Decision; what a handler is given; and the Registry that collects them.

Every module of `commands/` declares its commands beside their argument models; nothing is registered at import.
"""

import importlib
import pkgutil
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import ModuleType
from typing import Annotated, Any, Protocol, TypeAlias, TypeVar

from bot.core.args import Arg, Args
from bot.core.cluster import Reader, Right
from bot.core.ledger import LedgerReader
from bot.core.people import Actor, Identity
from bot.core.plan import Place, Plan, Risk
from bot.core.reply import Reply
from bot.core.workload import App

A = TypeVar("A", bound=Args)


@dataclass(frozen=True, slots=True)
class Ruling:
    """What the policy says to one person about a command at a place.

    `words` are the condition where it is allowed ("once confirmed (…)", "" without one), else the sentence why not;
    `way_out` then says who could.
    """

    allowed: bool
    words: str = ""
    way_out: str = ""


@dataclass(frozen=True, slots=True)
class Holder:
    """Somebody who may run a command at a place, by which role, and on what condition ("" without one)."""

    name: str
    role: str
    condition: str = ""


class Permissions(Protocol):
    """What the policy says about one person, in words: for `whoami`, `can`, `who-can` and denials."""

    @property
    def policy_name(self) -> str: ...

    def roles(self) -> tuple[tuple[str, str], ...]:
        """(role, where it holds) pairs."""
        ...

    def ruling(self, command: "Command", place: Place) -> Ruling:
        """By the command's own risk; a plan that is more dangerous may meet a stricter condition."""
        ...

    def holders(self, command: "Command", place: Place) -> tuple[Holder, ...]:
        """Everybody who may, the person who asks included."""
        ...


@dataclass(frozen=True, slots=True)
class Context:
    """What a handler is given: who asks, where, and readers bound to that person. Nothing in it can write.

    `place` is resolved (its namespace is "" for cluster-wide commands and for `-A`); `now` is the action's creation
    time, so that planning twice gives one fingerprint; `prefix` is the slash command ("/k8s"); `identities` are the
    person's on every cluster that they may see.
    """

    actor: Actor
    identity: Identity
    place: Place
    target: App | None
    reader: Reader
    everywhere: tuple[Reader, ...]
    ledger: LedgerReader
    permissions: Permissions
    registry: "Registry"
    now: datetime
    prefix: str = "/k8s"
    identities: tuple[tuple[str, Identity], ...] = ()

    @property
    def app(self) -> App:
        """The app of a command whose model is an `AppArgs`."""
        if self.target is None:
            raise LookupError("this command's arguments name no app")
        return self.target

    @property
    def namespace(self) -> str | None:
        """The namespace for a list; None with `-A`."""
        return self.place.namespace or None

    def at(self) -> str:
        """The options that say this place on a command line, for buttons: `--cluster dev -n shop`."""
        namespace = f" -n {self.place.namespace}" if self.place.namespace else ""
        return f"--cluster {self.place.cluster}{namespace}"


@dataclass(frozen=True, slots=True)
class Query:
    """A command that only reads."""

    name: str
    args: type[Args]
    needs: tuple[Right, ...]
    examples: tuple[str, ...]
    aliases: tuple[str, ...]
    run: Callable[[Context, Any], Awaitable[Reply]]


@dataclass(frozen=True, slots=True)
class Action:
    """A command that changes something: it returns a Plan, the pipeline does the rest."""

    name: str
    args: type[Args]
    needs: tuple[Right, ...]
    examples: tuple[str, ...]
    aliases: tuple[str, ...]
    risk: Risk
    plan: Callable[[Context, Any], Awaitable[Plan | Reply]]


class Verdict(StrEnum):
    """What a person may say about an action that waits."""

    CONFIRM = "confirm"
    CANCEL = "cancel"


class DecisionArgs(Args):
    """Decide on an action that waits."""

    id: Annotated[str, Arg(help="the action's id, as its message shows it")]


@dataclass(frozen=True, slots=True)
class Decision:
    """A command that decides on a waiting action; never itself confirmed or approved."""

    name: str
    args: type[DecisionArgs]
    examples: tuple[str, ...]
    verdict: Verdict
    aliases: tuple[str, ...] = ()
    needs: tuple[Right, ...] = ()


Command: TypeAlias = Query | Action | Decision


def query(
    name: str, *, needs: Sequence[Right] = (), examples: Sequence[str] = (), aliases: Sequence[str] = ()
) -> Callable[[Callable[[Context, A], Awaitable[Reply]]], Query]:
    """Declare a reading command. The args model is read from the handler's second annotation."""

    def declare(handler: Callable[[Context, A], Awaitable[Reply]]) -> Query:
        return Query(name, _model(handler), tuple(needs), tuple(examples), tuple(aliases), handler)

    return declare


def action(
    name: str, *, risk: Risk, needs: Sequence[Right], examples: Sequence[str] = (), aliases: Sequence[str] = ()
) -> Callable[[Callable[[Context, A], Awaitable[Plan | Reply]]], Action]:
    """Declare a changing command. A handler may answer with a Reply where it must ask back (a choice of versions)."""

    def declare(handler: Callable[[Context, A], Awaitable[Plan | Reply]]) -> Action:
        return Action(name, _model(handler), tuple(needs), tuple(examples), tuple(aliases), risk, handler)

    return declare


def get(resource: str) -> Right:
    return _right("get", resource)


def list_(resource: str) -> Right:
    return _right("list", resource)


def watch(resource: str) -> Right:
    return _right("watch", resource)


def patch(resource: str) -> Right:
    return _right("patch", resource)


def _right(verb: str, resource: str) -> Right:
    """`deployments.apps/scale` → the right on it."""
    name, _, subresource = resource.partition("/")
    plural, _, group = name.partition(".")
    return Right(verb, group, plural, subresource)


def _model(handler: Callable[..., object]) -> type[Args]:
    annotations = {key: value for key, value in handler.__annotations__.items() if key != "return"}
    model = list(annotations.values())[-1]
    if not (isinstance(model, type) and issubclass(model, Args)):
        raise TypeError(f"{handler.__name__} must take (ctx: Context, args: SomeArgs)")
    return model


class Registry:
    """All commands by name and alias. Two with one name stop the start."""

    def __init__(self, commands: Sequence[Command]) -> None:
        by_name: dict[str, Command] = {}
        for command in commands:
            for name in (command.name, *command.aliases):
                if name in by_name:
                    raise ValueError(f"two commands are called {name!r}")
                by_name[name] = command
        self._by_name: Mapping[str, Command] = dict(sorted(by_name.items()))

    @classmethod
    def of(cls, package: ModuleType) -> "Registry":
        """The command values of every module in a package."""
        found: dict[int, Command] = {}
        for info in pkgutil.iter_modules(package.__path__):
            module = importlib.import_module(f"{package.__name__}.{info.name}")
            for value in vars(module).values():
                if isinstance(value, Query | Action | Decision):
                    found[id(value)] = value
        return cls(sorted(found.values(), key=lambda command: command.name))

    def __iter__(self) -> Iterator[Command]:
        """Each command once, by name."""
        return iter(sorted({id(c): c for c in self._by_name.values()}.values(), key=lambda command: command.name))

    def find(self, name: str) -> Command | None:
        return self._by_name.get(name)

    @property
    def names(self) -> tuple[str, ...]:
        """Names and aliases, sorted."""
        return tuple(self._by_name)
