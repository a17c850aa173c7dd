"""Who may do what, where: rules in, a decision out. Pure; nothing is allowed by default.

A decision is one of `Allow`, `Confirm` (by the requester), `Ask` (somebody else must approve) and `Deny`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from types import MappingProxyType
from typing import Final, TypeAlias, assert_never

from bot.core.cluster import Reach
from bot.core.command import Action, Command, Decision, Query
from bot.core.errors import Forbidden, Judge
from bot.core.people import Actor, Identity, Impersonated
from bot.core.plan import Place, Risk, digest

GROUP_PREFIX: Final = "steersman:"
"""Rights are bound to groups that only the bot can assume: no login of the company carries them."""
PERSON_KEY: Final = "steersman/person"
"""Under this key of Impersonate-Extra the audit log of a cluster names the person where the user is a role's.

Constrained impersonation takes keys with a prefix only (`validateExtra` in the API server).
"""
OBSERVER: Final = "observer"
"""The role of the work that has no person behind it."""
NOBODY: Final = "nobody"
"""The role, in `Mode.ROLE`, of somebody without one: no cluster lets the bot speak for it."""


class Mode(StrEnum):
    """As which user a person acts; the groups are those of their roles in both.

    `PERSON`: as their own user, so each new colleague is named in the bot's rights. `ROLE`: as the user of the role
    (of several, the one that the policy names last), with the person in Impersonate-Extra.
    """

    PERSON = "person"
    ROLE = "role"


@dataclass(frozen=True, slots=True)
class ClusterRule:
    """A cluster that the bot serves. `production` decides what falls there by default: no write ever does."""

    name: str
    production: bool = False


@dataclass(frozen=True, slots=True)
class Role:
    """What a grant gives: the commands that match, and all that only read where `reads` is set."""

    name: str
    commands: tuple[str, ...] = ()
    reads: bool = True

    def covers(self, command: Command) -> bool:
        match command:
            case Query():  # one that asks nothing of a cluster speaks of the bot alone
                return self.reads or not command.needs or _matches(self.commands, command.name)
            case Action():
                return _matches(self.commands, command.name)
            case Decision():
                return True
            case _:
                assert_never(command)


@dataclass(frozen=True, slots=True)
class Grant:
    """These people hold this role on these clusters and namespaces (names or patterns).

    `line` is where the policy's file says so; 0 where it came from no file.
    """

    people: tuple[str, ...]
    role: str
    clusters: tuple[str, ...] = ("*",)
    namespaces: tuple[str, ...] = ("*",)
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Gate:
    """What stands between a granted action and its execution. The strictest gate that matches counts.

    `approvers` is who must agree, in words for people ("an SRE"); empty means that the requester confirms.
    `line` is where the policy's file says so; 0 where it came from no file.
    """

    clusters: tuple[str, ...] = ("*",)
    commands: tuple[str, ...] = ("*",)
    from_risk: Risk = Risk.LOW
    approvers: str = ""
    reason: str = ""
    line: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the policy: the door's id, a name to read, and the Kubernetes user that they act as."""

    id: str
    name: str
    user: str


@dataclass(frozen=True, slots=True)
class ChannelRule:
    """Where a channel speaks of when nobody says a place."""

    channel: str
    place: Place


@dataclass(frozen=True, slots=True)
class AppRule:
    """In which namespace an app lives, on every cluster that has it."""

    app: str
    namespace: str


@dataclass(frozen=True, slots=True)
class Allow:
    """Go on. `by` is the rule that decided."""

    by: Grant | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Confirm:
    """The requester must confirm first. `by` is the rule that decided."""

    reason: str
    by: Gate | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Ask:
    """Somebody else must approve: `approvers` in words. `by` is the rule that decided."""

    approvers: str
    reason: str
    by: Gate | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Deny:
    """No. `reason` says why, `way_out` who could or which role would."""

    reason: str
    way_out: str


PolicyDecision: TypeAlias = Allow | Confirm | Ask | Deny


@dataclass(frozen=True, slots=True)
class Policy:
    """All rules of one installation."""

    name: str
    clusters: tuple[ClusterRule, ...]
    people: tuple[Person, ...]
    roles: tuple[Role, ...]
    grants: tuple[Grant, ...]
    gates: tuple[Gate, ...] = ()
    channels: tuple[ChannelRule, ...] = ()
    apps: tuple[AppRule, ...] = ()
    kinds: tuple[str, ...] = ()  # plural.group, what `get` and `show` may show besides Kubernetes' own
    mode: Mode = Mode.PERSON

    @property
    def version(self) -> str:
        """Its name with a short hash of all its rules: what the audit says that judged."""
        return f"{self.name}@{digest(str(self))[:12]}"

    def decide(self, actor: Actor, command: Command, place: Place, risk: Risk) -> PolicyDecision:
        """Decide about one command at one place. A place without a namespace asks for any within the reach."""
        granted = self.grants_of(actor.id, place, command)
        if not granted:
            return self._denial(actor, command, place)
        if not isinstance(command, Action):
            return Allow(granted[0])
        gates = [gate for gate in self.gates if _opens(gate, command, place, risk)]
        if asked := next((gate for gate in gates if gate.approvers), None):
            return Ask(asked.approvers, asked.reason, asked)
        return Confirm(gates[0].reason, gates[0]) if gates else Allow(granted[0])

    def reach(self, actor: Actor, cluster: str, command: Command | None = None) -> Reach:
        """The namespaces of a cluster in which this person holds a role: one that covers the command, if given."""
        grants = self.grants_of(actor.id, Place(cluster, ""), command)
        return Reach(tuple(dict.fromkeys(pattern for grant in grants for pattern in grant.namespaces)))

    def clusters_of(self, actor: Actor, command: Command | None = None) -> tuple[str, ...]:
        """The clusters on which this person holds a role: one that covers the command, if given."""
        return tuple(rule.name for rule in self.clusters if self.grants_of(actor.id, Place(rule.name, ""), command))

    def holders(self, command: Command, place: Place) -> tuple[tuple[Person, Grant], ...]:
        """Everybody who may run a command at a place, each with the first grant that says so."""
        found = ((person, self.grants_of(person.id, place, command)) for person in self.people)
        return tuple((person, grants[0]) for person, grants in found if grants)

    def production(self, cluster: str) -> bool:
        """Unknown clusters count as production."""
        return next((rule.production for rule in self.clusters if rule.name == cluster), True)

    def default_place(self, channel: str) -> Place | None:
        return next((rule.place for rule in self.channels if rule.channel == channel), None)

    def home(self, app: str) -> str:
        """The namespace that the policy gives an app; "" where it says nothing."""
        return next((rule.namespace for rule in self.apps if rule.app == app), "")

    def roles_of(self, actor: Actor) -> tuple[tuple[str, str], ...]:
        """(role, where) pairs in words."""
        return tuple((grant.role, _where(grant)) for grant in self.grants if actor.id in grant.people)

    def find(self, actor_id: str) -> Person | None:
        return next((person for person in self.people if person.id == actor_id), None)

    def identity(self, actor: Actor, cluster: str) -> Impersonated:
        """As whom this person acts on a cluster, with the groups of the roles that they hold there."""
        person = self.find(actor.id)
        if person is None:
            raise unknown_person(actor.id)
        granted = {grant.role for grant in self.grants_of(actor.id, Place(cluster, ""))}
        held = [role.name for role in self.roles if role.name in granted]
        groups = tuple(sorted(f"{GROUP_PREFIX}{name}" for name in held))
        match self.mode:
            case Mode.PERSON:
                return Impersonated(person.user, groups)
            case Mode.ROLE:
                extra = MappingProxyType({PERSON_KEY: (person.id,)})
                return Impersonated(f"{GROUP_PREFIX}{held[-1] if held else NOBODY}", groups, extra)
            case _:
                assert_never(self.mode)

    def grants_of(self, actor_id: str, place: Place, command: Command | None = None) -> tuple[Grant, ...]:
        """What somebody holds at a place, or anywhere on the cluster where the place has no namespace.

        With a command, only what covers it.
        """
        return tuple(
            grant
            for grant in self.grants
            if actor_id in grant.people
            and _matches(grant.clusters, place.cluster)
            and (not place.namespace or _matches(grant.namespaces, place.namespace))
            and (command is None or self._role(grant).covers(command))
        )

    def _role(self, grant: Grant) -> Role:
        """A role that nobody described gives nothing."""
        return next((role for role in self.roles if role.name == grant.role), Role(grant.role, reads=False))

    def _denial(self, actor: Actor, command: Command, place: Place) -> Deny:
        helpful = [role.name for role in self.roles if role.covers(command)]
        holders = [f"@{person.name}" for person, _ in self.holders(command, place) if person.id != actor.id]
        may_see = isinstance(command, Action) or self.grants_of(actor.id, place)
        reason = f"You may not {f'`{command.name}`' if may_see else 'see anything'} in {place}."
        if not holders:
            return Deny(reason, "Nobody in the policy may; its owner can change that.")
        return Deny(reason, f"The role {_or(helpful)} may: ask {_or(holders)}.")


class PolicyDirectory:
    """The people of a policy: the demo's directory, and the console's."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy

    @property
    def policy(self) -> Policy:
        return self._policy

    def adopt(self, policy: Policy) -> None:
        """Know the people of this policy from now on."""
        self._policy = policy

    async def person(self, actor_id: str) -> Actor:
        person = self._policy.find(actor_id)
        if person is None:
            raise unknown_person(actor_id)
        return Actor(person.id, person.name)

    async def identity(self, actor: Actor, cluster: str) -> Identity:
        return self._policy.identity(actor, cluster)


def unknown_person(actor_id: str) -> Forbidden:
    return Forbidden(
        f"I do not know @{actor_id}, so I do nothing for them.",
        judge=Judge.POLICY,
        hint="The owner of the policy can add you to it.",
    )


def _opens(gate: Gate, command: Command, place: Place, risk: Risk) -> bool:
    return risk >= gate.from_risk and _matches(gate.clusters, place.cluster) and _matches(gate.commands, command.name)


def _matches(patterns: Sequence[str], name: str) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _where(grant: Grant) -> str:
    clusters, namespaces = ", ".join(grant.clusters), ", ".join(grant.namespaces)
    if "*" in grant.namespaces:
        return "everywhere" if "*" in grant.clusters else clusters
    return f"{namespaces} on {'every cluster' if '*' in grant.clusters else clusters}"


def _or(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
