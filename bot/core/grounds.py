"""What one person may see for one command: the policy and the clusters, put together for `places.resolve`."""

from dataclasses import dataclass, field, replace
from typing import assert_never

from bot.core.cluster import Clusters, Reader
from bot.core.command import Action, Command, Holder, Ruling
from bot.core.errors import Forbidden, Judge
from bot.core.people import Actor, Directory
from bot.core.plan import Place, Risk
from bot.core.policy import Allow, Ask, Confirm, Deny, Policy


@dataclass(slots=True)
class PolicyGrounds:
    """The `Grounds` of a request. Readers are made once a cluster, each bound to the person."""

    policy: Policy
    backends: Clusters
    directory: Directory
    actor: Actor
    command: Command
    channel: str
    _readers: dict[str, Reader] = field(default_factory=dict)

    @property
    def clusters(self) -> tuple[str, ...]:
        known = self.backends.names
        return tuple(name for name in self.policy.clusters_of(self.actor, self.command) if name in known)

    @property
    def seen(self) -> tuple[str, ...]:
        return tuple(name for name in self.policy.clusters_of(self.actor) if name in self.backends.names)

    @property
    def default(self) -> Place | None:
        return self.policy.default_place(self.channel)

    def home(self, app: str) -> str:
        return self.policy.home(app)

    def production(self, cluster: str) -> bool:
        return self.policy.production(cluster)

    async def reader(self, cluster: str) -> Reader:
        if cluster not in self._readers:
            identity = await self.directory.identity(self.actor, cluster)
            reach = self.policy.reach(self.actor, cluster, self.command)
            self._readers[cluster] = self.backends.reader(cluster, identity, reach)
        return self._readers[cluster]

    def permit(self, place: Place) -> None:
        match self.policy.decide(self.actor, self.command, place, least_risk(self.command)):
            case Deny(reason, way_out):
                raise Forbidden(reason, judge=Judge.POLICY, hint=way_out, at=(place.cluster, place.namespace))
            case _:
                return


@dataclass(frozen=True, slots=True)
class PolicyPermissions:
    """What the policy says about one person, for the commands that explain it."""

    policy: Policy
    actor: Actor

    @property
    def policy_name(self) -> str:
        return self.policy.name

    def roles(self) -> tuple[tuple[str, str], ...]:
        return self.policy.roles_of(self.actor)

    def ruling(self, command: Command, place: Place) -> Ruling:
        match self.policy.decide(self.actor, command, place, least_risk(command)):
            case Allow():
                return Ruling(allowed=True)
            case Confirm(reason):
                return Ruling(allowed=True, words=f"once confirmed ({reason.rstrip('.')})")
            case Ask(approvers, reason):
                return Ruling(allowed=True, words=f"once somebody else approves: {approvers} ({reason.rstrip('.')})")
            case Deny(reason, way_out):
                return Ruling(allowed=False, words=reason, way_out=way_out)
            case other:
                assert_never(other)

    def holders(self, command: Command, place: Place) -> tuple[Holder, ...]:
        theirs = (
            (person, grant, replace(self, actor=Actor(person.id, person.name)))
            for person, grant in self.policy.holders(command, place)
        )
        return tuple(
            Holder(person.name, grant.role, each.ruling(command, place).words) for person, grant, each in theirs
        )


def least_risk(command: Command) -> Risk:
    """The risk that a command has before anybody planned it: its plan may turn out more dangerous, never less."""
    return command.risk if isinstance(command, Action) else Risk.LOW
