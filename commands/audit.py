"""`audit`: what was asked of the bot, by whom, and what became of it, at the places that a person may see."""

import csv
import io
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC
from typing import Annotated, Final

from bot.core.args import AppRef, Arg, Opt, WidePlaceArgs
from bot.core.command import Context, list_, query
from bot.core.errors import UsageError
from bot.core.ledger import Record, Span
from bot.core.listing import counted, listing
from bot.core.period import HOW, Period, period
from bot.core.plan import Place
from bot.core.readable import readable
from bot.core.reply import Button, Buttons, Code, Note, Part, Reply
from bot.core.text import short

_USUAL: Final = "24h"
_MOST_READ: Final = 10_000
_STARTED: Final = "STARTED"
_DENIED: Final = "DENIED"
_TIMELY: Final = re.compile(r"\d{4}-\d|.*\.\.")
# A spreadsheet runs what begins with one of these (CWE-1236), some also behind blanks.
_FORMULA: Final = ("=", "+", "-", "@")
_COLUMNS: Final = (
    *("when", "who", "id", "as", "what", "line", "cluster", "namespace"),
    *("detail", "change", "action", "audit ids", "policy"),
)


class AuditArgs(WidePlaceArgs):
    """Show who asked for what and what became of it, refusals included, everywhere that you may see."""

    words: Annotated[
        tuple[str, ...],
        Arg(help=f"since when ({HOW}), an app, a @person", metavar="range, app or @person"),
    ] = ()
    csv: Annotated[bool, Opt(help="every record in full, for a spreadsheet")] = False


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What the words ask for. `app` None and `person` "" mean all."""

    period: Period
    app: AppRef | None
    person: str

    @property
    def words(self) -> str:
        """The rest of a sentence: of whom, for what, when."""
        whose = f"by @{self.person} " if self.person else ""
        return f"{whose}{f'for {self.app} ' if self.app else ''}{self.period.words()}"

    def covers(self, record: Record) -> bool:
        if self.person and self.person not in (record.actor.name.lower(), record.actor.id.lower()):
            return False
        return self.app is None or any(_names(self.app, word) for word in record.line.lower().split())


@dataclass(frozen=True, slots=True)
class _Affair:
    """The records of one action, oldest first; a refusal that never became one stands alone."""

    records: tuple[Record, ...]

    @property
    def refused(self) -> bool:
        return self.records[0].kind == _DENIED

    @property
    def row(self) -> tuple[str, ...]:
        first, last = self.records[0], self.records[-1]
        said = first.line.rpartition(" --cluster ")[0] or first.line
        became = "under way" if last.kind == _STARTED else "refused" if self.refused else last.kind.lower()
        result = became if last.kind == _STARTED or not last.detail else f"{became}: {last.detail}"
        when = f"{first.at.astimezone(UTC):%Y-%m-%d %H:%M:%S}"
        return (when, f"@{first.actor.name}", said, str(first.place), result)


@query(
    "audit",
    needs=(list_("namespaces"),),
    examples=("audit", "audit 7d myapp", "audit 2026-11-01..2026-11-08 --csv", "audit yesterday @bob in shop"),
)
async def audit(ctx: Context, args: AuditArgs) -> Reply:
    wanted = _read(ctx, args.words)
    when = wanted.words
    place = str(ctx.place) if args.where else ", ".join(reader.cluster for reader in ctx.everywhere)
    span = Span(wanted.period.since, wanted.period.until, (ctx.place,) if args.where else (), limit=_MOST_READ)
    read = await ctx.ledger.records(span)
    found = _seen(ctx, [record for record in read if wanted.covers(record)])
    notes: tuple[Part, ...] = ()
    if len(read) >= _MOST_READ:
        notes = (Note(f"Only the newest {_MOST_READ:,} records were looked at: name a shorter time."),)
    if not found:
        nothing = f"Nothing was changed or refused {when}, as far as you may see."
        week = (Buttons((Button("The last 7 days", " ".join(("audit 7d", *args.words, _at(ctx, args))).strip()),)),)
        return Reply(nothing, parts=(*notes, *(() if _timed(ctx, args.words) else week)), place=place)
    affairs = _affairs(found)
    refusals = sum(affair.refused for affair in affairs)
    counts = [(len(affairs) - refusals, "action"), (refusals, "refusal")]
    headline = f"{' and '.join(counted(count, noun) for count, noun in counts if count)} {when}."
    if args.csv:
        return Reply(headline, parts=(Code(_sheet(found), "audit.csv"), *notes), place=place)
    rows = [affair.row for affair in reversed(affairs)]
    table = listing(
        ("When (UTC)", "Who", "What", "Where", "Result"), rows, f"`{ctx.prefix} audit 7d myapp` asks for one app alone."
    )
    return Reply(headline, parts=(*table, *notes), place=place)


def _read(ctx: Context, words: Sequence[str]) -> _Wanted:
    """The words in whatever order. Raises UsageError for one that says nothing, or something twice."""
    periods: list[Period] = []
    apps: list[AppRef] = []
    people: list[str] = []
    for word in words:
        if word.startswith("@"):
            people.append(word[1:].lower())
            continue
        try:
            periods.append(period(word, ctx.now))
        except ValueError as error:
            apps.append(_app(word, str(error)))
    for several, noun in ((periods, "time"), (apps, "app"), (people, "person")):
        if len(several) > 1:
            raise UsageError(f"Two are too many: name one {noun}.", hint=f"For example `{ctx.prefix} audit 7d myapp`.")
    return _Wanted(
        periods[0] if periods else period(_USUAL, ctx.now), apps[0] if apps else None, people[0] if people else ""
    )


def _app(word: str, no_time: str) -> AppRef:
    try:
        if not _TIMELY.match(word):
            return AppRef.parse(word)
    except ValueError as error:
        raise UsageError(f"`{short(word)}` is neither a time nor an app: it {error}.", hint=f"Say {HOW}.") from error
    raise UsageError(f"`{short(word)}` is no time: it {no_time}.")


def _timed(ctx: Context, words: Sequence[str]) -> bool:
    return _read(ctx, words).period != period(_USUAL, ctx.now)


def _names(app: AppRef, word: str) -> bool:
    """Whether a word of a line names this app; `deploy/web` is named by itself alone, `web` with any kind."""
    return word == str(app) or (app.kind is None and word.endswith(f"/{app}"))


def _seen(ctx: Context, records: Sequence[Record]) -> list[Record]:
    """Those at places where the policy lets this person ask for the audit, and their own wherever they were."""
    command = ctx.registry.find("audit")
    places: dict[Place, bool] = {}
    for record in records:
        if command is not None and record.place not in places:
            places[record.place] = ctx.permissions.ruling(command, record.place).allowed
    return [record for record in records if record.actor.id == ctx.actor.id or places.get(record.place)]


def _affairs(records: Sequence[Record]) -> list[_Affair]:
    """In the order in which they began."""
    grouped: dict[str, list[Record]] = {}
    for at, record in enumerate(records):
        grouped.setdefault(record.action or f"record {at}", []).append(record)
    return [_Affair(tuple(some)) for some in grouped.values()]


def _sheet(records: Sequence[Record]) -> str:
    """Every record in full as CSV (RFC 4180), oldest first; no cell begins like a formula."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for record in records:
        cells = (
            record.at.astimezone(UTC).isoformat(timespec="seconds"),
            record.actor.name,
            record.actor.id,
            record.identity,
            record.kind.lower(),
            record.line,
            record.place.cluster,
            record.place.namespace,
            record.detail,
            "\n".join(record.diff),
            record.action,
            " ".join(record.audit_ids),
            record.policy,
        )
        writer.writerow(_cell(text) for text in cells)
    return out.getvalue()


def _cell(text: str) -> str:
    seen = readable(text)  # whoever shows the sheet takes out what nobody sees: what is then first must be no sign
    return f"'{seen}" if seen.lstrip().startswith(_FORMULA) else seen


def _at(ctx: Context, args: AuditArgs) -> str:
    """The place again, for a button: as wide as it was said."""
    if not args.where:
        return ""
    return ctx.at() if ctx.place.namespace else f"--cluster {ctx.place.cluster} -A"
