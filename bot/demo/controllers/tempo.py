"""How fast the embedded cluster lives: the waits of its scheduler, its kubelets and its controllers, in seconds."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Tempo:
    """The demo's defaults: a rollout of three replicas takes about six seconds, a bad image shows in about one."""

    pull: float = 0.6  # bound → image there (or known to be missing)
    ready: float = 1.3  # started → ready
    slow: float = 20.0  # the same for an image that is slow
    crash: float = 0.8  # started → crashed
    back_off: float = 4.0  # the first wait between two crashes or two pulls; doubles each time
    back_off_cap: float = 120.0
    stop: float = 0.5  # told to stop → gone (never longer than the pod's own grace period)
    init: float = 0.3  # an init container's run
    retry: float = 3.0  # a controller that was refused tries again
    probe: float = 5.0  # between two failures of a readiness probe that are told
    provision: float = 0.4  # a volume or a load balancer is asked for → there
    autoscale: float = 15.0  # between two looks of the autoscaler


FAST = Tempo(
    pull=0.02,
    ready=0.03,
    slow=1.5,
    crash=0.03,
    back_off=0.3,
    back_off_cap=2.0,
    stop=0.02,
    init=0.02,
    retry=0.2,
    probe=0.2,
    provision=0.02,
    autoscale=0.1,
)
"""For tests: everything real controllers wait for happens within a tenth of a second."""
