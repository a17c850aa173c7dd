"""What a curious newcomer changes with the real kubectl, each in a namespace of their own."""

from importlib import resources
from string import Template

import pytest
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_newcomer import Newcomer

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]

CONFIG = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: settings}}\ndata: {{mode: {mode}}}\n"
DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web, labels: {{app: web}}}}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
      - {{name: web, image: "web:{tag}"}}
"""


def seed(app: str, version: str, space: str) -> str:
    """A file of the demo's seeds, moved to another namespace."""
    text = (resources.files("bot.demo") / "seeds" / f"{app}.yaml").read_text()
    return Template(text).substitute(version=version).replace("namespace: shop", f"namespace: {space}")


async def deployed(newcomer: Newcomer, replicas: int = 2) -> str:
    """Create the Deployment `web` in a new namespace, which is returned; its pods are ready."""
    space = await newcomer.playground()
    await newcomer.says(f"create deployment web --image=web:v1 --replicas={replicas} -n {space}")
    await newcomer.says(f"rollout status deploy/web -n {space} --timeout=20s")
    return space


async def image(newcomer: Newcomer, space: str) -> str:
    return await newcomer.says(f"get deploy/web -n {space} -o jsonpath={{..image}}")


async def test_apply_creates_leaves_alone_and_configures(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    apply = f"apply -n {space} -f -"

    assert "created" in await newcomer.says(apply, text=DEPLOYMENT.format(replicas=2, tag="v1"))
    assert "unchanged" in await newcomer.says(apply, text=DEPLOYMENT.format(replicas=2, tag="v1"))
    assert "configured" in await newcomer.says(apply, text=DEPLOYMENT.format(replicas=1, tag="v2"))
    assert await image(newcomer, space) == "web:v2"


async def test_apply_takes_away_what_the_file_no_longer_says(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    both = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {a: '1', b: '2'}\n"
    await newcomer.says(f"apply -n {space} -f -", text=both)
    await newcomer.says(f"apply -n {space} -f -", text=both.replace(", b: '2'", ""))

    assert await newcomer.says(f"get cm settings -n {space} -o jsonpath={{.data}}") == '{"a":"1"}'


async def test_apply_keeps_what_others_set(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    await newcomer.says(f"apply -n {space} -f -", text=DEPLOYMENT.format(replicas=2, tag="v1"))
    await newcomer.says(f"set env deploy/web MODE=dark -n {space}")
    await newcomer.says(f"apply -n {space} -f -", text=DEPLOYMENT.format(replicas=2, tag="v2"))

    assert "MODE=dark" in await newcomer.says(f"set env deploy/web --list -n {space}")


async def test_apply_refuses_a_field_that_does_not_exist(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    wrong = DEPLOYMENT.format(replicas=2, tag="v1").replace("replicas:", "replcas:")

    assert 'unknown field "spec.replcas"' in await newcomer.refused(f"apply -n {space} -f -", text=wrong)
    assert "No resources found" in await newcomer.says(f"get deploy -n {space}")


async def test_a_server_side_apply_tells_of_conflicts_and_may_force_them(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    apply = f"apply --server-side -n {space} -f -"
    await newcomer.says(apply, text=CONFIG.format(mode="light"))
    await newcomer.says(apply, text=CONFIG.format(mode="dark"))

    conflict = await newcomer.refused(f"{apply} --field-manager=other", text=CONFIG.format(mode="red"))
    await newcomer.says(f"{apply} --field-manager=other --force-conflicts", text=CONFIG.format(mode="red"))

    assert 'conflict with "kubectl": .data.mode' in conflict
    assert await newcomer.says(f"get cm settings -n {space} -o jsonpath={{.data.mode}}") == "red"


@pytest.mark.parametrize("how", ["", "--server-side"], ids=["client-side", "server-side"])
async def test_the_seed_application_is_applied_twice(newcomer: Newcomer, how: str) -> None:
    space = await newcomer.playground()
    text = seed("myapp", "v1", space)
    await newcomer.says(f"apply {how} -f - --force-conflicts" if how else "apply -f -", text=text)
    again = await newcomer.says(f"apply {how} -f - --force-conflicts" if how else "apply -f -", text=text)
    await newcomer.says(f"rollout status deploy/myapp -n {space} --timeout=20s")

    assert "deployment.apps/myapp unchanged" in again or "deployment.apps/myapp serverside-applied" in again
    assert await newcomer.says(f"get deploy myapp -n {space} -o jsonpath={{.metadata.generation}}") == "1"


async def test_a_diff_shows_what_an_apply_would_change_and_changes_nothing(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    await newcomer.says(f"apply -n {space} -f -", text=DEPLOYMENT.format(replicas=2, tag="v1"))

    same = await newcomer.says(f"diff -n {space} -f -", text=DEPLOYMENT.format(replicas=2, tag="v1"))
    other = await newcomer.says(f"diff -n {space} -f -", text=DEPLOYMENT.format(replicas=2, tag="v2"), code=1)
    served = await newcomer.says(
        f"diff --server-side --force-conflicts -n {space} -f -", text=DEPLOYMENT.format(replicas=5, tag="v1"), code=1
    )

    assert same == ""
    assert "+      - image: web:v2" in other
    assert "+  replicas: 5" in served
    assert await image(newcomer, space) == "web:v1"


async def test_set_changes_images_environment_and_resources(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)

    await newcomer.says(f"set image deploy/web '*=web:v2' -n {space}")
    await newcomer.says(f"set env deploy/web MODE=dark COLOR=red -n {space}")
    await newcomer.says(f"set env deploy/web COLOR- -n {space}")
    await newcomer.says(f"set resources deploy/web --requests=cpu=100m --limits=cpu=200m,memory=64Mi -n {space}")
    await newcomer.says(f"rollout status deploy/web -n {space} --timeout=20s")
    described = await newcomer.says(f"describe deploy/web -n {space}")
    environment = await newcomer.says(f"set env deploy/web --list -n {space}")

    assert "web:v2" in described
    assert "64Mi" in described
    assert "MODE=dark" in environment
    assert "COLOR" not in environment
    assert 'unable to find container named "nope"' in await newcomer.refused(f"set image deploy/web nope=a -n {space}")
    assert "must be less than or equal to cpu limit of 1m" in await newcomer.refused(
        f"set resources deploy/web --limits=cpu=1m -n {space}"
    )


async def test_scale_keeps_its_preconditions(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)

    await newcomer.says(f"scale deploy/web --replicas=3 --current-replicas=2 -n {space}")
    refusal = await newcomer.refused(f"scale deploy/web --replicas=9 --current-replicas=2 -n {space}")
    await newcomer.says(f"scale deploy/web --replicas=1 --timeout=20s -n {space}")
    stale = await newcomer.refused(f"scale deploy/web --replicas=9 --resource-version=1 -n {space}")

    assert "Expected replicas to be 2, was 3" in refusal
    assert "Expected resource version to be 1" in stale
    assert "1/1" in await newcomer.until(f"get deploy/web -n {space}", "1/1")


@pytest.mark.parametrize(
    ("target", "space", "container"),
    [("deploy/search", "shop", "search"), ("sts/db", "data", "postgres"), ("ds/agent", "ops", "agent")],
)
async def test_rollouts_of_the_seed_are_followed_listed_undone_and_restarted(
    newcomer: Newcomer, target: str, space: str, container: str
) -> None:
    before = await newcomer.says(f"get {target} -n {space} -o jsonpath={{..image}}")
    await newcomer.says(f"set image {target} {container}=other:v9 -n {space}")
    followed = await newcomer.says(f"rollout status {target} -n {space} --timeout=30s")
    history = await newcomer.says(f"rollout history {target} -n {space}")
    detail = await newcomer.says(f"rollout history {target} --revision=3 -n {space}")
    await newcomer.says(f"rollout undo {target} -n {space}")
    await newcomer.says(f"rollout status {target} -n {space} --timeout=30s")
    await newcomer.says(f"rollout restart {target} -n {space}")
    await newcomer.says(f"rollout status {target} -n {space} --timeout=30s")

    assert "successfully rolled out" in followed or "roll out complete" in followed
    assert [line.split()[0] for line in history.splitlines() if line[:1].isdigit()] == ["1", "2", "3"]
    assert "other:v9" in detail
    assert await newcomer.says(f"get {target} -n {space} -o jsonpath={{..image}}") == before
    assert "unable to find" in await newcomer.refused(f"rollout undo {target} --to-revision=77 -n {space}")


async def test_a_paused_deployment_waits_until_it_is_resumed(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    await newcomer.says(f"set image deploy/web web=web:v2 -n {space}")
    await newcomer.says(f"rollout status deploy/web -n {space} --timeout=20s")
    await newcomer.says(f"rollout pause deploy/web -n {space}")
    await newcomer.says(f"set image deploy/web web=web:v3 -n {space}")

    assert "is already paused" in await newcomer.refused(f"rollout pause deploy/web -n {space}")
    assert "can't restart paused deployment" in await newcomer.refused(f"rollout restart deploy/web -n {space}")
    assert "cannot rollback a paused deployment" in await newcomer.refused(f"rollout undo deploy/web -n {space}")
    assert "web:v3" not in await newcomer.says(f"get pods -n {space} -o jsonpath={{..image}}")
    await newcomer.says(f"rollout resume deploy/web -n {space}")
    await newcomer.says(f"rollout status deploy/web -n {space} --timeout=20s")
    assert "is not paused" in await newcomer.refused(f"rollout resume deploy/web -n {space}")


async def test_wait_waits_for_conditions_fields_and_deletion(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)

    assert "condition met" in await newcomer.says(f"wait deploy/web --for=condition=Available -n {space} --timeout=20s")
    assert "condition met" in await newcomer.says(
        f"wait deploy/web --for=jsonpath='{{.status.readyReplicas}}'=2 -n {space} --timeout=20s"
    )
    assert "condition met" in await newcomer.says(
        f"wait pods -l app=web --for=condition=Ready -n {space} --timeout=20s"
    )
    await newcomer.says(f"delete deploy/web --wait=false -n {space}")
    await newcomer.says(f"wait pods -l app=web --for=delete -n {space} --timeout=20s")
    assert "timed out waiting" in await newcomer.refused(
        f"wait namespace/{space} --for=condition=Never --timeout=100ms"
    )


async def test_delete_takes_what_is_owned_or_leaves_it(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    await newcomer.says(f"delete deploy/web --cascade=orphan -n {space}")
    orphans = await newcomer.says(f"get rs,pods -n {space} -o name")

    assert orphans.count("replicaset.apps/web-") == 1
    assert orphans.count("pod/web-") == 2
    await newcomer.says(f"delete rs --all --cascade=foreground -n {space}")
    assert "No resources found" in await newcomer.until(f"get rs,pods -n {space}", "No resources found")
    assert 'pods "nope" not found' in await newcomer.refused(f"delete pod nope -n {space}")
    assert await newcomer.says(f"delete pod nope --ignore-not-found -n {space}") == ""


async def test_a_deleted_pod_comes_back_as_another(newcomer: Newcomer) -> None:
    space = await deployed(newcomer, replicas=1)
    pod = (await newcomer.says(f"get pods -n {space} -o name")).strip()
    await newcomer.says(f"delete {pod} -n {space}")
    await newcomer.says(f"rollout status deploy/web -n {space} --timeout=20s")

    assert pod not in await newcomer.says(f"get pods -n {space} -o name")


async def test_a_deleted_namespace_takes_everything_with_it(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    await newcomer.says(f"delete namespace {space}")

    assert "not found" in await newcomer.refused(f"get namespace {space}")
    assert "No resources found" in await newcomer.says(f"get all -n {space}")


async def test_an_exposed_deployment_has_endpoints(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    await newcomer.says(f"expose deploy/web --port=80 --target-port=8080 -n {space}")

    assert "8080" in await newcomer.until(f"get endpointslices -n {space}", "10.244.")
    assert "80/TCP" in await newcomer.says(f"get svc web -n {space}")


async def test_labels_and_annotations_are_set_guarded_and_removed(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    await newcomer.says(f"label deploy/web tier=front -n {space}")

    assert "--overwrite is false" in await newcomer.refused(f"label deploy/web tier=back -n {space}")
    await newcomer.says(f"label deploy/web tier=back --overwrite -n {space}")
    assert "web" in await newcomer.says(f"get deploy -l tier=back -n {space}")
    await newcomer.says(f"label deploy/web tier- -n {space}")
    assert "No resources found" in await newcomer.says(f"get deploy -l tier -n {space}")
    await newcomer.says(f"annotate deploy/web kubernetes.io/change-cause='a better name' -n {space}")
    assert "a better name" in await newcomer.until(f"rollout history deploy/web -n {space}", "a better name")


async def test_the_three_patch_types(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    sidecar = '{"spec":{"template":{"spec":{"containers":[{"name":"sidecar","image":"proxy:1"}]}}}}'
    await newcomer.says(f"patch deploy/web -n {space} -p '{sidecar}'")
    await newcomer.says(f"""patch deploy/web -n {space} --type=merge -p '{{"metadata":{{"labels":{{"x":"y"}}}}}}'""")
    await newcomer.says(
        f"""patch deploy/web -n {space} --type=json -p '[{{"op":"replace","path":"/spec/replicas","value":3}}]'"""
    )
    failed = await newcomer.refused(
        f"""patch deploy/web -n {space} --type=json -p '[{{"op":"test","path":"/spec/replicas","value":9}}]'"""
    )
    unknown = await newcomer.says(f"""patch deploy/web -n {space} -p '{{"spec":{{"replcas":1}}}}'""")

    assert (await image(newcomer, space)).split() == ["proxy:1", "web:v1"]
    assert (
        await newcomer.says(f"get deploy/web -n {space} -o jsonpath={{.spec.replicas}}{{.metadata.labels.x}}") == "3y"
    )
    assert "The request is invalid" in failed
    assert 'Warning: unknown field "spec.replcas"' in unknown


async def test_a_dry_run_changes_nothing(newcomer: Newcomer) -> None:
    space = await deployed(newcomer)
    for line in ("scale deploy/web --replicas=9", "set image deploy/web web=web:v2", "delete deploy/web"):
        assert "(server dry run)" in await newcomer.says(f"{line} --dry-run=server -n {space}")

    assert await newcomer.says(f"get deploy/web -n {space} -o jsonpath={{.metadata.generation}}") == "1"


async def test_invalid_objects_are_refused_with_their_fields(newcomer: Newcomer) -> None:
    space = await newcomer.playground()
    mismatch = DEPLOYMENT.format(replicas=1, tag="v1").replace("matchLabels: {app: web}", "matchLabels: {app: other}")
    negative = DEPLOYMENT.format(replicas=-1, tag="v1")

    assert "`selector` does not match template `labels`" in await newcomer.refused(
        f"apply -n {space} -f -", text=mismatch
    )
    assert "must be greater than or equal to 0" in await newcomer.refused(f"apply -n {space} -f -", text=negative)
    assert "AlreadyExists" in await newcomer.refused(f"create namespace {space}")


async def test_what_the_embedded_cluster_has_not_is_said_and_not_pretended(newcomer: Newcomer) -> None:
    """`docs/embedded-cluster.md` lists these."""
    space = await deployed(newcomer, replicas=1)

    assert "could not find the requested resource" in await newcomer.refused(f"exec deploy/web -n {space} -- ls")
    assert "not found in OpenAPI schema" in await newcomer.refused("explain deployment.spec")
