"""What every object has: labels, annotations, owner, age, conditions, events; and the tables of the last two."""

from collections.abc import Sequence
from datetime import datetime

from bot.core.ages import age
from bot.core.describe.tree import items, listed, mapping, pairs, text, time, words
from bot.core.diff import ACTION_ANNOTATION
from bot.core.masking import copies, hidden
from bot.core.plan import Json
from bot.core.pod import Event
from bot.core.reply import Fields, Note, Part, Table, Text, Tone, fields

_EVENTS = 10
_LONGEST = 200
# Bookkeeping of controllers, and our own, that says nothing to a person.
_SILENT = (
    ACTION_ANNOTATION,
    "deployment.kubernetes.io/",
    "pv.kubernetes.io/",
    "control-plane.alpha.kubernetes.io/",
    "autoscaling.alpha.",
)


def about(manifest: Json, now: datetime, *, annotation_values: bool = True) -> Fields:
    """Labels, annotations, controller and age. `annotation_values` False names the annotations only (Secrets)."""
    created = time(manifest, "metadata.creationTimestamp")
    return fields(
        [
            ("Labels", pairs(mapping(manifest, "metadata.labels"))),
            ("Annotations", annotations(manifest, values=annotation_values)),
            ("Controlled by", ", ".join(_controllers(manifest))),
            ("Created", f"{created:%Y-%m-%d %H:%M} UTC ({age(created, now)})" if created else None),
        ]
    )


def annotations(manifest: Json, *, values: bool = True) -> str:
    """The annotations that a person may want, a line each. Copies of the applied object are never among them."""
    shown = {
        key: text(value)
        for key, value in mapping(manifest, "metadata.annotations").items()
        if not copies(key) and not key.startswith(_SILENT)
    }
    return listed(f"{key}={_short(hidden(value))}" if values else key for key, value in shown.items())


def going(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """A warning about an object that is being deleted, and what it waits for."""
    since = time(manifest, "metadata.deletionTimestamp")
    if since is None:
        return ()
    waits = ", ".join(words(manifest, "metadata.finalizers"))
    return (Note(f"It is being deleted since {age(since, now)}{f'; waits for {waits}' if waits else ''}.", Tone.WARN),)


def conditions(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """The table of status conditions, where there are any."""
    rows = tuple(
        (
            text(item, "type"),
            text(item, "status"),
            age(since, now) if (since := time(item, "lastTransitionTime")) else "",
            text(item, "reason"),
            hidden(text(item, "message")),
        )
        for item in items(manifest, "status.conditions")
    )
    return (Table(("Condition", "Status", "For", "Reason", "Message"), rows),) if rows else ()


def event_table(events: Sequence[Event], now: datetime, *, most: int, namespaces: bool = False) -> Table:
    """Events, newest last, the last `most` of them."""
    rows = tuple(
        (
            *((event.namespace,) if namespaces else ()),
            event_age(event, now),
            event.type,
            event.reason,
            f"{event.kind.lower()}/{event.name}",
            event.message,
        )
        for event in events[-most:]
    )
    columns = ("Age", "Type", "Reason", "Object", "Message")
    return Table(("Namespace", *columns) if namespaces else columns, rows, len(events))


def event_age(event: Event, now: datetime) -> str:
    """How `kubectl describe` says it: `4 m (x3 over 20 m)`."""
    last = age(event.last, now)
    if event.count <= 1:
        return last
    return f"{last} (x{event.count} over {age(event.first or event.last, now)})"


def recent(events: Sequence[Event], now: datetime) -> tuple[Part, ...]:
    """The events part of a description. An empty one is said: events live for an hour only."""
    if not events:
        return (Text("No events in the last hour."),)
    return (event_table(events, now, most=_EVENTS),)


def _short(value: str) -> str:
    return value if len(value) <= _LONGEST else f"{value[:_LONGEST]}…"


def _controllers(manifest: Json) -> tuple[str, ...]:
    return tuple(
        f"{text(owner, 'kind').lower()}/{text(owner, 'name')}" for owner in items(manifest, "metadata.ownerReferences")
    )
