"""The bot's own login: what it may do is asked at the start, and too much of it is refused."""

import asyncio
from typing import cast

import pytest
from rigs.wire import Standstill

import commands
from bot.core.cluster import Access, Reach, Reader, Right, Writer
from bot.core.command import Registry
from bot.core.errors import Forbidden, SteersmanError, Unavailable
from bot.core.people import Identity, KubeconfigUser
from bot.core.plan import Place
from bot.core.policy import AppRule, ChannelRule, ClusterRule, Grant, Policy
from bot.rbac.selfaudit import QUESTIONS, ask_again, named_namespaces, refuse_overprivileged, self_audit

REGISTRY = Registry.of(commands)
SECRETS = "get secrets"  # pragma: allowlist secret


class Login:
    """A login that may do what it is given, in all namespaces or behind `@` in one; `down` answers nothing."""

    def __init__(self, *may: str, down: bool = False, slow: bool = False) -> None:
        self.may = set(may)
        self.down = down
        self.slow = slow

    async def can(self, right: Right, namespace: str, name: str = "") -> Access:
        if self.slow:
            await asyncio.Event().wait()
        if self.down:
            raise Unavailable("prod cannot be reached: no connection in time.")
        said = f"{right} {name}".strip()
        return Access(said in self.may or f"{said}@{namespace}" in self.may, "")


class Logins:
    """Clusters with a login each."""

    def __init__(self, **logins: Login) -> None:
        self.logins = logins
        self.barred: dict[str, SteersmanError] = {}

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self.logins)

    def reader(self, cluster: str, identity: Identity, reach: Reach) -> Reader:
        assert identity == KubeconfigUser()
        return cast("Reader", self.logins[cluster])

    def writer(self, cluster: str, identity: Identity) -> Writer:
        raise AssertionError("an audit writes nothing")

    def bar(self, cluster: str, why: SteersmanError | None) -> None:
        self.barred.pop(cluster, None)
        if why is not None:
            self.barred[cluster] = why


class Log:
    """What whoever runs the bot is told."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, SteersmanError]] = []

    def __call__(self, cluster: str, error: SteersmanError) -> None:
        self.lines.append((cluster, error))


async def test_a_bot_that_only_impersonates_by_name_is_fine() -> None:
    assert await self_audit(cast("Reader", Login()), ["shop"]) == ()


async def test_each_question_finds_the_right_that_it_asks_for() -> None:
    for asked in QUESTIONS:
        login = Login(f"{asked.right} {asked.name}".strip())

        assert await self_audit(cast("Reader", login)) == (asked,)


async def test_a_right_that_a_role_of_one_namespace_gives_is_found_there() -> None:
    found = await self_audit(cast("Reader", Login(f"{SECRETS}@shop")), ["data", "shop"])

    assert [str(one) for one in found] == ["read Secrets in shop (get secrets)"]


async def test_a_right_on_everything_is_told_once_and_not_again_for_each_namespace() -> None:
    found = await self_audit(cast("Reader", Login(SECRETS, f"{SECRETS}@shop")), ["shop"])

    assert [str(one) for one in found] == ["read Secrets (get secrets)"]


def test_the_namespaces_of_a_policy_are_those_that_it_calls_by_name() -> None:
    policy = Policy(
        "test",
        (ClusterRule("dev"),),
        (),
        (),
        (Grant(("ann",), "viewer", namespaces=("shop", "team-*", "*")),),
        channels=(ChannelRule("ops", Place("dev", "ops")), ChannelRule("all", Place("dev", ""))),
        apps=(AppRule("db", "data"),),
    )

    assert named_namespaces(policy) == {"shop", "ops", "data"}


async def test_a_start_with_too_many_rights_is_refused_with_what_they_are_and_how_to_mend_it() -> None:
    logins = Logins(dev=Login(), prod=Login(SECRETS, "impersonate groups system:masters"))

    with pytest.raises(Forbidden) as refused:
        await refuse_overprivileged(logins, (), allowed=False, told=Log())

    assert refused.value.message == (
        "On prod Steersman's own login may do what no bot should: speak as an administrator of the cluster "
        "(impersonate groups system:masters), read Secrets (get secrets)."
    )
    assert "`steersman rbac --cluster prod`" in refused.value.hint
    assert "`steersman rbac --audit --context prod`" in refused.value.hint
    assert "STEERSMAN_ALLOW_OVERPRIVILEGED=true" in refused.value.hint


async def test_many_rights_are_not_all_listed() -> None:
    everything = Login(*(f"{asked.right} {asked.name}".strip() for asked in QUESTIONS))

    with pytest.raises(Forbidden, match=f", and {len(QUESTIONS) - 4} more\\."):
        await refuse_overprivileged(Logins(dev=everything), (), allowed=False, told=Log())


async def test_who_allows_it_is_told_and_served() -> None:
    logins, log = Logins(dev=Login(SECRETS), prod=Login(down=True)), Log()

    assert await refuse_overprivileged(logins, (), allowed=True, told=log) == ()

    assert logins.barred == {}
    ((cluster, told),) = log.lines
    assert cluster == "dev"
    assert "read Secrets" in told.message


async def test_a_cluster_that_cannot_be_asked_is_barred_and_the_others_are_served() -> None:
    logins, log = Logins(dev=Login(), prod=Login(down=True)), Log()

    assert await refuse_overprivileged(logins, (), allowed=False, told=log) == ("prod",)

    assert list(logins.barred) == ["prod"]
    assert "could not be asked what Steersman's own login may do there" in logins.barred["prod"].message
    assert "prod cannot be reached" in logins.barred["prod"].message
    assert [cluster for cluster, _ in log.lines] == ["prod"]


async def test_a_cluster_that_does_not_answer_holds_the_start_up_for_seconds_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("bot.rbac.selfaudit._WITHIN", 0.01)

    assert await refuse_overprivileged(Logins(dev=Login(slow=True)), (), allowed=False, told=Log()) == ("dev",)


async def test_a_barred_cluster_is_opened_once_it_is_found_in_order() -> None:
    prod = Login(down=True)
    logins, log, clock = Logins(dev=Login(), prod=prod), Log(), Standstill()
    barred = await refuse_overprivileged(logins, (), allowed=False, told=log)

    class Turning(Standstill):
        """The cluster comes up with too many rights at the third look, and is mended before the fifth."""

        async def sleep(self, seconds: float) -> None:
            await clock.sleep(seconds)
            prod.down = len(clock.slept) < 3
            prod.may = {SECRETS} if len(clock.slept) < 5 else set()

    await ask_again(logins, barred, (), clock=Turning(), told=log)

    assert logins.barred == {}
    assert clock.slept == [30.0] * 5
    told = [type(error) for _, error in log.lines]
    assert told == [Unavailable, Unavailable, Unavailable, Forbidden, Forbidden]


async def test_what_it_asks_of_a_policy_is_bounded_by_the_namespaces_it_names() -> None:
    asked: list[str] = []

    class Counting(Login):
        async def can(self, right: Right, namespace: str, name: str = "") -> Access:
            asked.append(namespace)
            return await super().can(right, namespace, name)

    await self_audit(cast("Reader", Counting()), ["shop", "shop", "data"])

    local = sum(question.local for question in QUESTIONS)
    assert len(asked) == len(QUESTIONS) + 2 * local
