"""Objects in words: the JSON of one Kubernetes object becomes the parts of a reply. One module a noun, all pure.

No value of a Secret leaves this package, nor a copy of one (the last-applied annotation); what merely looks like a
password elsewhere is hidden too, also where the object repeats it.
"""

from collections.abc import Sequence
from datetime import datetime

from bot.core.describe.anything import anything
from bot.core.describe.autoscaler import autoscaler
from bot.core.describe.config import config_map, secret
from bot.core.describe.metadata import going
from bot.core.describe.network import ingress, service
from bot.core.describe.node import node
from bot.core.describe.pod import pod
from bot.core.describe.storage import claim, storage_class, volume
from bot.core.describe.tree import text
from bot.core.describe.workload import workload
from bot.core.masking import secrets_in, without
from bot.core.plain_reply import reworded
from bot.core.plan import Json
from bot.core.reply import Part


def describe(manifest: Json, now: datetime, *, slices: Sequence[Json] | None = None) -> tuple[Part, ...]:
    """The parts that describe an object, without its events. `slices` are the EndpointSlices of a Service, if known."""
    parts = (*going(manifest, now), *_by_kind(manifest, now, slices))
    # Conditions and states are a cluster's own words, and may repeat a value that stands elsewhere in the object.
    known = secrets_in(manifest)
    return tuple(reworded(part, lambda words: without(words, known)) for part in parts) if known else parts


def _by_kind(manifest: Json, now: datetime, slices: Sequence[Json] | None) -> tuple[Part, ...]:
    group = text(manifest, "apiVersion").rpartition("/")[0]
    match group, text(manifest, "kind"):
        case "apps", "Deployment" | "StatefulSet" | "DaemonSet" | "ReplicaSet":
            return workload(manifest, now)
        case "", "Pod":
            return pod(manifest, now)
        case "", "Service":
            return service(manifest, now, slices)
        case "networking.k8s.io", "Ingress":
            return ingress(manifest, now)
        case "", "ConfigMap":
            return config_map(manifest, now)
        case "", "Secret":
            return secret(manifest, now)
        case "", "PersistentVolumeClaim":
            return claim(manifest, now)
        case "", "PersistentVolume":
            return volume(manifest, now)
        case "storage.k8s.io", "StorageClass":
            return storage_class(manifest, now)
        case "autoscaling", "HorizontalPodAutoscaler":
            return autoscaler(manifest, now)
        case "", "Node":
            return node(manifest, now)
        case _:
            return anything(manifest, now)
