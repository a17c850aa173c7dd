"""Rows of pods and of what makes pods."""

from __future__ import annotations

from datetime import datetime

from bot.demo.cells import Printer, age, columns, containers, human, pairs, selector, since
from bot.demo.objects import Json, moment, name_of


def _pod(obj: Json, now: datetime) -> list[object]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    known = status.get("containerStatuses") or ()
    ready = sum(1 for container in known if container.get("ready") and "running" in (container.get("state") or {}))
    gates = spec.get("readinessGates") or ()
    true = {item["type"] for item in status.get("conditions") or () if item.get("status") == "True"}
    return [
        name_of(obj),
        f"{ready}/{len(spec.get('containers') or ())}",
        pod_status(obj),
        _restarts(obj, now),
        age(obj, now),
        status.get("podIP") or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{sum(1 for gate in gates if gate['conditionType'] in true)}/{len(gates)}" if gates else "<none>",
    ]


def pod_status(obj: Json) -> str:
    """Return the STATUS word of a pod: the phase, or what keeps its containers (printPod)."""
    status = obj.get("status") or {}
    reason = str(status.get("reason") or status.get("phase") or "")
    if (starting := _initializing(obj)) is not None:
        reason = starting
    else:
        has_running = False
        for container in reversed(status.get("containerStatuses") or ()):
            state = container.get("state") or {}
            waiting, ended = state.get("waiting") or {}, state.get("terminated") or {}
            if waiting.get("reason"):
                reason = waiting["reason"]
            elif ended:
                reason = _ending(ended)
            elif container.get("ready") and "running" in state:
                has_running = True
        if reason == "Completed" and has_running:
            is_ready = any(
                item["type"] == "Ready" and item["status"] == "True" for item in status.get("conditions") or ()
            )
            reason = "Running" if is_ready else "NotReady"
    if obj["metadata"].get("deletionTimestamp"):
        return "Unknown" if status.get("reason") == "NodeLost" else "Terminating"
    return reason


def _initializing(obj: Json) -> str | None:
    declared = (obj.get("spec") or {}).get("initContainers") or ()
    known = (obj.get("status") or {}).get("initContainerStatuses") or ()
    for index, container in enumerate(known):
        state = container.get("state") or {}
        ended, waiting = state.get("terminated"), state.get("waiting") or {}
        if ended is not None and ended.get("exitCode") == 0:
            continue
        if ended is not None:
            return "Init:" + _ending(ended)
        if waiting.get("reason") and waiting["reason"] != "PodInitializing":
            return f"Init:{waiting['reason']}"
        return f"Init:{index}/{len(declared)}"
    return None


def _ending(ended: Json) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{ended.get('exitCode', 0)}"


def _restarts(obj: Json, now: datetime) -> str:
    known = (obj.get("status") or {}).get("containerStatuses") or ()
    count = sum(container.get("restartCount", 0) for container in known)
    ends = [((container.get("lastState") or {}).get("terminated") or {}).get("finishedAt") for container in known]
    last = max((moment(end) for end in ends if end), default=None)
    return f"{count} ({human((now - last).total_seconds())} ago)" if count and last is not None else str(count)


def _deployment(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    return [
        name_of(obj),
        f"{status.get('readyReplicas', 0)}/{spec.get('replicas', 1)}",
        status.get("updatedReplicas", 0),
        status.get("availableReplicas", 0),
        age(obj, now),
        *containers(spec["template"]),
        selector(spec.get("selector")),
    ]


def _replica_set(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    chosen = spec.get("selector") or {}
    is_plain = "matchLabels" not in chosen and "matchExpressions" not in chosen
    return [
        name_of(obj),
        spec.get("replicas", 1),
        status.get("replicas", 0),
        status.get("readyReplicas", 0),
        age(obj, now),
        *containers(spec.get("template") or {}),
        pairs(chosen) if is_plain else selector(chosen),
    ]


def _stateful_set(obj: Json, now: datetime) -> list[object]:
    ready = f"{(obj.get('status') or {}).get('readyReplicas', 0)}/{obj['spec'].get('replicas', 1)}"
    return [name_of(obj), ready, age(obj, now), *containers(obj["spec"]["template"])]


def _daemon_set(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    counts = ("desiredNumberScheduled", "currentNumberScheduled", "numberReady")
    return [
        name_of(obj),
        *(status.get(count, 0) for count in counts),
        status.get("updatedNumberScheduled", 0),
        status.get("numberAvailable", 0),
        pairs((spec["template"].get("spec") or {}).get("nodeSelector")),
        age(obj, now),
        *containers(spec["template"]),
        selector(spec.get("selector")),
    ]


def _revision(obj: Json, now: datetime) -> list[object]:
    owner = next((ref for ref in obj["metadata"].get("ownerReferences") or () if ref.get("controller")), None)
    controller = "<none>"
    if owner is not None:
        group = owner["apiVersion"].partition("/")[0] if "/" in owner["apiVersion"] else ""
        controller = f"{owner['kind'].lower()}{'.' + group if group else ''}/{owner['name']}"
    return [name_of(obj), controller, obj.get("revision", 0), age(obj, now)]


def _job(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    true = {item["type"] for item in status.get("conditions") or () if item.get("status") == "True"}
    word = next((known for known in ("Complete", "Failed", "Suspended") if known in true), "Running")
    started, ended = status.get("startTime"), status.get("completionTime")
    took = since(started, moment(ended) if ended else now) if started else ""
    wanted = spec.get("completions", spec.get("parallelism", 1))
    done = f"{status.get('succeeded', 0)}/{wanted}"
    names = containers(spec.get("template") or {})
    return [name_of(obj), word, done, took, age(obj, now), *names, selector(spec.get("selector"))]


def _cron_job(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    last = status.get("lastScheduleTime")
    template = ((spec.get("jobTemplate") or {}).get("spec") or {}).get("template") or {}
    return [
        name_of(obj),
        spec.get("schedule", ""),
        spec.get("timeZone") or "<none>",
        str(bool(spec.get("suspend"))),
        len(status.get("active") or ()),
        since(last, now) if last else "<none>",
        age(obj, now),
        *containers(template),
        "<none>",
    ]


def _autoscaler(obj: Json, now: datetime) -> list[object]:
    spec, status = obj["spec"], obj.get("status") or {}
    target = spec["scaleTargetRef"]
    current = status.get("currentMetrics") or []
    metrics = [
        _metric(metric, current[index] if index < len(current) else None)
        for index, metric in enumerate(spec.get("metrics") or ())
    ]
    shown = ", ".join(metrics[:2]) + (f" + {len(metrics) - 2} more..." if len(metrics) > 2 else "")
    return [
        name_of(obj),
        f"{target['kind']}/{target['name']}",
        shown or "<none>",
        str(spec.get("minReplicas", "<unset>")),
        spec.get("maxReplicas", 0),
        status.get("currentReplicas", 0),
        age(obj, now),
    ]


def _metric(metric: Json, seen: Json | None) -> str:
    if metric.get("type") != "Resource":
        return "<unknown>"
    resource = metric["resource"]
    target = resource["target"]
    now = ((seen or {}).get("resource") or {}).get("current") or {}
    if "averageUtilization" in target:
        value = now.get("averageUtilization")
        return f"{resource['name']}: {'<unknown>' if value is None else f'{value}%'}/{target['averageUtilization']}%"
    return (
        f"{resource['name']}: {now.get('averageValue', '<unknown>')}/{target.get('averageValue', target.get('value'))}"
    )


def _budget(obj: Json, now: datetime) -> list[object]:
    spec, status = obj.get("spec") or {}, obj.get("status") or {}
    return [
        name_of(obj),
        str(spec.get("minAvailable", "N/A")),
        str(spec.get("maxUnavailable", "N/A")),
        status.get("disruptionsAllowed", 0),
        age(obj, now),
    ]


def _quota(obj: Json, now: datetime) -> list[object]:
    hard = (obj.get("status") or {}).get("hard") or (obj.get("spec") or {}).get("hard") or {}
    used = (obj.get("status") or {}).get("used") or {}
    said: dict[bool, list[str]] = {True: [], False: []}
    for name in sorted(hard):
        said[name.startswith("limits.")].append(f"{name}: {used.get(name, '0')}/{hard[name]}")
    return [name_of(obj), ", ".join(said[False]), ", ".join(said[True]), age(obj, now)]


_WIDE = ("+Containers", "+Images", "+Selector")
_SCALED = ("#Desired", "#Current", "#Ready", "Age")

WORKLOADS: dict[str, Printer] = {
    "pods": Printer(
        columns(
            *("Name", "Ready", "Status", "Restarts", "Age", "+IP", "+Node", "+Nominated Node", "+Readiness Gates"),
        ),
        _pod,
    ),
    "deployments.apps": Printer(columns("Name", "Ready", "#Up-to-date", "#Available", "Age", *_WIDE), _deployment),
    "replicasets.apps": Printer(columns("Name", *_SCALED, *_WIDE), _replica_set),
    "replicationcontrollers": Printer(columns("Name", *_SCALED, *_WIDE), _replica_set),
    "statefulsets.apps": Printer(columns("Name", "Ready", "Age", "+Containers", "+Images"), _stateful_set),
    "daemonsets.apps": Printer(
        columns("Name", "#Desired", "#Current", "#Ready", "#Up-to-date", "#Available", "Node Selector", "Age", *_WIDE),
        _daemon_set,
    ),
    "controllerrevisions.apps": Printer(columns("Name", "Controller", "#Revision", "Age"), _revision),
    "jobs.batch": Printer(columns("Name", "Status", "Completions", "Duration", "Age", *_WIDE), _job),
    "cronjobs.batch": Printer(
        columns("Name", "Schedule", "Timezone", "Suspend", "#Active", "Last Schedule", "Age", *_WIDE), _cron_job
    ),
    "horizontalpodautoscalers.autoscaling": Printer(
        columns("Name", "Reference", "Targets", "MinPods", "#MaxPods", "#Replicas", "Age"), _autoscaler
    ),
    "poddisruptionbudgets.policy": Printer(
        columns("Name", "Min Available", "Max Unavailable", "#Allowed Disruptions", "Age"), _budget
    ),
    "resourcequotas": Printer(columns("Name", "Request", "Limit", "Age"), _quota),
}
