"""Whether the bot's own login may do too much: asked of the cluster, as the bot itself."""

import asyncio
from dataclasses import dataclass
from typing import Final

from bot.core.cluster import Reader, Right

_RBAC: Final = "rbac.authorization.k8s.io"


@dataclass(frozen=True, slots=True)
class Question:
    """A right that the bot must not have, on one name where there is one, and what it would mean."""

    right: Right
    name: str
    meaning: str


QUESTIONS: Final = (
    Question(Right("impersonate", "", "groups"), "system:masters", "speak as an administrator of the cluster"),
    Question(Right("impersonate", "", "groups"), "", "speak as any group"),
    Question(Right("impersonate", "", "users"), "system:admin", "speak as a user of Kubernetes itself"),
    Question(Right("impersonate", "", "users"), "", "speak as any user"),
    Question(Right("impersonate", "", "serviceaccounts"), "", "speak as any ServiceAccount"),
    Question(Right("impersonate:user-info", "authentication.k8s.io", "groups"), "", "speak as any group"),
    Question(Right("impersonate:user-info", "authentication.k8s.io", "users"), "", "speak as any user"),
    Question(Right("get", "", "secrets"), "", "read Secrets"),
    Question(Right("list", "", "secrets"), "", "list Secrets"),
    Question(Right("patch", "apps", "deployments"), "", "change workloads as itself, without a person"),
    Question(Right("create", "", "pods"), "", "start pods as itself"),
    Question(Right("create", "", "pods", "exec"), "", "run commands in pods"),
    Question(Right("create", "", "serviceaccounts", "token"), "", "make itself tokens of others"),
    Question(Right("escalate", _RBAC, "clusterroles"), "", "widen its own rights"),
    Question(Right("bind", _RBAC, "clusterroles"), "", "bind itself to wider rights"),
)


async def self_audit(reader: Reader) -> tuple[Question, ...]:
    """Those of `QUESTIONS` that the cluster answers with yes: none, for a bot that only impersonates by name.

    Without a name it is asked for all names, without a namespace for all of them. Raises what the reader raises: a bot
    that cannot ask has not been found harmless.
    """
    answers = await asyncio.gather(*(reader.can(asked.right, "", asked.name) for asked in QUESTIONS))
    return tuple(asked for asked, answer in zip(QUESTIONS, answers, strict=True) if answer.allowed)
