"""An app with a secret wherever one may stand, on embedded clusters; and lines that look at it and change it."""

import base64
import json
from random import Random

from rigs.canaries import Flock, canary
from rigs.whole_bot import deployment

from bot.demo import admission
from bot.demo.objects import Json
from bot.demo.seed_people import SRE
from bot.demo.store import Store
from bot.demo.world import World

RBAC = "rbac.authorization.k8s.io"
SECRETS = "of the Secret", "of its annotation"  # pragma: allowlist secret
IN_OBJECTS = (
    "old variable",
    "new variable",
    "init variable",
    "flag",
    "flag with =",
    "probe",
    "address",
    "applied copy",
    "change cause",
)
IN_FILES = "key of a file", "line of a file", "private key"
FLOCK = Flock({name: canary(Random(name)) for name in (*SECRETS, *IN_OBJECTS, *IN_FILES)})  # noqa: S311 - repeatable
OLD, NEW = FLOCK.values["old variable"], FLOCK.values["new variable"]


def settle_in(store: Store) -> None:
    """An app `bank` with a secret wherever one may stand, and a reader for whom Secrets are open."""
    value = FLOCK.values
    made = deployment("bank", 1)
    applied = json.dumps({"spec": {"password": value["applied copy"]}})
    cause = f"kubectl set env deployment/bank DB_PASSWORD='{value['change cause']}' --record=true"
    made["metadata"]["annotations"] = {
        "kubectl.kubernetes.io/last-applied-configuration": applied,
        "kubernetes.io/change-cause": cause,
    }
    spec = made["spec"]["template"]["spec"]
    (main,) = spec["containers"]
    main["env"] = [{"name": "DB_PASSWORD", "value": OLD}, {"name": "DSN", "value": address()}]
    main["args"] = ["--db-password", value["flag"], f"--api-token={value['flag with =']}"]
    main["readinessProbe"] = {"exec": {"command": ["check", "--password", value["probe"]]}}
    spec["initContainers"] = [
        {"name": "prepare", "image": "bank:v1", "env": [{"name": "JWT_SECRET", "value": value["init variable"]}]}
    ]
    admission.create(store, "deployments.apps", made)
    held = base64.b64encode(value["of the Secret"].encode()).decode()
    admission.create(
        store,
        "secrets",
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {
                "name": "bank",
                "namespace": "shop",
                "annotations": {
                    "kubectl.kubernetes.io/last-applied-configuration": json.dumps(
                        {"stringData": {"pin": value["of its annotation"]}}
                    )
                },
            },
            "data": {"pin": held},
        },
    )
    files = {
        "db.password": value["key of a file"],
        "app.properties": f"color=blue\njwt.secret = {value['line of a file']}\n",
        "tls.key": f"-----BEGIN {'PRIVATE'} KEY-----\n{value['private key']}\n-----END {'PRIVATE'} KEY-----\n",
    }
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "bank", "namespace": "shop"}}
    admission.create(store, "configmaps", {**config, "data": files})
    role = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRole", "metadata": {"name": "opener"}}
    opens = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get", "list"]}
    admission.create(store, f"clusterroles.{RBAC}", {**role, "rules": [opens]})
    binding = {"apiVersion": f"{RBAC}/v1", "kind": "ClusterRoleBinding", "metadata": {"name": "opener"}}
    reference = {"apiGroup": RBAC, "kind": "ClusterRole", "name": "opener"}
    subject = {"apiGroup": RBAC, "kind": "Group", "name": SRE}
    admission.create(store, f"clusterrolebindings.{RBAC}", {**binding, "roleRef": reference, "subjects": [subject]})


def address() -> str:
    """A login in an address holds no marks that an address could not."""
    plain = "".join(letter for letter in FLOCK.values["address"] if letter.isascii() and letter.isalnum())
    return f"postgres://bank:{plain}@db:5432/bank"


def change_password(world: World) -> None:
    """A new revision, whose variable has another value."""
    for cluster in world.clusters.values():
        known = json.loads(json.dumps(cluster.store.get("deployments.apps", "shop", "bank")))
        known["spec"]["template"]["spec"]["containers"][0]["env"][0]["value"] = NEW
        admission.update(cluster.store, "deployments.apps", known)


def event(world: World, name: str, message: str, about: str = "bank") -> None:
    store = world.clusters["dev"].store
    now = store.now.isoformat().replace("+00:00", "Z")
    body: Json = {
        "apiVersion": "v1",
        "kind": "Event",
        "metadata": {"name": name, "namespace": "shop"},
        "involvedObject": {"kind": "Deployment", "name": about, "namespace": "shop", "apiVersion": "apps/v1"},
        "type": "Warning",
        "reason": "Odd",
        "message": message,
        "firstTimestamp": now,
        "lastTimestamp": now,
        "count": 1,
    }
    admission.create(store, "events", body)


LOOKS = (
    "apps",
    "bank",
    "show bank",
    "show deploy/bank",
    "show configmap/bank",
    "show secret/bank",
    "get secrets",
    "get secret bank",
    "get configmaps",
    "get deployments -w",
    "get replicasets",
    "get events",
    "pods",
    "events",
    "events bank",
    "logs bank",
    "status bank",
    "rollout history bank",
    "rollout history bank --revision 1",
    "rollout history bank --revision 3",
    "images",
    "versions bank",
    "changes bank",
    "why bank",
    "audit",
)
DEEDS = (
    "rollout undo bank --to 1",
    "deploy bank v3 --reason spring",
    "undo bank",
    "restart bank",
    "scale bank 2",
    "rollout pause bank",
    "rollout resume bank",
    "deploy bank v-bad",
    "undo bank",
    "deploy bank v-crash",
    "undo bank",
)
