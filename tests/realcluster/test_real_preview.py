"""The preview is the real server's own word: it changes nothing, and says beforehand what would refuse the write."""

from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest
from rigs.chat import Bot
from rigs.controlplane.api import Json, Refusal
from rigs.oracle_manifests import container, workload
from rigs.real import DEV, Real, bot_on, door_to, eventually, looked_at

from bot.app import SystemClock
from bot.core.errors import Forbidden, Invalid, SteersmanError
from bot.core.execute import Executor
from bot.core.people import KubeconfigUser
from bot.core.plan import Absent, ClusterWrite, ObjectRef, PatchType, Plan, Risk, Verb, same
from bot.demo.policy import demo_policy

pytestmark = pytest.mark.real

WEB = "deployments.apps"


async def the_web(dev: Real, space: str) -> Json:
    return await dev.api.get(WEB, space, "web")


async def refusal(dev: Real, step: ClusterWrite) -> SteersmanError:
    """What the dry run of a write says."""
    async with door_to(dev) as doors:
        with pytest.raises(SteersmanError) as caught:
            await Executor(doors, SystemClock()).preview(Plan("Try it", (step,), Risk.CHANGE), KubeconfigUser())
    return caught.value


async def test_a_preview_changes_nothing(dev: Real, space: str, bot: Bot) -> None:
    before = await the_web(dev, space)

    shown = await bot.says(f"scale web 0 -n {space}")

    assert "- replicas: 3" in shown.text
    assert "[Confirm]" in shown.text
    after = await the_web(dev, space)
    assert after["metadata"]["resourceVersion"] == before["metadata"]["resourceVersion"]


async def test_a_field_changed_in_between_is_refused_and_planned_anew(dev: Real, space: str, bot: Bot) -> None:
    await bot.says(f"scale web 0 -n {space}")
    await dev.api.patch(WEB, space, "web", {"spec": {"replicas": 5}})

    stale = await bot.clicks("Confirm")
    again = await bot.says(f"scale web 0 -n {space}")

    assert "no longer the one that you saw" in stale.reply.headline
    assert (await the_web(dev, space))["spec"]["replicas"] == 5
    assert "- replicas: 5" in again.text


@pytest.fixture
async def careful(dev: Real, tmp_path: Path) -> AsyncIterator[Bot]:
    async with bot_on((dev,), tmp_path, policy=looked_at(demo_policy())) as chat:
        yield chat


async def test_a_status_that_changed_in_between_is_no_obstacle(dev: Real, space: str, careful: Bot) -> None:
    await careful.says(f"deploy web v2 -n {space}")
    before = await the_web(dev, space)
    pod = (await dev.api.list("pods", space))[0]["metadata"]["name"]
    await dev.api.delete("pods", space, pod)

    async def has_moved() -> bool:
        now = await the_web(dev, space)
        return bool(now["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"])

    await eventually(has_moved)
    done = await careful.clicks("Confirm")

    assert "v2 rolled out" in done.reply.headline


async def test_an_autoscaler_in_between_is_no_obstacle_to_a_deploy(dev: Real, space: str, careful: Bot) -> None:
    await careful.says(f"deploy web v2 -n {space}")
    await dev.api.patch(f"{WEB}", space, "web/scale", {"spec": {"replicas": 4}}, "application/merge-patch+json")

    done = await careful.clicks("Confirm")

    assert "v2 rolled out" in done.reply.headline
    assert (await the_web(dev, space))["spec"]["replicas"] == 4


async def test_a_misspelt_field_is_reported_and_not_dropped(dev: Real, space: str) -> None:
    target = ObjectRef(DEV, "apps/v1", "Deployment", "deployments", space, "web")
    uid = str((await the_web(dev, space))["metadata"]["uid"])
    step = ClusterWrite(target, Verb.PATCH, {"spec": {"replcias": 5}}, PatchType.STRATEGIC, same(uid, {}))

    said = await refusal(dev, step)

    assert isinstance(said, Invalid)
    assert 'unknown field "spec.replcias"' in said.message


async def test_an_admission_policy_speaks_in_the_preview(dev: Real, space: str, bot: Bot) -> None:
    await refusing(dev, space, "no release on a Friday")
    before = await the_web(dev, space)

    said = await bot.says(f"deploy web v2 -n {space}")

    assert "no release on a Friday" in said.text
    assert len(said.versions) == 1, "nothing was begun"
    assert (await the_web(dev, space))["metadata"]["generation"] == before["metadata"]["generation"]


async def refusing(dev: Real, space: str, why: str) -> None:
    """Let the cluster refuse every image but v1 in a namespace, with these words, and wait until it does."""
    meta = {"name": space}
    image = "object.spec.template.spec.containers.all(one, one.image.endsWith(':v1'))"
    rules = [{"apiGroups": ["apps"], "apiVersions": ["v1"], "operations": ["UPDATE"], "resources": ["deployments"]}]
    await dev.api.create(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicy",
            "metadata": meta,
            "spec": {
                "failurePolicy": "Fail",
                "matchConstraints": {"resourceRules": rules},
                "validations": [{"expression": image, "message": why}],
            },
        }
    )
    here = {"matchLabels": {"kubernetes.io/metadata.name": space}}
    await dev.api.create(
        {
            "apiVersion": "admissionregistration.k8s.io/v1",
            "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": meta,
            "spec": {"policyName": space, "validationActions": ["Deny"], "matchResources": {"namespaceSelector": here}},
        }
    )
    other = {"spec": {"template": {"spec": {"containers": [container("web:v2")]}}}}

    async def refuses() -> bool:
        try:
            await dev.api.patch(WEB, space, "web?dryRun=All", other)
        except Refusal as no:
            return why in str(no)
        return False

    await eventually(refuses)


async def test_a_quota_speaks_in_the_preview(dev: Real, space: str) -> None:
    quota: Json = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few", "namespace": space}}
    await dev.api.create({**quota, "spec": {"hard": {"count/configmaps": "1"}}})

    async def counted() -> bool:
        found = await dev.api.get("resourcequotas", space, "few")
        return bool(found.get("status", {}).get("used"))

    await eventually(counted)
    target = ObjectRef(DEV, "v1", "ConfigMap", "configmaps", space, "more")
    body: Json = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "more", "namespace": space}}

    said = await refusal(dev, ClusterWrite(target, Verb.CREATE, body, None, Absent()))

    assert isinstance(said, Forbidden | Invalid)
    assert "exceeded quota: few" in f"{said.message} {said.hint}"


async def test_a_pod_security_label_speaks_in_the_preview(dev: Real, bot: Bot) -> None:
    space = await dev.namespace(**{"pod-security.kubernetes.io/warn": "restricted"})
    await dev.runs(space, workload("deploy", container()))

    shown = await bot.says(f"deploy web v2 -n {space}")

    assert 'would violate PodSecurity "restricted:latest"' in shown.versions[0].headline + shown.all_text


async def test_a_quota_that_refuses_the_pods_is_the_cause(dev: Real, space: str, bot: Bot) -> None:
    quota: Json = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "three", "namespace": space}}
    await dev.api.create({**quota, "spec": {"hard": {"pods": "3"}}})

    stuck = await bot.says(f"deploy web v2 -n {space}")

    assert "exceeded quota: three" in stuck.text


async def test_a_paused_deployment_says_so_and_rolls_nothing_out(dev: Real, space: str, bot: Bot) -> None:
    await dev.api.patch(WEB, space, "web", {"spec": {"paused": True}})

    said = await bot.says(f"deploy web v2 -n {space}")
    refused = await bot.says(f"restart web -n {space}")

    assert "is paused" in said.text
    assert await images(dev, space) == ["web:v1"] * 3
    assert "can't restart paused deployment (run rollout resume first)" in refused.text


async def test_a_finalizer_that_holds_a_pod_is_waited_for_and_named(dev: Real, space: str, bot: Bot) -> None:
    held = (await dev.api.list("pods", space))[0]["metadata"]["name"]
    await dev.api.patch("pods", space, held, {"metadata": {"finalizers": ["example.com/hold"]}})

    said = await bot.says(f"deploy web v2 -n {space}")
    left = await dev.api.get("pods", space, held)

    assert "v2 rolled out" in said.reply.headline
    assert left["metadata"]["deletionTimestamp"]
    assert "Terminating" in (await bot.says(f"pods web -n {space}")).text
    await dev.api.patch("pods", space, held, {"metadata": {"finalizers": None}})


async def images(dev: Real, space: str) -> Sequence[str]:
    return sorted(pod["spec"]["containers"][0]["image"] for pod in await dev.api.list("pods", space))
