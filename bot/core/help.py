"""Help, read from the registry and the commands' own models: never written twice."""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias, assert_never

from bot.core.command import Action, Command, Decision, Query, Registry
from bot.core.reply import Button, Buttons, Code, Note, Part, Reply, Table, Tone
from bot.core.suggest import did_you_mean, listed, nearest
from bot.core.usage import Parameter, parameters, place_parameters, summary, usage

EXPLAINING: Final = frozenset({"audit", "can", "help", "rollout history", "versions", "who-can", "whoami", "why"})
"""Queries about the bot, or about how it came to be; all others look at what runs now."""

_WHAT: Final = "What it does"
_GROUPS: Final = ("Ship", "Look", "Explain", "Decide")
_Row: TypeAlias = tuple[str, str]


def overview(registry: Registry, prefix: str = "/k8s") -> Reply:
    """Every command with its summary, grouped by what people do."""
    groups = {group: [command for command in registry if _group(command) == group] for group in _GROUPS}
    return Reply(
        "This is what I understand.",
        parts=(
            *(_table(group, commands) for group, commands in groups.items() if commands),
            Note(
                f"`{prefix}` alone lists the apps, `{prefix} myapp` is an app's card, `{prefix} help scale` says more."
            ),
            Note("Say where as you like: `to prod`, `in shop`, `myapp@prod`, `in prod/shop`, or `--cluster` and `-n`."),
        ),
    )


def command_help(registry: Registry, name: str, prefix: str = "/k8s") -> Reply:
    """One command; or the commands that begin with a word (`rollout`); or the nearest names to an unknown one."""
    name = name.lower()
    if command := registry.find(name):
        return _one(command, prefix)
    if family := [each for each in registry if each.name.startswith(f"{name} ")]:
        return Reply(f"`{name}` goes on with one of these.", parts=(_table(name, family),))
    near = nearest(name, {each.partition(" ")[0] for each in registry.names})
    return Reply(
        f"There is no command `{name}`. {did_you_mean(near)}".strip(),
        Tone.BAD,
        (Buttons(tuple(Button(each, f"help {each}") for each in near)),)
        if near
        else (overview(registry, prefix).parts),
    )


def _one(command: Command, prefix: str) -> Reply:
    return Reply(summary(command), parts=tuple(_parts(command, prefix)))


def _parts(command: Command, prefix: str) -> Iterator[Part]:
    yield Code(usage(command, prefix))
    own = parameters(command.args)
    if arguments := _rows(parameter for parameter in own if parameter.positional):
        yield Table(("Argument", "What it is"), arguments)
    options = (*(parameter for parameter in own if not parameter.positional), *place_parameters(command.args))
    if described := _rows(options):
        yield Table(("Option", "What it is"), described)
    if command.aliases:
        yield Note(f"Also called {listed(command.aliases)}.")
    if command.examples:
        yield Code("\n".join(f"{prefix} {example}" for example in command.examples), "For example")
    if isinstance(command, Query):  # what changes something is never one slip of the finger away
        yield Buttons(tuple(Button(example, example) for example in command.examples))


def _rows(described: Iterable[Parameter]) -> tuple[_Row, ...]:
    return tuple((", ".join(each.spellings) or each.metavar, _explained(each)) for each in described)


def _explained(parameter: Parameter) -> str:
    choices = f"one of {', '.join(parameter.choices)}" if parameter.choices else ""
    return "; ".join(filter(None, (parameter.help, choices)))


def _table(title: str, commands: Iterable[Command]) -> Table:
    return Table((title, _WHAT), tuple((_brief(command), summary(command)) for command in commands))


def _brief(command: Command) -> str:
    """The name and what must be said: options and places are for its own help."""
    return " ".join([command.name, *(each.form for each in parameters(command.args) if each.positional)])


def _group(command: Command) -> str:
    match command:
        case Action():
            return "Ship"
        case Query():
            return "Explain" if command.name in EXPLAINING else "Look"
        case Decision():
            return "Decide"
        case other:
            assert_never(other)
