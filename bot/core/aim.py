"""What a change aims at: one workload of an app, or the containers that one image runs in. Asks back where unsure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from bot.core.errors import Ambiguous, Choice, NotFound
from bot.core.image import Image
from bot.core.suggest import did_you_mean, listed, nearest
from bot.core.workload import App, Container, Workload

LineFor: TypeAlias = Callable[[str, str], str]
"""The same command line again, for another app or workload and with a container ("" for none)."""


@dataclass(frozen=True, slots=True)
class Aim:
    """One container of one workload."""

    workload: Workload
    container: Container

    @property
    def path(self) -> str:
        """Where its image stands, as `pick` reads it."""
        return f"spec.template.spec.{self.list_name}[name={self.container.name}].image"

    @property
    def list_name(self) -> str:
        return "initContainers" if self.container.init else "containers"


@dataclass(frozen=True, slots=True)
class Aims:
    """The containers that take a new version, at most one a workload, and the workloads that run something else."""

    hit: tuple[Aim, ...]
    left: tuple[Workload, ...]


def only(app: App, candidates: Sequence[Workload], line: Callable[[str], str]) -> Workload:
    """The one workload that is meant. Raises Ambiguous, with `line` for each label, where there are several."""
    if len(candidates) == 1:
        return candidates[0]
    raise Ambiguous(
        f"`{app.name}` is {listed([workload.label for workload in candidates])}.",
        hint="Which one do you mean?",
        choices=[Choice(workload.label, line(workload.label)) for workload in candidates],
    )


def containers_for(app: App, wanted: str, line: LineFor) -> Aims:
    """The containers whose image a deploy of this app changes.

    In each workload it is the container `wanted`, where one was named (init containers too); else the one named like
    the app, else like the workload, else the only one. All that run the same repository change together; where they
    run several, the workload named like the app decides. Raises NotFound and Ambiguous.
    """
    found = [
        Aim(workload, container)
        for workload in app.workloads
        if (container := workload.container(wanted) if wanted else obvious(workload, app.name)) is not None
    ]
    if not found:
        raise _no_container(app, wanted, line) if wanted else _which_container(app, app.workloads, line)
    repository = _repository(app, found, wanted, line)
    hit = [aim for aim in found if _repository_of(aim.container) == repository]
    if not wanted:
        unsure = [workload for workload in app.workloads if workload not in [aim.workload for aim in found]]
        hit += [aim for workload in unsure for aim in _same_image(app, workload, repository, line)]
    taken = [aim.workload for aim in hit]
    return Aims(tuple(hit), tuple(workload for workload in app.workloads if workload not in taken))


def obvious(workload: Workload, app: str) -> Container | None:
    """The container that a version speaks of: named like the app, else like the workload, else the only one."""
    regular = [container for container in workload.containers if not container.init]
    for name in (app, workload.name):
        if named := next((container for container in regular if container.name == name), None):
            return named
    return regular[0] if len(regular) == 1 else None


def _repository(app: App, found: Sequence[Aim], wanted: str, line: LineFor) -> str:
    repositories = {_repository_of(aim.container): aim for aim in found}
    if len(repositories) == 1:
        return next(iter(repositories))
    named = {_repository_of(aim.container) for aim in found if aim.workload.name == app.name}
    if len(named) == 1:
        return named.pop()
    raise Ambiguous(
        f"`{app.name}` runs several images: {listed(list(repositories))}.",
        hint="Which workload takes the new version?",
        choices=[Choice(aim.workload.label, line(aim.workload.label, wanted)) for aim in found],
    )


def _same_image(app: App, workload: Workload, repository: str, line: LineFor) -> list[Aim]:
    """Of a workload without an obvious container: the one with this repository, or none."""
    same = [
        Aim(workload, container)
        for container in workload.containers
        if not container.init and _repository_of(container) == repository
    ]
    if len(same) > 1:
        raise _which_container(app, [workload], line)
    return same


def _which_container(app: App, workloads: Sequence[Workload], line: LineFor) -> Ambiguous:
    names = dict.fromkeys(c.name for workload in workloads for c in workload.containers if not c.init)
    where = workloads[0].label if len(workloads) == 1 else app.name
    return Ambiguous(
        f"`{where}` has several containers: {listed(list(names))}.",
        hint="Which one takes the new version?",
        choices=[Choice(name, line(where, name)) for name in names],
    )


def _no_container(app: App, wanted: str, line: LineFor) -> NotFound:
    names = list(dict.fromkeys(c.name for workload in app.workloads for c in workload.containers))
    near = nearest(wanted, names)
    return NotFound(
        f"`{app.name}` has no container `{wanted}`.",
        hint=did_you_mean(near) or f"It has {listed(names)}.",
        choices=[Choice(name, line(app.name, name)) for name in near or names],
    )


def _repository_of(container: Container) -> str:
    try:
        return Image.parse(container.image).repository
    except ValueError:  # an image that only its runtime can read still equals itself
        return container.image
