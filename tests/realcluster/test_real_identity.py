"""As whom the bot speaks, by the real API server's own account: its RBAC decides and its audit log remembers."""

from dataclasses import replace
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.controlplane.api import Json, Refusal, login
from rigs.oracle_kubectl import Kubectl
from rigs.real import DEV, Real, bot_on, eventually
from rigs.whole_bot import OpenLedger, granted

from bot.core.policy import Grant, Role
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.seed_people import BOT

pytestmark = pytest.mark.real

RBAC = "rbac.authorization.k8s.io"
GUILDS = ("guild-a", "guild-b", "guild-c")
SECRETS = ("get", "list", "create", "update", "patch", "delete")


def rule(groups: str, resources: list[str], verbs: list[str], names: list[str] | None = None) -> Json:
    return {
        "apiGroups": [groups],
        "resources": resources,
        "verbs": verbs,
        **({"resourceNames": names} if names else {}),
    }


async def grant(dev: Real, name: str, rules: list[Json], subject: Json) -> None:
    """A ClusterRole of these rules for one subject."""
    meta = {"name": name}
    await dev.api.create({"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": meta, "rules": rules})
    binding: Json = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": meta}
    role = {"apiGroup": RBAC, "kind": "ClusterRole", "name": name}
    await dev.api.create({**binding, "roleRef": role, "subjects": [subject]})


def account(name: str, namespace: str) -> Json:
    return {"kind": "ServiceAccount", "name": name, "namespace": namespace}


async def test_a_person_in_five_groups_is_seen_whole(dev: Real, space: str, tmp_path: Path, ledger: OpenLedger) -> None:
    names = [f"steersman:{guild}" for guild in GUILDS]
    await grant(dev, space, [rule("", ["groups"], ["impersonate"], names)], account("steersman", "steersman"))
    rules = granted(*(Grant(("alice",), guild) for guild in GUILDS))
    rules = replace(rules, roles=(*rules.roles, *(Role(guild) for guild in GUILDS)))

    async def done() -> bool:
        return "v2 rolled out" in (await bot.says(f"deploy web v2 -n {space}")).all_text

    async with bot_on((dev,), tmp_path, policy=rules, ledger=ledger) as bot:
        await eventually(done)  # the server's authorizer hears of the new right a moment later

    known = await written(ledger)
    line = next(line for line in dev.audit() if line["auditID"] in known)
    assert line["user"]["username"] == BOT
    assert line["impersonatedUser"]["username"] == "alice"
    groups = {"steersman:viewer", "steersman:deployer", *names}
    assert set(line["impersonatedUser"]["groups"]) - {"system:authenticated"} == groups


async def written(ledger: OpenLedger) -> set[str]:
    """The Audit-IDs under which the ledger says that something was written."""
    return {audit for record in await ledger.records() for audit in record.audit_ids}


async def test_whom_the_cluster_forbids_hears_which_right_is_missing(dev: Real, space: str, tmp_path: Path) -> None:
    rules = granted(Grant(("carol",), "viewer"))
    rules = replace(rules, roles=tuple(replace(r, commands=("*",)) if r.name == "viewer" else r for r in rules.roles))
    async with bot_on((dev,), tmp_path, policy=rules) as bot:
        said = await bot.says(f"deploy web v2 -n {space}", by="carol")

    assert "patch deployments" in said.text
    assert "carol" in said.text
    assert (await dev.api.get("deployments.apps", space, "web"))["metadata"]["generation"] == 1


async def test_the_bots_token_can_do_nothing_by_itself(dev: Real, space: str) -> None:
    async with login(dev.at.url, dev.at.ca_pem, dev.at.tokens[BOT]) as itself:
        for resource in ("pods", "secrets", "configmaps", "deployments.apps"):
            with pytest.raises(Refusal, match="403"):
                await itself.list(resource, space)
        with pytest.raises(Refusal, match="403"):
            await itself.patch("deployments.apps", space, "web", {"spec": {"replicas": 1}})
        with pytest.raises(Refusal, match="403"):
            await itself.ask("GET", "/api/v1/namespaces", headers={"Impersonate-User": "admin"})
        masters = {"Impersonate-User": "alice", "Impersonate-Group": "system:masters"}
        with pytest.raises(Refusal, match="cannot impersonate"):
            await itself.ask("GET", "/api/v1/namespaces", headers=masters)
    listed = (await dev.kubectl(BOT).run(f"auth can-i --list -n {space}")).out
    rights = {line.split()[0] for line in listed.splitlines()[1:] if not line.split()[0].startswith(("[", "self"))}
    assert rights <= {"users", "groups"}


@pytest.fixture
async def courier(dev: Real, space: str) -> tuple[Kubectl, Path]:
    """A service account that may speak for alice the deployer, but only to read workloads and change their scale."""
    meta = {"name": "courier", "namespace": space}
    await dev.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    people = ["alice", "steersman:viewer", "steersman:deployer"]
    to_read = [f"impersonate-on:user-info:{verb}" for verb in ("get", "list", "watch")]
    rules = [
        rule("authentication.k8s.io", ["users", "groups"], ["impersonate:user-info"], people),
        rule("apps", ["deployments", "replicasets", "statefulsets", "daemonsets"], to_read),
        rule("", ["pods", "events"], to_read),
        rule("autoscaling", ["horizontalpodautoscalers"], to_read),
        rule("apps", ["deployments/scale"], [*to_read, "impersonate-on:user-info:patch"]),
        # Discovery is asked for as the person as well, and it is no resource.
        {"nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*"], "verbs": ["impersonate-on:user-info:get"]},
    ]
    await grant(dev, f"courier-{space}", rules, account("courier", space))
    asked = {"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "spec": {"expirationSeconds": 3600}}
    made = await dev.api.ask("POST", f"/api/v1/namespaces/{space}/serviceaccounts/courier/token", asked)
    path = dev.folder / "courier.kubeconfig"
    write_kubeconfig(path, [Entry(DEV, dev.at.url, dev.at.ca_pem, made["status"]["token"], "courier", space)])
    return Kubectl(path, dev.folder), path


async def test_constrained_impersonation_lets_through_what_was_named_and_no_more(
    dev: Real, space: str, tmp_path: Path, courier: tuple[Kubectl, Path]
) -> None:
    kubectl, path = courier
    as_alice = "--as alice --as-group steersman:viewer --as-group steersman:deployer"

    async def heard() -> bool:
        return (await kubectl.run(f"get deploy web {as_alice}", code=None)).code == 0

    await eventually(heard)
    by_hand = await kubectl.run(f"set image deploy/web web=web:v2 {as_alice}", code=None)
    alone = await kubectl.run("get deploy", code=None)
    stranger = await kubectl.run("get deploy --as bob", code=None)
    async with bot_on((dev,), tmp_path, kubeconfig=path) as bot:
        scaled = await bot.says(f"scale web 4 -n {space}")
        refused = await bot.says(f"deploy web v2 -n {space}")

    assert "cannot impersonate-on:user-info:patch" in by_hand.err
    assert "forbidden" in alone.err
    assert "forbidden" in stranger.err
    assert "4 replicas" in scaled.reply.headline
    assert "impersonate-on:user-info:patch" in refused.text
    assert (await dev.api.get("deployments.apps", space, "web"))["spec"]["replicas"] == 4


async def test_every_write_is_in_the_audit_log_under_an_id_that_the_ledger_knows(
    dev: Real, space: str, bot: Bot, ledger: OpenLedger
) -> None:
    for line in ("deploy web v2", "deploy web v-bad", "undo web", "scale web 2", "restart web", "rollout pause web"):
        await bot.says(f"{line} -n {space}")
    await bot.says(f"scale web 0 -n {space}")
    await bot.clicks("Confirm")

    ours = [line for line in writes(dev.audit(), space) if line["userAgent"].startswith("steersman/")]

    # A write that met a conflict is sent again, under the same id.
    assert len({line["auditID"] for line in ours}) == 7
    assert {line["auditID"] for line in ours} == await written(ledger)
    assert {line["user"]["username"] for line in ours} == {BOT}
    assert {line["impersonatedUser"]["username"] for line in ours} == {"alice"}
    others = [line for line in writes(dev.audit(), space) if line not in ours]
    assert [line for line in others if line.get("impersonatedUser")] == []


def writes(lines: list[Json], namespace: str) -> list[Json]:
    """What was written in a namespace, dry runs left out."""
    return [
        line
        for line in lines
        if line.get("objectRef", {}).get("namespace") == namespace
        and line["verb"] in {"create", "update", "patch", "delete", "deletecollection"}
        and "dryRun=All" not in line["requestURI"]
    ]
