"""A kubeconfig for embedded clusters."""

from __future__ import annotations

import os
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml

from bot.demo.objects import Json


@dataclass(frozen=True, slots=True)
class Entry:
    """One context: its name, where the cluster is, whom to trust, and as whom to speak."""

    name: str
    url: str
    ca_pem: str
    token: str
    user: str
    namespace: str = "default"


def write_kubeconfig(path: Path, entries: Sequence[Entry], *, current: str = "") -> None:
    """Write a kubeconfig that only its owner can read; the first context is the current one unless ``current`` says."""
    document: Json = {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": current or (entries[0].name if entries else ""),
        "clusters": [
            {
                "name": entry.name,
                "cluster": {
                    "server": entry.url,
                    "certificate-authority-data": b64encode(entry.ca_pem.encode()).decode(),
                },
            }
            for entry in entries
        ],
        "users": [{"name": f"{entry.name}/{entry.user}", "user": {"token": entry.token}} for entry in entries],
        "contexts": [
            {
                "name": entry.name,
                "context": {
                    "cluster": entry.name,
                    "user": f"{entry.name}/{entry.user}",
                    "namespace": entry.namespace,
                },
            }
            for entry in entries
        ],
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        yaml.safe_dump(document, file, sort_keys=False)
