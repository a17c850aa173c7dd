"""The people of the demo, and the groups that each is in on each cluster: what a directory would know."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

CLUSTERS = ("dev", "prod")

BOT = "system:serviceaccount:steersman:steersman"
"""The bot's own user: it may only speak for people (``seeds/rights-*.yaml``)."""

VIEWER = "steersman:viewer"  # sees all but Secrets
DEPLOYER = "steersman:deployer"  # changes workloads, where the role is bound: in dev
SRE = "steersman:sre"  # changes workloads and nodes, everywhere


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody, and their Kubernetes groups by cluster; the user's name is the person's."""

    name: str
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


PEOPLE = (
    Person("alice", {"dev": (VIEWER, DEPLOYER), "prod": (VIEWER,)}),
    Person("bob", {"dev": (VIEWER, SRE), "prod": (VIEWER, SRE)}),
    Person("carol", {"dev": (VIEWER,), "prod": (VIEWER,)}),
    Person("eve"),  # on no cluster at all
)
