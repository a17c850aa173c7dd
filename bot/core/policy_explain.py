"""What a policy says to a line before anybody types it: the decision, the rule behind it, and who else may.

Pure: nothing is asked of a cluster, so an app's namespace is what the policy, the channel or the line says.
"""

from dataclasses import dataclass
from typing import assert_never

from bot.core.args import AppRef, ClusterArgs, PlaceArgs, Where
from bot.core.command import Action, Command, Decision
from bot.core.errors import NotFound, UsageError
from bot.core.grammar import Grammar
from bot.core.grounds import least_risk
from bot.core.people import Actor
from bot.core.plan import Place, Risk
from bot.core.policy import Allow, Ask, Confirm, Deny, Gate, Grant, Person, Policy, PolicyDecision
from bot.core.reply import Note, Part, Reply, Tone, fields
from bot.core.suggest import did_you_mean, listed, nearest


@dataclass(frozen=True, slots=True)
class Asked:
    """Who would say what: a person by id or name, the line, and the channel they are in ("" for none)."""

    person: str
    line: str
    channel: str = ""


def explain(policy: Policy, grammar: Grammar, asked: Asked) -> Reply:
    """Explain one line. Raises UsageError for a line or a place that cannot be read, NotFound for unknown names."""
    person = _person(policy, asked.person)
    parsed = grammar.parse(asked.line)
    command = parsed.command
    named: object = getattr(parsed.args, "app", None)
    if isinstance(command, Decision) or not isinstance(parsed.args, ClusterArgs):
        return Reply(f"@{person.name} may `{command.name}`: whom the policy knows may.", Tone.GOOD)
    home = policy.home(named.name) if isinstance(named, AppRef) else ""
    place = _place(policy, parsed.where, home, asked.channel, namespaced=isinstance(parsed.args, PlaceArgs))
    actor = Actor(person.id, person.name)
    decision = policy.decide(actor, command, place, least_risk(command))
    identity = policy.identity(actor, place.cluster)
    others = [f"@{one.name}" for one, _ in policy.holders(command, place) if one.id != person.id]
    tone, sentence = _verdict(decision, person, command, place)
    granted = policy.grants_of(person.id, place, command)
    facts: tuple[tuple[str, str | None], ...] = (
        ("Granted by", _grant(granted[0]) if granted else None),
        ("Held up by", _gate(decision.by) if isinstance(decision, Confirm | Ask) and decision.by else None),
        ("As user", identity.user),
        ("With groups", ", ".join(identity.groups) or "none"),
        ("For", ", ".join(value for values in identity.extra.values() for value in values)),
        ("Who else may", ", ".join(others) or "nobody"),
    )
    return Reply(sentence, tone, (fields(facts), *_more(policy, actor, command, place, decision)), str(place))


def _person(policy: Policy, said: str) -> Person:
    wanted = said.removeprefix("@")
    for person in policy.people:
        if wanted in (person.id, person.name):
            return person
    known = [person.name for person in policy.people]
    hint = did_you_mean(nearest(wanted, known)) or f"There are {listed(known)}."
    raise NotFound(f"The policy knows nobody called `{wanted}`.", hint=hint)


def _place(policy: Policy, where: Where, home: str, channel: str, *, namespaced: bool) -> Place:
    """A word is a cluster where the policy has one of that name, else a namespace."""
    names = [rule.name for rule in policy.clusters]
    default = policy.default_place(channel)
    if channel and default is None:
        known = [rule.channel for rule in policy.channels]
        raise NotFound(f"The policy knows no channel `{channel}`.", hint=did_you_mean(nearest(channel, known)))
    cluster, namespace = where.cluster, where.namespace
    for word in where.words:
        first, slash, second = word.partition("/")
        if word in names or (slash and not second):
            cluster = word
        elif slash:
            cluster, namespace = first, second
        else:
            namespace = word
    cluster = cluster or (default.cluster if default else "") or (names[0] if len(names) == 1 else "")
    if not cluster:
        raise UsageError("On which cluster?", hint=f"Say for example `on {names[0]}`, or name a --channel.")
    if cluster not in names:
        hint = did_you_mean(nearest(cluster, names)) or f"There are {listed(names)}."
        raise NotFound(f"The policy knows no cluster `{cluster}`.", hint=hint)
    if not namespaced or where.everywhere:
        return Place(cluster, "")
    namespace = namespace or home or (default.namespace if default else "")
    if not namespace:
        raise UsageError(
            "In which namespace?", hint="Say for example `in shop`, name a --channel, or give the app a home in `apps`."
        )
    return Place(cluster, namespace)


def _verdict(decision: PolicyDecision, person: Person, command: Command, place: Place) -> tuple[Tone, str]:
    what = f"`{command.name}` in {place}"
    match decision:
        case Allow():
            return Tone.GOOD, f"@{person.name} may {what}."
        case Confirm():
            return Tone.WAIT, f"@{person.name} may {what} once they confirm it."
        case Ask(approvers):
            return Tone.WAIT, f"@{person.name} may {what} once somebody else approves it: {approvers}."
        case Deny():
            return Tone.BAD, f"@{person.name} may not {what}."
        case _:
            assert_never(decision)


def _more(policy: Policy, actor: Actor, command: Command, place: Place, decision: PolicyDecision) -> tuple[Part, ...]:
    cluster = Note("The cluster's own rights count as well: `can` asks it.")
    if isinstance(decision, Deny):
        return Note("No grant gives this here: what is not granted is denied."), Note(decision.way_out)
    worst = policy.decide(actor, command, place, Risk.DANGER) if isinstance(command, Action) else decision
    if worst == decision or not isinstance(worst, Confirm | Ask) or worst.by is None:
        return (cluster,)
    return Note(f"Should the plan turn out dangerous: {_gate(worst.by)}"), cluster


def _grant(grant: Grant) -> str:
    where = f"on {', '.join(grant.clusters)} in {', '.join(grant.namespaces)}"
    return f"{_line(grant.line)}the role {grant.role}, {where}"


def _gate(gate: Gate) -> str:
    outcome = f"somebody else approves ({gate.approvers})" if gate.approvers else "the requester confirms"
    return f"{_line(gate.line)}{outcome}: {gate.reason}"


def _line(line: int) -> str:
    return f"line {line}: " if line else ""
