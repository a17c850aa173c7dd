"""The door against a whole API server: the demo's clusters, with their controllers and their rights, over TLS."""

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest
import yaml

from bot.core.cluster import Gone, Reach, Right, Stamp
from bot.core.diff import ACTION_ANNOTATION
from bot.core.errors import Forbidden, Invalid, NotFound, Refused, Stale, Unavailable
from bot.core.people import Impersonated
from bot.core.plan import Absent, ClusterWrite, Json, JsonValue, PatchType, Place, Same, Verb, pick
from bot.core.pod import LogRequest
from bot.core.workload import Kind, Workload
from bot.demo.controllers.tempo import FAST
from bot.demo.world import World
from bot.kube.clusters import KubeClusters, Options, connect
from bot.kube.credentials import Kubeconfig
from bot.kube.reader import ClusterReader

ALICE = Impersonated("alice", ("steersman:viewer", "steersman:deployer"))
BOB = Impersonated("bob", ("steersman:viewer", "steersman:sre"))
ALL = Reach(("*",))
MYAPP = Kind.DEPLOYMENT.ref(Place("dev", "shop"), "myapp")
STAMP = Stamp("a-1", "audit-1")


class RealTime:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture
async def world() -> AsyncIterator[World]:
    numbers = count(1)
    async with World(
        tempo=FAST, clock=lambda: datetime.now(UTC), new_uid=lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"
    ) as running:
        yield running


@pytest.fixture
async def kube(world: World, tmp_path: Path) -> AsyncIterator[KubeClusters]:
    world.write_kubeconfig(tmp_path / "config")
    sources = {name: Kubeconfig(str(tmp_path / "config"), name) for name in world.clusters}
    clusters = await connect(sources, Options(RealTime(), random.random))
    yield clusters
    await clusters.close()


@pytest.fixture
def dev(kube: KubeClusters) -> ClusterReader:
    return kube.reader("dev", ALICE, ALL)


def metadata(manifest: Json, path: str) -> str:
    return str(pick(manifest, f"metadata.{path}") or "")


async def until(reader: ClusterReader, done: Callable[[Workload], bool]) -> Workload:
    """The first version of myapp that is as wanted."""
    stream = reader.workloads.watch(MYAPP)
    async with asyncio.timeout(20), aclosing(stream):  # type: ignore[type-var]  # the protocol promises less than a generator
        async for seen in stream:
            assert isinstance(seen, Workload)
            if done(seen):
                return seen
    raise AssertionError("the watch ended")


async def change(
    kube: KubeClusters,
    body: Json,
    *,
    patch_type: PatchType = PatchType.STRATEGIC,
    subresource: str = "",
    dry_run: bool = False,
    identity: Impersonated = ALICE,
    version: str | None = None,
) -> Json:
    """Patch myapp on dev, locked on its present version."""
    writer = kube.writer("dev", identity)
    target = Kind.DEPLOYMENT.ref(Place("dev", "shop"), "myapp", subresource)
    before = await writer.read(target)
    write = ClusterWrite(target, Verb.PATCH, body, patch_type, Same(metadata(before, "uid"), (), ""))
    lock = metadata(before, "resourceVersion") if version is None else version
    return (await writer.send(write, resource_version=lock, stamp=STAMP, dry_run=dry_run)).manifest


def image(name: str) -> Json:
    return {"spec": {"template": {"spec": {"containers": [{"name": "myapp", "image": name}]}}}}


async def test_every_noun_of_the_reader_answers(kube: KubeClusters, dev: ClusterReader) -> None:
    assert "shop" in await dev.namespaces()
    workload = await dev.workloads.get(Kind.DEPLOYMENT, "shop", "myapp")
    assert [container.image for container in workload.containers] == ["myapp:v1"]
    assert workload in await dev.workloads.list("shop")
    assert {item.kind for item in await dev.workloads.list(None)} == set(Kind)
    (revision,) = await dev.workloads.revisions(workload)
    assert revision.number == 1
    hpa = await dev.workloads.autoscaler(workload)
    assert hpa is not None
    assert (hpa.minimum, hpa.maximum) == (3, 10)
    pods = await dev.pods.list("shop", workload.selector)
    assert [pod.owner for pod in pods] == [revision.name] * 3
    lines = await dev.pods.logs("shop", LogRequest(pods[0].name, "myapp", tail=3))
    assert len(lines.splitlines()) == 3
    assert len(await dev.metrics.pods("shop", workload.selector)) == 3
    assert all(node.cpu_percent is not None for node in await dev.metrics.nodes())
    table = await dev.objects.table(await dev.objects.find_kind("po"), None)
    assert {row[0] for row in table.rows} > {"shop", "data", "ops"}
    assert pick(await dev.objects.get(MYAPP), "kind") == "Deployment"


async def test_statefulsets_and_daemonsets_have_their_revisions_too(dev: ClusterReader) -> None:
    for kind, namespace, name in ((Kind.STATEFUL_SET, "data", "db"), (Kind.DAEMON_SET, "ops", "agent")):
        workload = await dev.workloads.get(kind, namespace, name)
        revisions = await dev.workloads.revisions(workload)
        assert [revision.number for revision in revisions] == [1, 2]
        assert pick(revisions[0].payload, "spec.template") is not None
        assert workload.status.updated == workload.replicas


async def test_owners_of_the_seeds_are_known(dev: ClusterReader) -> None:
    owners = {item.name: item.owner.tool for item in await dev.workloads.list(None) if item.owner}

    assert owners == {"grafana": "Helm", "storefront": "Argo CD"}


async def test_rights_are_those_of_the_person_on_that_cluster(kube: KubeClusters, dev: ClusterReader) -> None:
    scale = Right("patch", "apps", "deployments", "scale")
    viewing = kube.reader("prod", Impersonated("alice", ("steersman:viewer",)), ALL)

    assert (await dev.can(scale, "shop")).allowed
    assert not (await viewing.can(scale, "shop")).allowed
    with pytest.raises(Forbidden, match="alice may not list secrets in prod/shop"):
        await viewing.objects.table(await viewing.objects.find_kind("secret"), "shop")
    with pytest.raises(Forbidden, match="does not let Steersman act as eve"):
        await kube.reader("dev", Impersonated("eve"), ALL).namespaces()
    with pytest.raises(NotFound, match=r"There is no deployments/nope in dev/shop"):
        await dev.workloads.get(Kind.DEPLOYMENT, "shop", "nope")


async def test_a_dry_run_shows_the_object_after_and_changes_nothing(kube: KubeClusters, dev: ClusterReader) -> None:
    after = await change(kube, image("myapp:v2"), dry_run=True)

    assert pick(after, "spec.template.spec.containers[name=myapp].image") == "myapp:v2"
    assert (await dev.workloads.get(Kind.DEPLOYMENT, "shop", "myapp")).containers[0].image == "myapp:v1"


async def test_a_rollout_is_seen_to_its_end_and_the_object_tells_who_did_it(
    world: World, kube: KubeClusters, dev: ClusterReader
) -> None:
    written = await change(kube, image("myapp:v2"))
    generation = int(str(pick(written, "metadata.generation")))

    done = await until(
        dev,
        lambda seen: (
            seen.status.observed_generation >= generation
            and seen.status.updated == seen.status.available == seen.status.replicas == 3
        ),
    )

    assert done.containers[0].image == "myapp:v2"
    assert done.annotations[ACTION_ANNOTATION] == "a-1"
    assert any(edit.manager == "steersman" for edit in done.edits)
    assert [revision.number for revision in await dev.workloads.revisions(done)] == [1, 2]
    assert "audit-1" in {record.audit_id for record in world.clusters["dev"].audit}
    events = await dev.events.list("shop", [("Deployment", "myapp")])
    assert "ScalingReplicaSet" in {event.reason for event in events}


async def test_a_bad_image_shows_its_cause_on_the_pod(kube: KubeClusters, dev: ClusterReader) -> None:
    await change(kube, image("myapp:v-bad"))

    async with asyncio.timeout(20):
        while True:
            waiting = {c.waiting.reason for pod in await dev.pods.list("shop") for c in pod.containers if c.waiting}
            if waiting & {"ErrImagePull", "ImagePullBackOff"}:
                return
            await asyncio.sleep(0.02)


async def test_an_old_version_is_never_written_over(kube: KubeClusters) -> None:
    old = metadata(await change(kube, {"metadata": {"labels": {"a": "1"}}}, dry_run=True), "resourceVersion")
    await change(kube, {"metadata": {"labels": {"a": "2"}}})

    patch: JsonValue = [{"op": "add", "path": "/metadata/labels/a", "value": "3"}]
    for body, patch_type, subresource in (
        (image("myapp:v2"), PatchType.STRATEGIC, ""),
        ({"metadata": {"labels": {"a": "3"}}}, PatchType.MERGE, ""),
        ({"operations": patch}, PatchType.JSON, ""),
        ({"spec": {"replicas": 5}}, PatchType.MERGE, "scale"),
    ):
        with pytest.raises(Stale):
            await change(kube, body, patch_type=patch_type, subresource=subresource, version=old)


@pytest.mark.parametrize("held", [True, False])
async def test_a_json_patch_marks_objects_with_and_without_annotations(kube: KubeClusters, held: bool) -> None:
    marks: JsonValue = {"a": "b"} if held else None
    await change(kube, {"metadata": {"labels": {"x": "y"}}}, patch_type=PatchType.MERGE)
    operations: JsonValue = [{"op": "add", "path": "/metadata/annotations", "value": marks or {}}]
    await change(kube, {"operations": operations}, patch_type=PatchType.JSON)

    pause: JsonValue = [{"op": "add", "path": "/spec/paused", "value": True}]
    after = await change(kube, {"operations": pause}, patch_type=PatchType.JSON)

    assert pick(after, "spec.paused") is True
    assert pick(after, f'metadata.annotations."{ACTION_ANNOTATION}"') == "a-1"


async def test_what_the_server_rejects_is_told_in_its_words(kube: KubeClusters) -> None:
    with pytest.raises(Invalid, match=r"spec.replicas: Invalid value: -1"):
        await change(kube, {"spec": {"replicas": -1}}, patch_type=PatchType.MERGE)
    with pytest.raises(Invalid, match="unknown field"):
        await change(kube, {"spec": {"replicsa": 1}}, patch_type=PatchType.MERGE)
    with pytest.raises(Forbidden, match="carol may not patch deployments"):
        await change(kube, {"spec": {"replicas": 1}}, identity=Impersonated("carol", ("steersman:viewer",)))


async def test_scaling_goes_through_the_subresource(kube: KubeClusters, dev: ClusterReader) -> None:
    await change(kube, {"spec": {"replicas": 5}}, patch_type=PatchType.MERGE, subresource="scale")

    scaled = await until(dev, lambda seen: seen.status.available == 5)

    assert scaled.replicas == 5
    assert ACTION_ANNOTATION not in scaled.annotations


async def test_create_and_delete_are_bound_to_absence_and_to_the_object_seen(kube: KubeClusters, world: World) -> None:
    # No command creates yet, so the demo's rights do not hold these verbs.
    rules = [{"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["create", "delete"]}]
    role = {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "makers"}
    subject = {"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": BOB.user}
    store = world.clusters["dev"].store
    store.create("clusterroles.rbac.authorization.k8s.io", {"metadata": {"name": "makers"}, "rules": rules})
    store.create(
        "clusterrolebindings.rbac.authorization.k8s.io",
        {"metadata": {"name": "makers"}, "roleRef": role, "subjects": [subject]},
    )
    writer = kube.writer("dev", BOB)
    source = await writer.read(MYAPP)
    target = Kind.DEPLOYMENT.ref(Place("dev", "shop"), "copy")
    spec = json.loads(json.dumps(pick(source, "spec")))
    body: Json = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "copy", "namespace": "shop"},
        "spec": spec,
    }
    create = ClusterWrite(target, Verb.CREATE, body, None, Absent())
    made = (await writer.send(create, resource_version="", stamp=STAMP, dry_run=False)).manifest
    with pytest.raises(Refused, match="already"):
        await writer.send(create, resource_version="", stamp=STAMP, dry_run=False)

    other = ClusterWrite(target, Verb.DELETE, {}, None, Same("another-uid", (), ""))
    with pytest.raises(Stale):
        await writer.send(other, resource_version="", stamp=STAMP, dry_run=False)
    delete = ClusterWrite(target, Verb.DELETE, {}, None, Same(metadata(made, "uid"), (), ""))
    await writer.send(delete, resource_version="", stamp=STAMP, dry_run=True)
    await writer.read(target)
    await writer.send(delete, resource_version="", stamp=STAMP, dry_run=False)
    with pytest.raises(NotFound):
        await writer.read(target)


async def test_a_watch_of_what_is_not_there_ends_at_once(dev: ClusterReader) -> None:
    missing = Kind.DEPLOYMENT.ref(Place("dev", "shop"), "nope")

    assert [seen async for seen in dev.workloads.watch(missing)] == [Gone()]


async def test_a_certificate_of_a_stranger_is_not_trusted(world: World, tmp_path: Path) -> None:
    world.write_kubeconfig(tmp_path / "config")
    config = yaml.safe_load((tmp_path / "config").read_text())
    clusters = {item["name"]: item["cluster"] for item in config["clusters"]}
    dev, prod = (clusters[name] for name in ("dev", "prod"))
    dev["certificate-authority-data"], prod["server"] = prod["certificate-authority-data"], "https://127.0.0.1:1"
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    kube = await connect(
        {name: Kubeconfig(str(tmp_path / "config"), name) for name in ("dev", "prod")},
        Options(RealTime(), random.random),
    )
    try:
        with pytest.raises(Unavailable, match="certificate that is not trusted"):
            await kube.reader("dev", ALICE, ALL).namespaces()
        with pytest.raises(Unavailable, match="refuses the connection"):
            await kube.reader("prod", ALICE, ALL).namespaces()
    finally:
        await kube.close()
