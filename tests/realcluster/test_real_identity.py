"""As whom the bot speaks, by the real API server's own account: its RBAC decides and its audit log remembers."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from rigs.chat import Bot
from rigs.controlplane.api import Json, Refusal, login
from rigs.oracle_kubectl import Kubectl
from rigs.real import DEV, Real, bot_on, eventually
from rigs.real_rights import logged_in
from rigs.whole_bot import OpenLedger, granted

import commands
from bot.core.command import Registry
from bot.core.policy import ClusterRule, Grant, Person, Policy, Role
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


async def test_the_servers_audit_log_and_ours_agree_write_by_write_both_ways(
    dev: Real, space: str, bot: Bot, ledger: OpenLedger
) -> None:
    for line in ("deploy web v2", "deploy web v-bad", "undo web", "scale web 2", "restart web", "rollout pause web"):
        await bot.says(f"{line} -n {space}")
    for by, line in (("bob", "rollout resume web"), ("eve", "deploy web v3"), ("carol", "scale web 9")):
        await bot.says(f"{line} -n {space}", by=by)
    for label in ("Cancel", "Confirm"):
        await bot.says(f"scale web 0 -n {space}")
        await bot.clicks(label)

    theirs = [line for line in writes(dev.audit(), space) if line["userAgent"].startswith("steersman/")]
    ours = {audit: record for record in await ledger.records() for audit in record.audit_ids}

    # A write that met a conflict is sent again, under the same id.
    assert {line["auditID"] for line in theirs} == set(ours)
    assert len(ours) == 8
    for write in theirs:
        record = ours[write["auditID"]]
        action = await ledger.action(record.action)
        assert write["user"]["username"] == BOT
        assert write["impersonatedUser"]["username"] == record.actor.id
        assert f"{write['objectRef']['resource']}/{write['objectRef']['name']}" == "deployments/web"
        assert {target.subresource for target in action.targets} == {write["objectRef"].get("subresource", "")}
        assert action.place.namespace == space
    carried_out = {line["auditID"] for line in theirs if line["responseStatus"]["code"] < 300}
    assert carried_out == set(ours)
    others = [line for line in writes(dev.audit(), space) if line not in theirs]
    assert [line for line in others if line.get("impersonatedUser")] == []
    denied = [record for record in await ledger.records() if record.kind == "DENIED"]
    assert {record.actor.id for record in denied} == {"eve", "carol"}
    assert all(not record.audit_ids for record in denied)


@pytest.mark.parametrize("bot_of", ["plain", "constrained"])
async def test_no_identity_of_kubernetes_itself_can_be_spoken_for(dev: Real, space: str, bot_of: str) -> None:
    """With the rights that `steersman rbac` prints, in both of their forms."""
    path = await logged_in(dev, space, policy_of(space), REGISTRY, constrained=bot_of == "constrained")
    kubectl = Kubectl(path, dev.folder)

    async def heard() -> bool:
        return (await kubectl.run(f"get pods -n {space} --as zoe-{space} {ZOES.format(space)}", code=None)).code == 0

    await eventually(heard)
    token = next(one["user"]["token"] for one in yaml.safe_load(path.read_text())["users"])
    async with login(dev.at.url, dev.at.ca_pem, token) as itself:
        for name in SYSTEM_USERS:
            with pytest.raises(Refusal, match="403"):
                await itself.ask("GET", "/api/v1/namespaces", headers={"Impersonate-User": name})
        for name in SYSTEM_GROUPS:
            headers = {"Impersonate-User": f"zoe-{space}", "Impersonate-Group": name}
            with pytest.raises(Refusal, match="403"):
                await itself.ask("GET", "/api/v1/namespaces", headers=headers)


REGISTRY = Registry.of(commands)
ZOES = "--as-group steersman:looks-{0}"
CONTROLLERS = (
    "deployment-controller",
    "replicaset-controller",
    "statefulset-controller",
    "daemon-set-controller",
    "job-controller",
    "cronjob-controller",
    "namespace-controller",
    "node-controller",
    "endpoint-controller",
    "endpointslice-controller",
    "service-account-controller",
    "persistent-volume-binder",
    "attachdetach-controller",
    "horizontal-pod-autoscaler",
    "generic-garbage-collector",
    "resourcequota-controller",
    "disruption-controller",
    "pod-garbage-collector",
    "certificate-controller",
    "root-ca-cert-publisher",
    "clusterrole-aggregation-controller",
    "expand-controller",
    "pvc-protection-controller",
    "ttl-controller",
)
SYSTEM_USERS = (
    "system:admin",
    "system:anonymous",
    "system:apiserver",
    "system:kube-controller-manager",
    "system:kube-scheduler",
    "system:kube-proxy",
    "system:node:node-1",
    "system:volume-scheduler",
    "system:serviceaccount:default:default",
    "system:serviceaccount:steersman:steersman",
    *(f"system:serviceaccount:kube-system:{name}" for name in CONTROLLERS),
)
SYSTEM_GROUPS = (
    "system:masters",
    "system:nodes",
    "system:authenticated",
    "system:unauthenticated",
    "system:serviceaccounts",
    "system:serviceaccounts:kube-system",
    "system:bootstrappers",
    "system:bootstrappers:kubeadm:default-node-token",
    "system:monitoring",
    "system:cluster-admins",
    "system:kubelet-api-admin",
    "system:aggregate-to-admin",
    "kubeadm:cluster-admins",
    "cluster-admin",
    "admin",
    "steersman:sre",
)


def policy_of(space: str) -> Policy:
    looks = f"looks-{space}"
    people = (Person("zoe", "zoe", f"zoe-{space}"),)
    return Policy("the test's", (ClusterRule(DEV),), people, (Role(looks),), (Grant(("zoe",), looks),))


def writes(lines: list[Json], namespace: str) -> list[Json]:
    """What was written in a namespace, dry runs left out."""
    return [
        line
        for line in lines
        if line.get("objectRef", {}).get("namespace") == namespace
        and line["verb"] in {"create", "update", "patch", "delete", "deletecollection"}
        and "dryRun=All" not in line["requestURI"]
    ]
