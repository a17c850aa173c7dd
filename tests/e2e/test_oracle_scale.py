"""`scale` against `kubectl scale`: the same objects afterwards, and the same refusals."""

import pytest
from rigs.oracle import Case, Twins, compare
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_manifests import autoscaler, spec, versions, workload

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]


def of_kind(kind: str) -> list[Case]:
    target, web = f"{kind}/web", (workload(kind),)
    return [
        Case(f"{kind}: more replicas", web, f"scale {target} 5", f"scale {target} --replicas=5"),
        Case(f"{kind}: fewer replicas", web, f"scale {target} 1", f"scale {target} --replicas=1"),
        Case(f"{kind}: none at all, once it is confirmed", web, f"scale {target} 0", f"scale {target} --replicas=0",
             bot_says="serves nothing"),
        Case(f"{kind}: back from none", web, f"scale {target} 2", f"scale {target} --replicas=2",
             (spec(kind, replicas=0),)),
        Case(f"{kind}: as many as there are changes nothing", web, f"scale {target} 3", f"scale {target} --replicas=3",
             bot_says="already has 3 replicas", skipped=True),
        Case(f"{kind}: the precondition holds", web, f"scale {target} 4 --current 3",
             f"scale {target} --replicas=4 --current-replicas=3"),
        Case(f"{kind}: the precondition holds at none", web, f"scale {target} 1 --current-replicas=0",
             f"scale {target} --replicas=1 --current-replicas=0", (spec(kind, replicas=0),)),
        Case(f"{kind}: the precondition does not hold", web, f"scale {target} 4 --current 2",
             f"scale {target} --replicas=4 --current-replicas=2", refused=True,
             says="Expected replicas to be 2, was 3"),
        Case(f"{kind}: below an autoscaler's minimum it is scaled up again", (*web, autoscaler(kind, 2, 5)),
             f"scale {target} 1", f"scale {target} --replicas=1", bot_says="it will set 2 again"),
        Case(f"{kind}: above an autoscaler's maximum it is scaled down again", (*web, autoscaler(kind, 2, 5)),
             f"scale {target} 9", f"scale {target} --replicas=9", bot_says="it will set 5 again"),
        Case(f"{kind}: within an autoscaler's range it stays", (*web, autoscaler(kind, 2, 5)), f"scale {target} 4",
             f"scale {target} --replicas=4", bot_says="owns the replicas"),
        Case(f"{kind}: none switches an autoscaler off", (*web, autoscaler(kind, 2, 5)), f"scale {target} 0",
             f"scale {target} --replicas=0", bot_says="switched off"),
        Case(f"{kind}: in the middle of a rollout that is stuck", web, f"scale {target} 6",
             f"scale {target} --replicas=6", versions(kind, "v-bad")),
        Case(f"{kind}: one that is not there", web, f"scale {kind}/wbe 4", f"scale {kind}/wbe --replicas=4",
             bot_says=f"There is no `{kind}/wbe`", refused=True),
    ]  # fmt: skip


CASES = [
    *of_kind("deploy"),
    *of_kind("sts"),
    Case("a paused Deployment is scaled all the same", (workload("deploy"),), "scale web 5",
         "scale deploy/web --replicas=5", (spec("deploy", paused=True),)),
    Case("a paused Deployment with a waiting change scales what runs", (workload("deploy"),), "scale web 5",
         "scale deploy/web --replicas=5", (spec("deploy", paused=True), *versions("deploy", "v2"))),
    Case("a parallel StatefulSet is scaled down at once", (workload("sts", podManagementPolicy="Parallel"),),
         "scale sts/web 1", "scale sts/web --replicas=1"),
    Case("a DaemonSet has no scale", (workload("ds"),), "scale ds/web 2", "scale ds/web --replicas=2",
         says="the server could not find the requested resource", refused=True),
    Case("less than none is refused", (workload("deploy"),), "scale web -1", "scale deploy/web --replicas=-1",
         refused=True),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_scale_leaves_what_kubectl_scale_leaves(twins: Twins, case: Case) -> None:
    await compare(twins, case)
