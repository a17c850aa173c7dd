"""One container's life on a node: pulled, started, ready, crashed, backed off.

A small state machine over time; it touches nothing. What people should hear is returned as notices. Reasons and
messages are the kubelet's and containerd's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto
from hashlib import sha256
from typing import assert_never

from bot.demo.controllers.behaviour import Behaviour, Ending, behaviour_of, full_name
from bot.demo.controllers.events import EventKind
from bot.demo.controllers.tempo import Tempo
from bot.demo.objects import Json, name_of, namespace_of


class Stage(Enum):
    WAITING = auto()  # its turn has not come
    PULLING = auto()
    PULL_FAILED = auto()
    PULL_BACK_OFF = auto()
    MISCONFIGURED = auto()
    RUNNING = auto()
    CRASHED = auto()
    CRASH_BACK_OFF = auto()
    DONE = auto()


@dataclass(frozen=True, slots=True)
class Notice:
    kind: EventKind
    reason: str
    message: str


@dataclass(frozen=True, slots=True)
class Run:
    """One run of the container, from its start to its end (None: it still runs)."""

    number: int
    started: datetime
    finished: datetime | None = None
    ending: Ending | None = None


class Container:
    """The life of one container of one pod. ``problem`` says which configuration is missing, if any."""

    def __init__(
        self,
        spec: Json,
        pod: Json,
        *,
        ip: str,
        tempo: Tempo,
        problem: Callable[[Json], str | None],
        is_present: Callable[[str], bool],
        is_init: bool,
        restarts: int = 0,
    ) -> None:
        self.spec = spec
        self.name: str = spec["name"]
        self.image: str = spec["image"]
        self.is_init = is_init
        self.is_sidecar = is_init and spec.get("restartPolicy") == "Always"
        self.restarts = restarts
        self.run: Run | None = None
        self.previous: Run | None = None
        self.ready = False
        self.due: datetime | None = None
        self.stage = Stage.WAITING
        self.pod_uid: str = pod["metadata"]["uid"]
        self._full = f"{name_of(pod)}_{namespace_of(pod)}({self.pod_uid})"
        self._ip = ip
        self.behaviour: Behaviour = behaviour_of(self.image)
        self._tempo = tempo
        self._problem = problem
        self._is_present = is_present
        self._failures = 0
        self.message = ""
        self._restart_policy = "Always" if self.is_sidecar else pod["spec"].get("restartPolicy", "Always")

    # -- what others ask -----------------------------------------------------------------------------------------------

    @property
    def is_finished(self) -> bool:
        """It has ended and will not be started again."""
        return self.stage is Stage.DONE

    @property
    def has_succeeded(self) -> bool:
        return self.is_finished and self.run is not None and self.run.ending is not None and self.run.ending.code == 0

    @property
    def lets_others_start(self) -> bool:
        """Whether, as an init container, it has done its part."""
        return self.has_succeeded or (self.is_sidecar and self.stage is Stage.RUNNING)

    # -- time passes ---------------------------------------------------------------------------------------------------

    def begin(self, now: datetime) -> list[Notice]:
        """Start pulling: its turn has come."""
        if self.stage is not Stage.WAITING:
            return []
        return self._pull(now)

    def advance(self, now: datetime) -> list[Notice]:
        """Do what is due by now."""
        if self.due is None or self.due > now:
            return []
        match self.stage:
            case Stage.WAITING | Stage.DONE:
                return []
            case Stage.PULLING:
                return self._pulled(now)
            case Stage.PULL_FAILED:
                return self._back_off_pull(now)
            case Stage.PULL_BACK_OFF:
                return [self._pulling(), *self._fail_pull(now)]
            case Stage.MISCONFIGURED:
                return self._start(now)
            case Stage.RUNNING:
                return self._ripened(now)
            case Stage.CRASHED:
                return self._restart(now) if self._failures == 1 else self._back_off_crash(now)
            case Stage.CRASH_BACK_OFF:
                return self._restart(now)
            case _:
                assert_never(self.stage)

    def _enter(self, stage: Stage, now: datetime, seconds: float | None) -> None:
        self.stage = stage
        self.due = None if seconds is None else now + timedelta(seconds=seconds)

    def _pull(self, now: datetime) -> list[Notice]:
        if self._is_present(self.image) and self.spec.get("imagePullPolicy") != "Always":
            present = Notice("Normal", "Pulled", f'Container image "{self.image}" already present on machine')
            return [present, *self._start(now)]
        self._enter(Stage.PULLING, now, self._tempo.pull)
        return [self._pulling()]

    def _pulling(self) -> Notice:
        return Notice("Normal", "Pulling", f'Pulling image "{self.image}"')

    def _pulled(self, now: datetime) -> list[Notice]:
        if not self.behaviour.pullable:
            return self._fail_pull(now)
        took, size = f"{self._tempo.pull * 1000:.0f}ms", 20_000_000 + int(digest(self.image)[:6], 16)
        message = (
            f'Successfully pulled image "{self.image}" in {took} ({took} including waiting). Image size: {size} bytes.'
        )
        return [Notice("Normal", "Pulled", message), *self._start(now)]

    def _fail_pull(self, now: datetime) -> list[Notice]:
        name = full_name(self.image)
        why = (
            f'rpc error: code = NotFound desc = failed to pull and unpack image "{name}": '
            f'failed to resolve reference "{name}": {name}: not found'
        )
        self._failures += 1
        self.message = why
        self._enter(Stage.PULL_FAILED, now, self._tempo.pull)
        return [
            Notice("Warning", "Failed", f'Failed to pull image "{self.image}": {why}'),
            Notice("Warning", "Failed", "Error: ErrImagePull"),
        ]

    def _back_off_pull(self, now: datetime) -> list[Notice]:
        self._enter(Stage.PULL_BACK_OFF, now, self._patience())
        return [
            Notice("Normal", "BackOff", f'Back-off pulling image "{self.image}"'),
            Notice("Warning", "Failed", "Error: ImagePullBackOff"),
        ]

    def _start(self, now: datetime) -> list[Notice]:
        missing = self._problem(self.spec)
        if missing is None and not self.behaviour.configured:
            missing = f'configmap "{self.name}-settings" not found'
        if missing is not None:
            self.message = missing
            self._enter(Stage.MISCONFIGURED, now, self._tempo.retry)
            return [Notice("Warning", "Failed", f"Error: {missing}")]
        self.run = Run(self.restarts, now)
        self._enter(Stage.RUNNING, now, self._first_wait())
        return [
            Notice("Normal", "Created", f"Created container: {self.name}"),
            Notice("Normal", "Started", f"Started container {self.name}"),
        ]

    def _first_wait(self) -> float:
        if self.behaviour.ending is not None:
            return self._tempo.crash
        if self.is_init:
            return self._tempo.init
        return self._tempo.slow if self.behaviour.slow else self._tempo.ready

    def _ripened(self, now: datetime) -> list[Notice]:
        """Something was to happen to the running container: it ends, becomes ready, or fails its probe once more."""
        if self.behaviour.ending is not None:
            return self._end(now, self.behaviour.ending)
        if self.is_init and not self.is_sidecar:
            return self._end(now, Ending(0, "Completed"))
        if self.behaviour.passes_probe:
            self.ready = True
            self.due = None
            return []
        self._enter(Stage.RUNNING, now, self._tempo.probe)
        return [Notice("Warning", "Unhealthy", f"Readiness probe failed: {self._probe_failure()}")]

    def _probe_failure(self) -> str:
        probe = self.spec.get("readinessProbe") or {}
        port = (self.spec.get("ports") or [{}])[0].get("containerPort", 8080)
        if "exec" in probe:
            return "command exited with code 1"
        if "tcpSocket" in probe:
            return f"dial tcp {self._ip}:{port}: connect: connection refused"
        return "HTTP probe failed with statuscode: 503"

    def _end(self, now: datetime, ending: Ending) -> list[Notice]:
        if self.run is None:
            return []
        self.ready = False
        self.run = Run(self.run.number, self.run.started, now, ending)
        again = self._restart_policy == "Always" and not (self.is_init and ending.code == 0)
        if not again and not (self._restart_policy == "OnFailure" and ending.code):
            self._enter(Stage.DONE, now, None)
            return []
        self._failures += 1
        self._enter(Stage.CRASHED, now, self._tempo.crash)
        return []

    def _back_off_crash(self, now: datetime) -> list[Notice]:
        # The kubelet's own figures (10 s, doubling, five minutes at most), whatever the tempo of this cluster is.
        told = min(300, 10 * 2 ** min(self._failures - 2, 5))
        shown = "5m0s" if told == 300 else f"{told // 60}m{told % 60}s" if told >= 60 else f"{told}s"
        self.message = f"back-off {shown} restarting failed container={self.name} pod={self._full}"
        self._enter(Stage.CRASH_BACK_OFF, now, self._patience(2))
        return [Notice("Warning", "BackOff", f"Back-off restarting failed container {self.name} in pod {self._full}")]

    def _restart(self, now: datetime) -> list[Notice]:
        self.previous = self.run
        self.restarts += 1
        present = Notice("Normal", "Pulled", f'Container image "{self.image}" already present on machine')
        return [present, *self._start(now)]

    def _patience(self, since: int = 1) -> float:
        doubled: float = self._tempo.back_off * 2.0 ** min(max(0, self._failures - since), 10)
        return min(self._tempo.back_off_cap, doubled)


def digest(*parts: str) -> str:
    """Return the hash that stands for content that nobody has: of an image, of a container."""
    return sha256("/".join(parts).encode()).hexdigest()
