"""Whether the bot's own login may do too much: asked of each cluster, as the bot itself, before anybody is served.

A cluster that cannot be asked, or that gives too much, is barred: nobody is spoken for on it, and the others go on.
"""

import asyncio
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol, TypeAlias

from bot.core.clock import Clock
from bot.core.cluster import Clusters, Reach, Reader, Right
from bot.core.errors import Forbidden, Judge, SteersmanError, Unavailable
from bot.core.people import KubeconfigUser
from bot.core.policy import Policy

_RBAC: Final = "rbac.authorization.k8s.io"
_AUTHENTICATION: Final = "authentication.k8s.io"
_SPEAK: Final = "impersonate:user-info"  # KEP-5284's verb, Kubernetes 1.36
_AT_ONCE: Final = 4  # each opens a connection of its own, and the questions are short
_WITHIN: Final = 5.0  # seconds for one cluster: a start must not wait for one that is down
_AGAIN: Final = 30.0
_TOLD: Final = 4


@dataclass(frozen=True, slots=True)
class Question:
    """A right that the bot must not have, on one name where there is one, and what it would mean.

    `local`: a Role of one namespace may give it too. `namespace` "" asks for all of them.
    """

    right: Right
    name: str
    meaning: str
    local: bool = False
    namespace: str = ""

    def __str__(self) -> str:
        where = f" in {self.namespace}" if self.namespace else ""
        return f"{self.meaning}{where} ({f'{self.right} {self.name}'.strip()})"


QUESTIONS: Final = (
    Question(Right("impersonate", "", "groups"), "system:masters", "speak as an administrator of the cluster"),
    Question(Right("impersonate", "", "groups"), "", "speak as any group"),
    Question(Right("impersonate", "", "users"), "system:admin", "speak as a user of Kubernetes itself"),
    Question(Right("impersonate", "", "users"), "", "speak as any user"),
    Question(Right("impersonate", "", "serviceaccounts"), "", "speak as any ServiceAccount", local=True),
    Question(Right(_SPEAK, _AUTHENTICATION, "groups"), "system:masters", "speak as an administrator of the cluster"),
    Question(Right(_SPEAK, _AUTHENTICATION, "groups"), "", "speak as any group"),
    Question(Right(_SPEAK, _AUTHENTICATION, "users"), "", "speak as any user"),
    Question(
        Right("impersonate:serviceaccount", _AUTHENTICATION, "serviceaccounts"), "", "speak as any ServiceAccount", True
    ),
    Question(Right("impersonate:arbitrary-node", _AUTHENTICATION, "nodes"), "", "speak as any node"),
    Question(Right("get", "", "secrets"), "", "read Secrets", local=True),
    Question(Right("list", "", "secrets"), "", "list Secrets", local=True),
    Question(Right("patch", "apps", "deployments"), "", "change workloads as itself, without a person", local=True),
    Question(Right("create", "", "pods"), "", "start pods as itself", local=True),
    Question(Right("create", "", "pods", "exec"), "", "run commands in pods", local=True),
    Question(Right("create", "", "serviceaccounts", "token"), "", "make itself tokens of others", local=True),
    Question(Right("escalate", _RBAC, "clusterroles"), "", "widen its own rights"),
    Question(Right("bind", _RBAC, "clusterroles"), "", "bind itself to wider rights"),
    Question(Right("create", _RBAC, "rolebindings"), "", "hand out rights", local=True),
)


class Barrable(Clusters, Protocol):
    """Clusters on which the bot can be kept from speaking for anybody."""

    def bar(self, cluster: str, why: SteersmanError | None) -> None:
        """Refuse with `why` every call that is made as a person; None opens the cluster again."""
        ...


Told: TypeAlias = Callable[[str, SteersmanError], None]
"""Is given a cluster and what was found there, for the log of whoever runs the bot."""


async def refuse_overprivileged(
    clusters: Barrable, namespaces: Collection[str], *, allowed: bool, told: Told
) -> tuple[str, ...]:
    """Ask every cluster at once, before anybody is served; returns those that could not be asked, which are barred.

    Raises Forbidden where a login may do too much; with `allowed` that is only told, and nothing is barred.
    `namespaces` are asked besides, for rights that a Role gives (`named_namespaces`); at most five seconds a cluster.
    """
    found = await _asked(clusters, clusters.names, namespaces)
    excess = {cluster: error for cluster, error in found.items() if isinstance(error, Forbidden)}
    if allowed:
        for cluster, too_much in excess.items():
            told(cluster, too_much)
        return ()
    if excess:
        hint = next(iter(excess.values())).hint
        raise Forbidden(
            " ".join(error.message for error in excess.values()), judge=Judge.CLUSTER, hint=f"{hint} {_ANYWAY}"
        )
    for cluster, error in found.items():
        clusters.bar(cluster, error)
        told(cluster, error)
    return tuple(found)


async def ask_again(
    clusters: Barrable, barred: Collection[str], namespaces: Collection[str], *, clock: Clock, told: Told
) -> None:
    """Ask the barred clusters every half minute and open each that turns out to be in order; ends when all are open."""
    left = list(barred)
    while left:
        await clock.sleep(_AGAIN)
        found = await _asked(clusters, left, namespaces)
        for cluster in left:
            error = found.get(cluster)
            clusters.bar(cluster, error)
            if error is not None:
                told(cluster, error)
        left = list(found)


async def self_audit(reader: Reader, namespaces: Collection[str] = ()) -> tuple[Question, ...]:
    """Those of `QUESTIONS` that the cluster answers with yes: none, for a bot that only impersonates by name.

    Without a name it is asked for all names, without a namespace for all of them. Raises what the reader raises: a bot
    that cannot ask has not been found harmless.
    """
    wide = await _yes(reader, QUESTIONS)
    local = [asked for asked in QUESTIONS if asked.local and asked not in wide]
    inside = [replace(asked, namespace=namespace) for namespace in sorted(set(namespaces)) for asked in local]
    return (*wide, *await _yes(reader, inside))


def named_namespaces(policy: Policy) -> frozenset[str]:
    """The namespaces that a policy calls by name: in grants, for apps, and for channels."""
    said = {namespace for grant in policy.grants for namespace in grant.namespaces if "*" not in namespace}
    homes = {rule.namespace for rule in policy.apps} | {rule.place.namespace for rule in policy.channels}
    return frozenset(filter(None, said | homes))


_ANYWAY: Final = "STEERSMAN_ALLOW_OVERPRIVILEGED=true starts it all the same."


async def _asked(clusters: Clusters, names: Iterable[str], namespaces: Collection[str]) -> Mapping[str, SteersmanError]:
    """What speaks against each cluster: Forbidden for too many rights, Unavailable where it could not be asked."""
    asked = list(names)
    answers = await asyncio.gather(*(_objection(clusters, name, namespaces) for name in asked))
    return {name: error for name, error in zip(asked, answers, strict=True) if error is not None}


async def _objection(clusters: Clusters, cluster: str, namespaces: Collection[str]) -> SteersmanError | None:
    try:
        async with asyncio.timeout(_WITHIN):
            excess = await self_audit(clusters.reader(cluster, KubeconfigUser(), Reach(("*",))), namespaces)
    except (SteersmanError, TimeoutError) as error:
        why = error.message if isinstance(error, SteersmanError) else f"It did not answer within {_WITHIN:g} s."
        return Unavailable(
            f"{cluster} is not served yet: it could not be asked what Steersman's own login may do there. {why}",
            hint="It is asked again every half minute.",
        )
    if not excess:
        return None
    first = ", ".join(map(str, excess[:_TOLD]))
    more = f", and {len(excess) - _TOLD} more" if len(excess) > _TOLD else ""
    return Forbidden(
        f"On {cluster} Steersman's own login may do what no bot should: {first}{more}.",
        judge=Judge.CLUSTER,
        hint=f"Leave it the rights that `steersman rbac --cluster {cluster}` prints; "
        f"`steersman rbac --audit --context {cluster}` lists what is too much.",
    )


async def _yes(reader: Reader, questions: Sequence[Question]) -> tuple[Question, ...]:
    gate = asyncio.Semaphore(_AT_ONCE)

    async def allowed(asked: Question) -> bool:
        async with gate:
            return (await reader.can(asked.right, asked.namespace, asked.name)).allowed

    answers = await asyncio.gather(*map(allowed, questions))
    return tuple(asked for asked, answer in zip(questions, answers, strict=True) if answer)
