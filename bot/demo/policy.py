"""The demo's policy: its people, with the roles whose groups the clusters' own RBAC knows (`seed_people`)."""

from bot.core.plan import Place, Risk
from bot.core.policy import ChannelRule, ClusterRule, Gate, Grant, Person, Policy, Role
from bot.demo.seed_people import PEOPLE

CHANNEL = "shop"


def demo_policy() -> Policy:
    """Developers change dev and look at prod; SREs change both; what is dangerous is confirmed; eve is a guest."""
    names = tuple(person.name for person in PEOPLE)
    viewers = tuple(person.name for person in PEOPLE if person.groups)
    return Policy(
        name="the demo's policy",
        clusters=(ClusterRule("dev"), ClusterRule("prod", production=True)),
        people=tuple(Person(name, name, name) for name in names),
        roles=(Role("viewer"), Role("deployer", ("*",)), Role("sre", ("*",))),
        grants=(
            Grant(viewers, "viewer"),
            Grant(("alice",), "deployer", ("dev",)),
            Grant(("bob",), "sre"),
        ),
        gates=(Gate(from_risk=Risk.DANGER, reason="This takes something out of service: please confirm."),),
        channels=(ChannelRule(CHANNEL, Place("dev", "shop")),),
    )
