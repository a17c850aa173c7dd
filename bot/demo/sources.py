"""What the API server asks of the cluster's other half: what containers have written and what pods use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Protocol

from bot.demo.objects import Json


class Line(Protocol):
    """One line of a container's log."""

    @property
    def at(self) -> datetime: ...
    @property
    def text(self) -> str: ...


class LogSource(Protocol):
    def lines(self, pod: Json, container: str, *, previous: bool) -> Sequence[Line]:
        """Return all that the container's run (or the one before it) has written by now, oldest first.

        The server has checked that there is such a run, and cuts the lines to what was asked for.
        """
        ...


class Usage(Protocol):
    """CPU in thousandths of a core, memory in bytes."""

    @property
    def cpu(self) -> int: ...
    @property
    def memory(self) -> int: ...


class MetricsSource(Protocol):
    def pod(self, pod: Json) -> Mapping[str, Usage]:
        """Return the usage by container name; empty when nothing of the pod runs."""
        ...

    def node(self, node: Json) -> Usage: ...
