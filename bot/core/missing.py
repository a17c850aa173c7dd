"""What to say of an object that is not there: the names that are nearest, as far as this person may read them."""

from collections.abc import Callable

from bot.core.cluster import Reader, ServedKind
from bot.core.errors import Choice, NotFound, SteersmanError
from bot.core.suggest import did_you_mean, nearest


async def not_found(
    reader: Reader, kind: ServedKind, namespace: str, name: str, error: NotFound, line: Callable[[str], str]
) -> NotFound:
    """The error with the nearest names; `line` is the command line that would say one of them instead."""
    try:
        near = nearest(name, await reader.objects.names(kind, namespace if kind.namespaced else ""))
    except SteersmanError:
        return error
    choices = [Choice(other, line(other)) for other in near]
    place = f"in {reader.cluster}/{namespace}" if kind.namespaced else f"on {reader.cluster}"
    message = f"There is no {kind.singular or kind.kind.lower()} `{name}` {place}."
    return NotFound(message, hint=did_you_mean(near) or error.hint, choices=choices)
