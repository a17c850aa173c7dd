"""One cluster's controllers together, in the order in which they look at a change."""

from __future__ import annotations

from functools import partial

from bot.demo import admission
from bot.demo.controllers.daemonset import DaemonSetController
from bot.demo.controllers.deployment import DeploymentController
from bot.demo.controllers.endpoints import EndpointsController, LoadBalancerController
from bot.demo.controllers.events import EventExpiry
from bot.demo.controllers.hpa import AutoscalerController
from bot.demo.controllers.kubelet import Kubelet
from bot.demo.controllers.loop import Loop
from bot.demo.controllers.replicaset import ReplicaSetController
from bot.demo.controllers.scheduler import Scheduler
from bot.demo.controllers.statefulset import StatefulSetController
from bot.demo.controllers.tempo import Tempo
from bot.demo.controllers.volumes import VolumeController
from bot.demo.store import Store


class ControlPlane:
    """Everything that acts on one store by itself. ``loop`` runs it; ``kubelet`` knows the containers."""

    def __init__(self, store: Store, tempo: Tempo) -> None:
        create_pod = partial(admission.create, store, "pods")
        self.kubelet = Kubelet(store, tempo)
        self.loop = Loop(
            store,
            [
                DeploymentController(store),
                ReplicaSetController(store, create_pod, retry=tempo.retry),
                StatefulSetController(store, create_pod, retry=tempo.retry),
                DaemonSetController(store, create_pod, retry=tempo.retry),
                Scheduler(store, tempo),
                self.kubelet,
                VolumeController(store, tempo),
                EndpointsController(store),
                LoadBalancerController(store, tempo),
                AutoscalerController(store, tempo),
                EventExpiry(store),
            ],
            retry=tempo.retry,
        )
