"""What `steersman rbac` prints, on the real API server: it is taken, it suffices, and it is no more than that."""

from dataclasses import replace
from pathlib import Path

import pytest
from rigs.oracle_kubectl import Kubectl
from rigs.real import DEV, Real, bot_on, eventually
from rigs.real_rights import logged_in

import commands
from bot.app import SystemClock
from bot.core.command import Registry
from bot.core.errors import Forbidden, SteersmanError
from bot.core.policy import ClusterRule, Grant, Mode, Person, Policy, Role
from bot.core.reply import Table
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.rbac.selfaudit import named_namespaces, refuse_overprivileged

pytestmark = pytest.mark.real

REGISTRY = Registry.of(commands)


def policy_of(space: str, mode: Mode) -> Policy:
    """Zoe ships in one namespace and looks everywhere. The roles are this test's own: others use the cluster too."""
    ships, looks = f"ships-{space}", f"looks-{space}"
    return Policy(
        "the test's",
        (ClusterRule(DEV),),
        (Person("zoe", "zoe", f"zoe-{space}"), Person("yan", "yan", f"yan-{space}")),
        (Role(looks), Role(ships, ("deploy", "scale"))),
        (Grant(("zoe",), ships, (DEV,), (space,)), Grant(("zoe", "yan"), looks)),
        mode=mode,
    )


@pytest.mark.parametrize("constrained", [False, True], ids=["plain", "constrained"])
@pytest.mark.parametrize("mode", list(Mode))
async def test_the_printed_rights_suffice_and_are_no_more(
    dev: Real, space: str, tmp_path: Path, mode: Mode, constrained: bool
) -> None:
    policy = policy_of(space, mode)
    path = await logged_in(dev, space, policy, REGISTRY, constrained=constrained)

    async with bot_on((dev,), tmp_path, policy=policy, kubeconfig=path) as bot:

        async def heard() -> bool:
            """The server's authorizer learns of new rights a moment later."""
            return "Yes, you may" in (await bot.says(f"can deploy -n {space}", by="zoe")).text

        await eventually(heard)
        here = await bot.says(f"can -n {space}", by="zoe")
        shipped = await bot.says(f"deploy web v2 -n {space}", by="zoe")
        kinds = await bot.says(f"get configmaps -n {space}", by="yan")
        denied = await bot.says(f"deploy web v1 -n {space}", by="yan")
    async with bot_on((dev,), tmp_path, policy=wider(policy), kubeconfig=path) as bot:
        forbidden = await bot.says(f"can deploy -n {space}", by="yan")
    secrets = await as_zoe(Kubectl(path, dev.folder), policy, f"get secrets -n {space}")
    stranger = await Kubectl(path, dev.folder).run("get pods --as stranger", code=None)

    (table,) = [part for part in here.reply.parts if isinstance(part, Table)]
    assert {row[2] for row in table.rows if row[1] != "no"} == {"yes"}
    assert ("undo", "no") in {row[:2] for row in table.rows}
    assert "web v2 rolled out" in shipped.all_text
    assert "kube-root-ca.crt" in kinds.text
    assert "You may not `deploy`" in denied.text
    assert "the policy lets you `deploy`" in forbidden.text
    assert "the cluster does not" in forbidden.text
    assert "forbidden" in secrets
    assert "forbidden" in stranger.err


def wider(policy: Policy) -> Policy:
    """The same people and rights, but the policy lets everybody deploy: only the cluster is left to refuse."""
    looks, ships = policy.roles
    return replace(policy, roles=(replace(looks, commands=("deploy",)), ships))


async def as_zoe(kubectl: Kubectl, policy: Policy, line: str) -> str:
    """What kubectl says to the bot's own login, speaking for zoe with all her groups."""
    groups = " ".join(f"--as-group steersman:{role.name}" for role in policy.roles)
    user = policy.people[0].user if policy.mode is Mode.PERSON else f"steersman:{policy.roles[-1].name}"
    return (await kubectl.run(f"{line} --as {user} {groups}", code=None)).err


@pytest.mark.parametrize("constrained", [False, True], ids=["plain", "constrained"])
@pytest.mark.parametrize("mode", list(Mode))
async def test_a_bot_with_the_printed_rights_starts_and_one_with_more_does_not(
    dev: Real, space: str, mode: Mode, constrained: bool
) -> None:
    path = await logged_in(dev, space, policy_of(space, mode), REGISTRY, constrained=constrained)
    spaces = named_namespaces(policy_of(space, mode))
    clusters = await connect({DEV: Kubeconfig(str(path), DEV)}, Options(SystemClock(), lambda: 0.0))
    try:
        assert await refuse_overprivileged(clusters, spaces, allowed=False, told=quiet) == ()

        for kind, rule, said in TOO_MUCH:
            await dev.kubectl().run(f"create {kind} more -n {space} {rule}")
            await dev.kubectl().run(f"create {kind}binding more -n {space} --{kind}=more --serviceaccount={space}:bot")
            told = await eventually_refused(clusters, spaces)
            await dev.kubectl().run(f"delete {kind}binding/more {kind}/more -n {space}")
            assert said.format(space) in told
            await eventually(lambda: is_in_order(clusters, spaces))
    finally:
        await clusters.close()


TOO_MUCH = (
    ("role", "--verb=get --resource=secrets", "read Secrets in {}"),
    ("role", "--verb=create --resource=rolebindings", "hand out rights in {}"),
    ("role", "--verb=impersonate --resource=serviceaccounts", "speak as any ServiceAccount in {}"),
)


def quiet(cluster: str, error: SteersmanError) -> None:
    raise AssertionError(f"{cluster}: {error.message}")


async def eventually_refused(clusters: KubeClusters, spaces: frozenset[str]) -> str:
    """The words of the refusal; the server's authorizer learns of new rights a moment later."""
    told: list[str] = []

    async def refused() -> bool:
        try:
            await refuse_overprivileged(clusters, spaces, allowed=False, told=quiet)
        except Forbidden as error:
            told.append(error.message)
        return bool(told)

    await eventually(refused)
    return told[-1]


async def is_in_order(clusters: KubeClusters, spaces: frozenset[str]) -> bool:
    try:
        return await refuse_overprivileged(clusters, spaces, allowed=False, told=quiet) == ()
    except Forbidden:
        return False
