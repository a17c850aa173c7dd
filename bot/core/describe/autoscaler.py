"""HorizontalPodAutoscaler (autoscaling/v2) in words: target, metrics, behaviour."""

from datetime import datetime

from bot.core.ages import ago
from bot.core.describe.metadata import about, conditions
from bot.core.describe.tree import items, mapping, number, text, time
from bot.core.plan import Json
from bot.core.reply import Part, Table, fields


def autoscaler(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Target and bounds, each metric now against its target, how fast it scales, conditions."""
    spec, status = mapping(manifest, "spec"), mapping(manifest, "status")
    scaled = time(status, "lastScaleTime")
    head = fields(
        [
            ("Scales", f"{text(spec, 'scaleTargetRef.kind').lower()}/{text(spec, 'scaleTargetRef.name')}"),
            ("Bounds", f"{text(spec, 'minReplicas') or '1'} to {text(spec, 'maxReplicas')} replicas"),
            ("Replicas", f"{number(status, 'currentReplicas')} now, {number(status, 'desiredReplicas')} wanted"),
            ("Last scaled", ago(scaled, now) if scaled else "never"),
            ("Scaling up", _behavior(mapping(spec, "behavior.scaleUp"))),
            ("Scaling down", _behavior(mapping(spec, "behavior.scaleDown"))),
        ]
    )
    current = {_metric(item): _now(item) for item in items(status, "currentMetrics")}
    rows = tuple(
        (name, current.get(name, "unknown"), _target(item))
        for item in items(spec, "metrics")
        for name in (_metric(item),)
    )
    metrics = (Table(("Metric", "Now", "Target"), rows),) if rows else ()
    return (head, *metrics, about(manifest, now), *conditions(manifest, now))


def _source(item: Json) -> Json:
    """The part of a metric that its type names: `Resource` → `resource`, `ContainerResource` → `containerResource`."""
    kind = text(item, "type")
    return mapping(item, kind[:1].lower() + kind[1:])


def _metric(item: Json) -> str:
    source = _source(item)
    name = text(source, "name") or text(source, "metric.name")
    about = text(source, "container") or text(source, "describedObject.name")
    return f"{name} of {about}" if about else name


def _now(item: Json) -> str:
    return _value(mapping(_source(item), "current"))


def _target(item: Json) -> str:
    return _value(mapping(_source(item), "target"))


def _value(value: Json) -> str:
    if found := text(value, "averageUtilization"):
        return f"{found}%"
    if found := text(value, "averageValue"):
        return f"{found} a pod"
    return text(value, "value")


def _behavior(rules: Json) -> str:
    if not rules:
        return ""
    if text(rules, "selectPolicy") == "Disabled":
        return "never"
    units = {"Percent": "%", "Pods": " pods"}
    steps = [
        f"{text(item, 'value')}{units.get(text(item, 'type'), '')} per {text(item, 'periodSeconds')} s"
        for item in items(rules, "policies")
    ]
    waits = text(rules, "stabilizationWindowSeconds")
    choice = f" ({text(rules, 'selectPolicy').lower()} of them)" if len(steps) > 1 and "selectPolicy" in rules else ""
    return "; ".join([*([f"looks back {waits} s"] if waits else []), *([" or ".join(steps) + choice] if steps else [])])
