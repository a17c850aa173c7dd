"""Deployment, StatefulSet, DaemonSet and ReplicaSet in words."""

from datetime import datetime

from bot.core.describe.metadata import about, conditions
from bot.core.describe.podspec import pod_spec
from bot.core.describe.tree import flat, items, mapping, number, seconds, selector, text
from bot.core.masking import hidden
from bot.core.plan import Json
from bot.core.reply import Note, Part, Tone, fields


def workload(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Replicas and strategy first, then the pod template, then conditions."""
    spec = mapping(manifest, "spec")
    head = fields(
        [
            ("Replicas", _replicas(manifest)),
            ("Strategy", _strategy(spec)),
            ("Selector", selector(mapping(spec, "selector"))),
            ("Revision", text(manifest, 'metadata.annotations."deployment.kubernetes.io/revision"')),
            ("Change cause", hidden(text(manifest, 'metadata.annotations."kubernetes.io/change-cause"'))),
            ("Service", text(spec, "serviceName")),
            ("Pods start", text(spec, "podManagementPolicy")),
            ("Minimum ready", seconds(spec, "minReadySeconds") if number(spec, "minReadySeconds") else None),
            ("Progress deadline", seconds(spec, "progressDeadlineSeconds")),
            ("Claims", "\n".join(_claim(item) for item in items(spec, "volumeClaimTemplates"))),
            ("Template labels", selector({"matchLabels": mapping(spec, "template.metadata.labels")})),
            ("Template annotations", flat(mapping(spec, "template.metadata.annotations"))),
        ]
    )
    paused = (Note("It is paused: changes wait until `rollout resume`.", Tone.WARN),) if spec.get("paused") else ()
    template = pod_spec(mapping(spec, "template.spec"))
    return (head, *paused, about(manifest, now), *template, *conditions(manifest, now))


def _replicas(manifest: Json) -> str:
    status = mapping(manifest, "status")
    if text(manifest, "kind") == "DaemonSet":
        wanted, updated = number(status, "desiredNumberScheduled"), number(status, "updatedNumberScheduled")
        ready, available = number(status, "numberReady"), number(status, "numberAvailable")
    else:
        wanted, updated = number(manifest, "spec.replicas"), number(status, "updatedReplicas")
        ready, available = number(status, "readyReplicas"), number(status, "availableReplicas")
    new = "" if text(manifest, "kind") == "ReplicaSet" else f" · {updated} updated"
    return f"{wanted} wanted{new} · {ready} ready · {available} available"


def _strategy(spec: Json) -> str:
    strategy = mapping(spec, "strategy") or mapping(spec, "updateStrategy")
    rolling = mapping(strategy, "rollingUpdate")
    details = [
        f"{label} {found}"
        for label, key in (("max surge", "maxSurge"), ("max unavailable", "maxUnavailable"), ("partition", "partition"))
        if (found := text(rolling, key))
    ]
    rules = f" ({', '.join(details)})" if details else ""
    return f"{text(strategy, 'type')}{rules}"


def _claim(item: Json) -> str:
    kind = text(item, "spec.storageClassName") or "the default class"
    return f"{text(item, 'metadata.name')}: {text(item, 'spec.resources.requests.storage')} of {kind}"
