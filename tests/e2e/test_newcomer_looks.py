"""What a curious newcomer looks at with the real kubectl: every seed object in every form, and what is not there."""

import json

import pytest
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_newcomer import Newcomer

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]

SEED = "deploy,sts,ds,rs,pods,svc,ing,hpa,cm,secret,pvc,pv,sc,endpointslices,nodes,ns,sa,roles,clusterroles"

DESCRIBED = [
    ("deploy myapp", ["3 desired | 3 updated | 3 total | 3 available", "http-get http://:http/startup"]),
    ("pods -l app=myapp", ["Controlled By:  ReplicaSet/myapp-", "State:          Running", "Burstable"]),
    ("rs -l app=myapp", ["Controlled By:  Deployment/myapp", "3 Running / 0 Waiting"]),
    ("svc myapp", ["LoadBalancer Ingress:", "Session Affinity:         ClientIP", "10.244."]),
    ("ingress myapp", ["myapp-tls terminates myapp.example.com", "myapp:http (10.244."]),
    ("hpa myapp", ["resource cpu on pods  (as a percentage of request):", "ValidMetricFound", "Max replicas:"]),
    ("cm myapp-config", ["feature.new-ui=true", "worker_processes auto;"]),
    ("pvc myapp-data", ["Status:        Bound", "Capacity:      10Gi", "Used By:       myapp-"]),
    ("sc gp2", ["kmsKeyId=example-key-of-the-demo", "WaitForFirstConsumer"]),
    ("sts db -n data", ["2 Running / 0 Waiting", "Capacity:      20Gi"]),
    ("ds agent -n ops", ["Number of Nodes Scheduled with Available Pods: 2", "Tolerations:     op=Exists"]),
    ("node dev-worker-1", ["KubeletReady", "Non-terminated Pods:", "Allocated resources:"]),
    ("ns shop", ["Status:       Active"]),
]  # fmt: skip


async def test_get_lists_what_the_seed_has_and_where(newcomer: Newcomer) -> None:
    listed = await newcomer.says(f"get {SEED} -A")
    wide = await newcomer.says("get pods -A -o wide --show-labels")

    for name in ("deployment.apps/myapp", "statefulset.apps/db", "daemonset.apps/agent", "storage.k8s.io/gp2"):
        assert name in listed
    assert "dev-worker-" in wide
    assert "app.kubernetes.io/part-of=cart" in wide


async def test_get_sorts_selects_and_cuts_out(newcomer: Newcomer) -> None:
    by_age = (await newcomer.says("get deploy --sort-by=.metadata.creationTimestamp -o name")).split()
    selected = (await newcomer.says("get pods -l app=myapp --field-selector=status.phase=Running -o name")).split()
    images = await newcomer.says("get deploy storefront -o jsonpath={..containers[*].image}")
    columns = await newcomer.says("get deploy myapp -o custom-columns=N:.metadata.name,R:.spec.replicas --no-headers")

    assert by_age.index("deployment.apps/mailer") < by_age.index("deployment.apps/myapp")
    assert len(selected) == 3
    assert images == "registry.example.com/shop/storefront:2.8.1 nginx:1.27.2"
    assert columns.split() == ["myapp", "3"]


@pytest.mark.parametrize("form", ["yaml", "json"])
async def test_get_prints_an_object_whole(newcomer: Newcomer, form: str) -> None:
    printed = await newcomer.says(f"get deploy myapp -o {form}")

    assert "creationTimestamp" in printed
    assert "managedFields" not in printed
    assert ("image: myapp:v1" if form == "yaml" else '"image": "myapp:v1"') in printed


async def test_get_pages_through_a_long_list(newcomer: Newcomer) -> None:
    whole = await newcomer.says("get pods -A -o name")
    paged = await newcomer.says("get pods -A -o name --chunk-size=3")

    assert paged == whole


async def test_get_says_what_is_not_there(newcomer: Newcomer) -> None:
    assert 'pods "nope" not found' in await newcomer.refused("get pod nope")
    assert """doesn't have a resource type "foo\"""" in await newcomer.refused("get foo")
    assert "is not a known field selector" in await newcomer.refused("get pods --field-selector=spec.foo=bar")
    assert "No resources found in default namespace." in await newcomer.says("get deploy -n default")


@pytest.mark.parametrize(("what", "words"), DESCRIBED, ids=[what for what, _ in DESCRIBED])
async def test_describe_knows_every_kind_of_the_seed(newcomer: Newcomer, what: str, words: list[str]) -> None:
    printed = await newcomer.says(f"describe {what}")

    assert [word for word in words if word not in printed] == []


async def test_describe_shows_the_sizes_of_a_secret_alone(newcomer: Newcomer) -> None:
    printed = await newcomer.says("describe secret myapp-secrets")

    assert "DB_PASSWORD:  19 bytes" in printed
    assert "not-a-real" not in printed


async def test_a_watch_tells_what_happens_while_it_lasts(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    await newcomer.says(f"create deployment web --image=web:v1 -n {space}")
    async with newcomer.kubectl.listening(f"get deploy -n {space} --watch --output-watch-events") as until:
        assert "web" in await until("ADDED")
        await newcomer.says(f"scale deployment web --replicas=2 -n {space}")
        assert "MODIFIED" in await until("2/2")
        await newcomer.says(f"delete deployment web -n {space}")
        assert "web" in await until("DELETED")


async def test_logs_are_cut_chosen_and_followed(newcomer: Newcomer) -> None:
    three = await newcomer.kubectl.run("logs deploy/myapp --tail=3")
    stamped = await newcomer.kubectl.run("logs deploy/myapp --tail=1 --timestamps")
    prefixed = await newcomer.kubectl.run("logs -l app=myapp --tail=1 --prefix")
    chosen = await newcomer.kubectl.run("logs deploy/storefront --tail=1")

    assert len(three.out.splitlines()) == 3
    assert stamped.out.split()[0].endswith("Z")
    assert len(prefixed.out.splitlines()) == 3
    assert 'Defaulted container "storefront" out of: storefront, proxy, migrate (init)' in chosen.err
    assert (await newcomer.kubectl.run("logs deploy/storefront -c proxy --tail=1")).out
    assert "container nope is not valid" in await newcomer.refused("logs deploy/storefront -c nope")
    assert "previous terminated container" in await newcomer.refused("logs deploy/myapp --previous")
    async with newcomer.kubectl.listening("logs deploy/myapp --follow --tail=1") as until:
        first = await until("GET")
        assert await until("GET") != first


async def test_a_crash_is_seen_in_its_log_its_state_and_its_events(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    await newcomer.says(f"create deployment web --image=web:v-crash -n {space}")
    await newcomer.until(f"get pods -n {space}", "CrashLoopBackOff")
    pod = (await newcomer.says(f"get pods -n {space} -o name")).strip()

    assert "IllegalStateException" in await newcomer.says(f"logs {pod} --previous -n {space}")
    assert "Back-off restarting failed container" in await newcomer.until(f"events --for {pod} -n {space}", "BackOff")
    assert "Exit Code:    1" in await newcomer.says(f"describe {pod} -n {space}")


async def test_events_tell_what_the_controllers_did(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    await newcomer.says(f"create deployment web --image=web:v-bad -n {space}")
    await newcomer.until(f"get pods -n {space}", "ImagePullBackOff")

    scaled = await newcomer.says(f"events --for deployment/web -n {space}")
    warnings = await newcomer.says(f"events --types=Warning -n {space}")
    sorted_ones = await newcomer.says(f"get events --sort-by=.lastTimestamp -n {space}")

    assert "ScalingReplicaSet" in scaled
    assert "web:v-bad" in warnings
    assert "Scheduled" not in warnings
    assert "Scheduled" in sorted_ones


async def test_top_measures_pods_containers_and_nodes(newcomer: Newcomer) -> None:
    pods = await newcomer.says("top pods -A --sort-by=cpu")
    containers = await newcomer.says("top pods -l app=storefront --containers")
    nodes = await newcomer.says("top nodes")

    used = [int(line.split()[2].removesuffix("m")) for line in pods.splitlines()[1:]]
    assert used == sorted(used, reverse=True)
    assert "proxy" in containers
    assert "%" in nodes


async def test_the_cluster_says_what_it_serves(newcomer: Newcomer) -> None:
    resources = await newcomer.says("api-resources")
    version = json.loads((await newcomer.kubectl.run("version -o json")).out)

    assert "horizontalpodautoscalers" in resources
    assert "apps/v1" in await newcomer.says("api-versions")
    assert "is running at https://127.0.0.1:" in await newcomer.says("cluster-info")
    assert version["serverVersion"]["gitVersion"].startswith("v1.")
    assert await newcomer.says("get --raw /readyz") == "ok"
