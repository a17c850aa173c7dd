"""Each kind of the seed application in words, and what never stands in a description."""

from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
import yaml
from rigs.chat import as_text

import bot.demo
from bot.core.describe import describe
from bot.core.plan import Json
from bot.core.reply import Code, Reply

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)
LAST_APPLIED = '{"stringData":{"DB_PASSWORD":"hunter2"}}'  # pragma: allowlist secret
SEED = Path(bot.demo.__path__[0]) / "seeds" / "myapp.yaml"


@cache
def seed() -> dict[str, Json]:
    return {item["kind"]: item for item in yaml.safe_load_all(SEED.read_text()) if item}


def words(manifest: Json, **more: object) -> str:
    return as_text(Reply("", parts=describe(manifest, NOW, **more)))  # type: ignore[arg-type]  # passed on


def of(kind: str, **more: object) -> Json:
    return {**seed()[kind], **more}  # type: ignore[dict-item]  # JSON all the same


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        (
            "Deployment",
            [
                "Strategy: RollingUpdate (max surge 1, max unavailable 0)",
                "Liveness: HTTP GET /health on port http; after 30 s, every 10 s, timeout 5 s, 3 failures",
                "Startup: HTTP GET /startup on port http; every 10 s, 30 failures",
                "Requests: cpu 100m, memory 128Mi",
                "Limits: cpu 500m, memory 512Mi",
                "Security: runAsUser 1000 · runAsGroup 3000 · fsGroup 2000",
                "all of configmap/myapp-config",
                "all of secret/myapp-secrets",
                "POD_NAME: field metadata.name",
                "/app/config from config-volume (read-only)",
                "data-volume: claim/myapp-data",
                "away from pods with app in (myapp), per kubernetes.io/hostname (preferred, weight 100)",
                "Tolerations: node-role.kubernetes.io/master:NoSchedule exists",
                "Template annotations: prometheus.io/scrape true · prometheus.io/port 8080",
            ],
        ),
        (
            "Service",
            [
                "Type: LoadBalancer",
                "http  80/TCP  http",
                "Session affinity: ClientIP for 10800 s",
                "service.beta.kubernetes.io/aws-load-balancer-type=nlb",
            ],
        ),
        (
            "Ingress",
            [
                "Class: nginx",
                "TLS: myapp.example.com by secret/myapp-tls",
                "myapp.example.com  /  Prefix  service/myapp:http",
                "nginx.ingress.kubernetes.io/proxy-body-size=50m",
            ],
        ),
        ("ConfigMap", ["feature-flags.properties  43 B  2", "feature.new-ui=true", "server.port=8080"]),
        ("PersistentVolumeClaim", ["Requested: 10Gi", "Access: ReadWriteOnce", "Class: gp2"]),
        (
            "StorageClass",
            ["Provisioner: kubernetes.io/aws-ebs", "Reclaim policy: Retain", "May grow: yes", "encrypted=true"],
        ),
        (
            "HorizontalPodAutoscaler",
            [
                "Scales: deployment/myapp",
                "Bounds: 3 to 10 replicas",
                "cpu  unknown  80%",
                "Scaling down: looks back 300 s; 100% per 15 s",
            ],
        ),
    ],
)
def test_each_kind_of_the_seed_application_is_told_in_words(kind: str, told: list[str]) -> None:
    text = words(seed()[kind])

    for line in told:
        assert line in text


def test_a_secret_shows_keys_and_sizes_and_never_a_value() -> None:
    manifest: Json = {
        "apiVersion": "v1",
        "kind": "Secret",
        "type": "Opaque",
        "metadata": {
            "name": "myapp-secrets",
            "annotations": {
                "kubectl.kubernetes.io/last-applied-configuration": LAST_APPLIED,
                "example.com/note": "hunter2",
            },
            "managedFields": [{"manager": "kubectl", "fieldsV1": {"f:data": {}}}],
        },
        "data": {"DB_PASSWORD": "aHVudGVyMg==", "BROKEN": "%%%"},  # pragma: allowlist secret
        "stringData": {"LATE": "hunter2"},
    }

    text = words(manifest)

    assert "DB_PASSWORD  7 B" in text
    assert "example.com/note" in text
    assert "hunter2" not in text
    assert "aHVudGVyMg" not in text


def test_a_secret_of_another_group_is_masked_too() -> None:
    manifest: Json = {
        "apiVersion": "example.com/v1",
        "kind": "Vault",
        "metadata": {
            "name": "v",
            "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "hunter2"},
            "managedFields": [{"manager": "hunter2"}],
        },
        "spec": {
            "adminPassword": "hunter2",  # pragma: allowlist secret
            "stringData": {"harmless": "hunter2"},
            "env": [{"name": "API_KEY", "value": "hunter2"}, {"name": "COLOUR", "value": "blue"}],
            "url": "postgres://shop:hunter2@db/shop",  # pragma: allowlist secret
            "secretName": "vault-keys",  # pragma: allowlist secret
        },
    }

    text = words(manifest)

    assert "hunter2" not in text
    assert "value: blue" in text
    assert "secretName: vault-keys" in text


def test_a_long_manifest_is_cut_and_says_so() -> None:
    manifest: Json = {"apiVersion": "example.com/v1", "kind": "Widget", "spec": {f"key{n}": n for n in range(500)}}

    [code] = [part for part in describe(manifest, NOW) if isinstance(part, Code)]

    assert len(code.text.splitlines()) == 120
    assert code.cut == "381 more of 501 lines are not shown."


def test_contents_of_a_config_map_are_shortened_and_its_passwords_hidden() -> None:
    text = words(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": "c"},
            "data": {
                "app.properties": "db.password=hunter2\ncolour=blue",
                "long": "\n".join(f"line{n}" for n in range(99)),
            },
            "binaryData": {"logo.png": "aGVsbG8="},
        }
    )

    assert "db.password=***" in text
    assert "colour=blue" in text
    assert "line19" in text
    assert "line20" not in text
    assert "The first 129 B of 682 B." in text
    assert "logo.png  5 B  binary" in text


def test_a_service_tells_its_endpoints_and_warns_without_a_ready_one() -> None:
    def slices(*ready: bool) -> list[Json]:
        return [
            {
                "endpoints": [
                    {"addresses": [f"10.0.0.{n}"], "conditions": {"ready": state}, "targetRef": {"name": f"p{n}"}}
                ]
            }
            for n, state in enumerate(ready)
        ]

    assert "10.0.0.0  yes  p0" in words(of("Service"), slices=slices(True, False))
    assert "no ready endpoint: none of its pods is ready" in words(of("Service"), slices=slices(False))
    assert "no ready endpoint: no pod matches its selector" in words(of("Service"), slices=[])
    assert "endpoint" not in words(of("Service"))  # nobody could look


def test_a_pod_tells_the_state_of_each_container_and_why_it_restarted() -> None:
    text = words(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": "p", "ownerReferences": [{"kind": "ReplicaSet", "name": "myapp-1"}]},
            "spec": {
                "nodeName": "node-1",
                "containers": [
                    {
                        "name": "myapp",
                        "image": "myapp:v1",
                        "args": ["--token", "hunter2", "--api-key=hunter2", "--port=80"],
                        "env": [
                            {"name": "DB_PASSWORD", "value": "hunter2"},
                            {"name": "DB_USER", "valueFrom": {"secretKeyRef": {"name": "s", "key": "user"}}},
                        ],
                    }
                ],
            },
            "status": {
                "phase": "Running",
                "containerStatuses": [
                    {
                        "name": "myapp",
                        "ready": False,
                        "restartCount": 4,
                        "state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off 40s"}},
                        "lastState": {
                            "terminated": {"exitCode": 137, "reason": "OOMKilled", "finishedAt": "2026-11-23T08:56:00Z"}
                        },
                    }
                ],
            },
        }
    )

    assert "State: waiting: CrashLoopBackOff (back-off 40s)" in text
    assert "Before: ended 4 m ago with exit code 137 (OOMKilled)" in text
    assert "Restarts: 4" in text
    assert "Controlled by: replicaset/myapp-1" in text
    assert "DB_USER: key user of secret/s" in text
    assert "Command: --token *** --api-key=*** --port=80" in text
    assert "hunter2" not in text


def test_a_node_tells_taints_capacity_and_that_it_is_cordoned() -> None:
    text = words(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": "n", "labels": {"node-role.kubernetes.io/worker": ""}},
            "spec": {"unschedulable": True, "taints": [{"key": "gpu", "value": "yes", "effect": "NoSchedule"}]},
            "status": {"capacity": {"cpu": "4"}, "allocatable": {"cpu": "3920m"}},
        }
    )

    assert "Roles: worker" in text
    assert "cpu  4  3920m" in text
    assert "gpu=yes:NoSchedule" in text
    assert "cordoned" in text


def test_what_is_being_deleted_says_what_it_waits_for() -> None:
    metadata: Json = {"name": "x", "deletionTimestamp": "2026-11-23T08:56:00Z", "finalizers": ["example.com/hold"]}

    assert "It is being deleted since 4 m; waits for example.com/hold." in words(of("Service", metadata=metadata))


@pytest.mark.parametrize("kind", ["Deployment", "Pod", "Service", "Ingress", "Secret", "Node", "PersistentVolume"])
@pytest.mark.parametrize(
    "odd", [{}, {"spec": None, "status": []}, {"spec": "text", "data": [1], "metadata": "none"}, {"spec": {"ports": 3}}]
)
def test_an_object_of_an_unexpected_shape_is_described_without_an_error(kind: str, odd: dict[str, object]) -> None:
    group = {"Deployment": "apps/v1", "Ingress": "networking.k8s.io/v1"}.get(kind, "v1")

    assert describe({"apiVersion": group, "kind": kind, **odd}, NOW)  # type: ignore[dict-item]  # odd on purpose
