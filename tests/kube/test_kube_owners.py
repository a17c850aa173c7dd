"""Whoever reconciles an object is named, and nobody is named who only looks like it."""

import pytest

from bot.core.workload import Kind, Owner
from bot.kube.meta import ManagedFields
from bot.kube.owners import owner

ARGO = "argocd.argoproj.io/tracking-id"
INSTANCE = {"app.kubernetes.io/instance": "shop"}
HELM_LABEL = {"app.kubernetes.io/managed-by": "Helm"}
HELM_RELEASE = {"meta.helm.sh/release-name": "web-release"}
FLUX = "kustomize.toolkit.fluxcd.io"


@pytest.mark.parametrize(
    ("labels", "annotations", "manager", "expected"),
    [
        ({}, {ARGO: "shop-app:apps/Deployment:shop/web"}, "", Owner("Argo CD", "shop-app", gitops=True)),
        ({}, {ARGO: "shop-app:apps/Deployment:shop/another"}, "", None),
        ({"argocd.argoproj.io/instance": "shop-app"}, {}, "", Owner("Argo CD", "shop-app", gitops=True)),
        (INSTANCE, {}, "argocd-controller", Owner("Argo CD", "shop", gitops=True)),
        (INSTANCE, {}, "kubectl", None),
        ({f"{FLUX}/name": "apps"}, {}, "", Owner("Flux", "apps", gitops=True)),
        ({f"{FLUX}/name": "apps"}, {f"{FLUX}/reconcile": "disabled"}, "", None),
        ({"helm.toolkit.fluxcd.io/name": "web"}, {}, "", Owner("Flux", "web", gitops=True)),
        (HELM_LABEL, HELM_RELEASE, "helm", Owner("Helm", "web-release", gitops=False)),
        (HELM_LABEL, {}, "helm", None),
        ({**HELM_LABEL, f"{FLUX}/name": "apps"}, HELM_RELEASE, "", Owner("Flux", "apps", gitops=True)),
        ({}, {}, "", None),
    ],
)
def test_the_owner_is_read_from_the_marks_of_the_tool_itself(
    labels: dict[str, str], annotations: dict[str, str], manager: str, expected: Owner | None
) -> None:
    managers = [ManagedFields(manager=manager)]

    assert owner(Kind.DEPLOYMENT, "shop", "web", labels, annotations, managers) == expected
