"""`deploy` against `kubectl set image`: the same objects afterwards, for what a workload can look like."""

import json

import pytest
from rigs.oracle import Case, Twins, compare
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_manifests import CAUSE, KINDS, container, image, spec, versions, workload

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]

PART = "app.kubernetes.io/part-of"
DIGEST = "@sha256:" + "5e" * 32
PROXY = container("nginx:1.27.2", "proxy")
MIGRATE = container("web:v1", "migrate")
TO_V2 = {"spec": {"template": {"spec": {"containers": [container("web:v2")]}}}}


def everywhere() -> list[Case]:
    """The cases that all three kinds know."""
    return [case for kind in KINDS for case in of_kind(kind)]


def of_kind(kind: str) -> list[Case]:
    target = f"{kind}/web"
    return [
        Case(f"{kind}: a tag goes to the only container", (workload(kind),), f"deploy {target} v2",
             f"set image {target} web=web:v2"),
        Case(f"{kind}: of two containers the one named like the app changes", (workload(kind, container(), PROXY),),
             f"deploy {target} v2", f"set image {target} web=web:v2"),
        Case(f"{kind}: of two containers the one that was named changes", (workload(kind, container(), PROXY),),
             f"deploy {target} 1.28.0 --container proxy", f"set image {target} proxy=nginx:1.28.0"),
        Case(f"{kind}: an init container changes alone", (workload(kind, init=(MIGRATE,)),),
             f"deploy {target} v2 --container migrate", f"set image {target} migrate=web:v2"),
        Case(f"{kind}: a container that is not there is refused", (workload(kind),),
             f"deploy {target} v2 --container wbe", f"set image {target} wbe=web:v2",
             bot_says="has no container `wbe`", refused=True),
        Case(f"{kind}: the version that runs already changes nothing", (workload(kind),), f"deploy {target} v1",
             f"set image {target} web=web:v1", bot_says="already runs v1", skipped=True),
        Case(f"{kind}: an earlier version takes its old revision up again under a new number", (workload(kind),),
             f"deploy {target} v1", f"set image {target} web=web:v1", versions(kind, "v2", "v3")),
        Case(f"{kind}: an image that cannot be pulled stops at the same point", (workload(kind),),
             f"deploy {target} v-bad", f"set image {target} web=web:v-bad", bot_says="image cannot be pulled"),
        Case(f"{kind}: a second image that cannot be pulled follows the first", (workload(kind),),
             f"deploy {target} v-bad-2", f"set image {target} web=web:v-bad-2", versions(kind, "v-bad")),
        Case(f"{kind}: a reason is kept as the revision's change cause", (workload(kind),),
             f"deploy {target} v2 --reason 'Fix the cart'", caused(kind, target)),
        Case(f"{kind}: a history limit drops the oldest revision", (workload(kind, revisionHistoryLimit=1),),
             f"deploy {target} v4", f"set image {target} web=web:v4", versions(kind, "v2", "v3")),
        Case(f"{kind}: a version right behind another that is not done wins", (workload(kind),),
             f"deploy {target} v3", f"set image {target} web=web:v3", (image(kind, "web:v-slow", settles=False),)),
    ]  # fmt: skip


def caused(kind: str, target: str) -> tuple[str, ...]:
    """The others' cause goes to the next revision only; a Deployment's counts as a change, so it is said with it."""
    if kind == "deploy":
        return (f"patch {target} -p '{json.dumps({'metadata': {'annotations': {CAUSE: 'Fix the cart'}}} | TO_V2)}'",)
    return f"annotate {target} {CAUSE}='Fix the cart'", f"set image {target} web=web:v2"


def part(kind: str, name: str, *containers: dict[str, str]) -> dict[str, object]:
    return workload(kind, *containers, name=name, labels={"app": name, PART: "web"})


CASES = [
    *everywhere(),
    Case("a digest pins the image", (workload("deploy"),), f"deploy web {DIGEST}",
         f"set image deploy/web web=web{DIGEST}"),
    Case("a full image may come from another registry", (workload("deploy"),),
         "deploy web registry.example.com:5000/shop/web:v2",
         "set image deploy/web web=registry.example.com:5000/shop/web:v2"),
    Case("a registry with a port keeps it when the tag changes",
         (workload("deploy", container("registry.example.com:5000/shop/web:v1")),), "deploy web v2",
         "set image deploy/web web=registry.example.com:5000/shop/web:v2"),
    Case("a pinned image takes a tag", (workload("deploy", container(f"web{DIGEST}")),), "deploy web v2",
         "set image deploy/web web=web:v2"),
    Case("a paused Deployment takes the image and rolls nothing out", (workload("deploy"),), "deploy web v2",
         "set image deploy/web web=web:v2", (spec("deploy", paused=True),), bot_says="is paused"),
    Case("a Deployment at 0 replicas gets a revision without pods", (workload("deploy", replicas=0),), "deploy web v2",
         "set image deploy/web web=web:v2", bot_says="scaled to 0"),
    Case("a Recreate Deployment is replaced at once", (workload("deploy", strategy={"type": "Recreate"}),),
         "deploy web v2", "set image deploy/web web=web:v2"),
    Case("a Deployment that keeps no history drops its old ReplicaSet", (workload("deploy", revisionHistoryLimit=0),),
         "deploy web v2", "set image deploy/web web=web:v2"),
    Case("a StatefulSet with OnDelete keeps its pods", (workload("sts", updateStrategy={"type": "OnDelete"}),),
         "deploy sts/web v2", "set image sts/web web=web:v2", bot_says="OnDelete"),
    Case("a DaemonSet with OnDelete keeps its pods", (workload("ds", updateStrategy={"type": "OnDelete"}),),
         "deploy ds/web v2", "set image ds/web web=web:v2", bot_says="OnDelete"),
    Case("a partition keeps the lower pods",
         (workload("sts", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 2}}),),
         "deploy sts/web v2", "set image sts/web web=web:v2", bot_says="partition 2"),
    Case("a parallel StatefulSet rolls out", (workload("sts", podManagementPolicy="Parallel"),), "deploy sts/web v2",
         "set image sts/web web=web:v2"),
    Case("all workloads of an app with the same image change together",
         (part("deploy", "web"), part("deploy", "worker"), part("deploy", "cache", container("redis:7", "redis"))),
         "deploy web v2", "set image deploy/web deploy/worker web=web:v2", bot_says="Left alone"),
    Case("an app of all three kinds changes together",
         tuple(part(kind, f"web-{kind}") for kind in KINDS), "deploy web v2",
         "set image deploy/web-deploy sts/web-sts ds/web-ds web=web:v2"),
    Case("a workload that is not there is refused", (workload("deploy"),), "deploy deploy/wbe v2",
         "set image deploy/wbe web=web:v2", bot_says="There is no `deploy/wbe`", refused=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_deploy_leaves_what_set_image_leaves(twins: Twins, case: Case) -> None:
    await compare(twins, case)
