"""Manifests as YAML that people read: a note above each that has one, short lists on one line."""

import textwrap
from collections.abc import Sequence
from typing import Final

import yaml

from bot.rbac.manifests import Manifest

_WIDTH: Final = 120


def text(manifests: Sequence[Manifest], title: str) -> str:
    """A stream of documents for `kubectl apply -f -`, with a title on top."""
    documents = [
        _comment(one.note)
        + yaml.safe_dump(one.body, sort_keys=False, default_flow_style=None, width=_WIDTH, allow_unicode=True)
        for one in manifests
    ]
    return _comment(title) + "---\n".join(documents)


def _comment(note: str) -> str:
    return "".join(f"# {line}\n" for line in textwrap.wrap(note, _WIDTH - 2))
