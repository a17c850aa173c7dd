"""Hiding what looks like a secret in objects that are no Secrets: passwords in environments, settings and addresses."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Final

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
_ADDRESS: Final = re.compile(r"(?P<head>\b[a-z][a-z0-9+.-]{0,30}://[^/\s:@]*):[^/\s@]+@", re.IGNORECASE)
_PRIVATE_KEY: Final = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*-----|\Z)", re.DOTALL)
_SETTING: Final = re.compile(r"""^(?P<head>\s*(?:export\s+)?["']?(?P<key>[\w.-]+)["']?\s*[:=]\s*)(?P<value>\S.*)$""")


def secretive(key: str) -> bool:
    """Whether a name promises a value to hide, as DB_PASSWORD, apiKey and jwt.secret do and secretName does not."""
    found = [word.lower() for word in _WORDS.findall(key)]
    if not found or found[-1] in _ABOUT:
        return False
    keyed = any(kind in _KEY_KINDS and word == "key" for kind, word in pairwise(found))
    return keyed or any(word in _SECRET_WORDS for word in found)


def hidden(text: str) -> str:
    """Text without the secrets that show by their form: `password=…` lines, credentials in addresses, private keys."""
    return "\n".join(_hidden_line(line) for line in _PRIVATE_KEY.sub(MASK, text).split("\n"))


def hidden_words(words: Sequence[str]) -> str:
    """A command line in one line, with `--password=x` and `--password x` hidden."""
    return " ".join(
        MASK if before.startswith("-") and "=" not in before and secretive(before) else hidden(word)
        for before, word in pairwise(("", *words))
    )


def masked(value: JsonValue) -> JsonValue:
    """A JSON value with everything hidden that looks like a secret, and without copies of applied objects."""
    if isinstance(value, Mapping):
        return masked_object(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [masked(item) for item in value]
    return hidden(value) if isinstance(value, str) else value


def masked_object(value: Json) -> dict[str, JsonValue]:
    """`masked` for an object. A `{name: DB_PASSWORD, value: …}` pair is one, and so is all of `stringData`."""
    name = value.get("name")
    named = isinstance(name, str) and secretive(name)
    return {key: _masked_item(key, item, named=named) for key, item in value.items() if not copies(key)}


def copies(annotation: str) -> bool:
    """Whether an annotation holds a copy of the whole object."""
    return _COPIES.search(annotation) is not None


def _masked_item(key: str, item: JsonValue, *, named: bool) -> JsonValue:
    if isinstance(item, str) and (secretive(key) or (named and key == "value")):
        return MASK
    if key == "stringData" and isinstance(item, Mapping):
        return dict.fromkeys(item, MASK)
    return masked(item)


def _hidden_line(line: str) -> str:
    line = _ADDRESS.sub(rf"\g<head>:{MASK}@", line)
    found = _SETTING.match(line)
    return f"{found['head']}{MASK}" if found and secretive(found["key"]) else line
