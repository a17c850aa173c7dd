"""Which revision an undo returns to, decided from the revisions and from what the ledger remembers of each; pure.

Two rules stand here. `last_good` is Steersman's own (the newest earlier revision that is known to have worked), and
`previous` is kubectl's (`rollout undo`: the one before, whatever became of it).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Final

from bot.core.ages import ago, span
from bot.core.image import version_of
from bot.core.ledger import Fate, RevisionFate
from bot.core.revisions import current
from bot.core.workload import Container, Revision, Workload

_BECAME: Final = {
    Fate.FAILED: "which failed",
    Fate.STUCK: "which got stuck",
    Fate.HEALTHY_BEFORE: "which was healthy, but was not rolled out by us",
    Fate.ROLLED_OUT: "which rolled out",
    None: "of which nothing is recorded",
}
_DID: Final = {
    Fate.FAILED: "failed",
    Fate.STUCK: "got stuck",
    Fate.HEALTHY_BEFORE: "was healthy",
    Fate.ROLLED_OUT: "rolled out",
}
_TELLING: Final = timedelta(minutes=1)  # a revision that was healthy for seconds is told by when it rolled out


class Evidence(Enum):
    """Why a revision is believed to be good, the strongest first."""

    ROLLED_OUT = "we saw it roll out"
    HEALTHY_BEFORE = "we saw it healthy before a change of ours"
    UNRECORDED = "nothing is recorded about it"


@dataclass(frozen=True, slots=True)
class Skipped:
    """A newer revision that is passed over, and the last word on it (None = nothing recorded)."""

    revision: Revision
    fate: Fate | None


@dataclass(frozen=True, slots=True)
class Return:
    """The revision to return to. `seen` is when it rolled out, else when it was seen healthy; `healthy` for how long.

    `skipped` are the newer ones in between, newest first; the revision that is left is not among them.
    """

    to: Revision
    evidence: Evidence
    seen: datetime | None
    healthy: timedelta | None
    skipped: tuple[Skipped, ...]


@dataclass(frozen=True, slots=True)
class NoReturn:
    """There is nothing to return to: `bad` are the earlier revisions, newest first, all failed or stuck."""

    bad: tuple[Skipped, ...]


def last_good(workload: Workload, revisions: Sequence[Revision], fates: Sequence[RevisionFate]) -> Return | NoReturn:
    """The newest earlier revision that is known to have worked.

    In this order: the newest that reached "rolled out" in the ledger; else the newest that was observed healthy before
    a change of ours; else the newest of which nothing is recorded. Never one whose last word is failed or stuck.
    """
    stands = current(workload, revisions)
    earlier = sorted(
        (r for r in revisions if stands is None or (r.number < stands.number and r.name != stands.name)),
        key=lambda revision: revision.number,
        reverse=True,
    )
    lives = [tuple(fate for fate in fates if fate.revision == revision.name) for revision in earlier]
    passed = tuple(
        Skipped(revision, life[-1].fate if life else None) for revision, life in zip(earlier, lives, strict=True)
    )
    for evidence in Evidence:
        for at, (revision, life) in enumerate(zip(earlier, lives, strict=True)):
            if _evidence(life) is evidence:
                return Return(revision, evidence, _seen(life), _healthy(revision, life), passed[:at])
    return NoReturn(passed)


def previous(revisions: Sequence[Revision]) -> Revision | None:
    """What `rollout undo` means without a number: the second highest. None where there are fewer than two."""
    return sorted(revisions, key=lambda revision: revision.number)[-2] if len(revisions) > 1 else None


def title(revision: Revision, leaving: Sequence[Container]) -> str:
    """A revision by what tells it from the containers that run now: `v1.8.1`, `web v1, proxy 3`, `revision 12`.

    Init containers are named only where nothing else differs.
    """
    images = {container.name: container.image for container in leaving}
    changed = [container for container in revision.containers if images.get(container.name) != container.image]
    told = [container for container in changed if not container.init] or changed
    versions = dict.fromkeys(version_of(container.image) for container in told)
    match list(versions):
        case []:
            return f"revision {revision.number}"
        case [only]:
            return only
        case _:
            return ", ".join(f"{container.name} {version_of(container.image)}" for container in told)


def words(choice: Return, leaving: Sequence[Container], now: datetime) -> str:
    """The choice as a sentence without a full stop: "Back to v1.8.1, healthy 6 d; skipping 41 and 42, which failed"."""
    if choice.healthy is not None and (choice.healthy >= _TELLING or choice.evidence is Evidence.HEALTHY_BEFORE):
        why = f"healthy {span(choice.healthy)}"
    elif choice.seen is not None:
        why = f"rolled out {ago(choice.seen, now)}"
    else:
        why = "of which nothing is recorded"
    skipped = f"; skipping {skipped_words(choice.skipped, leaving)}" if choice.skipped else ""
    return f"Back to {title(choice.to, leaving)}, {why}{skipped}"


def fate_words(fate: RevisionFate, now: datetime) -> str:
    """What became of a revision, and when: `failed 4 m ago`."""
    return f"{_DID[fate.fate]} {ago(fate.at, now)}"


def skipped_words(skipped: Sequence[Skipped], leaving: Sequence[Container]) -> str:
    """Revisions with what became of them, oldest first: "41 (v-bad) and 42 (v-crash), which failed"."""
    groups: dict[Fate | None, list[str]] = {}
    for item in reversed(skipped):
        name = title(item.revision, leaving)
        number = str(item.revision.number)
        groups.setdefault(item.fate, []).append(number if name.startswith("revision ") else f"{number} ({name})")
    return ", and ".join(f"{' and '.join(names)}, {_BECAME[fate]}" for fate, names in groups.items())


def _evidence(life: Sequence[RevisionFate]) -> Evidence | None:
    """What a revision's fates, newest last, prove. None = it is known to be bad."""
    if not life:
        return Evidence.UNRECORDED
    if not life[-1].fate.good:
        return None
    return Evidence.ROLLED_OUT if any(f.fate is Fate.ROLLED_OUT for f in life) else Evidence.HEALTHY_BEFORE


def _seen(life: Sequence[RevisionFate]) -> datetime | None:
    rolled_out = [fate.at for fate in life if fate.fate is Fate.ROLLED_OUT]
    return rolled_out[-1] if rolled_out else life[-1].at if life else None


def _healthy(revision: Revision, life: Sequence[RevisionFate]) -> timedelta | None:
    """From the last time it rolled out (else from its creation) until it was last seen healthy before a change."""
    if not life or life[-1].fate is not Fate.HEALTHY_BEFORE:
        return None
    rolled_out = [fate.at for fate in life if fate.fate is Fate.ROLLED_OUT]
    return life[-1].at - (rolled_out[-1] if rolled_out else revision.created)
