"""What a follow holds on to: the one write whose rollout it watches, told from everybody else's later writes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from bot.core.plan import FieldChange, Followed

_RESTARTED_AT: Final = "kubectl.kubernetes.io/restartedAt"


def is_restart(changes: Sequence[FieldChange]) -> bool:
    """Whether a write did nothing but stamp the pod template, as `kubectl rollout restart` does."""
    return bool(changes) and all(
        # The first restart of all adds the annotations with the stamp as their only one, its undo takes them away.
        _RESTARTED_AT in change.path
        or any(isinstance(side, Mapping) and set(side) == {_RESTARTED_AT} for side in (change.before, change.after))
        for change in changes
    )


@dataclass(frozen=True, slots=True)
class Pin:
    """A workload pinned to a write.

    `uid`, `generation` and `template` (`rollout.template_digest`) are those of the write's own answer; where an answer
    has none (a Scale's), 0 and "" let the follow take them from its first look. `since` is when it was written,
    `changes` what it changed by the server's dry run, `undo` the command line that takes it back ("" for none).
    """

    followed: Followed
    uid: str
    generation: int
    since: datetime
    changes: tuple[FieldChange, ...] = ()
    undo: str = ""
    template: str = ""

    @property
    def scales_only(self) -> bool:
        """Whether the write changed nothing but the number of replicas: it makes no revision, so it judges none."""
        return bool(self.changes) and all(change.path == "spec.replicas" for change in self.changes)
