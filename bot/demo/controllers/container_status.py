"""How a container's life is told in its pod's status: containerStatuses, in the kubelet's words."""

from __future__ import annotations

from typing import assert_never

from bot.demo.controllers.behaviour import full_name
from bot.demo.controllers.container import Container, Run, Stage, digest
from bot.demo.objects import Json, stamp


def container_status(one: Container, *, initializing: bool) -> Json:
    """Return the entry of a container; ``initializing``: the pod's init containers are not done."""
    shown: Json = {
        "name": one.name,
        "image": one.image if one.run is None else full_name(one.image),
        "imageID": "" if one.run is None else _image_id(one),
        "ready": one.ready or one.has_succeeded,
        "started": one.stage is Stage.RUNNING and (one.ready or not one.behaviour.slow),
        "restartCount": one.restarts,
        "state": _state(one, initializing),
        "lastState": {},
    }
    past = one.run if one.stage is Stage.CRASH_BACK_OFF else one.previous
    if past is not None and not one.is_finished:
        shown["lastState"] = {"terminated": _terminated(one, past)}
    if one.run is not None:
        shown["containerID"] = _container_id(one, one.run)
    return shown


def _state(one: Container, initializing: bool) -> Json:
    match one.stage:
        case Stage.WAITING | Stage.PULLING:
            reason = "PodInitializing" if initializing else "ContainerCreating"
            return {"waiting": {"reason": reason}}
        case Stage.PULL_FAILED:
            return {"waiting": {"reason": "ErrImagePull", "message": one.message}}
        case Stage.PULL_BACK_OFF:
            message = f'Back-off pulling image "{one.image}": ErrImagePull: {one.message}'
            return {"waiting": {"reason": "ImagePullBackOff", "message": message}}
        case Stage.MISCONFIGURED:
            return {"waiting": {"reason": "CreateContainerConfigError", "message": one.message}}
        case Stage.CRASH_BACK_OFF:
            return {"waiting": {"reason": "CrashLoopBackOff", "message": one.message}}
        case Stage.RUNNING:
            return {"running": {"startedAt": stamp(one.run.started)}} if one.run is not None else {}
        case Stage.CRASHED | Stage.DONE:
            return {"terminated": _terminated(one, one.run)} if one.run is not None else {}
        case _:
            assert_never(one.stage)


def _terminated(one: Container, run: Run) -> Json:
    if run.ending is None or run.finished is None:
        return {}
    return {
        "containerID": _container_id(one, run),
        "exitCode": run.ending.code,
        "reason": run.ending.reason,
        "startedAt": stamp(run.started),
        "finishedAt": stamp(run.finished),
    }


def _container_id(one: Container, run: Run) -> str:
    return f"containerd://{digest(one.pod_uid, one.name, str(run.number))}"


def _image_id(one: Container) -> str:
    name = full_name(one.image)
    return name if "@" in one.image else f"{name.rpartition(':')[0]}@sha256:{digest(name)}"
