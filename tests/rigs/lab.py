"""A cluster whose time the test turns: the store and all the controllers, without a server and without waiting."""

import uuid
from datetime import UTC, datetime, timedelta
from random import Random

from bot.demo import admission
from bot.demo.controllers.control_plane import ControlPlane
from bot.demo.controllers.tempo import Tempo
from bot.demo.objects import Json, annotations_of, copied
from bot.demo.seed_nodes import node
from bot.demo.store import Store

SPACE = "shop"

DEPLOYMENTS, SETS, PODS = "deployments.apps", "replicasets.apps", "pods"
STATEFUL, DAEMONS, REVISIONS = "statefulsets.apps", "daemonsets.apps", "controllerrevisions.apps"


class Lab:
    """Two nodes and the namespace ``shop``; nothing happens until ``wait`` lets time pass."""

    def __init__(self, tempo: Tempo | None = None, *, nodes: int = 2) -> None:
        self.now = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
        chance = Random(7)  # noqa: S311 - the same names at every run, nothing secret
        self.store = Store(lambda: self.now, lambda: str(uuid.UUID(int=chance.getrandbits(128))))
        self.plane = ControlPlane(self.store, tempo or Tempo())
        for number in range(1, nodes + 1):
            self.store.create("nodes", node("lab", number, self.now))
        self.create("namespaces", {"metadata": {"name": SPACE}}, namespace="")

    def wait(self, seconds: float = 30) -> None:
        self.plane.loop.settle(self.now + timedelta(seconds=seconds), self._turn)
        assert self.plane.loop.failures == 0

    def _turn(self, moment: datetime) -> None:
        self.now = moment

    # -- what people do ------------------------------------------------------------------------------------------------

    def create(self, resource: str, body: Json, *, namespace: str = SPACE) -> Json:
        if namespace:
            body = {**body, "metadata": {"namespace": namespace, **body["metadata"]}}
        return admission.create(self.store, resource, body)

    def change(self, resource: str, name: str, *, metadata: Json | None = None, **spec: object) -> Json:
        """Set fields of an object's spec, as ``kubectl patch`` does; ``metadata`` replaces what it names."""
        obj = copied(self.store.get(resource, SPACE, name))
        obj["spec"] |= spec
        obj["metadata"] |= metadata or {}
        return admission.update(self.store, resource, obj)

    def image(self, resource: str, name: str, image: str) -> Json:
        """Set the first container's image, as ``kubectl set image`` does."""
        template = copied(self.store.get(resource, SPACE, name)["spec"]["template"])
        template["spec"]["containers"][0]["image"] = image
        return self.change(resource, name, template=template)

    def delete(self, resource: str, name: str) -> None:
        self.store.delete(resource, SPACE, name)

    # -- what they see -------------------------------------------------------------------------------------------------

    def get(self, resource: str, name: str) -> Json:
        return self.store.get(resource, SPACE, name)

    def pods(self) -> list[Json]:
        return self.store.list(PODS, SPACE)

    def pod(self) -> Json:
        (only,) = self.pods()
        return only

    def images(self) -> list[str]:
        """Return the pods' images, sorted: which version runs how often."""
        return sorted(pod["spec"]["containers"][0]["image"] for pod in self.pods())

    def status(self, resource: str, name: str) -> Json:
        found: Json = self.get(resource, name)["status"]
        return found

    def condition(self, resource: str, name: str, kind: str) -> tuple[str, str, str] | None:
        """Return a condition's status, reason and message."""
        listed = self.status(resource, name).get("conditions") or ()
        return next((tuple_of(one) for one in listed if one["type"] == kind), None)

    def history(self) -> dict[str, str]:
        """Return the image by revision of all ReplicaSets."""
        return {
            annotations_of(one)["deployment.kubernetes.io/revision"]: one["spec"]["template"]["spec"]["containers"][0][
                "image"
            ]
            for one in self.store.list(SETS, SPACE)
        }

    def events(self, about: str) -> list[tuple[str, str]]:
        """Return (reason, message) of the events of an object."""
        events = self.store.list("events", SPACE)
        return [(one["reason"], one["message"]) for one in events if one["involvedObject"]["name"] == about]

    def reasons(self, about: str) -> set[str]:
        return {reason for reason, _ in self.events(about)}

    def waiting(self) -> tuple[str, str]:
        """Return reason and message of the only pod's waiting container."""
        found = self.pod()["status"]["containerStatuses"][0]["state"]["waiting"]
        return found["reason"], found.get("message", "")


def tuple_of(condition: Json) -> tuple[str, str, str]:
    return condition["status"], condition["reason"], condition["message"]


def container(image: str = "myapp:v1", **more: object) -> Json:
    return {"name": "main", "image": image, **more}


def template(image: str = "myapp:v1", **more: object) -> Json:
    """Return a pod template of one container; ``more`` goes into the container."""
    return {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [container(image, **more)]}}


def workload(image: str = "myapp:v1", /, **spec: object) -> Json:
    """Return a Deployment, StatefulSet or DaemonSet of the app ``web``."""
    return {
        "metadata": {"name": "web"},
        "spec": {"selector": {"matchLabels": {"app": "web"}}, "template": template(image), **spec},
    }


def deployed(lab: Lab, image: str = "myapp:v1", /, **spec: object) -> None:
    """Create the Deployment ``web`` and let it roll out."""
    lab.create(DEPLOYMENTS, workload(image, **spec))
    lab.wait()
