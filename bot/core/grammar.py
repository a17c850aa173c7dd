"""Words → one command and its validated arguments, or one sentence that says why not.

Which command is meant is decided here; how one command is written, in syntax.py; where, in whereabouts.py.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from bot.core import text, whereabouts
from bot.core.args import Args, Where
from bot.core.command import Command, Registry
from bot.core.errors import Choice, HelpWanted, UsageError
from bot.core.suggest import did_you_mean, listed, nearest
from bot.core.syntax import Syntax, where_of
from bot.core.text import Word, short
from bot.core.usage import HELP

_BOT: Final = "@steersman"


@dataclass(frozen=True, slots=True)
class Parsed:
    """A line that was understood.

    `line` is the canonical command line without the place: what the audit shows and buttons repeat. `guessed` tells
    that no command was named and a single unknown word was taken for an app: where there is no such app,
    `Grammar.unknown` has the answer.
    """

    command: Command
    args: Args
    line: str
    guessed: bool = False

    @property
    def where(self) -> Where:
        """The place as said; empty for a command that takes none."""
        return where_of(self.args)

    def line_at(self, cluster: str, namespace: str) -> str:
        """The line with its place, which reads back as the same arguments there; an empty namespace means all."""
        model = self.command.args
        if not model.takes_cluster:
            return self.line
        namespace = namespace if model.takes_namespace else ""
        return self.line + whereabouts.say(
            Where(cluster, namespace, everywhere=model.takes_everywhere and not namespace)
        )


class Grammar:
    """Reads lines for one registry. The syntax of every command is built once, here."""

    def __init__(self, registry: Registry, prefix: str = "/k8s") -> None:
        """Raises ValueError where two options of a command have one spelling."""
        self.registry = registry
        self.prefix = prefix
        names = frozenset(registry.names)
        self._syntax = {command.name: Syntax(command, prefix, names) for command in registry}

    def parse(self, typed: str) -> Parsed:
        """Read a line as it was typed, with or without the slash command before it.

        Raises:
            UsageError: with usage, suggestions, and lines that would run as choices.
            HelpWanted: `--help` behind a command, or behind the first word of several.

        """
        words = self.words(typed)
        if not words or (not words[0].quoted and words[0].text.lower() in whereabouts.PREPOSITIONS):
            return self._parsed(self._either("apps", "help"), words)
        command, rest = self.find(words)
        if command is not None:
            return self._parsed(command, rest)
        if words[0].text in HELP.spellings and not words[0].quoted:
            return self._parsed(self._either("help"), words[1:])
        if words[0].text.startswith("-") and not words[0].quoted:
            return self._parsed(self._either("apps", "help"), words)
        return self._guess(words)

    def words(self, typed: str) -> tuple[Word, ...]:
        """The words of a line, without the slash command or the bot's name before them."""
        words = text.words(typed)
        return words[1:] if words and words[0].text.lower() in (self.prefix, _BOT) else words

    def find(self, words: Sequence[Word]) -> tuple[Command | None, tuple[Word, ...]]:
        """The command with the longest name that the words begin with, and the words behind it."""
        for length in (2, 1):
            head = words[:length]
            name = " ".join(word.text.lower() for word in head)
            if not any(word.quoted for word in head) and (command := self.registry.find(name)):
                return command, tuple(words[length:])
        return None, tuple(words)

    def unknown(self, word: str, apps: Iterable[str] = ()) -> UsageError:
        """What to say to a word that is neither a command nor one of `apps`."""
        near = nearest(word, (*self._next(()), *apps))
        return UsageError(
            f"There is no command or app `{short(word)}`. {did_you_mean(near)}".strip(),
            hint=self._help,
            suggestions=near,
            choices=self._choices(_split(name if self.registry.find(name) else f"app {name}") for name in near),
        )

    def complete(self, typed: str) -> tuple[str, ...]:
        """What may stand in place of the last, unfinished word: commands, options and closed choices, sorted."""
        try:
            words = list(self.words(typed))
        except UsageError:
            return ()
        last = words.pop().text if words and not typed[-1:].isspace() else ""
        return tuple(sorted({word for word in self._expected(words, last) if word.lower().startswith(last.lower())}))

    def _expected(self, words: list[Word], last: str) -> Iterable[str]:
        command, rest = self.find(words)
        if command is not None and command.name == "help":
            words, command = list(rest), None
        if command is None:
            return self._next(words)
        syntax = self._syntax[command.name]
        if last.startswith("-"):
            return syntax.spellings
        option = syntax.spellings.get(rest[-1].text) if rest else None
        if option is not None and not option.flag:
            return option.choices
        return (*self._next(words), *syntax.choices_after(rest))

    def _next(self, words: Sequence[Word]) -> Iterable[str]:
        """The next words of the command names that begin with these."""
        said = [word.text.lower() for word in words]
        names = [name.split() for name in self.registry.names]
        return [name[len(said)] for name in names if len(name) > len(said) and name[: len(said)] == said]

    @property
    def _help(self) -> str:
        return f"`{self.prefix} help` lists the commands."

    def _either(self, *names: str) -> Command:
        for name in names:
            if command := self.registry.find(name):
                return command
        raise UsageError("This line names no command.", suggestions=self.registry.names)

    def _parsed(self, command: Command, words: Sequence[Word], *, guessed: bool = False) -> Parsed:
        syntax = self._syntax[command.name]
        args = syntax.read(words)
        return Parsed(command, args, syntax.line(args), guessed)

    def _guess(self, words: tuple[Word, ...]) -> Parsed:
        """No command was named: one word may be an app, several are a slip."""
        first = "" if words[0].quoted else words[0].text.lower()
        family = tuple(name for name in self.registry.names if name.startswith(f"{first} "))
        asked = any(word.text in HELP.spellings and not word.quoted for word in words[1:])
        if first and (asked or (family and len(words) == 1)):
            raise HelpWanted(first)
        card = self.registry.find("app")
        if card is not None and not family:
            try:
                return self._parsed(card, words, guessed=True)
            except UsageError as error:
                if error.field == "where":
                    raise
                # More than a name: not an app, but a command whose name is wrong.
        raise self._slip(words, family)

    def _slip(self, words: tuple[Word, ...], family: Sequence[str]) -> UsageError:
        first, rest = words[0], words[1:]
        near = _nearest_to(words, family or self.registry.names)
        meant = [(*_split(name), *words[len(_split(name)) :]) for name in near]
        command, behind = self.find(rest)
        turned = self._choices([(*_split(command.name), first, *behind)]) if command is not None else ()
        if family:
            ways = listed([name.partition(" ")[2] for name in family], "or")
            message = f"`{first.text.lower()}` goes on with {ways}, not with `{short(rest[0].text)}`."
        elif command is not None and turned:  # the app first, as one would say it: `myapp status`
            message = f"The command comes first: `{command.name}`, then `{short(first.text)}`."
            return UsageError(message, suggestions=(command.name,), choices=turned)
        else:
            message = f"There is no command `{short(first.text)}`. {did_you_mean(near)}".strip()
        return UsageError(message, hint=self._help, suggestions=near, choices=self._choices(meant))

    def _choices(self, lines: Iterable[tuple[Word, ...]]) -> tuple[Choice, ...]:
        """Those of the lines that would run."""
        return tuple(Choice(runs, runs) for runs in dict.fromkeys(self._running(lines)))

    def _running(self, lines: Iterable[tuple[Word, ...]]) -> Iterator[str]:
        for words in lines:
            command, rest = self.find(words)
            if command is None:
                continue
            try:
                parsed = self._parsed(command, rest)
            except (UsageError, HelpWanted):
                continue
            yield parsed.line + whereabouts.say(parsed.where)


def _nearest_to(words: Sequence[Word], names: Iterable[str]) -> tuple[str, ...]:
    """The names that these words begin with, nearly: each compared with as many words as it has."""
    by_length = [(length, [name for name in names if len(name.split()) == length]) for length in (2, 1)]
    return tuple(
        found
        for length, candidates in by_length
        if len(words) >= length
        for found in nearest(" ".join(word.text for word in words[:length]), candidates)
    )


def _split(name: str) -> tuple[Word, ...]:
    return tuple(map(Word, name.split()))
