"""One thing that is wrong with a pod or with the making of pods, as a value, and how its words are cut to size."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from bot.core.pod import Event, LogRequest, Pod

CLOCK_SKEW: Final = timedelta(seconds=5)
"""How far the clocks of the nodes, of the API server and our own may differ when their times are compared."""
_LONGEST: Final = 300


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `certain`: it stops the rollout and does not heal by waiting; otherwise it is a hint.

    `title` stands in a headline ("image cannot be pulled"), `sentence` explains it with pod and container, `hint` says
    what to do next, `evidence` is the cluster's own text, trimmed. `log` is the log that tells more, None where nothing
    ever ran. `fields` are the fields of the object that can bring it about, the most telling first.
    """

    reason: str
    title: str
    sentence: str
    hint: str
    certain: bool
    fields: tuple[str, ...]
    pod: str = ""
    container: str = ""
    evidence: str = ""
    log: LogRequest | None = None


def trim(message: str, longest: int = _LONGEST) -> str:
    """On one line, without repeated blanks, and cut with an ellipsis."""
    line = " ".join(message.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def events_of(pod: Pod, events: tuple[Event, ...], *reasons: str) -> tuple[Event, ...]:
    """The events of this very pod (a StatefulSet reuses names) with one of these reasons, newest last."""
    return tuple(
        event
        for event in events
        if event.kind == "Pod"
        and event.name == pod.name
        and event.reason in reasons
        and event.last >= pod.created - CLOCK_SKEW
    )
