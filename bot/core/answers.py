"""How the pipeline itself speaks: refusals, bugs, the shown plan, and what waits for a confirmation."""

from collections.abc import Sequence

from bot.core.diff import lines
from bot.core.errors import Forbidden, Judge, SteersmanError, Unavailable, UsageError
from bot.core.execute import Interrupted
from bot.core.plan import Place, Plan, Preview
from bot.core.reply import Button, Buttons, Note, Part, Reply, Style, Text, Tone


def error_reply(error: SteersmanError, place: Place | None = None) -> Reply:
    """What happened, what to do next, and buttons that would do it."""
    parts: list[Part] = []
    if isinstance(error, Interrupted) and error.done:
        done = ", ".join(str(step.write.target) for step in error.done)
        parts.append(Note(f"Done before it stopped, and not taken back: {done}.", Tone.WARN))
    if error.hint:
        parts.append(Text(error.hint))
    if isinstance(error, UsageError) and error.usage:
        parts.append(Text(f"Usage: {error.usage}"))
    if error.choices:
        parts.append(Buttons(tuple(Button(choice.label, choice.line) for choice in error.choices)))
    tone = Tone.WAIT if error.choices else Tone.WARN if isinstance(error, Unavailable | UsageError) else Tone.BAD
    return Reply(_who_said_no(error), tone, tuple(parts), str(place) if place else "")


def bug_reply(reference: str) -> Reply:
    """A bug shows only its reference."""
    return Reply(
        f"Something went wrong on my side (reference {reference}).",
        Tone.BAD,
        (Text("`status` tells how things stand. Whoever runs me finds the details under the reference."),),
    )


def nothing_to_do(plan: Plan, place: Place) -> Reply:
    return Reply(f"{plan.summary}.", Tone.GOOD, plan.notes, str(place))


def change_parts(preview: Preview) -> tuple[Part, ...]:
    return tuple(lines(change) for change in preview.changes)


def notes(plan: Plan, preview: Preview) -> tuple[Part, ...]:
    return (*plan.notes, *(Note(f"The API server warns: {warning}", Tone.WARN) for warning in preview.warnings))


def confirmation(action_id: str, actor_id: str, reason: str) -> tuple[Part, ...]:
    """The buttons of an action that waits for its requester."""
    buttons = (
        Button("Confirm", f"confirm {action_id}", Style.PRIMARY, only=actor_id),
        Button("Cancel", f"cancel {action_id}", only=actor_id),
    )
    return (Text(reason or "Nothing has been written yet."), Buttons(buttons))


def without_buttons(parts: Sequence[Part]) -> tuple[Part, ...]:
    return tuple(part for part in parts if not isinstance(part, Buttons))


def _who_said_no(error: SteersmanError) -> str:
    cause = error.cause if isinstance(error, Interrupted) else error
    if isinstance(cause, Forbidden) and cause.judge is Judge.CLUSTER:
        return f"The cluster refused: {error.message}"
    return error.message
