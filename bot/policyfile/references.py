"""What the parts of a policy say of each other: each name that is used is described, and nobody is there twice."""

from collections.abc import Collection, Iterator, Mapping
from fnmatch import fnmatchcase

from bot.core.command import Action, Command, Decision, Registry
from bot.core.suggest import did_you_mean, listed, nearest
from bot.policyfile.problem import Problem
from bot.policyfile.reading import Document, Path
from bot.policyfile.shape import PolicyShape

READS = "reads"
"""Among a role's commands: all that change nothing."""


def check(shape: PolicyShape, document: Document, registry: Registry) -> Iterator[Problem]:
    """Everything that does not fit together, each with its line."""
    for path, message in (
        *_people(shape),
        *_groups(shape),
        *_commands(shape, registry),
        *_grants(shape),
        *_rest(shape),
    ):
        yield Problem(document.line(path), message)


_Found = Iterator[tuple[Path, str]]


def _people(shape: PolicyShape) -> _Found:
    names: dict[str, str] = {}
    users: dict[str, str] = {}
    for key, person in shape.people.items():
        if (other := names.setdefault(person.name, key)) != key:
            yield ("people", key, "name"), f"`{key}` and `{other}` are both called `{person.name}`"
        if (other := users.setdefault(person.user, key)) != key:
            both = f"`{key}` and `{other}` both act as the Kubernetes user `{person.user}`"
            yield ("people", key, "user"), f"{both}: each needs their own"


def _groups(shape: PolicyShape) -> _Found:
    for group, members in shape.groups.items():
        for at, member in enumerate(members):
            yield from _person(shape, member, ("groups", group, at))


def _commands(shape: PolicyShape, registry: Registry) -> _Found:
    for role, part in shape.roles.items():
        for at, pattern in enumerate(part.commands):
            if pattern != READS:
                yield from _pattern(pattern, ("roles", role, "commands", at), registry, registry)
    actions = [command for command in registry if isinstance(command, Action)]
    for number, gate in enumerate(shape.gates):
        for at, pattern in enumerate(gate.commands):
            yield from _pattern(pattern, ("gates", number, "commands", at), registry, actions)


def _pattern(pattern: str, path: Path, registry: Registry, meant: Collection[Command] | Registry) -> _Found:
    if any(fnmatchcase(command.name, pattern) for command in meant if not isinstance(command, Decision)):
        return
    command = registry.find(pattern)
    if command is None:
        near = nearest(pattern, [each.name for each in meant])
        yield path, f"no command is called `{pattern}`. {did_you_mean(near)}".strip()
    elif command.name != pattern:
        yield path, f"`{pattern}` is another name of `{command.name}`: say that"
    elif isinstance(command, Decision):
        yield path, f"`{pattern}` needs no grant: it decides on what its own rules allow"
    else:
        yield path, f"`{pattern}` changes nothing, and a gate stands only before what does"


def _grants(shape: PolicyShape) -> _Found:
    for number, grant in enumerate(shape.grants):
        at: Path = ("grants", number)
        yield from _named(grant.role, shape.roles, "role", (*at, "role"))
        yield from _who(shape, grant.people, grant.groups, at)
        yield from _on(shape, grant.clusters, at)


def _rest(shape: PolicyShape) -> _Found:
    for number, gate in enumerate(shape.gates):
        yield from _on(shape, gate.clusters, ("gates", number))
        if gate.ask is not None:
            yield from _who(shape, gate.ask.people, gate.ask.groups, ("gates", number, "ask"))
    for channel, place in shape.channels.items():
        yield from _named(place.cluster, shape.clusters, "cluster", ("channels", channel, "cluster"))


def _who(shape: PolicyShape, people: Collection[str], groups: Collection[str], path: Path) -> _Found:
    for at, person in enumerate(people):
        yield from _person(shape, person, (*path, "people", at))
    for at, group in enumerate(groups):
        yield from _named(group, shape.groups, "group", (*path, "groups", at))


def _on(shape: PolicyShape, clusters: Collection[str], path: Path) -> _Found:
    for at, pattern in enumerate(clusters):
        here: Path = (*path, "clusters", at)
        if "*" not in pattern:
            yield from _named(pattern, shape.clusters, "cluster", here)
        elif not any(fnmatchcase(cluster, pattern) for cluster in shape.clusters):
            yield here, f"no cluster of this policy is called as `{pattern}`. There are {listed(list(shape.clusters))}"


def _person(shape: PolicyShape, said: str, path: Path) -> _Found:
    if called := [key for key, person in shape.people.items() if said == person.name and said not in shape.people]:
        yield path, f"people are named by their id here: `{said}` is {listed(called)}"
    else:
        yield from _named(said, shape.people, "person", path)


def _named(said: str, known: Mapping[str, object], what: str, path: Path) -> _Found:
    if said not in known:
        yield path, f"there is no {what} `{said}` in this policy. {did_you_mean(nearest(said, known))}".strip()
