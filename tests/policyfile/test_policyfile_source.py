"""Hot reload: what is right counts from the next look on, what is wrong is told and changes nothing."""

import asyncio
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest

import commands
from bot.core.command import Registry
from bot.core.policy import Policy
from bot.policyfile.problem import BadPolicy
from bot.policyfile.source import PolicySource

REGISTRY = Registry.of(commands)
GOOD = (Path(__file__).parents[2] / "deploy/policy.yaml").read_text()


@dataclass
class Steps:
    """A clock whose every sleep is a step that the test lets happen."""

    slept: list[float] = field(default_factory=list)
    step: asyncio.Event = field(default_factory=asyncio.Event)

    def now(self) -> datetime:
        return datetime(2026, 11, 23, tzinfo=UTC)

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        await self.step.wait()
        self.step.clear()


@dataclass
class Told:
    """What the source told."""

    policies: list[Policy] = field(default_factory=list)
    refusals: list[BadPolicy] = field(default_factory=list)


@dataclass
class File:
    """The policy's file, as its owner edits it."""

    path: Path

    def says(self, text: str) -> None:
        self.path.write_text(text)

    def is_named(self, name: str) -> None:
        self.says(GOOD.replace("the shop's policy", name))

    def goes(self) -> None:
        self.path.unlink()


@pytest.fixture
def file(tmp_path: Path) -> File:
    file = File(tmp_path / "policy.yaml")
    file.says(GOOD)
    return file


@pytest.fixture
def told() -> Told:
    return Told()


async def opened(path: Path, told: Told, clock: Steps) -> PolicySource:
    return await PolicySource.opened(path, REGISTRY, clock, changed=told.policies.append, refused=told.refusals.append)


@pytest.fixture
async def source(file: File, told: Told) -> PolicySource:
    return await opened(file.path, told, Steps())


async def looks(source: PolicySource, times: int = 2) -> None:
    for _ in range(times):
        await source.look()


async def test_a_file_that_stays_is_not_told(source: PolicySource, told: Told) -> None:
    await looks(source, 3)

    assert (told.policies, told.refusals) == ([], [])


async def test_a_new_policy_is_in_force_and_told_once(source: PolicySource, file: File, told: Told) -> None:
    file.is_named("the new one")

    await looks(source, 4)

    assert [policy.name for policy in told.policies] == ["the new one"]
    assert source.policy is told.policies[0]


async def test_a_file_is_taken_only_when_it_stands_still(source: PolicySource, file: File, told: Told) -> None:
    file.says(GOOD[: GOOD.index("channels:")])
    await source.look()
    file.is_named("whole")
    await looks(source)

    assert [policy.name for policy in told.policies] == ["whole"]


async def test_a_wrong_file_leaves_the_old_policy_in_force_and_is_told_once(
    source: PolicySource, file: File, told: Told
) -> None:
    before = source.policy
    file.says(GOOD.replace("role: viewer", "role: boss"))

    await looks(source, 4)

    assert source.policy is before
    assert [error.problems[0].line for error in told.refusals] == [28]
    assert told.policies == []


async def test_a_wrong_file_that_is_mended_counts_again(source: PolicySource, file: File, told: Told) -> None:
    file.says("nonsense")
    await looks(source)
    file.is_named("mended")
    await looks(source)

    assert [policy.name for policy in told.policies] == ["mended"]


async def test_a_lost_file_is_told_once_and_counts_when_it_is_back(
    source: PolicySource, file: File, told: Told
) -> None:
    file.goes()
    await looks(source, 3)
    file.is_named("back")
    await looks(source)

    assert len(told.refusals) == 1
    assert "policy.yaml cannot be read: No such file or directory" in told.refusals[0].message
    assert [policy.name for policy in told.policies] == ["back"]


async def test_a_link_that_is_turned_is_a_change_as_a_configmap_makes_it(tmp_path: Path, told: Told) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "policy.yaml").write_text(GOOD.replace("the shop's policy", name))
    link = tmp_path / "current"
    link.symlink_to(tmp_path / "one")
    source = await opened(link / "policy.yaml", told, Steps())

    link.unlink()
    link.symlink_to(tmp_path / "two")
    await looks(source)

    assert source.policy.name == "two"


async def test_a_comment_alone_is_no_new_policy(source: PolicySource, file: File, told: Told) -> None:
    file.says(GOOD + "\n# a word\n")

    await looks(source)

    assert told.policies == []


async def test_without_a_right_file_there_is_no_start(tmp_path: Path, told: Told) -> None:
    with pytest.raises(BadPolicy, match="cannot be read"):
        await opened(tmp_path / "policy.yaml", told, Steps())


async def test_the_watch_looks_at_each_step_of_the_clock(file: File, told: Told) -> None:
    clock = Steps()
    source = await opened(file.path, told, clock)
    file.is_named("watched")
    watch = asyncio.create_task(source.watch())

    async with asyncio.timeout(10):
        while not told.policies:
            clock.step.set()
            await asyncio.sleep(0)
    watch.cancel()
    await asyncio.gather(watch, return_exceptions=True)

    assert source.policy.name == "watched"
    assert set(clock.slept) == {2.0}
