"""Which names, labels and annotations the API server takes (k8s.io/apimachinery/pkg/util/validation)."""

from __future__ import annotations

import re

from bot.demo.fields import Problems
from bot.demo.kinds import Kind
from bot.demo.objects import Json, labels_of

LABEL = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{LABEL}(\.{LABEL})*"
_SERVICE = r"[a-z]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN_SAID = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{_SUBDOMAIN}')"
)
LABEL_SAID = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with"
    f" an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '{LABEL}')"
)
_SERVICE_SAID = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character,"
    f" and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is"
    f" '{_SERVICE}')"
)
_VALUE = r"(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_VALUE_SAID = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and"
    f" end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is"
    f" '{_VALUE}')"
)
_QUALIFIED = r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"
_QUALIFIED_SAID = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric"
    f" character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '{_QUALIFIED}')"
)


def check_name(kind: Kind, obj: Json, problems: Problems) -> None:
    """Collect what is wrong with a new object's name; each kind has one of four rules."""
    meta = obj.get("metadata", {})
    name = meta.get("name", "")
    if not name:
        if meta.get("generateName"):
            return
        problems.required("metadata.name", "name or generateName is required")
        return
    if kind.group == "rbac.authorization.k8s.io":
        if name in {".", ".."} or "/" in name or "%" in name:
            problems.invalid("metadata.name", name, "may not contain '/'" if "/" in name else "may not contain '%'")
        return
    pattern, said, longest = _SUBDOMAIN, _SUBDOMAIN_SAID, 253
    if kind.resource == "services":
        pattern, said, longest = _SERVICE, _SERVICE_SAID, 63
    elif kind.resource == "namespaces":
        pattern, said, longest = LABEL, LABEL_SAID, 63
    if not re.fullmatch(pattern, name):
        problems.invalid("metadata.name", name, said)
    if len(name) > longest:
        problems.invalid("metadata.name", name, f"must be no more than {longest} characters")


def check_metadata(obj: Json, problems: Problems) -> None:
    """Collect labels and annotations that the server does not take."""
    check_labels(labels_of(obj), "metadata.labels", problems)
    size = 0
    for key, value in (obj.get("metadata", {}).get("annotations") or {}).items():
        size += len(key) + len(value)
        _qualified(key.lower(), "metadata.annotations", problems)
    if size > 256 * 1024:
        problems.add("metadata.annotations", "FieldValueTooLong", "Too long: may not be more than 262144 bytes")


def check_labels(labels: object, path: str, problems: Problems) -> None:
    """Collect labels whose keys or values the server does not take; ``path`` is where they stand."""
    for key, value in labels.items() if isinstance(labels, dict) else ():
        _qualified(key, path, problems)
        if len(value) > 63:
            problems.invalid(path, value, "must be no more than 63 bytes")
        if not re.fullmatch(_VALUE, value):
            problems.invalid(path, value, _VALUE_SAID)


def _qualified(key: str, path: str, problems: Problems) -> None:
    prefix, slash, name = key.rpartition("/")
    if slash and not re.fullmatch(_SUBDOMAIN, prefix):
        problems.invalid(path, key, f"prefix part {_SUBDOMAIN_SAID}")
    if len(name) > 63:
        problems.invalid(path, key, "name part must be no more than 63 bytes")
    if not re.fullmatch(_QUALIFIED, name):
        problems.invalid(path, key, _QUALIFIED_SAID)
