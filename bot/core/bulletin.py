"""What a follow says: one message for all its workloads, from the first pod to the verdict. Words only.

The wording stands here once: headline, progress, the cause with its next step, and the buttons of each phase.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from bot.core.ages import age, span
from bot.core.cause import Cause
from bot.core.fault import CLOCK_SKEW
from bot.core.pin import Pin, is_restart
from bot.core.plan import pick
from bot.core.reply import Button, Buttons, Code, Fields, Note, Part, Progress, Style, Text, Tone
from bot.core.rollout import Ruling, Verdict, status
from bot.core.sight import Sight
from bot.core.workload import Kind


class Phase(StrEnum):
    """Whether it goes on by itself (MOVING), waits for a person (STUCK), or is over (ENDED)."""

    MOVING = "moving"
    STUCK = "stuck"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class Update:
    """One state of the message."""

    phase: Phase
    headline: str
    tone: Tone
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """How the follow of one pin ended. `text` is a sentence without a full stop.

    `revision` is the stable name of the revision that was rolled out, "" where it was never seen.
    """

    pin: Pin
    verdict: Verdict
    text: str
    cause: Cause | None
    revision: str


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one pin stands. `trouble` says why it cannot be seen (in full) at the moment."""

    pin: Pin
    phase: Phase = Phase.MOVING
    sight: Sight | None = None
    trouble: str = ""
    ending: Ending | None = None

    @property
    def cause(self) -> Cause | None:
        if self.ending is not None:
            return self.ending.cause
        return self.sight.cause if self.sight else None


def bulletin(standings: Sequence[Standing], now: datetime, done: str = "") -> Update:
    """The message about all workloads of one action. `done` are the plan's words of success, where it has any."""
    if all(standing.ending is not None for standing in standings):
        return _ended(standings, now, done)
    alone = len(standings) == 1
    stuck = [standing for standing in standings if standing.phase is Phase.STUCK or _failed(standing)]
    bars = tuple(_bar(standing, now, alone=alone) for standing in standings)
    notes = tuple(part for standing in standings if standing not in stuck for part in _notes(standing, alone=alone))
    if stuck:
        headline = "; ".join(_stuck(standing, alone=alone) for standing in stuck)
        parts = (*bars, *_details(stuck), *notes, *_buttons(standings, Phase.STUCK))
        return Update(Phase.STUCK, headline, Tone.BAD, parts)
    headline = _doing(standings)
    return Update(Phase.MOVING, headline, Tone.WAIT, (*bars, *notes, *_buttons(standings, Phase.MOVING)))


def ending_text(
    pin: Pin, ruling: Ruling, sight: Sight | None, cause: Cause | None, took: timedelta, done: str, *, alone: bool
) -> str:
    """The verdict on one workload as a sentence without a full stop.

    `done` are the words of success, or ""; not `alone` = it says which of several workloads it is about.
    """
    what = _subject(pin, alone=alone)
    match ruling.verdict:
        case Verdict.ROLLED_OUT:
            return _in(done or _done(pin, alone=alone), took, pin)
        case Verdict.FAILED:
            why = cause.fault.title if cause else ruling.reason
            serving = sight.serving if sight else ""
            return "; ".join(filter(None, (f"{what} failed: {why}", serving)))
        case Verdict.HELD:
            if pin.scales_only and sight is not None:  # pausing holds the pods' version, not their number
                have = f"{sight.workload.status.ready}/{sight.workload.replicas}"
                return f"{what} has {have} pods ready; its rollout is held: {ruling.reason}"
            return f"{what} is held: {ruling.reason}"
        case Verdict.SUPERSEDED:
            return f"{what} was superseded: {ruling.reason}"
        case Verdict.GONE:
            return f"{label(pin)} is gone: {ruling.reason}"
        case Verdict.UNKNOWN:
            return f"I lost sight of {what}: {ruling.reason}"


def cause_parts(cause: Cause) -> tuple[Part, ...]:
    """A cause in full: what is wrong, where, which changed field did it, what to do next, the last lines of the log."""
    fault = cause.fault
    more = f" (and {cause.alike} more)" if cause.alike else ""
    said = fault.evidence if fault.evidence not in fault.sentence else ""
    labelled = (
        ("Pod", f"{fault.pod}{more}" if fault.pod else ""),
        ("Container", fault.container),
        ("Says", said),
        ("Changed", cause.blame),
        ("Next", fault.hint),
    )
    parts: list[Part] = [Text(fault.sentence), Fields(tuple((label, text) for label, text in labelled if text))]
    if cause.output:
        parts.append(Code(cause.output, title=f"last lines of {fault.container}"))
    return tuple(parts)


def _ended(standings: Sequence[Standing], now: datetime, done: str) -> Update:
    endings = [standing.ending for standing in standings if standing.ending is not None]
    verdicts = {ending.verdict for ending in endings}
    good = verdicts == {Verdict.ROLLED_OUT}
    restless = [standing for standing in standings if good and _restarted(standing)]
    tone = Tone.BAD if Verdict.FAILED in verdicts else Tone.GOOD if good and not restless else Tone.WARN
    if good and len(endings) > 1:
        headline = _in(
            done or _done(endings[0].pin, alone=True), now - min(one.pin.since for one in endings), endings[0].pin
        )
        lines: tuple[Part, ...] = ()
    else:
        bad = sorted(endings, key=lambda ending: ending.verdict is not Verdict.FAILED)
        headline = bad[0].text
        lines = tuple(Text(ending.text) for ending in bad[1:])
    details = _details([standing for standing in standings if _failed(standing)])
    shaky = tuple(_restless(standing) for standing in restless)
    lost = (_LOST,) if Verdict.UNKNOWN in verdicts else ()
    parts = (*lines, *details, *shaky, *lost, *_buttons(standings, Phase.ENDED))
    return Update(Phase.ENDED, headline, tone, parts)


_AT_ONCE: Final = timedelta(seconds=1)  # "0 s" would read like a mistake
_LOST: Final = Text("What was written stays written, and the rollout goes on without me.")


def _restarted(standing: Standing) -> int:
    """Restarts of the pods that this rollout made; those that were there before may have restarted long ago."""
    pods = standing.sight.new if standing.sight else ()
    return sum(pod.restarts for pod in pods if pod.created >= standing.pin.since - CLOCK_SKEW)


def _restless(standing: Standing) -> Note:
    restarts = _restarted(standing)
    times = "once" if restarts == 1 else f"{restarts} times"
    return Note(f"Its pods restarted {times} on the way: keep an eye on {label(standing.pin)}.", Tone.WARN)


def _failed(standing: Standing) -> bool:
    return standing.ending is not None and standing.ending.verdict is Verdict.FAILED


def _details(troubled: Sequence[Standing]) -> tuple[Part, ...]:
    """The first cause in full. The workloads of one app mostly share it; another one has its sentence."""
    causes = [(standing, standing.cause) for standing in troubled if standing.cause]
    told: dict[str, Part] = {}
    for standing, cause in causes[1:]:
        if cause.fault.sentence != causes[0][1].fault.sentence:
            told.setdefault(cause.fault.sentence, Text(f"{label(standing.pin)}: {cause.fault.sentence}"))
    return (*cause_parts(causes[0][1]), *told.values()) if causes else ()


def _notes(standing: Standing, *, alone: bool) -> tuple[Part, ...]:
    """What is worth knowing while it moves: hints that may pass, and what cannot be seen."""
    if standing.ending is not None:
        return ()
    hint = standing.cause.fault.sentence if standing.cause else ""
    return tuple(Note(_named(standing.pin, text, alone=alone), Tone.WARN) for text in (hint, standing.trouble) if text)


def _stuck(standing: Standing, *, alone: bool) -> str:
    if standing.ending is not None:
        return standing.ending.text
    why = standing.cause.fault.title if standing.cause else "nothing moves"
    serving = standing.sight.serving if standing.sight else ""
    stuck = f"{_subject(standing.pin, alone=alone)} is stuck: {why}"
    return "; ".join(filter(None, (stuck, serving)))


def _bar(standing: Standing, now: datetime, *, alone: bool) -> Part:
    """One workload's bar, or its ending while others go on."""
    if standing.ending is not None:
        return Text(standing.ending.text)
    name = _named(standing.pin, "", alone=alone)
    took = age(standing.pin.since, now)
    sight = standing.sight
    if sight is None:
        return Text(f"{name}waiting for the first word from {standing.pin.followed.ref.cluster} · {took}")
    total = sight.workload.replicas
    if not (total and (sight.new or sight.old)):
        return Text(f"{name}{status(sight.workload).message} · {took}")
    old = f"{len(sight.old)} old pod{'' if len(sight.old) == 1 else 's'} left" if sight.old else ""
    # Ready pods count as available only after minReadySeconds; without a word the full bar would look forgotten.
    settling = sight.ready == total and not old and pick(sight.workload.manifest, "spec.minReadySeconds")
    waits = "waiting for them to count as available" if settling else ""
    return Progress(
        sight.ready, total, " · ".join(filter(None, (f"{name}{sight.ready}/{total} ready", old, waits, took)))
    )


def _subject(pin: Pin, *, alone: bool) -> str:
    """What it is about, fit to stand in a notification by itself: `web v2`, of several `deploy/web v2`."""
    ref, version = pin.followed.ref, pin.followed.version
    return f"{ref.name if alone else label(pin)} {version}" if version else label(pin)


def _doing(standings: Sequence[Standing]) -> str:
    pins = [standing.pin for standing in standings]
    names = ", ".join(pin.followed.ref.name for pin in pins)
    versions = " and ".join(dict.fromkeys(pin.followed.version for pin in pins if pin.followed.version))
    if all(is_restart(pin.changes) for pin in pins):
        return f"Restarting {names}"
    if all(pin.scales_only for pin in pins):
        return f"Scaling {names} to {pins[0].changes[0].after}"
    return f"Rolling out {names} {versions}".rstrip()


def _done(pin: Pin, *, alone: bool) -> str:
    what = _subject(pin, alone=alone)
    if pin.scales_only:
        return f"{what} scaled to {pin.changes[0].after}"
    return f"{what} {'restarted' if is_restart(pin.changes) else 'rolled out'}"


def _in(done: str, took: timedelta, pin: Pin) -> str:
    if took < _AT_ONCE:
        return done if pin.scales_only else f"{done} at once"
    return f"{done} ({span(took)})" if pin.scales_only else f"{done} in {span(took)}"


def label(pin: Pin) -> str:
    """How a person names the workload: `deploy/web`."""
    return f"{Kind.of(pin.followed.ref.kind).short}/{pin.followed.ref.name}"


def _named(pin: Pin, text: str, *, alone: bool) -> str:
    """With whom it is about in front, where several are told of and the text does not begin with it anyway."""
    return text if alone or text.startswith(label(pin)) else f"{label(pin)}: {text}"


def _buttons(standings: Sequence[Standing], phase: Phase) -> tuple[Part, ...]:
    """What one may do now, each line once. The workload that is in trouble goes first."""
    first = min(standings, key=lambda one: not (one.phase is Phase.STUCK or _failed(one)))
    ref = first.pin.followed.ref
    at = f"--cluster {ref.cluster} -n {ref.namespace}"
    verdicts = {standing.ending.verdict for standing in standings if standing.ending is not None}
    troubled = phase is Phase.STUCK or Verdict.FAILED in verdicts
    found: list[Button] = []
    if verdicts <= {Verdict.ROLLED_OUT, Verdict.FAILED, Verdict.HELD}:
        style = Style.PRIMARY if troubled else Style.PLAIN
        found += [Button("Undo", standing.pin.undo, style) for standing in standings if _may_undo(standing)]
    if phase is not Phase.MOVING and verdicts <= {Verdict.ROLLED_OUT, Verdict.FAILED}:
        found.append(_telling(first, at))
    found += [
        Button(
            word if len(standings) == 1 else f"{word} {one.pin.followed.ref.name}",
            f"rollout {word.lower()} {label(one.pin)} {at}",
        )
        for one in standings
        if one.pin.followed.ref.kind == Kind.DEPLOYMENT.kind
        for word in _pausing(one)
    ]
    if verdicts & {Verdict.SUPERSEDED, Verdict.UNKNOWN}:
        found.append(Button("Status", f"rollout status {label(first.pin)} {at}"))
    items = tuple({button.line: button for button in found}.values())
    return (Buttons(items),) if items else ()


def _may_undo(standing: Standing) -> bool:
    """A paused Deployment cannot be rolled back before it is resumed (kubectl's rule); its scale can."""
    return bool(standing.pin.undo) and (standing.pin.scales_only or not _paused(standing))


def _paused(standing: Standing) -> bool:
    return standing.sight is not None and standing.sight.workload.paused


def _pausing(standing: Standing) -> tuple[str, ...]:
    """Only Deployments are paused and resumed (as in kubectl), and scaling cannot be paused at all."""
    paused = _paused(standing)
    if standing.ending is None and not standing.pin.scales_only:
        return ("Resume",) if paused else ("Pause",)
    return ("Resume",) if paused and standing.ending is not None and standing.ending.verdict is Verdict.HELD else ()


def _telling(standing: Standing, at: str) -> Button:
    """The log that tells more; where nothing ever ran there is none, and the events tell it."""
    cause = standing.cause
    if cause is None:
        return Button("Logs", f"logs {label(standing.pin)} {at}")
    if (log := cause.fault.log) is None:
        return Button("Events", f"events {label(standing.pin)} {at}")
    previous = " --previous" if log.previous else ""
    return Button("Logs", f"logs pod/{log.pod} --container {log.container}{previous} {at}")
