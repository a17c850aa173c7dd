"""Policies of many shapes, and what they grant read off them as a person would: the oracle beside `Policy.decide`."""

from dataclasses import replace
from random import Random

from bot.core.command import Command, Query, Registry
from bot.core.plan import Place
from bot.core.policy import ClusterRule, Gate, Grant, Mode, Person, Policy, Role

NAMES = ("ann", "ben", "cat", "dan", "eva", "fay")
SPACES = ("shop", "payments", "data", "ops")
_PEOPLE = tuple(Person(name, name, f"{name}@example.com") for name in NAMES)

MANY_SHAPES = Policy(
    name="of many shapes",
    clusters=(ClusterRule("dev"), ClusterRule("prod", production=True)),
    people=_PEOPLE,
    roles=(
        Role("support", ("can", "who-can", "pods", "logs"), reads=False),
        Role("viewer"),
        Role("shipper", ("deploy", "scale")),
        Role("restarter", ("rollout *", "can"), reads=False),
        Role("sre", ("*",)),
    ),
    grants=(
        Grant(("ann",), "shipper", ("dev",), ("shop",)),
        Grant(("ann",), "viewer", ("*",), ("*",)),
        Grant(("ben",), "sre"),
        Grant(("cat",), "support", ("prod",), ("shop", "data")),
        Grant(("dan",), "shipper", ("dev",), ("data",)),  # the same role as ann's, elsewhere
        Grant(("dan",), "restarter", ("*",), ("da*", "ops")),
        Grant(("eva",), "viewer", ("prod",), ("pay*",)),
    ),
    gates=(Gate(("prod",), ("scale",), reason="It is production."),),
)


def random_policy(chance: Random, mark: str, cluster: str, registry: Registry, mode: Mode) -> Policy:
    """Another one at each call. Its roles end in `mark`, its namespaces begin with it: no other test has them."""
    names = [command.name for command in registry]
    roles = tuple(
        # Everybody may ask: what is tried are the answers.
        Role(f"role{n}-{mark}", ("can", *_patterns(chance, names)), reads=chance.random() < 0.4)
        for n in range(5)
    )
    spaces = [f"{mark}-{space}" for space in SPACES]
    grants = tuple(
        Grant(
            tuple(chance.sample(NAMES, chance.randint(1, 2))),
            chance.choice(roles).name,
            (cluster,),
            tuple(chance.sample([*spaces, *spaces, "*", f"{mark}-*a*"], chance.randint(1, 2))),
        )
        for _ in range(8)
    )
    people = tuple(replace(person, user=f"{person.name}-{mark}@example.com") for person in _PEOPLE)
    return Policy(f"random {mark}", (ClusterRule(cluster),), people, roles, grants, mode=mode)


def granted(policy: Policy, person: str, command: Command, place: Place) -> bool:
    for grant in policy.grants:
        role = next(role for role in policy.roles if role.name == grant.role)
        listed = any(_like(command.name, pattern) for pattern in role.commands)
        spaces = any(_like(place.namespace, space) for space in grant.namespaces)
        clusters = "*" in grant.clusters or place.cluster in grant.clusters
        reading = role.reads and isinstance(command, Query)
        if person in grant.people and clusters and spaces and (listed or reading):
            return True
    return False


def _patterns(chance: Random, names: list[str]) -> tuple[str, ...]:
    patterns = chance.sample(names, chance.randint(1, 5))
    return (*patterns, *chance.sample(["rollout *", "un*", "*"], chance.choice((0, 0, 1))))


def _like(name: str, pattern: str) -> bool:
    """Whether a name fits a pattern of which every part stands in it, in order."""
    start, *rest = pattern.split("*")
    if not rest:
        return name == pattern
    if not name.startswith(start):
        return False
    at = len(start)
    for part in rest[:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return name.endswith(rest[-1]) and len(name) - len(rest[-1]) >= at
