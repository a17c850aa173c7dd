"""The real kubectl against the embedded API server, over TLS, as a curious newcomer would try it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml
from rigs.apiserver import Api, LogLine, Scripted, deployment, pod

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="there is no kubectl on this machine")


@dataclass(frozen=True)
class Said:
    code: int
    out: str
    err: str


class Kubectl:
    def __init__(self, kubeconfig: Path, home: Path) -> None:
        self._environment = {"KUBECONFIG": str(kubeconfig), "HOME": str(home), "PATH": os.environ["PATH"]}

    async def __call__(self, line: str, *, stdin: str = "") -> Said:
        process = await asyncio.create_subprocess_exec(
            "kubectl",
            *line.split(),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=self._environment,
        )
        async with asyncio.timeout(30):
            out, err = await process.communicate(stdin.encode())
        return Said(process.returncode or 0, out.decode(), err.decode())

    async def ok(self, line: str, *, stdin: str = "") -> str:
        said = await self(line, stdin=stdin)
        assert said.code == 0, f"kubectl {line}: {said.err or said.out}"
        return said.out


@pytest.fixture
def kubectl(api: Api, kubeconfig: Callable[[str], Path], tmp_path: Path) -> Kubectl:
    return Kubectl(kubeconfig(api.cluster.token("admin", ("system:masters",))), tmp_path)


def _manifest(image: str = "web:v1", **spec: object) -> str:
    obj = deployment(image=image)
    obj["spec"].update(spec)
    return yaml.safe_dump(obj)


async def test_apply_diff_and_apply_again(kubectl: Kubectl) -> None:
    assert await kubectl.ok("apply -f -", stdin=_manifest()) == "deployment.apps/web created\n"
    assert await kubectl.ok("apply -f -", stdin=_manifest()) == "deployment.apps/web unchanged\n"
    same = await kubectl("diff -f -", stdin=_manifest())
    assert (same.code, same.out) == (0, "")
    other = await kubectl("diff -f -", stdin=_manifest("web:v2"))
    assert other.code == 1
    assert "-      - image: web:v1" in other.out
    assert "+      - image: web:v2" in other.out
    assert await kubectl.ok("apply -f -", stdin=_manifest("web:v2")) == "deployment.apps/web configured\n"
    assert await kubectl.ok("get deploy web -o jsonpath={..image}") == "web:v2 side:1"


async def test_apply_refuses_a_misspelt_field(kubectl: Kubectl) -> None:
    said = await kubectl("apply -f -", stdin=_manifest(replcas=3))
    assert said.code == 1
    assert 'strict decoding error: unknown field "spec.replcas"' in said.err


async def test_server_side_apply_and_its_conflict(kubectl: Kubectl) -> None:
    assert "serverside-applied" in await kubectl.ok("apply --server-side -f -", stdin=_manifest())
    await kubectl.ok("scale deploy/web --replicas=5")
    said = await kubectl("apply --server-side -f -", stdin=_manifest())
    assert "Apply failed with 1 conflict: conflict with" in said.err
    assert ".spec.replicas" in said.err
    await kubectl.ok("apply --server-side --force-conflicts -f -", stdin=_manifest())
    assert await kubectl.ok("get deploy web -o jsonpath={.spec.replicas}") == "2"


async def test_the_imperative_commands_change_what_they_say(kubectl: Kubectl) -> None:
    await kubectl.ok("apply -f -", stdin=_manifest())
    await kubectl.ok("set image deploy/web main=web:v7")
    await kubectl.ok("set env deploy/web -c main COLOUR=blue")
    await kubectl.ok("set resources deploy/web -c main --limits=cpu=200m,memory=64Mi")
    await kubectl.ok("label deploy web tier=front")
    await kubectl.ok("annotate deploy web note=hello")
    await kubectl.ok("rollout restart deploy/web")
    await kubectl.ok("rollout pause deploy/web")
    web = yaml.safe_load(await kubectl.ok("get deploy web -o yaml"))
    main, side = web["spec"]["template"]["spec"]["containers"]
    assert (main["image"], side["image"]) == ("web:v7", "side:1")
    assert main["env"] == [{"name": "COLOUR", "value": "blue"}]
    assert main["resources"] == {"limits": {"cpu": "200m", "memory": "64Mi"}}
    assert web["metadata"]["labels"] == {"tier": "front"}
    assert web["metadata"]["annotations"]["note"] == "hello"
    assert "kubectl.kubernetes.io/restartedAt" in web["spec"]["template"]["metadata"]["annotations"]
    assert web["spec"]["paused"] is True
    await kubectl.ok("rollout resume deploy/web")
    assert await kubectl.ok("get deploy web -o jsonpath={.spec.paused}") == ""


async def test_scale_checks_its_precondition(kubectl: Kubectl) -> None:
    await kubectl.ok("apply -f -", stdin=_manifest())
    await kubectl.ok("scale deploy/web --current-replicas=2 --replicas=3")
    said = await kubectl("scale deploy/web --current-replicas=2 --replicas=4")
    assert "Expected replicas to be 2, was 3" in said.err
    assert await kubectl.ok("get deploy web -o jsonpath={.spec.replicas}") == "3"


async def test_a_server_dry_run_stores_nothing(kubectl: Kubectl) -> None:
    await kubectl.ok("apply -f -", stdin=_manifest())
    shown = await kubectl.ok("set image deploy/web main=web:v9 --dry-run=server -o yaml")
    assert "image: web:v9" in shown
    assert "created (server dry run)" in await kubectl.ok("create cm c --from-literal=a=b --dry-run=server")
    assert await kubectl.ok("get deploy web -o jsonpath={..image}") == "web:v1 side:1"
    assert (await kubectl("get cm c")).code == 1


async def test_what_kubectl_makes_itself_is_understood(kubectl: Kubectl) -> None:
    """Since 1.32 these arrive as protobuf."""
    await kubectl.ok("create namespace extra")
    await kubectl.ok("create deployment made --image=web:v1 --port=8080 --replicas=0")
    await kubectl.ok("create configmap settings --from-literal=colour=blue")
    await kubectl.ok("create secret generic keys --from-literal=token=not-a-real-one")
    await kubectl.ok("create role reader --verb=get,list --resource=pods")
    await kubectl.ok("create rolebinding readers --role=reader --user=bob")
    await kubectl.ok("create quota small --hard=pods=3,requests.cpu=1")
    await kubectl.ok("expose deployment made --port=80 --target-port=8080")
    made = yaml.safe_load(await kubectl.ok("get deploy made -o yaml"))
    assert made["spec"]["replicas"] == 0
    (container,) = made["spec"]["template"]["spec"]["containers"]
    assert container["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]
    assert await kubectl.ok("get cm settings -o jsonpath={.data.colour}") == "blue"
    assert await kubectl.ok("get svc made -o jsonpath={.spec.ports[0].targetPort}") == "8080"
    assert (await kubectl("get pods --as bob")).code == 0


async def test_rights_are_asked_and_refused(kubectl: Kubectl) -> None:
    assert await kubectl.ok("auth can-i delete pods") == "yes\n"
    refused = await kubectl("auth can-i delete pods --as alice")
    assert refused.out == "no\n"
    said = await kubectl("get pods --as alice --as-group dev --as-group ops")
    assert 'pods is forbidden: User "alice" cannot list resource "pods"' in said.err
    assert "Username    alice" in await kubectl.ok("auth whoami --as alice")
    assert "selfsubjectaccessreviews" in await kubectl.ok("auth can-i --list --as alice")


async def test_looking_around(api: Api, kubectl: Kubectl, sources: Scripted) -> None:
    sources.log = [LogLine(datetime.now(UTC), "hello from the pod")]
    one = pod("a", node="n1", labels={"app": "web"})
    one["status"] = {
        "phase": "Running",
        "conditions": [{"type": "Ready", "status": "True"}],
        "containerStatuses": [
            {
                "name": "main",
                "image": "web:v1",
                "imageID": "",
                "ready": True,
                "restartCount": 0,
                "state": {"running": {"startedAt": "2026-01-01T00:00:00Z"}},
            }
        ],
    }
    store = api.cluster.store
    stored = store.create("pods", one)
    capacity = {"cpu": "4", "memory": "8Gi", "pods": "110"}
    ready = [{"type": "Ready", "status": "True"}]
    status = {"capacity": capacity, "allocatable": capacity, "conditions": ready}
    store.create("nodes", {"kind": "Node", "apiVersion": "v1", "metadata": {"name": "n1"}, "status": status})
    event = {
        "metadata": {"name": "a.1", "namespace": "shop"},
        "involvedObject": {"kind": "Pod", "name": "a", "namespace": "shop", "uid": stored["metadata"]["uid"]},
        "type": "Warning",
        "reason": "BackOff",
        "message": "Back-off restarting failed container",
        "firstTimestamp": "2026-01-01T00:00:00Z",
        "lastTimestamp": "2026-01-01T00:00:00Z",
    }
    store.create("events", event)
    assert "1/1     Running" in await kubectl.ok("get pods")
    assert "n1     Ready" in await kubectl.ok("get nodes")
    assert "BackOff" in await kubectl.ok("describe pod a")
    assert "Back-off restarting" in await kubectl.ok("events")
    assert await kubectl.ok("logs a") == "hello from the pod\n"
    assert "12m          34Mi" in await kubectl.ok("top pods")
    assert "250m         6%" in await kubectl.ok("top nodes")
    assert "condition met" in await kubectl.ok("wait pod/a --for=condition=Ready --timeout=5s")
    assert "pod/a" in await kubectl.ok("get all")
    assert "deployments" in await kubectl.ok("api-resources")


async def test_delete_waits_until_it_is_gone(kubectl: Kubectl) -> None:
    await kubectl.ok("apply -f -", stdin=_manifest())
    assert await kubectl.ok("delete deploy web --timeout=10s") == 'deployment.apps "web" deleted\n'
    await kubectl.ok("create namespace extra")
    await kubectl.ok("delete namespace extra --timeout=10s")
    said = await kubectl("get deploy web")
    assert 'deployments.apps "web" not found' in said.err
