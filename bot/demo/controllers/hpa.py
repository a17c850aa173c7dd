"""HorizontalPodAutoscalers: their status, and keeping a target's replicas within its bounds.

A re-wording of pkg/controller/podautoscaler. The load of the embedded cluster never asks for more or fewer pods, so
what is scaled is only what is outside of min..max, as at once after somebody else has scaled the target.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.demo.controllers.conditions import Conditions, turned
from bot.demo.controllers.events import Recorder
from bot.demo.controllers.loop import Key
from bot.demo.controllers.podstate import is_active
from bot.demo.controllers.shares import replicas, reported
from bot.demo.controllers.tempo import Tempo
from bot.demo.controllers.usage import Usage, container_usage, requests_of, running
from bot.demo.objects import Json, name_of, namespace_of, stamp
from bot.demo.selectors import LabelSelector
from bot.demo.store import Event, Store

_OWN = "horizontalpodautoscalers.autoscaling"
_TARGETS = {"Deployment": "deployments.apps", "StatefulSet": "statefulsets.apps", "ReplicaSet": "replicasets.apps"}


class AutoscalerController:
    def __init__(self, store: Store, tempo: Tempo) -> None:
        self._store = store
        self._tempo = tempo
        self._events = Recorder(store, "horizontal-pod-autoscaler")

    def concerns(self, event: Event) -> Iterable[Key]:
        if event.resource == _OWN and event.type == "ADDED":
            yield namespace_of(event.object), name_of(event.object)

    def reconcile(self, key: Key) -> float | None:
        """Look every now and then, as the real one does: not at once when the target changes."""
        scaler = self._store.find(_OWN, *key)
        if scaler is None:
            return None
        ref = scaler["spec"]["scaleTargetRef"]
        resource = _TARGETS.get(ref["kind"], "")
        target = self._store.find(resource, namespace_of(scaler), ref["name"])
        if target is None:
            self._report_missing(scaler, ref, resource)
        else:
            self._keep_within(scaler, target, resource)
        return self._tempo.autoscale

    def _report_missing(self, scaler: Json, ref: Json, resource: str) -> None:
        what = f'{resource or ref["kind"].lower()} "{ref["name"]}" not found'
        message = f"the HPA controller was unable to get the target's current scale: {what}"
        known = scaler.get("status", {}).get("conditions") or ()
        self._write(scaler, _set(known, "AbleToScale", False, "FailedGetScale", message, self._store))
        self._events.tell(scaler, "Warning", "FailedGetScale", what)

    def _keep_within(self, scaler: Json, target: Json, resource: str) -> None:
        now = replicas(target)
        least, most = scaler["spec"].get("minReplicas") or 1, scaler["spec"]["maxReplicas"]
        known = scaler.get("status", {}).get("conditions") or ()
        able = ("ReadyForNewScale", "recommended size matches current size")
        known = _set(known, "AbleToScale", True, *able, self._store)
        if now == 0:
            why = "scaling is disabled since the replica count of the target is zero"
            self._write(scaler, _set(known, "ScalingActive", False, "ScalingDisabled", why, self._store), current=0)
            return
        wished = max(least, min(most, now))
        if wished != now:
            bound = "above Spec.MaxReplicas" if now > most else "below Spec.MinReplicas"
            self._store.update(resource, {**target, "spec": {**target["spec"], "replicas": wished}})
            rescaled = f"New size: {wished}; reason: Current number of replicas {bound}"
            self._events.tell(scaler, "Normal", "SuccessfulRescale", rescaled)
            done = ("SucceededRescale", f"the HPA controller was able to update the target scale to {wished}")
            known = _set(known, "AbleToScale", True, *done, self._store)
        source = "cpu resource utilization (percentage of request)"
        valid = f"the HPA was able to successfully calculate a replica count from {source}"
        known = _set(known, "ScalingActive", True, "ValidMetricFound", valid, self._store)
        if wished == now:
            limit = (False, "DesiredWithinRange", "the desired count is within the acceptable range")
        elif now > most:
            limit = (True, "TooManyReplicas", "the desired replica count is more than the maximum replica count")
        else:
            limit = (True, "TooFewReplicas", "the desired replica count is less than the minimum replica count")
        known = _set(known, "ScalingLimited", *limit, self._store)
        last = stamp(self._store.now) if wished != now else None
        metrics = self._metrics(scaler, target)
        self._write(
            scaler, known, current=reported(target, "replicas"), desired=wished, metrics=metrics, scaled_at=last
        )

    def _metrics(self, scaler: Json, target: Json) -> list[Json]:
        """Return currentMetrics for the resource metrics: average use, and as a percentage of what was asked for."""
        selector = LabelSelector.from_object(target["spec"]["selector"])
        pods = [pod for pod in self._store.list("pods", namespace_of(target), selector=selector) if is_active(pod)]
        live = [(pod, spec) for pod in pods for spec in running(pod)]
        if not live:
            return []
        used = sum((container_usage(pod, spec, self._store.now) for pod, spec in live), Usage())
        asked = sum((requests_of(spec) for _, spec in live), Usage())
        figures = {
            "cpu": (used.cpu, asked.cpu, f"{used.cpu // len(pods)}m"),
            "memory": (used.memory, asked.memory, str(used.memory // len(pods))),
        }
        found = []
        for metric in scaler["spec"].get("metrics") or ():
            name = (metric.get("resource") or {}).get("name")
            if name in figures:
                use, request, average = figures[name]
                current: Json = {"averageValue": average}
                if request and metric["resource"]["target"]["type"] == "Utilization":
                    current["averageUtilization"] = use * 100 // request
                found.append({"type": "Resource", "resource": {"name": name, "current": current}})
        return found

    def _write(
        self,
        scaler: Json,
        conditions: Sequence[Json],
        *,
        current: int | None = None,
        desired: int = 0,
        metrics: Sequence[Json] = (),
        scaled_at: str | None = None,
    ) -> None:
        before = scaler.get("status", {})
        status: Json = {"conditions": list(conditions), "desiredReplicas": desired}
        if current is not None:
            status["currentReplicas"] = current
        if metrics:
            status["currentMetrics"] = list(metrics)
        if last := scaled_at or before.get("lastScaleTime"):
            status["lastScaleTime"] = last
        self._store.update(_OWN, {**scaler, "status": status}, subresource="status")


def _set(known: Conditions, kind: str, holds: bool, reason: str, message: str, store: Store) -> list[Json]:
    fresh = turned(known, kind, "True" if holds else "False", store.now, reason=reason, message=message)
    return [{key: value for key, value in one.items() if key != "lastProbeTime"} for one in fresh]
