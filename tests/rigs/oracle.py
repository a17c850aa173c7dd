"""kubectl as the oracle: one case is the same action by the bot and by kubectl on two equal clusters.

A case is data. What it needs of a cluster is the small Protocol `Side`, so that the same cases run on any two
clusters that are equal; `oracle_embedded` gives two embedded ones.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

from rigs.oracle_snapshot import RESOURCES, Snapshot, at_rest, difference, snapshot

Json: TypeAlias = dict[str, Any]

_REST_WITHIN = 30.0


@dataclass(frozen=True)
class Said:
    """What came back: all the words, and kubectl's exit code (the bot has none)."""

    text: str
    code: int = 0


class Side(Protocol):
    """One of two equal clusters, and the one who acts on it; `look_every` is how often it is asked (seconds)."""

    @property
    def look_every(self) -> float: ...

    async def create(self, manifest: Json) -> None:
        """Create the object of a manifest that names its namespace."""
        ...

    async def patch(self, resource: str, namespace: str, name: str, body: Json) -> None:
        """Change an object by a strategic merge patch; `resource` is as in `deployments.apps`."""
        ...

    async def list(self, resource: str, namespace: str) -> Sequence[Json]: ...

    async def drop(self, namespace: str) -> None:
        """Delete a namespace and all that is in it; nobody waits for that."""
        ...

    async def act(self, line: str, namespace: str) -> Said:
        """Say a line to the bot, or give it to kubectl, in a namespace. What asks to be confirmed is confirmed."""
        ...


class Twins(Protocol):
    """Two equal clusters: on one the bot acts, on the other kubectl."""

    @property
    def bot(self) -> Side: ...
    @property
    def kubectl(self) -> Side: ...

    def namespace(self) -> str:
        """A name that nothing on either cluster has yet."""
        ...


@dataclass(frozen=True)
class Past:
    """One earlier step, done alike on both clusters: a strategic patch of an object.

    Without `settles` the action comes right after it, before the controllers are done.
    """

    resource: str
    name: str
    body: Json
    settles: bool = True


@dataclass(frozen=True)
class Case:
    """`title` reads as a sentence; several lines of the bot, or of kubectl, are said one after the other.

    `says` are words that both must say; `bot_says` those of the bot alone. A `refused` case changes nothing and
    kubectl fails; a `skipped` one changes nothing and kubectl does not.
    """

    title: str
    manifests: tuple[Json, ...]
    bot: str | tuple[str, ...]
    kubectl: str | tuple[str, ...]
    past: tuple[Past, ...] = ()
    says: str = ""
    bot_says: str = ""
    refused: bool = False
    skipped: bool = False


@dataclass
class Outcome:
    """What one side said, line by line, and how its namespace looked before and after."""

    said: list[Said] = field(default_factory=list)
    before: Snapshot = field(default_factory=dict)
    after: Snapshot = field(default_factory=dict)

    @property
    def text(self) -> str:
        return "\n".join(said.text for said in self.said)

    @property
    def ok(self) -> bool:
        return all(said.code == 0 for said in self.said)


async def compare(twins: Twins, case: Case) -> tuple[Outcome, Outcome]:
    """Play a case on both clusters and hold the bot's against kubectl's; returns both for more questions."""
    namespace = twins.namespace()
    bot, kubectl = await asyncio.gather(
        _play(twins.bot, case, case.bot, namespace), _play(twins.kubectl, case, case.kubectl, namespace)
    )
    if all(step.settles for step in case.past):  # in the middle of a rollout no two clusters are equal
        assert bot.before == kubectl.before, "the two clusters were not equal to begin with"
    same_words(case, bot, kubectl)
    assert bot.after == kubectl.after, "\n".join(
        ["the bot said:", bot.text, "kubectl said:", kubectl.text, *difference(kubectl.after, bot.after)]
    )
    if case.refused or case.skipped:
        assert bot.after == bot.before, f"something changed: {bot.text}"
        assert kubectl.after == kubectl.before, f"kubectl changed something: {kubectl.text}"
        assert kubectl.ok is case.skipped, kubectl.text
    else:
        assert kubectl.ok, kubectl.text
        assert kubectl.after != kubectl.before, f"nothing changed: {kubectl.text}"
    return bot, kubectl


def same_words(case: Case, bot: Outcome, kubectl: Outcome) -> None:
    assert case.says in kubectl.text, kubectl.text
    assert case.says in bot.text, bot.text
    assert case.bot_says in bot.text, bot.text


async def _play(side: Side, case: Case, lines: str | tuple[str, ...], namespace: str) -> Outcome:
    try:
        await prepare(side, case.manifests, namespace)
        for step in case.past:
            await side.patch(step.resource, namespace, step.name, step.body)
            if step.settles:
                await rest(side, namespace)
        outcome = Outcome(before=await snapshot(side, namespace))
        for line in (lines,) if isinstance(lines, str) else lines:
            outcome.said.append(await side.act(line, namespace))
            outcome.after = await rest(side, namespace)
        return outcome
    finally:
        await side.drop(namespace)


async def prepare(side: Side, manifests: Sequence[Json], namespace: str) -> None:
    """Create a namespace and what stands in it, and wait until all of it runs."""
    await side.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": namespace}})
    for manifest in manifests:
        await side.create({**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}})
    await rest(side, namespace)


async def rest(side: Side, namespace: str) -> Snapshot:
    """Wait until the controllers have done all that they will do in a namespace, and look at it."""
    seen: dict[str, Sequence[Json]] = {}
    try:
        async with asyncio.timeout(_REST_WITHIN):
            while True:
                listed = await asyncio.gather(*(side.list(resource, namespace) for resource in RESOURCES))
                seen = dict(zip(RESOURCES, listed, strict=True))
                if at_rest(seen):
                    return await snapshot(side, namespace)
                await asyncio.sleep(side.look_every)
    except TimeoutError:
        raise AssertionError(f"{namespace} does not come to rest: {seen}") from None
