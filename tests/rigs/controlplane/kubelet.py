"""The nodes of a real control plane without machines: their objects, and the port where their logs are asked for.

What their pods do is the embedded cluster's own kubelet over a `Mirror`. Here is what only a real API server needs: it
fetches logs from the node's address over TLS, with a client certificate, and so it does from this stand-in.
"""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Final

from aiohttp import web
from rigs.controlplane.api import MERGE, Api
from rigs.controlplane.credentials import Papers

from bot.demo import container_logs
from bot.demo.calls import Call
from bot.demo.controllers.logs import ContainerLogs
from bot.demo.kinds import BY_RESOURCE
from bot.demo.listening import Listener
from bot.demo.seed_nodes import node
from bot.demo.status import ApiError
from bot.demo.store import Store

WORKERS: Final = 2
"""As the embedded `dev` has."""

_ROOM: Final = {"cpu": "400", "memory": "1600Gi", "pods": "20000", "ephemeral-storage": "8000Gi"}


async def create_nodes(api: Api, cluster: str, port: int, now: datetime) -> None:
    """Create the nodes, ready and roomy, with the stand-in as the place where their kubelets listen."""
    for number in range(1, WORKERS + 1):
        made = node(cluster, number, now)
        status = made.pop("status") | {
            "capacity": _ROOM,
            "allocatable": _ROOM,
            "addresses": [{"type": "InternalIP", "address": "127.0.0.1"}],
            "daemonEndpoints": {"kubeletEndpoint": {"Port": port}},
        }
        await api.create(made)
        name = made["metadata"]["name"]
        await api.patch("nodes", "", f"{name}/status", {"status": status}, MERGE)
        # Admission taints every new node; the controller that would take the taint away watches real heartbeats.
        await api.patch("nodes", "", name, {"spec": {"taints": None}}, MERGE)


@asynccontextmanager
async def serving(port: int, papers: Papers, store: Store, clock: Callable[[], datetime]) -> AsyncIterator[None]:
    """Serve `/containerLogs` on a loopback port, to the API server alone."""
    trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=papers.ca)
    trust.load_cert_chain(papers.certificate, papers.key)
    trust.verify_mode = ssl.CERT_REQUIRED
    source = ContainerLogs(clock)

    async def logs(request: web.Request) -> web.StreamResponse:
        asked = request.match_info
        query = {**request.query, "container": asked["container"]}
        try:
            pod, wanted = container_logs.read(
                store, Call("get", BY_RESOURCE["pods"], asked["namespace"], asked["pod"], "log", query)
            )
        except ApiError as no:
            return web.Response(status=no.code, text=no.message)
        answer = web.StreamResponse(headers={"Content-Type": "text/plain"})
        await answer.prepare(request)
        if wanted.follow:
            async for piece in container_logs.follow(store, source, pod, wanted):
                await answer.write(piece)
        else:
            lines = source.lines(pod, wanted.container, previous=wanted.previous)
            await answer.write(container_logs.text(lines, wanted))
        return answer

    app = web.Application()
    app.router.add_get("/containerLogs/{namespace}/{pod}/{container}", logs)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
    await runner.setup()
    listener = Listener(runner, port=port, tls=trust)
    try:
        await listener.start()
        yield
    finally:
        await listener.stop()
