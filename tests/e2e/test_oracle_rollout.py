"""`rollout restart | pause | resume` against kubectl's own: the same objects afterwards, and the same refusals."""

import pytest
from rigs.oracle import Case, Past, Twins, compare
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_manifests import KINDS, image, spec, step, versions, workload

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]

ON_DELETE = {"type": "OnDelete"}
EARLIER = "2026-01-01T00:00:00Z"


def annotated_template(kind: str, **notes: str) -> Past:
    return step(kind, {"spec": {"template": {"metadata": {"annotations": notes}}}})


def restarts(kind: str) -> list[Case]:
    target, line, command = f"{kind}/web", f"rollout restart {kind}/web", f"rollout restart {kind}/web"
    return [
        Case(f"{kind}: a restart replaces every pod", (workload(kind),), line, command),
        Case(f"{kind}: the short form is the same", (workload(kind),), f"restart {target}", command),
        Case(f"{kind}: a restart keeps the template's other annotations", (workload(kind),), line, command,
             (annotated_template(kind, note="kept"),)),
        Case(f"{kind}: a later restart replaces the stamp of an earlier one", (workload(kind),), line, command,
             (annotated_template(kind, **{"kubectl.kubernetes.io/restartedAt": EARLIER}),)),
        Case(f"{kind}: a restart of what cannot start stays stuck", (workload(kind),), line, command,
             versions(kind, "v-bad")),
    ]  # fmt: skip


def only_deployments(verb: str, refusal: str) -> list[Case]:
    return [
        Case(f"{kind}: {verb} is not supported", (workload(kind),), f"rollout {verb} {kind}/web",
             f"rollout {verb} {kind}/web", says=f'"web" {refusal} is not supported', refused=True)
        for kind in ("sts", "ds")
    ]  # fmt: skip


SHOP = {"app": "shop"}
PAUSED = spec("deploy", paused=True)
WEB = (workload("deploy"),)

CASES = [
    *(case for kind in KINDS for case in restarts(kind)),
    Case("a paused Deployment is not restarted", WEB, "restart web", "rollout restart deploy/web", (PAUSED,),
         says="can't restart paused deployment (run rollout resume first)", refused=True),
    Case("a Deployment at 0 replicas gets a revision by a restart", (workload("deploy", replicas=0),), "restart web",
         "rollout restart deploy/web"),
    Case("a restart under OnDelete replaces no pod of a StatefulSet", (workload("sts", updateStrategy=ON_DELETE),),
         "restart sts/web", "rollout restart sts/web", bot_says="OnDelete"),
    Case("a restart under OnDelete replaces no pod of a DaemonSet", (workload("ds", updateStrategy=ON_DELETE),),
         "restart ds/web", "rollout restart ds/web", bot_says="OnDelete"),
    Case("a restart above a partition replaces the upper pods only",
         (workload("sts", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),),
         "restart sts/web", "rollout restart sts/web", bot_says="partition 1"),
    Case("all workloads of an app are restarted but the paused one",
         (workload("deploy", labels=SHOP), workload("deploy", name="held", labels=SHOP, paused=True)),
         "restart shop", "rollout restart deploy/web", bot_says='"held" can\'t restart paused deployment'),
    Case("a restart of what is not there", WEB, "restart deploy/wbe", "rollout restart deploy/wbe",
         bot_says="There is no `deploy/wbe`", refused=True),

    Case("a pause", WEB, "rollout pause web", "rollout pause deploy/web"),
    Case("a pause in the middle of a rollout stops it there", WEB, "rollout pause web", "rollout pause deploy/web",
         versions("deploy", "v-bad")),
    Case("a pause of what is paused", WEB, "rollout pause web", "rollout pause deploy/web", (PAUSED,),
         says="is already paused", refused=True),
    *only_deployments("pause", "pausing"),

    Case("a resume", WEB, "rollout resume web", "rollout resume deploy/web", (PAUSED,)),
    Case("a resume rolls out what was changed meanwhile", WEB, "rollout resume web", "rollout resume deploy/web",
         (PAUSED, *versions("deploy", "v2"))),
    Case("a resume rolls out the last of several changes, as one revision", WEB, "rollout resume web",
         "rollout resume deploy/web", (PAUSED, *versions("deploy", "v2", "v3"), spec("deploy", replicas=4))),
    Case("a resume goes on with a rollout that was stopped", WEB, "rollout resume web", "rollout resume deploy/web",
         (image("deploy", "web:v-slow", settles=False), PAUSED)),
    Case("a resume of what is not paused", WEB, "rollout resume web", "rollout resume deploy/web",
         says="is not paused", refused=True),
    *only_deployments("resume", "resuming"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_rollout_leaves_what_kubectl_rollout_leaves(twins: Twins, case: Case) -> None:
    await compare(twins, case)
