"""How an app is, from its workloads alone: version, ready pods, its health in a word, and its last change."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Final

from bot.core.ages import ago
from bot.core.aim import obvious
from bot.core.edits import CONTROLLERS, OURSELVES, tool
from bot.core.image import version_of
from bot.core.ledger import ActionRecord
from bot.core.reply import Tone
from bot.core.rollout import status
from bot.core.workload import App, Container, Kind, Workload


class Health(IntEnum):
    """How a workload is, the worst last: an app is as its worst workload."""

    UP = 0
    STOPPED = 1
    PAUSED = 2
    ROLLING = 3
    DEGRADED = 4
    STUCK = 5
    DOWN = 6

    @property
    def word(self) -> str:
        return _WORDS[self]

    @property
    def tone(self) -> Tone:
        match self:
            case Health.UP:
                return Tone.GOOD
            case Health.STOPPED | Health.PAUSED:
                return Tone.PLAIN
            case Health.ROLLING:
                return Tone.WAIT
            case Health.DEGRADED:
                return Tone.WARN
            case Health.STUCK | Health.DOWN:
                return Tone.BAD

    @property
    def fine(self) -> bool:
        return self < Health.DEGRADED


_WORDS: Final = {
    Health.UP: "up",
    Health.STOPPED: "at 0 pods",
    Health.PAUSED: "paused",
    Health.ROLLING: "rolling out",
    Health.DEGRADED: "degraded",
    Health.STUCK: "stuck",
    Health.DOWN: "down",
}


@dataclass(frozen=True, slots=True)
class LastChange:
    """Who changed an app last: by our ledger, else by what the object itself tells (a tool's name, not a person's)."""

    at: datetime
    who: str
    what: str = ""

    def when(self, now: datetime) -> str:
        return f"{ago(self.at, now)} by {self.who}"

    def words(self, now: datetime) -> str:
        return f"{self.when(now)}{f': {self.what}' if self.what else ''}"


def health(workload: Workload) -> Health:
    """The word for one workload. Whether it rolls out is judged as `kubectl rollout status` does."""
    now = status(workload)
    if now.failed and workload.kind is Kind.DEPLOYMENT:
        return Health.STUCK
    if workload.replicas == 0 and workload.status.replicas == 0:
        return Health.STOPPED
    if not now.done and not _rolled_out_before(workload):
        return Health.PAUSED if workload.paused else Health.ROLLING
    if workload.status.ready < workload.replicas:
        return Health.DEGRADED if workload.status.ready else Health.DOWN
    return Health.PAUSED if workload.paused else Health.UP


def app_health(app: App, stuck: Collection[str] = ()) -> Health:
    """The app's health; `stuck` are the uids of workloads whose pods have a certain cause not to become ready."""
    return max(Health.STUCK if workload.uid in stuck else health(workload) for workload in app.workloads)


def ready(app: App) -> str:
    """Ready of wanted pods, `3/3`, over all workloads."""
    wanted = sum(workload.replicas for workload in app.workloads)
    return f"{sum(workload.status.ready for workload in app.workloads)}/{wanted}"


def version(app: App) -> str:
    """The version that the workloads are to run; several, where they differ."""
    return ", ".join(versions(app))


def versions(app: App) -> tuple[str, ...]:
    """The different versions that the workloads are to run."""
    return tuple(dict.fromkeys(version_of(main_container(workload, app.name).image) for workload in app.workloads))


def main_container(workload: Workload, app: str) -> Container:
    """The container that a deploy would change, else the first."""
    return obvious(workload, app) or next(container for container in workload.containers if not container.init)


def last_change(app: App, actions: Sequence[ActionRecord]) -> LastChange | None:
    """The newest of our own actions and of the writers that managedFields name; None where nothing is known.

    Our own writes stand in both; of these the action tells more, as long as the ledger remembers it.
    """
    acted = max(
        (LastChange(action.created, f"@{action.actor.name}", action.summary) for action in actions),
        key=lambda change: change.at,
        default=None,
    )
    edited = max(
        (
            LastChange(edit.at, tool(edit.manager))
            for workload in app.workloads
            for edit in workload.edits
            if edit.at is not None and edit.manager not in CONTROLLERS and not (acted and edit.manager == OURSELVES)
        ),
        key=lambda change: change.at,
        default=None,
    )
    if acted is None or edited is None:
        return acted or edited
    return max(acted, edited, key=lambda change: change.at)


def _rolled_out_before(workload: Workload) -> bool:
    """Whether the present template was rolled out once already, so that missing pods are a fault and no progress."""
    match workload.kind:
        case Kind.DEPLOYMENT:
            progressing = workload.status.condition("Progressing")
            return (
                workload.generation <= workload.status.observed_generation
                and progressing is not None
                and progressing.reason == "NewReplicaSetAvailable"
            )
        case Kind.STATEFUL_SET:
            now = workload.status
            return workload.generation <= now.observed_generation and now.current_revision == now.update_revision
        case Kind.DAEMON_SET:
            now = workload.status
            return workload.generation <= now.observed_generation and now.updated >= now.replicas
