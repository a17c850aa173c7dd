"""What a person consents to: a plan with the API server's preview of it, and what its follow is pinned to."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.core.answers import change_parts, notes
from bot.core.execute import Step
from bot.core.pin import Pin
from bot.core.plan import Plan, Preview
from bot.core.reply import Diff, Part
from bot.core.rollout import template_digest


@dataclass(frozen=True, slots=True)
class Offer:
    """A plan with what the API server says about it."""

    plan: Plan
    preview: Preview

    @property
    def parts(self) -> tuple[Part, ...]:
        return (*change_parts(self.preview), *notes(self.plan, self.preview))

    @property
    def diff(self) -> tuple[str, ...]:
        """The change in lines of text, as it was shown: what the audit keeps of it."""
        return tuple(
            line
            for part in change_parts(self.preview)
            if isinstance(part, Diff)
            for line in (part.title, *(f"{sign} {text}" for sign, text in part.lines))
        )

    def pins(self, steps: Sequence[Step], now: datetime) -> tuple[Pin, ...]:
        """What is followed, pinned to what was written: uid, generation and template from the write's own answer."""
        pins = []
        for followed in self.plan.follow:
            step = next((step for step in steps if replace(step.write.target, subresource="") == followed.ref), None)
            whole = step is not None and not step.write.target.subresource
            changed = next(
                (c.fields for c in self.preview.changes if replace(c.ref, subresource="") == followed.ref), ()
            )
            pins.append(
                Pin(
                    followed,
                    uid=step.uid if step else "",
                    generation=step.generation if step and whole else 0,
                    since=now,
                    changes=changed,
                    undo=self.plan.undo,
                    template=template_digest(step.manifest) if step and whole else "",
                )
            )
        return tuple(pins)
