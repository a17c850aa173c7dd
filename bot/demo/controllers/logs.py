"""What containers write: lines that fit their image's behaviour and grow with time, the same at every reading."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from hashlib import sha256

from bot.demo.controllers.behaviour import Behaviour, behaviour_of, tag_of
from bot.demo.controllers.container import Run
from bot.demo.objects import Json, moment

KEPT = 2000  # as a kubelet rotates logs, only the newest lines of a long run are there

_EVERY = 4.0  # seconds between two lines of a running container
_PATHS = ("/api/orders", "/api/cart", "/api/items/17", "/api/items", "/health", "/ready", "/metrics", "/api/session")


@dataclass(frozen=True, slots=True)
class Line:
    at: datetime
    text: str


class ContainerLogs:
    """The logs of a cluster's pods: all that is needed stands in the pod's own status."""

    def __init__(self, clock: Callable[[], datetime]) -> None:
        self._clock = clock

    def lines(self, pod: Json, container: str, *, previous: bool) -> Sequence[Line]:
        """Return what the container's run, or the one before it, has written by now, oldest first."""
        spec = _named(_both(pod["spec"], "initContainers", "containers"), container)
        status = _named(_both(pod.get("status", {}), "initContainerStatuses", "containerStatuses"), container)
        run = _run(status, previous=previous)
        if run is None:
            return ()
        return _lines(spec["name"], spec["image"], pod["metadata"]["uid"], run, self._clock())


def _both(holder: Json, first: str, second: str) -> list[Json]:
    return [*(holder.get(first) or ()), *(holder.get(second) or ())]


def _named(entries: Sequence[Json], name: str) -> Json:
    return next((entry for entry in entries if entry["name"] == name), {})


def _run(status: Json, *, previous: bool) -> Run | None:
    """Return the run that is asked for: a container that waits for its next one still shows the last."""
    state, count = status.get("state") or {}, status.get("restartCount", 0)
    last = (status.get("lastState") or {}).get("terminated")
    if "running" in state and not previous:
        return Run(count, moment(state["running"]["startedAt"]))
    ended = last if previous or "terminated" not in state else state["terminated"]
    if ended is None:
        return None
    number = count - 1 if previous and "waiting" not in state else count
    return Run(number, moment(ended["startedAt"]), moment(ended["finishedAt"]))


def _lines(name: str, image: str, seed: str, run: Run, now: datetime) -> list[Line]:
    behaviour = behaviour_of(image)
    written = [*_boot(name, image, behaviour, run)]
    if behaviour.ending is not None:
        return [*written, *(_end(behaviour, run) if run.finished is not None else ())]
    end = run.finished or now
    count = int((end - run.started).total_seconds() / _EVERY)
    written += (_work(behaviour, seed, run, number) for number in range(max(1, count - KEPT), count + 1))
    return [line for line in written if line.at <= now][-KEPT:]


def _boot(name: str, image: str, behaviour: Behaviour, run: Run) -> Iterator[Line]:
    texts = [
        f"INFO  [main] Starting {name} {tag_of(image) or 'pinned by digest'} with PID 1",
        "INFO  [main] Loaded configuration from environment",
        "INFO  [main] Listening on port 8080",
    ]
    if behaviour.ending is not None:
        texts = texts[:2]
    if behaviour.slow:
        texts = [*texts[:2], "INFO  [main] Warming caches, this takes a while"]
    for number, text in enumerate(texts):
        yield _line(run.started + timedelta(milliseconds=5 + 140 * number), text)


@lru_cache(maxsize=4 * KEPT)  # whoever follows a log reads nearly the same lines again and again
def _work(behaviour: Behaviour, seed: str, run: Run, number: int) -> Line:
    digest = sha256(f"{seed}/{run.number}/{number}".encode()).digest()
    at = run.started + timedelta(seconds=number * _EVERY, milliseconds=-int.from_bytes(digest[:2], "big") % 900)
    if not behaviour.passes_probe:
        text = "WARN  [http-1] GET /ready 503 waiting for dependency: inventory not reachable"
    elif digest[2] < 6:
        text = f"WARN  [http-{digest[3] % 8 + 1}] slow query, {700 + digest[4] * 4} ms"
    else:
        path = _PATHS[digest[5] % len(_PATHS)]
        text = f"INFO  [http-{digest[3] % 8 + 1}] GET {path} 200 {2 + digest[4] % 60} ms"
    return _line(at, text)


def _end(behaviour: Behaviour, run: Run) -> Iterator[Line]:
    if behaviour.ending is not None and behaviour.ending.reason == "OOMKilled":
        texts = [  # a killed process has no last words
            "WARN  [gc] heap at 94 % after full collection",
            "WARN  [gc] heap at 99 % after full collection",
        ]
    else:
        texts = [
            "ERROR [main] Application failed to start",
            "java.lang.IllegalStateException: Failed to connect to db.example.com:5432: connection refused",
            "    at com.example.store.Database.connect(Database.java:87)",
            "    at com.example.store.Database.<init>(Database.java:41)",
            "    at com.example.Application.main(Application.java:23)",
            "Caused by: java.net.ConnectException: Connection refused",
            "    ... 3 more",
        ]
    # A status knows whole seconds only: the last words must still come after the first.
    end = max(run.finished or run.started, run.started + timedelta(milliseconds=700))
    for number, text in enumerate(texts):
        at = end - timedelta(milliseconds=8 * (len(texts) - number))
        yield _line(at, text) if text.startswith(("ERROR", "WARN")) else Line(at, text)


def _line(at: datetime, text: str) -> Line:
    return Line(at, f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03d} {text}")
