"""`rollout undo` against kubectl's own, revision by revision; and `undo`, which skips what failed."""

import pytest
from rigs.oracle import Case, Past, Twins, compare
from rigs.oracle_kubectl import needs_kubectl
from rigs.oracle_manifests import (
    CAUSE,
    KINDS,
    LAST_APPLIED,
    annotated,
    container,
    image,
    spec,
    step,
    versions,
    workload,
)

pytestmark = [needs_kubectl, pytest.mark.asyncio(loop_scope="session")]

PROXY = container("nginx:1.27.2", "proxy")
NOTHING = {
    "deploy": 'no rollout history found for deployment "web"',
    "sts": "no last revision to roll back to",
    "ds": "no last revision to roll back to",
}


def of_kind(kind: str) -> list[Case]:
    target, web = f"{kind}/web", (workload(kind),)
    undo, undo_to = f"rollout undo {target}", f"rollout undo {target} --to-revision="
    return [
        Case(f"{kind}: to the revision before", web, undo, undo, versions(kind, "v2", "v3")),
        Case(f"{kind}: to a given revision", web, f"{undo} --to 1", f"{undo_to}1", versions(kind, "v2", "v3")),
        Case(f"{kind}: to revision 0, which is the one before", web, f"{undo} --to 0", f"{undo_to}0",
             versions(kind, "v2", "v3")),
        Case(f"{kind}: to a revision that is not there", web, f"{undo} --to 9", f"{undo_to}9", versions(kind, "v2"),
             says="unable to find specified revision 9 in history", refused=True),
        Case(f"{kind}: to a number that an undo has given to another", web, f"{undo} --to 1", f"{undo_to}1",
             versions(kind, "v2", "v1"), says="unable to find specified revision 1 in history", refused=True),
        Case(f"{kind}: with nothing to go back to", web, undo, undo, says=NOTHING[kind], refused=True),
        Case(f"{kind}: to the revision that it stands on", web, f"{undo} --to 2", f"{undo_to}2", versions(kind, "v2"),
             bot_says="skipped rollback (current template already matches revision 2)", skipped=True),
        Case(f"{kind}: a second time, which takes the first back", web, undo, undo, versions(kind, "v2", "v1")),
        Case(f"{kind}: after a change of what is no part of a revision, which stays", web, undo, undo,
             (*versions(kind, "v2"), unrelated(kind))),
        Case(f"{kind}: with two containers, both at once", (workload(kind, container(), PROXY),), undo, undo,
             (both(kind, "web:v2", "nginx:1.28.0"),)),
        Case(f"{kind}: with two containers that were changed one after the other",
             (workload(kind, container(), PROXY),), undo, undo,
             (*versions(kind, "v2"), image(kind, "nginx:1.28.0", inside="proxy"))),
        Case(f"{kind}: of a container that was added", web, undo, undo, (image(kind, "nginx:1.28.0", inside="proxy"),)),
        Case(f"{kind}: of environment and resources", web, undo, undo, (configured(kind),)),
        Case(f"{kind}: with change causes", web, undo, undo,
             (annotated(kind, {CAUSE: "first"}), *versions(kind, "v2"), annotated(kind, {CAUSE: "second"}),
              *versions(kind, "v3"))),
        Case(f"{kind}: within a short history", (workload(kind, revisionHistoryLimit=1),), undo, undo,
             versions(kind, "v2", "v3", "v4")),
        Case(f"{kind}: to a revision that a short history has dropped", (workload(kind, revisionHistoryLimit=1),),
             f"{undo} --to 1", f"{undo_to}1", versions(kind, "v2", "v3", "v4"),
             says="unable to find specified revision 1 in history", refused=True),
        Case(f"{kind}: of an image that cannot be pulled", web, undo, undo, versions(kind, "v-bad")),
        Case(f"{kind}: of two such images, which comes to the first of them", web, undo, undo,
             versions(kind, "v-bad", "v-bad-2"), bot_says="image cannot be pulled" if kind != "sts" else ""),
        Case(f"{kind}: right after a change, before it has rolled out", web, undo, undo,
             (*versions(kind, "v2"), image(kind, "web:v-slow", settles=False))),
        Case(f"{kind}: of a restart", web, undo, undo, (restarted(kind),)),
        Case(f"{kind}: with the text of an apply, which stays", (workload(kind, annotations={LAST_APPLIED: "{}"}),),
             undo, undo, versions(kind, "v2"), bot_says="the next apply may bring back"),
        Case(f"{kind}: beside another workload of overlapping labels", (*web, neighbour(kind)), undo, undo,
             (*versions(kind, "v2"), *versions(kind, "v7", "v8", name="neighbour"))),
    ]  # fmt: skip


def unrelated(kind: str) -> Past:
    """A change that is no part of any revision."""
    return spec(kind, replicas=2) if kind != "ds" else step(kind, {"metadata": {"labels": {"team": "shop"}}})


def of_template(kind: str, *containers: dict[str, object]) -> Past:
    return step(kind, {"spec": {"template": {"spec": {"containers": list(containers)}}}})


def both(kind: str, web: str, proxy: str) -> Past:
    return of_template(kind, container(web), container(proxy, "proxy"))


def configured(kind: str) -> Past:
    environment = [{"name": "MODE", "value": "new"}]
    return of_template(
        kind, {"name": "web", "env": environment, "resources": {"requests": {"cpu": "0.1", "memory": "64Mi"}}}
    )


def restarted(kind: str) -> Past:
    notes = {"kubectl.kubernetes.io/restartedAt": "2026-01-01T00:00:00Z"}
    return step(kind, {"spec": {"template": {"metadata": {"annotations": notes}}}})


def neighbour(kind: str) -> dict[str, object]:
    """A workload whose pods the selector of `web` matches too."""
    labels = {"app": "web", "tier": "other"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container()]}}
    return workload(kind, name="neighbour", selector={"matchLabels": labels}, template=template)


def two_bad_ones(kind: str, **spec: str) -> Case:
    """`undo` lands on v1, the last that was good, and says what it skips."""
    target = f"{kind}/web"
    how = f", {', '.join(spec.values())}" if spec else ""
    return Case(
        f"{kind}{how}: v1, a bad one, another bad one, and undo lands on v1",
        (workload(kind) | {"spec": workload(kind)["spec"] | spec},),
        (f"deploy {target} v-bad", f"deploy {target} v-bad-2", f"undo {target}"),
        (
            f"set image {target} web=web:v-bad",
            f"set image {target} web=web:v-bad-2",
            f"rollout undo {target} --to-revision=1",
        ),
        bot_says="skipping 2 (v-bad), which got stuck",
    )


WEB = (workload("deploy"),)
UNDO = ("rollout undo web", "rollout undo deploy/web")

CASES = [
    *(case for kind in KINDS for case in of_kind(kind)),
    Case("a paused Deployment is not undone", WEB, *UNDO, (*versions("deploy", "v2"), spec("deploy", paused=True)),
         says="you cannot rollback a paused deployment; resume it first with", refused=True),
    Case("a Deployment that keeps no history has nothing to go back to", (workload("deploy", revisionHistoryLimit=0),),
         *UNDO, versions("deploy", "v2"), says=NOTHING["deploy"], refused=True),
    Case("an undo takes away annotations that the old revision has not", WEB, *UNDO,
         (*versions("deploy", "v2"), annotated("deploy", {"team": "shop"}))),
    Case("an undo brings back annotations that were taken away", (workload("deploy", annotations={"team": "shop"}),),
         *UNDO, (*versions("deploy", "v2"), annotated("deploy", {"team": None}))),
    Case("an undo to the present revision leaves new annotations alone", WEB, "rollout undo web --to 1",
         "rollout undo deploy/web --to-revision=1", (annotated("deploy", {"team": "shop"}),),
         says="skipped rollback", skipped=True),
    Case("revisions are renumbered, and the old numbers are gone", WEB, "rollout undo web --to 1",
         "rollout undo deploy/web --to-revision=1", versions("deploy", "v2", "v3", "v2")),
    Case("an undo of a Recreate Deployment", (workload("deploy", strategy={"type": "Recreate"}),), *UNDO,
         versions("deploy", "v2")),
    Case("an undo at 0 replicas", (workload("deploy", replicas=0),), *UNDO, versions("deploy", "v2")),
    Case("an undo under OnDelete replaces no pod of a StatefulSet",
         (workload("sts", updateStrategy={"type": "OnDelete"}),), "rollout undo sts/web", "rollout undo sts/web",
         versions("sts", "v2"), bot_says="OnDelete"),
    Case("an undo under OnDelete replaces no pod of a DaemonSet",
         (workload("ds", updateStrategy={"type": "OnDelete"}),), "rollout undo ds/web", "rollout undo ds/web",
         versions("ds", "v2"), bot_says="OnDelete"),
    Case("an undo above a partition replaces the upper pods only",
         (workload("sts", updateStrategy={"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}),),
         "rollout undo sts/web", "rollout undo sts/web", versions("sts", "v2"), bot_says="partition 1"),
    Case("a parallel StatefulSet recovers from an image that cannot be pulled by an undo alone",
         (workload("sts", podManagementPolicy="Parallel"),), "rollout undo sts/web", "rollout undo sts/web",
         versions("sts", "v-bad"), bot_says="is back on v1"),
    Case("a StatefulSet in order does not: its broken pod stands in the way", (workload("sts"),),
         "rollout undo sts/web", "rollout undo sts/web", versions("sts", "v-bad"),
         bot_says="Delete pod web-2: it comes back with the new version."),
    *(two_bad_ones(kind) for kind in KINDS),
    two_bad_ones("sts", podManagementPolicy="Parallel"),
]  # fmt: skip


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.title)
async def test_undo_leaves_what_rollout_undo_leaves(twins: Twins, case: Case) -> None:
    await compare(twins, case)
