"""Where, as people say it: `to prod`, `in shop`, `myapp@prod`, `in prod/shop`. Taken out of a line, and said again.

Nothing is looked up here: whether a word is a cluster or a namespace is decided by who knows the clusters.
"""

import re
from collections.abc import Sequence
from typing import Final

from bot.core.args import Args, Where, cluster_name, label
from bot.core.errors import UsageError
from bot.core.suggest import listed
from bot.core.text import Word, quote, short

PREPOSITIONS: Final = frozenset({"to", "in", "on", "at", "from", "into"})

_MOST_NAMED: Final = 3  # places that an error repeats; a place has two names at most
# An image's own @ says no place, not even with a digest that is too short.
_DIGEST: Final = r"(?!sha(?:256|512):|[a-z0-9]+:[0-9A-Fa-f]{32,}$)"
_AT: Final = re.compile(rf"(?P<word>[^@]+)@{_DIGEST}(?P<place>[A-Za-z0-9][-A-Za-z0-9_./:@]*)", re.ASCII)


def take(words: Sequence[Word], *, number_wanted: bool) -> tuple[tuple[Word, ...], tuple[str, ...]]:
    """Part the words of a line into arguments and places.

    With `number_wanted`, `to 5` says how many, not where. Raises UsageError for a preposition with nothing behind it.
    """
    rest: list[Word] = []
    places: list[str] = []
    coming = iter(words)
    for word in coming:
        if not word.quoted and word.text.lower() in PREPOSITIONS:
            place = next(coming, Word(""))
            if not place.text:
                raise UsageError(
                    f"`{word.text}` says no place.",
                    hint=f"Name a cluster or a namespace behind it: `{word.text} prod`.",
                    field="where",
                )
            if number_wanted and place.text.lstrip("-").isdecimal():
                rest.append(place)
            else:
                places.append(place.text)
        elif not word.quoted and (found := _AT.fullmatch(word.text)):
            rest.append(Word(found["word"]))
            places.append(found["place"])
        else:
            rest.append(word)
    return tuple(rest), tuple(places)


def where(model: type[Args], cluster: str, namespace: str, words: Sequence[str], everywhere: bool) -> Where:
    """The place that options and words say together.

    Raises UsageError where a name is malformed, or where they say more places than the command takes.
    """
    for text, check in ((cluster, cluster_name), (namespace, label), *((word, cluster_name) for word in words)):
        try:
            check(text) if text else None
        except ValueError as error:
            raise UsageError(f"`{short(text)}` is no place: it {error}.", field="where") from error
    said = tuple(dict.fromkeys(word for word in words if not (cluster and namespace and word in (cluster, namespace))))
    _agree(model, cluster, namespace, said, everywhere)
    return Where(cluster, namespace, said, everywhere)


def say(place: Where) -> str:
    """The words for a place, for the end of a line."""
    return "".join(
        (
            f" --cluster {quote(place.cluster)}" if place.cluster else "",
            f" -n {quote(place.namespace)}" if place.namespace else "",
            " -A" if place.everywhere else "",
            *(f" in {quote(word)}" for word in place.words),
        )
    )


def literal(text: str) -> str:
    """The text as one word that says no place."""
    return f'"{text}"' if text.lower() in PREPOSITIONS or _AT.fullmatch(text) else quote(text)


def _agree(model: type[Args], cluster: str, namespace: str, words: Sequence[str], everywhere: bool) -> None:
    """Refuse what cannot be one place, whatever the names turn out to mean."""
    names = [name for name in (cluster, namespace, *words) if name]
    if names and not model.takes_cluster:
        raise UsageError(f"This command takes no place, and {listed(names[:_MOST_NAMED])} is said.", field="where")
    if namespace and everywhere:
        raise UsageError(
            f"`-A` means all namespaces, and `{namespace}` is one of them.",
            hint="Leave one of the two out.",
            field="where",
        )
    # A cluster and a namespace are two names; `prod/shop` is both at once. ARNs, too, have slashes, and a colon.
    whole = next((word for word in words if "/" in word and ":" not in word), "")
    single = everywhere or not model.takes_namespace
    if whole and single:
        raise UsageError(
            f"`{whole}` names a namespace, and this is about a whole cluster.",
            hint="Name the cluster alone.",
            field="where",
        )
    others = set(names) - {whole, *whole.split("/", 1)} if whole else set(names)
    if len(others) > (0 if whole else 1 if single else 2):
        raise UsageError(
            f"The place is said several times: {listed(list(dict.fromkeys(names))[:_MOST_NAMED])}.",
            hint="Say one.",
            field="where",
        )
