"""One real control plane: etcd, kube-apiserver, controller-manager and scheduler, with nodes that are only told of.

The flags and their reasons are in one place here. It starts in about four seconds and takes about 450 MB.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any, Final

import aiohttp
import yaml
from rigs.controlplane import kubelet, metrics
from rigs.controlplane.api import Api, Json, Refusal, login
from rigs.controlplane.credentials import ADMIN, MANAGER, SCHEDULER, Papers, issue
from rigs.controlplane.location import Location
from rigs.controlplane.mirror import Mirror
from rigs.controlplane.programs import Ended, Program, free_port

from bot.demo.controllers.endpoints import LoadBalancerController
from bot.demo.controllers.kubelet import Kubelet
from bot.demo.controllers.loop import Loop
from bot.demo.controllers.tempo import FAST
from bot.demo.controllers.volumes import VolumeController
from bot.demo.kubeconfig import Entry, write_kubeconfig
from bot.demo.seed_people import CLUSTERS

log = logging.getLogger(__name__)

_READY_WITHIN: Final = 60.0
_LOOK_EVERY: Final = 0.05

# What is written and what people do is kept; what the control plane does to itself is not.
_AUDIT_POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- {level: None, users: ["system:apiserver", "system:kube-controller-manager", "system:kube-scheduler", "admin"]}
- {level: None, userGroups: ["system:serviceaccounts:kube-system"]}
- {level: Metadata}
"""


class Plane:
    """One cluster. `start` gives its location; `stop` leaves no process and is safe at any moment."""

    def __init__(self, name: str, binaries: Path, folder: Path) -> None:
        self.name = name
        self._binaries = binaries
        self._folder = folder
        self._stack = AsyncExitStack()
        self._etcd: Program | None = None
        self._apiserver: Program | None = None
        self._controllers: list[Program] = []
        self._papers: Papers | None = None
        self._port = 0

    async def start(self) -> Location:
        """Raises Ended, TimeoutError; what was started by then is ended by `stop`."""
        papers = self._papers = issue(self._folder, self.name)
        store_port, self._port, kubelet_port = free_port(), free_port(), free_port()
        self._etcd = await self._run("etcd", _etcd(self._folder / "etcd", store_port))
        self._apiserver = await self._run("kube-apiserver", self._apiserver_flags(papers, store_port))
        ca = papers.ca.read_text()
        location = Location(
            self.name,
            self._url,
            ca,
            dict(papers.tokens),
            str(self._folder / "audit.log"),
            f"http://127.0.0.1:{store_port}",
        )
        api = await self._stack.enter_async_context(login(self._url, ca, papers.tokens[ADMIN]))
        await self._until_ready(api)
        self._controllers = [
            await self._run("kube-controller-manager", self._manager_flags(papers)),
            await self._run("kube-scheduler", self._with_login("scheduler", papers, SCHEDULER)),
        ]
        await self._inhabit(api, papers, kubelet_port)
        return location

    async def stop(self) -> None:
        await self._stack.aclose()

    async def kill_apiserver(self) -> None:
        if self._apiserver is not None:
            await self._apiserver.kill()

    async def revive_apiserver(self) -> None:
        """Start the API server again, on the same port and the same data, and wait until it is ready.

        The controllers start anew as well: having met a closed door they may take half a minute to knock again.
        """
        if self._apiserver is None or self._papers is None:
            raise Ended("there was no API server")
        await self._apiserver.start()
        async with login(self._url, self._papers.ca.read_text(), self._papers.tokens[ADMIN]) as api:
            await self._until_ready(api)
        for program in self._controllers:
            await program.kill()
            await program.start()

    # -- what is started -----------------------------------------------------------------------------------------------

    @property
    def _url(self) -> str:
        return f"https://127.0.0.1:{self._port}"

    async def _run(self, name: str, flags: Sequence[str]) -> Program:
        program = Program(self._binaries / name, flags, self._folder / f"{name}.log")
        # The last started is stopped first: an API server whose etcd has gone does not end by itself.
        self._stack.push_async_callback(program.stop)
        await program.start()
        return program

    async def _until_ready(self, api: Api) -> None:
        async with asyncio.timeout(_READY_WITHIN):
            while True:
                for program in (self._etcd, self._apiserver):
                    if program is not None:
                        program.check()
                try:
                    await api.ask("GET", "/readyz")
                except (aiohttp.ClientError, TimeoutError, Refusal):
                    await asyncio.sleep(_LOOK_EVERY)
                else:
                    return

    async def _inhabit(self, api: Api, papers: Papers, port: int) -> None:
        """Give it nodes, the demo's namespaces and rights, figures, and somebody who runs its pods."""
        await metrics.define(api)
        rights = self.name if self.name in CLUSTERS else CLUSTERS[0]
        for part in ("base", f"rights-{rights}"):
            for manifest in _seed(part):
                await api.ensure(manifest)
        mirror = Mirror(api, _now, lambda: str(uuid.uuid4()))
        await self._stack.enter_async_context(kubelet.serving(port, papers, mirror, _now))
        await kubelet.create_nodes(api, self.name, port, _now())
        parts = (Kubelet(mirror, FAST), VolumeController(mirror, FAST), LoadBalancerController(mirror, FAST))
        loop = Loop(mirror, parts, retry=FAST.retry)
        self._live(mirror.run)
        self._live(loop.run)
        self._live(lambda: metrics.keep(api, mirror, _now))
        async with asyncio.timeout(_READY_WITHIN):
            await mirror.until_known()

    def _live(self, work: Callable[[], Coroutine[Any, Any, None]]) -> None:
        task = asyncio.create_task(work())

        async def end() -> None:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

        task.add_done_callback(_report)
        self._stack.push_async_callback(end)

    # -- how -----------------------------------------------------------------------------------------------------------

    def _apiserver_flags(self, papers: Papers, store_port: int) -> list[str]:
        policy = self._folder / "audit.yaml"
        policy.write_text(_AUDIT_POLICY)
        return [
            f"--etcd-servers=http://127.0.0.1:{store_port}",
            "--bind-address=127.0.0.1",
            f"--secure-port={self._port}",
            f"--tls-cert-file={papers.certificate}",
            f"--tls-private-key-file={papers.key}",
            f"--client-ca-file={papers.ca}",
            f"--token-auth-file={papers.tokens_file}",
            "--authorization-mode=Node,RBAC",
            f"--service-account-key-file={papers.accounts_key}",
            f"--service-account-signing-key-file={papers.accounts_key}",
            "--service-account-issuer=https://kubernetes.default.svc",
            "--service-cluster-ip-range=10.0.0.0/16",
            "--allow-privileged=true",
            "--endpoint-reconciler-type=none",
            "--kubelet-preferred-address-types=InternalIP",
            f"--kubelet-certificate-authority={papers.ca}",
            f"--kubelet-client-certificate={papers.client_certificate}",
            f"--kubelet-client-key={papers.client_key}",
            f"--audit-policy-file={policy}",
            f"--audit-log-path={self._folder / 'audit.log'}",
        ]

    def _manager_flags(self, papers: Papers) -> list[str]:
        return [
            *self._with_login("manager", papers, MANAGER),
            f"--service-account-private-key-file={papers.accounts_key}",
            f"--root-ca-file={papers.ca}",
            "--use-service-account-credentials",
            "--kube-api-qps=500",
            "--kube-api-burst=1000",
            # It would call nodes dead that send no heartbeat.
            "--controllers=*,-node-lifecycle-controller",
            # An autoscaler looks every 15 s and disregards the first five minutes of a pod: no test waits for that.
            "--horizontal-pod-autoscaler-sync-period=1s",
            "--horizontal-pod-autoscaler-cpu-initialization-period=1s",
            "--horizontal-pod-autoscaler-initial-readiness-delay=1s",
        ]

    def _with_login(self, name: str, papers: Papers, user: str) -> list[str]:
        """The flags that the controller manager and the scheduler share: how they log in, and where they listen."""
        file = self._folder / f"{name}.kubeconfig"
        write_kubeconfig(file, [Entry("rig", self._url, papers.ca.read_text(), papers.tokens[user], name)])
        return [
            f"--kubeconfig={file}",
            f"--authentication-kubeconfig={file}",
            f"--authorization-kubeconfig={file}",
            "--leader-elect=false",
            "--bind-address=127.0.0.1",
            f"--secure-port={free_port()}",
        ]


def _etcd(data: Path, port: int) -> list[str]:
    url = f"http://127.0.0.1:{port}"
    return [
        f"--data-dir={data}",
        f"--listen-client-urls={url}",
        f"--advertise-client-urls={url}",
        "--listen-peer-urls=http://127.0.0.1:0",
        "--unsafe-no-fsync",  # nothing here outlives the run
        "--log-level=warn",
    ]


def _seed(part: str) -> list[Json]:
    """What every cluster of the demo has before any app: the same file as the embedded ones are made from."""
    text = (resources.files("bot.demo") / "seeds" / f"{part}.yaml").read_text()
    return list(yaml.safe_load_all(text))


def _now() -> datetime:
    return datetime.now(UTC)


def _report(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("a part of the rig ended", exc_info=error)
