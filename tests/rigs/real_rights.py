"""The rights that `steersman rbac` prints, on a real cluster: applied by kubectl, for a login of a test's own."""

from pathlib import Path

from rigs.controlplane.api import Json
from rigs.real import Real

from bot.core.command import Registry
from bot.core.policy import Policy
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.rbac.manifests import IMPERSONATOR, Account, manifests
from bot.rbac.text import text


async def logged_in(
    cluster: Real, space: str, policy: Policy, registry: Registry, *, constrained: bool = False, name: str = "bot"
) -> Path:
    """Apply the rights of a policy for a new account in `space`, and write its kubeconfig.

    The bot's own ClusterRole gets the account's name: other tests have one as well.
    """
    known = cluster.at.cluster
    own = text(manifests(policy, registry, known, Account(space, name), constrained=constrained), "Rights.")
    file = cluster.folder / f"{space}-{name}.yaml"
    file.write_text(own.replace(IMPERSONATOR, f"{IMPERSONATOR}-{space}-{name}"))
    meta = {"name": name, "namespace": space}
    await cluster.api.create({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta})
    await cluster.kubectl().run(f"apply -f {file}")
    return await kubeconfig_of(cluster, space, name)


async def kubeconfig_of(cluster: Real, space: str, name: str) -> Path:
    """A kubeconfig with a token of a ServiceAccount, for an hour."""
    asked: Json = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "spec": {"expirationSeconds": 3600},
    }
    made = await cluster.api.ask("POST", f"/api/v1/namespaces/{space}/serviceaccounts/{name}/token", asked)
    path = cluster.folder / f"{space}-{name}.kubeconfig"
    known = cluster.at.cluster
    write_kubeconfig(path, [Entry(known, cluster.at.url, cluster.at.ca_pem, made["status"]["token"], name, space)])
    return path
