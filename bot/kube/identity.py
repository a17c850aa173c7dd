"""The headers that say as whom a call is made. They are made here, from an Identity, and nowhere else."""

from typing import assert_never
from urllib.parse import quote

from multidict import CIMultiDict

from bot.core.errors import Refused
from bot.core.people import Identity, Impersonated, KubeconfigUser


def impersonation(identity: Identity) -> CIMultiDict[str]:
    """The Impersonate-* headers of an identity, one line a group: a joined line would be one strange group.

    Raises Refused for a name that a header would change on its way: Go trims blanks, so "sre " would arrive as "sre".
    """
    headers: CIMultiDict[str] = CIMultiDict()
    match identity:
        case KubeconfigUser():
            return headers
        case Impersonated(user, groups, extra):
            headers.add("Impersonate-User", _clean(user))
            for group in groups:
                headers.add("Impersonate-Group", _clean(group))
            for key, values in extra.items():
                for value in values:
                    headers.add(f"Impersonate-Extra-{quote(key.lower(), safe='')}", _clean(value))
            return headers
        case _:
            assert_never(identity)


def _clean(name: str) -> str:
    if not name or name != name.strip() or not name.isprintable():
        raise Refused(
            f"The name {name!r} cannot be sent to a cluster.",
            hint="Correct the person's user and groups in the policy.",
        )
    return name
