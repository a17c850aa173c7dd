"""How one command is written: click cuts its options from the words, the rest is assigned, the model validates.

click neither prints nor exits here. Every error is worded here: neither click's nor pydantic's texts reach a person.
"""

import re
from collections import Counter
from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Final, TypeAlias

import click
from pydantic import ValidationError

from bot.core import whereabouts
from bot.core.args import KIND_WORDS, Args, ClusterArgs, Where
from bot.core.command import Command
from bot.core.errors import Choice, HelpWanted, UsageError
from bot.core.suggest import did_you_mean, listed, nearest
from bot.core.text import Word, short
from bot.core.usage import CLUSTER, EVERYWHERE, HELP, NAMESPACE, Parameter, line, parameters, place_parameters, usage

_LITERAL: Final = "\0"  # before a word that click shall not read as an option; text.py leaves none in a line
_NUMBER: Final = re.compile(r"-\d")
_DIGITS: Final = re.compile(r"[0-9]+")
_EQUALS: Final = re.compile(r"(--?[A-Za-z][A-Za-z-]*)=(.*)", re.DOTALL)
_ONE_DASH: Final = re.compile(r"-[A-Za-z][A-Za-z-]+")
_END: Final = ".,!?…"  # a sentence's end, not a name's: phones write a full stop for two spaces
_MOST_NAMED: Final = 3  # words too many that an error repeats

_Said: TypeAlias = dict[Parameter, tuple[str, ...]]
_Values: TypeAlias = dict[str, str | bool | tuple[str, ...]]


class Syntax:
    """The syntax of one command, built once."""

    def __init__(self, command: Command, prefix: str, names: Container[str]) -> None:
        """`names` are those of all commands. Raises ValueError where two options have one spelling."""
        own = parameters(command.args)
        self.command = command
        self._names = names
        self.usage = usage(command, prefix)
        self.positional = tuple(parameter for parameter in own if parameter.positional)
        self.options = (
            *(parameter for parameter in own if not parameter.positional),
            *place_parameters(command.args),
            HELP,
        )
        self.spellings = {spelling: option for option in self.options for spelling in option.spellings}
        counts = Counter(spelling for option in self.options for spelling in option.spellings)
        if twice := [spelling for spelling, count in counts.items() if count > 1]:
            raise ValueError(f"two options of `{command.name}` are called {listed(twice)}")
        self._click = click.Command(
            command.name,
            params=[
                *(_option(f"option{at}", option) for at, option in enumerate(self.options)),
                click.Argument(["words"], nargs=-1, type=click.UNPROCESSED),
            ],
            add_help_option=False,
        )

    def line(self, args: Args) -> str:
        """The canonical line that says these arguments, without the place."""
        return line(self.command, args, self._names)

    def read(self, words: Sequence[Word]) -> Args:
        """The arguments that the words behind the command's name say.

        Raises:
            UsageError: with this command's usage.
            HelpWanted: `--help` is among them.

        """
        try:
            return self._read(words)
        except click.NoSuchOption as error:
            refused = self._no_option(error.option_name, words)
        except UsageError as error:
            refused = error
        refused.usage = self.usage
        raise refused from None

    def choices_after(self, words: Sequence[Word]) -> tuple[str, ...]:
        """The closed choices of the positional that comes next."""
        try:
            at = len(self._cut(words)[0])
        except (click.NoSuchOption, UsageError):
            return ()
        return self.positional[at].choices if at < len(self.positional) else ()

    def _read(self, words: Sequence[Word]) -> Args:
        loose, said = self._cut(words)
        if HELP in said:
            raise HelpWanted(self.command.name)
        counts = any(parameter.number for parameter in self.positional)
        rest, places = whereabouts.take(loose, number_wanted=counts)
        where = self._where(said, places)
        texting = any(not option.flag for option in said)
        return self._validated(self._assigned(rest, texting=texting) | _values(said), where)

    def _cut(self, words: Sequence[Word]) -> tuple[list[Word], _Said]:
        """The words that are no options, and what each option was given (flags: one empty text each time)."""
        try:
            found = self._click.make_context(self.command.name, list(self._argv(words))).params
        except click.BadOptionUsage as error:
            raise UsageError(f"`{error.option_name}` needs a value.") from None
        said: _Said = {}
        for at, option in enumerate(self.options):
            given = found[f"option{at}"]
            if given:
                said[option] = ("",) * given if option.flag else tuple(_value(option, value) for value in given)
                if len(said[option]) > 1 and not option.repeated:
                    raise UsageError(f"`{option.name}` is said twice.", field=option.field)
        return [_loose(word) for word in found["words"]], said

    def _argv(self, words: Sequence[Word]) -> Iterator[str]:
        """The words for click, those marked that are words whatever they look like."""
        literal = False
        for at, word in enumerate(words):
            typed = word.text if word.quoted or at < len(words) - 1 else _unended(word.text)
            assigned = None if literal or word.quoted else _EQUALS.fullmatch(typed)
            if literal or word.quoted or _NUMBER.match(typed):
                yield _LITERAL + typed
            elif typed == "--":
                literal = True
            elif assigned and (option := self.spellings.get(name := self._dashed(assigned[1]))):
                if option.flag:
                    raise UsageError(f"`{name}` is a switch and takes no value.", field=option.field)
                yield from (name, _LITERAL + assigned[2])
            elif (
                typed.lower() == "to"
                and "--to" in self.spellings
                and words[at + 1 : at + 2]
                and words[at + 1].text.isdecimal()
            ):
                yield "--to"
            else:
                yield self._dashed(typed)

    def _dashed(self, word: str) -> str:
        """`-namespace` is meant as `--namespace`, never as `-n amespace`."""
        return f"-{word}" if _ONE_DASH.fullmatch(word) and f"-{word}" in self.spellings else word

    def _where(self, said: _Said, places: Sequence[str]) -> Where:
        cluster, namespace = (said.pop(option, ("",))[0] for option in (CLUSTER, NAMESPACE))
        everywhere = bool(said.pop(EVERYWHERE, ()))
        return whereabouts.where(self.command.args, cluster, namespace, places, everywhere)

    def _assigned(self, words: Sequence[Word], *, texting: bool) -> _Values:
        texts = [word.text for word in words]
        slots = self.positional
        if len(texts) == len(slots) + 1 and slots and slots[0].workload and texts[0].lower() in KIND_WORDS:
            texts[:2] = ["/".join(texts[:2])]  # kubectl's other spelling: `rollout status deployment web`
        many = bool(slots) and slots[-1].repeated
        if len(texts) > len(slots) and not many:
            extra = [short(text) for text in texts[len(slots) :][:_MOST_NAMED]]
            takes = " ".join(slot.form for slot in slots) or "nothing more"
            raise UsageError(
                f"`{self.command.name}` takes {takes}: {listed(extra)} cannot stand there.",
                hint="A text of several words stands in double quotes." if texting else "",
            )
        values: _Values = dict(zip((slot.field for slot in slots), texts, strict=False))
        if many and len(texts) >= len(slots):
            values[slots[-1].field] = tuple(texts[len(slots) - 1 :])
        return values

    def _validated(self, values: _Values, where: Where) -> Args:
        missing = [
            option for option in (*self.positional, *self.options) if option.required and option.field not in values
        ]
        if missing:
            raise UsageError(
                f"`{self.command.name}` needs {listed([option.name for option in missing])}.", field=missing[0].field
            )
        model = self.command.args
        place: Mapping[str, Where] = {"where": where} if model.takes_cluster else {}
        try:
            return model.model_validate({**values, **place})
        except ValidationError as error:
            raise self._misfit(error, values) from None

    def _misfit(self, error: ValidationError, values: _Values) -> UsageError:
        """Why a value does not fit, in one sentence: of a union's complaints, the most telling one."""
        details = min(error.errors(include_url=False, include_input=False), key=lambda each: _RANK.get(each["type"], 9))
        field, *inside = details["loc"] or ("",)
        parameter = next((each for each in (*self.positional, *self.options) if each.field == field), None)
        if parameter is None:  # the model as a whole complains
            return UsageError(f"`{self.command.name}` cannot be read: it {details.get('ctx', {}).get('error', '')}.")
        value = values[parameter.field]
        item = value[inside[0]] if isinstance(value, tuple) and inside and isinstance(inside[0], int) else value
        near = nearest(str(item), parameter.choices)
        match details["type"]:
            case "value_error":
                why = str(details["ctx"]["error"])
            case "literal_error" | "enum":
                why = f"must be {listed(parameter.choices, 'or')}"
            case "int_parsing" | "int_from_float" | "int_parsing_size":
                why = "must be a whole number" if not _DIGITS.fullmatch(str(item)) else "is far too large"
            case _:
                why = "has another form"
        return UsageError(
            f"`{short(str(item))}` does not fit {parameter.name}: it {why}." if item else f"`{parameter.name}` {why}.",
            hint=did_you_mean(near),
            suggestions=near,
            field=parameter.field,
        )

    def _no_option(self, name: str, words: Sequence[Word]) -> UsageError:
        command = self.command.name
        for option, why in _PLACELESS.items():
            if name in option.spellings:
                return UsageError(f"`{command}` has no `{name}`: it {why}.", field="where")
        long = [spelling.removeprefix("--") for spelling in self.spellings if spelling.startswith("--")]
        near = tuple(f"--{found}" for found in nearest(name.lstrip("-"), long))
        return UsageError(
            f"`{command}` has no option `{short(name)}`. {did_you_mean(near)}".strip(),
            suggestions=near,
            choices=self._mended(name, near[0], words) if near else (),
        )

    def _mended(self, wrong: str, right: str, words: Sequence[Word]) -> tuple[Choice, ...]:
        """The line with the nearest option in place of the wrong one, if that would run."""
        pattern = re.compile(rf"{re.escape(wrong)}(?=$|=)")
        mended = [word if word.quoted else Word(pattern.sub(right, word.text, count=1)) for word in words]
        try:
            args = self._read(mended)
        except (click.NoSuchOption, UsageError, HelpWanted):
            return ()
        runs = self.line(args) + whereabouts.say(where_of(args))
        return (Choice(runs, runs),)


def where_of(args: Args) -> Where:
    """The place as said; empty for a command that takes none."""
    return args.where if isinstance(args, ClusterArgs) else Where()


_PLACELESS: Final = {
    NAMESPACE: "takes no namespace",
    CLUSTER: "takes no place",
    EVERYWHERE: "is about one place at a time",
}

# How telling a complaint of pydantic's is, where a union has several: our own sentences first, the bare type last.
_RANK: Final = {"value_error": 0, "literal_error": 1, "enum": 1, "is_instance_of": 8, "none_required": 9}


def _option(name: str, parameter: Parameter) -> click.Option:
    """Collects every time that it is said: twice is for us to judge."""
    if parameter.flag:
        return click.Option([name, *parameter.spellings], count=True)
    return click.Option([name, *parameter.spellings], multiple=True, type=click.UNPROCESSED)


def _value(option: Parameter, value: str) -> str:
    if value.startswith("-") and value != "-":  # unmarked: the next option, which click takes for the value
        raise UsageError(f"`{option.name}` needs a value.", field=option.field)
    if value == _LITERAL:
        raise UsageError(f"`{option.name}` cannot be empty.", field=option.field)
    return value.removeprefix(_LITERAL)


def _values(said: _Said) -> _Values:
    return {
        option.field: True if option.flag else given if option.repeated else given[0] for option, given in said.items()
    }


def _loose(word: str) -> Word:
    if word.startswith(_LITERAL):
        return Word(word.removeprefix(_LITERAL), quoted=True)
    return Word(_unended(word))


def _unended(word: str) -> str:
    return word.rstrip(_END) or word
