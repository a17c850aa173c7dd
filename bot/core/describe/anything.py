"""Any other object: its YAML without the server's bookkeeping, secret-like values hidden, cut to what one reads."""

from datetime import datetime
from typing import Final

from bot.core.describe.metadata import about
from bot.core.diff import yaml_lines
from bot.core.masking import masked_object
from bot.core.plan import Json
from bot.core.reply import Code, Part

_SHOWN_ABOVE: Final = frozenset({"metadata", "apiVersion", "kind"})
_LINES: Final = 120
_CHARACTERS: Final = 6000


def anything(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Metadata as fields, the rest as YAML."""
    rest = {key: value for key, value in manifest.items() if key not in _SHOWN_ABOVE}
    if not rest:
        return (about(manifest, now),)
    lines = list(yaml_lines(masked_object(rest)))
    shown = "\n".join(lines[:_LINES])[:_CHARACTERS]
    missing = len(lines) - len(shown.splitlines())
    cut = f"{missing} more of {len(lines)} lines are not shown." if missing else ""
    return (about(manifest, now), Code(shown, title=f"{manifest.get('kind', 'object')}", cut=cut))
