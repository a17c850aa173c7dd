"""The demo's nodes: a few workers in two zones, healthy and with room."""

from __future__ import annotations

from datetime import datetime

from bot.demo.objects import Json, stamp

_HEALTH = (
    ("MemoryPressure", "False", "KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    ("DiskPressure", "False", "KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    ("PIDPressure", "False", "KubeletHasSufficientPID", "kubelet has sufficient PID available"),
    ("Ready", "True", "KubeletReady", "kubelet is posting ready status"),
)


def node(cluster: str, number: int, now: datetime) -> Json:
    """Return worker ``number`` (from 1) of a cluster: 4 cores, 16 GiB, room for 110 pods."""
    name, zone = f"{cluster}-worker-{number}", "abc"[number % 2]
    room = {"cpu": "4", "memory": "16Gi", "pods": "110", "ephemeral-storage": "80Gi"}
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": {
                "kubernetes.io/arch": "amd64",
                "kubernetes.io/hostname": name,
                "kubernetes.io/os": "linux",
                "node.kubernetes.io/instance-type": "m6i.xlarge",
                "topology.kubernetes.io/region": "eu-central-1",
                "topology.kubernetes.io/zone": f"eu-central-1{zone}",
            },
        },
        "spec": {"podCIDR": f"10.244.{16 * (number - 1)}.0/20", "podCIDRs": [f"10.244.{16 * (number - 1)}.0/20"]},
        "status": {
            "capacity": room,
            "allocatable": {**room, "cpu": "3920m", "memory": "15Gi"},
            "addresses": [
                {"type": "InternalIP", "address": f"10.0.{number % 2}.{10 + number}"},
                {"type": "Hostname", "address": name},
            ],
            "conditions": [
                {
                    "type": kind,
                    "status": status,
                    "lastHeartbeatTime": stamp(now),
                    "lastTransitionTime": stamp(now),
                    "reason": reason,
                    "message": message,
                }
                for kind, status, reason, message in _HEALTH
            ],
            "nodeInfo": {
                "architecture": "amd64",
                "containerRuntimeVersion": "containerd://1.7.24",
                "kernelVersion": "6.8.0-1021",
                "kubeletVersion": "v1.32.4",
                "kubeProxyVersion": "v1.32.4",
                "operatingSystem": "linux",
                "osImage": "Ubuntu 24.04.1 LTS",
                "machineID": "",
                "systemUUID": "",
                "bootID": "",
            },
        },
    }
