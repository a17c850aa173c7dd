"""Who puts an object back after somebody changed it: Argo CD, Flux or Helm, by the marks they leave themselves."""

from collections.abc import Mapping, Sequence
from typing import Final

from bot.core.workload import Kind, Owner
from bot.kube.meta import ManagedFields

_TRACKING: Final = "argocd.argoproj.io/tracking-id"
_ARGO_LABEL: Final = "argocd.argoproj.io/instance"
_INSTANCE: Final = "app.kubernetes.io/instance"
_FLUX: Final = (
    ("kustomize.toolkit.fluxcd.io/name", "kustomize.toolkit.fluxcd.io/reconcile"),
    ("helm.toolkit.fluxcd.io/name", "helm.toolkit.fluxcd.io/reconcile"),
)


def owner(
    kind: Kind,
    namespace: str,
    name: str,
    labels: Mapping[str, str],
    annotations: Mapping[str, str],
    managers: Sequence[ManagedFields],
) -> Owner | None:
    """The tool that manages an object, None for none. What reconciles goes before what only installed it.

    `app.kubernetes.io/instance` alone proves nothing (Helm charts set it too): it names an Argo CD application only
    beside a field manager of Argo CD. A tracking id that names another object came along with a copy.
    """
    tracking = annotations.get(_TRACKING, "")
    if tracking.endswith(f":apps/{kind.kind}:{namespace}/{name}"):
        return Owner("Argo CD", tracking.partition(":")[0], gitops=True)
    if application := labels.get(_ARGO_LABEL):
        return Owner("Argo CD", application, gitops=True)
    argo = any(entry.manager.startswith("argocd") for entry in managers)
    if argo and (application := labels.get(_INSTANCE)):
        return Owner("Argo CD", application, gitops=True)
    for label, switch in _FLUX:
        if (source := labels.get(label)) and annotations.get(switch) != "disabled":
            return Owner("Flux", source, gitops=True)
    if labels.get("app.kubernetes.io/managed-by") == "Helm" and (
        release := annotations.get("meta.helm.sh/release-name")
    ):
        return Owner("Helm", release, gitops=False)
    return None
