"""Hiding secrets in what is shown, logged and stored: passwords in environments, settings, addresses and foreign words.

What is no Secret is judged by its form (`hidden`, `masked`); the values that an object is known to hold are found again
in whatever words a cluster wraps them (`secrets_in`, `without`).
"""

import base64
import binascii
import json
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final
from urllib.parse import quote, quote_plus

from bot.core.plan import Json, JsonValue

MASK: Final = "***"

# Copies of the whole object as somebody applied it, Secret values included.
_COPIES: Final = re.compile(r"last-applied|last-handled|objectset\.rio\.cattle\.io/applied")
_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+")
_SECRET_WORDS: Final = frozenset(
    {"password", "passwd", "passphrase", "pwd", "pass", "secret", "token", "apikey", "credential", "credentials", "jwt"}
)
_KEY_KINDS: Final = frozenset({"api", "access", "private", "encryption", "signing", "secret"})
# `secretName`, `tokenPath`, `passwordFile`: these say where a secret is, not what it is.
_ABOUT: Final = frozenset(
    {"name", "names", "ref", "refs", "path", "file", "url", "uri", "type", "ttl", "seconds", "expiration", "enabled"}
)
# Bounded, so that a megabyte of settings costs no more than its length.
_ADDRESS: Final = re.compile(
    r"(?P<head>\b[a-z][a-z0-9+.-]{0,30}://[^/\s:@]{0,200}:)(?P<value>[^/\s@]{1,500})(?=@)", re.IGNORECASE
)
_PRIVATE_KEY: Final = re.compile(
    r"(?P<value>-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z))", re.DOTALL
)
_LINE: Final = re.compile(
    r"""^(?P<head>\s*(?:export\s+)?["']?(?P<key>[\w.-]+)["']?\s*[:=]\s*)(?P<value>\S.*)$""", re.MULTILINE
)
_QUOTE: Final = r"""\\{0,3}["']"""
# A shell's quotes know no escape, so there the last one ends the value; JSON's do.
_VALUE: Final = rf"""(?P<value>'[^\n]*'(?![^\s,;)\]}}])|{_QUOTE}(?:\\.|[^"'\\\n])*{_QUOTE}(?![^\s,:;)\]}}])|\S+)"""
# In the middle of a sentence a colon says little ("anonymous token: unexpected status"): there only quotes count.
_SETTING: Final = re.compile(
    rf"""(?P<head>(?<![\w.-])(?P<key>[\w.-]{{1,100}})(?:{_QUOTE})?(?:=|\s=\s|:\s?(?=\\{{0,3}}["'])))(?![=]){_VALUE}"""
)
_NAMED: Final = re.compile(
    rf"""(?P<head>\bname{_QUOTE}?\s?[:=]\s?{_QUOTE}?(?P<key>[\w.-]{{1,100}}){_QUOTE}?,\s?{_QUOTE}?value{_QUOTE}?\s?[:=]\s?)"""
    rf"{_VALUE}",
    re.IGNORECASE,
)
_FLAG: Final = re.compile(rf"""(?P<head>(?<![\w-])--?(?P<key>[a-zA-Z][\w-]{{1,100}}){_QUOTE}?[,\s]\s?){_VALUE}""")
_BEARER: Final = re.compile(r"(?P<head>\b(?:bearer|authorization:? basic)\s+)(?P<value>[\w.~+/=-]{16,})", re.IGNORECASE)
_JWT: Final = re.compile(r"(?P<value>\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?)")
# Without one of these nothing above can match; most of what is shown has none.
_MARKS: Final = re.compile("[=:]|--|earer|EARER|eyJ|asic")
# `postgres` as a password is hidden where it stands, but to take it out of all sentences would make nonsense of them.
_WORD: Final = re.compile(r"[a-z]{0,10}|.{0,4}|\*+", re.DOTALL)
_FRAGMENT: Final = 8  # so many characters of a value in a row are too many
_SHORTEST: Final = 5
_LONGEST: Final = 4096
# What stands between the letters of a value that is wrapped, escaped or put together from pieces.
_BETWEEN: Final = frozenset("\\\"'+|>")


def secretive(key: str) -> bool:
    """Whether a name promises a value to hide, as DB_PASSWORD, apiKey and jwt.secret do and secretName does not."""
    found = [word.lower() for word in _WORDS.findall(key)]
    if not found or found[-1] in _ABOUT:
        return False
    keyed = any(kind in _KEY_KINDS and word == "key" for kind, word in pairwise(found))
    return keyed or any(word in _SECRET_WORDS for word in found)


def hidden(text: str) -> str:
    """Text without the secrets that show by their form: `password=…`, logins in addresses, tokens, private keys."""
    return _hidden(text, set())


def hidden_words(words: Sequence[str]) -> str:
    """A command line in one line, with `--password=x` and `--password x` hidden."""
    return " ".join(_hidden_words(words, set()))


def masked(value: JsonValue) -> JsonValue:
    """A JSON value with everything hidden that looks like a secret, and without copies of applied objects."""
    return _masked(value, set())


def masked_object(value: Json) -> dict[str, JsonValue]:
    """`masked` for an object. A `{name: DB_PASSWORD, value: …}` pair is one, and so is all of `stringData`."""
    return _masked_object(value, set())


def discloses(value: JsonValue) -> bool:
    """Whether `masked` would hide anything of a value."""
    return json.dumps(masked(value)) != json.dumps(value, default=list)


def secrets_in(*objects: JsonValue) -> frozenset[str]:
    """The values that `masked` hides in these objects, and those of Secrets, as far as they can be told from words."""
    found: set[str] = set()
    for value in objects:
        _masked(value, found)
    return frozenset(one for secret in found if not _WORD.fullmatch(one := secret.strip()))


def without(text: str, secrets: Collection[str]) -> str:
    """Text without these values, in whatever form it repeats them, and without fragments of eight characters of them.

    The forms are: plain, escaped for JSON, URL-encoded, base64, hexadecimal, each also broken over lines.
    """
    if not secrets or not text:
        return text
    for bare in (one for one in secrets if len(_tight(one)) < _SHORTEST):  # hardly a letter in it
        text = text.replace(bare, MASK)
    places = [at for at, char in enumerate(text) if not _between(char)]
    tight = _tight(text)
    shown = []
    done = 0
    for start, end in _runs(tight, _fragments(frozenset(secrets))):
        shown += [text[done : places[start]], MASK]
        done = places[end - 1] + 1
    return "".join(shown) + text[done:]


def copies(annotation: str) -> bool:
    """Whether an annotation holds a copy of the whole object."""
    return _COPIES.search(annotation) is not None


def _masked(value: JsonValue, found: set[str]) -> JsonValue:
    if isinstance(value, Mapping):
        return _masked_object(value, found)
    if isinstance(value, Sequence) and not isinstance(value, str):
        if value and all(isinstance(item, str) for item in value):
            return _hidden_words([str(item) for item in value], found)
        return [_masked(item, found) for item in value]
    return _hidden(value, found) if isinstance(value, str) else value


def _masked_object(value: Json, found: set[str]) -> dict[str, JsonValue]:
    name = value.get("name")
    named = isinstance(name, str) and secretive(name)
    of_secret = value.get("kind") == "Secret"
    return {
        key: _masked_item(key, item, found, named=named, of_secret=of_secret)
        for key, item in value.items()
        if not copies(key)
    }


def _masked_item(key: str, item: JsonValue, found: set[str], *, named: bool, of_secret: bool) -> JsonValue:
    if isinstance(item, str) and item and (secretive(key) or (named and key == "value")):
        return _hide(item, found)
    if isinstance(item, Mapping) and (key == "stringData" or (of_secret and key == "data")):
        return {name: _hide(_decoded(each) if key == "data" else each, found) for name, each in item.items()}
    return _masked(item, found)


def _hide(value: JsonValue, found: set[str]) -> str:
    if isinstance(value, str):
        found.add(value)
    return MASK


def _decoded(value: JsonValue) -> JsonValue:
    """A Secret's value as it is meant; what is no text keeps its base64."""
    try:
        return base64.b64decode(str(value), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        return value


def _hidden_words(words: Sequence[str], found: set[str]) -> list[str]:
    """The words of a command line; a word behind a secretive flag is hidden whole."""
    return [
        _hide(word, found)
        if before.startswith("-") and "=" not in before and secretive(before)
        else _hidden(word, found)
        for before, word in pairwise(("", *words))
    ]


def _hidden(text: str, found: set[str]) -> str:
    if _MARKS.search(text) is None:
        return text

    def whole(match: re.Match[str]) -> str:
        found.add(match["value"])
        return f"{match.groupdict().get('head') or ''}{MASK}"

    def keyed(match: re.Match[str]) -> str:
        value = match["value"].strip("\"'\\")
        if not secretive(match["key"]) or not value.strip("*"):
            return match[0]
        found.add(value)
        return f"{match['head']}{MASK}"

    for pattern in (_PRIVATE_KEY, _ADDRESS, _BEARER, _JWT):
        text = pattern.sub(whole, text)
    for pattern in (_NAMED, _LINE, _SETTING, _FLAG):
        text = pattern.sub(keyed, text)
    return text


def _runs(tight: str, fragments: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where fragments stand in a text, those that touch each other as one."""
    sizes = sorted({len(fragment) for fragment in fragments}, reverse=True)
    start = end = -1
    for at in range(len(tight)):
        piece = next((piece for size in sizes if (piece := tight[at : at + size]) in fragments), "")
        if not piece:
            continue
        if at > end and end >= 0:
            yield start, end
        start, end = at if at > end else start, max(end, at + len(piece))
    if end >= 0:
        yield start, end


@lru_cache(maxsize=16)
def _fragments(secrets: frozenset[str]) -> frozenset[str]:
    """All fragments of all forms of these values; what is shorter than one is whole."""
    found: set[str] = set()
    for form in {_tight(form) for secret in secrets for form in _forms(secret[:_LONGEST])}:
        if len(form) >= _SHORTEST:
            found.update(form[at : at + _FRAGMENT] for at in range(max(1, len(form) - _FRAGMENT + 1)))
    return frozenset(found)


def _forms(secret: str) -> Iterator[str]:
    raw = secret.encode(errors="replace")
    encoded = base64.b64encode(raw).decode().rstrip("=")
    yield from (secret, quote(secret, safe=""), quote(secret), quote_plus(secret), json.dumps(secret)[1:-1])
    yield from (encoded, encoded.replace("+", "-").replace("/", "_"), raw.hex())


def _tight(text: str) -> str:
    return "".join(_folded(char) for char in text if not _between(char))


def _between(char: str) -> bool:
    return char.isspace() or char in _BETWEEN


def _folded(char: str) -> str:
    small = char.lower()
    return small if len(small) == 1 else char
