"""A pod in words: where it runs, and the state of each container."""

from datetime import datetime

from bot.core.ages import age, ago
from bot.core.describe.metadata import about, conditions
from bot.core.describe.podspec import pod_spec
from bot.core.describe.tree import items, mapping, number, text, time
from bot.core.masking import hidden
from bot.core.plan import Json
from bot.core.reply import Fields, Part, fields


def pod(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Phase, node and addresses; each container with state, restarts and spec; conditions."""
    status, spec = mapping(manifest, "status"), mapping(manifest, "spec")
    started = time(status, "startTime")
    head = fields(
        [
            ("Phase", text(status, "phase")),
            ("Reason", " ".join(part for part in (text(status, "reason"), hidden(text(status, "message"))) if part)),
            ("Node", " ".join(part for part in (text(spec, "nodeName"), text(status, "hostIP")) if part) or "none yet"),
            ("Pod IP", ", ".join(text(item, "ip") for item in items(status, "podIPs")) or text(status, "podIP")),
            ("Started", ago(started, now) if started else None),
            ("Quality of service", text(status, "qosClass")),
        ]
    )
    states = [
        (text(item, "name"), _state(item, now))
        for key in ("initContainerStatuses", "containerStatuses")
        for item in items(status, key)
    ]
    return (head, about(manifest, now), *pod_spec(spec, states), *conditions(manifest, now))


def _state(status: Json, now: datetime) -> Fields:
    restarts = number(status, "restartCount")
    return fields(
        [
            ("State", _words(mapping(status, "state"), now)),
            ("Before", _words(mapping(status, "lastState"), now)),
            ("Ready", "yes" if status.get("ready") is True else "no"),
            ("Restarts", str(restarts) if restarts else None),
            ("Image id", text(status, "imageID")),
        ]
    )


def _words(state: Json, now: datetime) -> str:
    if waiting := mapping(state, "waiting"):
        message = hidden(text(waiting, "message"))
        return f"waiting: {text(waiting, 'reason')}{f' ({message})' if message else ''}"
    if ended := mapping(state, "terminated"):
        finished, message = time(ended, "finishedAt"), hidden(text(ended, "message").strip())
        when = f" {ago(finished, now)}" if finished else ""
        detail = f": {message}" if message else ""
        return f"ended{when} with exit code {text(ended, 'exitCode')} ({text(ended, 'reason')}){detail}"
    if "running" in state:
        started = time(state, "running.startedAt")
        return f"running{f' for {age(started, now)}' if started else ''}"
    return ""
