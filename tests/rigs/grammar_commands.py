"""A registry of commands of every shape that a model can have, for tests of the grammar and of help."""

from enum import StrEnum
from typing import Annotated, Literal

from bot.core.args import AppArgs, Arg, Args, ClusterArgs, Duration, Label, Name, Opt, PlaceArgs, WidePlaceArgs
from bot.core.command import Action, Command, Context, Query, Registry
from bot.core.plan import Plan, Risk
from bot.core.reply import Reply


class Size(StrEnum):
    SMALL = "small"
    LARGE = "large"


class AppCardArgs(AppArgs):
    """Show the card of an app."""


class AppsArgs(WidePlaceArgs):
    """List the apps."""


class DeployArgs(AppArgs):
    """Bring a new version of an app."""

    version: Annotated[str | None, Arg(help="a tag")] = None
    container: Annotated[Label | None, Opt("-c", help="which container")] = None
    reason: Annotated[str, Opt(help="why")] = ""


class ScaleArgs(AppArgs):
    """Change the number of replicas."""

    replicas: Annotated[int, Arg(help="how many", ge=0, le=1000)]
    current: Annotated[int | None, Opt(help="refuse unless it is this now", ge=0)] = None


class UndoArgs(AppArgs):
    """Go back to a revision."""

    to_revision: Annotated[int, Opt("--to", help="which one", ge=0)] = 0


class StatusArgs(AppArgs):
    """Tell how a rollout stands."""


class LogsArgs(AppArgs):
    """Show the last lines of a log."""

    since: Annotated[Duration | None, Opt(help="how far back")] = None
    previous: Annotated[bool, Opt("-p", help="of the run before")] = False


class TopArgs(WidePlaceArgs):
    """Show what uses most."""

    what: Annotated[Literal["pods", "nodes"], Arg(help="of what")] = "pods"
    size: Annotated[Size, Opt(help="how much of it")] = Size.SMALL


class NodesArgs(ClusterArgs):
    """List the nodes."""


class LabelArgs(PlaceArgs):
    """Set labels on an object."""

    name: Annotated[Name, Arg(help="of what")]
    labels: Annotated[tuple[str, ...], Arg(help="key=value")]
    owner: Annotated[tuple[Label, ...], Opt("-o", help="who cares")] = ()
    why: Annotated[str, Opt(help="the reason")]


class HelpArgs(Args):
    """Explain."""

    command: Annotated[tuple[str, ...], Arg(help="which command")] = ()


async def _reply(_ctx: Context, _args: Args) -> Reply:
    return Reply("done")


async def _plan(_ctx: Context, _args: Args) -> Plan:
    return Plan("do nothing", (), Risk.LOW)


def sample_registry() -> Registry:
    def query(name: str, args: type[Args], *aliases: str) -> Query:
        return Query(name, args, (), (f"{name} myapp",), aliases, _reply)

    def action(name: str, args: type[Args], *aliases: str) -> Action:
        return Action(name, args, (), (f"{name} myapp",), aliases, Risk.CHANGE, _plan)

    commands: tuple[Command, ...] = (
        query("app", AppCardArgs),
        query("apps", AppsArgs),
        action("deploy", DeployArgs, "ship"),
        action("scale", ScaleArgs),
        action("rollout undo", UndoArgs),
        query("rollout status", StatusArgs, "status"),
        query("logs", LogsArgs),
        query("top", TopArgs),
        query("nodes", NodesArgs),
        action("label", LabelArgs),
        query("help", HelpArgs, "?"),
    )
    return Registry(commands)
