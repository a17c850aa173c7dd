"""A real cluster as the embedded one's controllers know theirs: a store that follows it, and whose writes go to it.

So the very kubelets, volumes and load balancers of the embedded cluster also serve the real control plane, which has
none of its own, and one table of image tags (`bot.demo.controllers.behaviour`) drives the pods of both.
"""

from __future__ import annotations

import asyncio
import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import aiohttp
from rigs.controlplane.api import MERGE, Api, Json, Refusal, path

from bot.demo.kinds import BY_RESOURCE
from bot.demo.objects import name_of, namespace_of
from bot.demo.store import Store

log = logging.getLogger(__name__)

FOLLOWED: Final = (
    "namespaces",
    "nodes",
    "configmaps",
    "secrets",
    "services",
    "persistentvolumeclaims",
    "persistentvolumes",
    "storageclasses.storage.k8s.io",
    "pods",
)

# Only looked at: a claim that says it is bound before the binder has seen its volume is lost for good. The binder binds
# it by itself as soon as there is a volume for it.
_LEFT_TO_OTHERS: Final = frozenset({"persistentvolumeclaims"})

UNSCHEDULED: Final = "nobody"
"""A pod that asks for this scheduler runs without a node: thousands start at once, and a delete is immediate."""

_AT_ONCE = 20  # requests in flight; one at a time makes about 75 pods a second ready
_PAUSE = 0.1  # before a server that does not answer is tried again
_EXPECTED = frozenset({403, 404, 409})  # it is gone, made anew, or its namespace ends: nothing is left to be done

_Key = tuple[str, str, str]  # resource, namespace, name


@dataclass(frozen=True, slots=True)
class _Write:
    method: str
    path: str
    body: Json
    media: str = "application/json"


class Mirror(Store):
    """Follows `FOLLOWED`; what is written here shows here at once and is sent in order, object by object."""

    def __init__(self, api: Api, clock: Callable[[], datetime], new_uid: Callable[[], str]) -> None:
        super().__init__(clock, new_uid)
        self._api = api
        self._unsent: defaultdict[_Key, list[_Write]] = defaultdict(list)
        self._senders: dict[_Key, asyncio.Task[None]] = {}
        self._turns = asyncio.Semaphore(_AT_ONCE)
        self._is_known = {resource: asyncio.Event() for resource in FOLLOWED}

    async def run(self) -> None:
        """Follow the cluster until cancelled."""
        try:
            async with asyncio.TaskGroup() as group:
                for resource in FOLLOWED:
                    group.create_task(self._follow(resource))
        finally:
            senders = tuple(self._senders.values())
            for sender in senders:
                sender.cancel()
            await asyncio.gather(*senders, return_exceptions=True)

    async def until_known(self) -> None:
        """Wait until everything that is on the cluster has been seen."""
        for known in self._is_known.values():
            await known.wait()

    # -- following -----------------------------------------------------------------------------------------------------

    async def _follow(self, resource: str) -> None:
        while True:
            try:
                await self._follow_once(resource)
            except (aiohttp.ClientError, TimeoutError, Refusal, ValueError) as broken:
                log.debug("the watch of %s begins anew: %s", resource, broken)
            await asyncio.sleep(_PAUSE)

    async def _follow_once(self, resource: str) -> None:
        kind = BY_RESOURCE[resource]
        missing = {(namespace_of(obj), name_of(obj)) for obj in self.list(resource)}
        async for change, obj in self._api.watch(resource):
            if change == "BOOKMARK":
                for key in missing:
                    if (lost := self.find(resource, *key)) is not None:
                        self._remove(resource, lost)
                missing.clear()
                self._is_known[resource].set()
                continue
            obj = {"apiVersion": kind.api_version, "kind": kind.kind, **obj}
            if resource == "pods" and obj["spec"].get("schedulerName") == UNSCHEDULED:
                obj["spec"].setdefault("nodeName", UNSCHEDULED)
            key = namespace_of(obj), name_of(obj)
            missing.discard(key)
            known = self.find(resource, *key)
            if change == "DELETED":
                if known is not None:
                    self._remove(resource, obj)
            else:
                self._put("ADDED" if known is None else "MODIFIED", resource, obj, known)

    # -- writing -------------------------------------------------------------------------------------------------------

    def create(self, resource: str, obj: Json, *, dry_run: bool = False) -> Json:
        made = super().create(resource, obj, dry_run=dry_run)
        self._send(resource, made, _Write("POST", path(resource, namespace_of(obj)), obj))
        return made

    def update(self, resource: str, obj: Json, *, subresource: str = "", dry_run: bool = False) -> Json:
        old = self.get(resource, namespace_of(obj), name_of(obj))
        new = super().update(resource, obj, subresource=subresource, dry_run=dry_run)
        if new is old or resource in _LEFT_TO_OTHERS:
            return new
        changed = {"status": new["status"]} if subresource else difference(_wished(old), _wished(new))
        # The uid keeps a late word from reaching a successor of the same name; events are ours, made without one.
        owned = (
            {} if resource == "events" else {"metadata": {**changed.get("metadata", {}), "uid": old["metadata"]["uid"]}}
        )
        place = f"{self._path(resource, new)}/{subresource}".rstrip("/")
        self._send(resource, new, _Write("PATCH", place, {**changed, **owned}, MERGE))
        return new

    def delete(
        self,
        resource: str,
        namespace: str,
        name: str,
        *,
        uid: str | None = None,
        rv: str | None = None,
        grace: int | None = None,
        dry_run: bool = False,
    ) -> Json:
        last = super().delete(resource, namespace, name, uid=uid, rv=rv, grace=grace, dry_run=dry_run)
        how: Json = {"preconditions": {"uid": last["metadata"]["uid"]}}
        if grace is not None:
            how["gracePeriodSeconds"] = grace
        self._send(resource, last, _Write("DELETE", self._path(resource, last), how))
        return last

    @staticmethod
    def _path(resource: str, obj: Json) -> str:
        return f"{path(resource, namespace_of(obj))}/{name_of(obj)}"

    def _send(self, resource: str, obj: Json, write: _Write) -> None:
        key = (resource, namespace_of(obj), name_of(obj))
        unsent = self._unsent[key]
        if unsent and write.path.endswith("/status") and unsent[-1].path == write.path:
            unsent[-1] = write  # only the newest status matters
        else:
            unsent.append(write)
        if key not in self._senders:
            self._senders[key] = asyncio.create_task(self._deliver(key))

    async def _deliver(self, key: _Key) -> None:
        while unsent := self._unsent[key]:
            async with self._turns:
                write = unsent.pop(0)
                await self._deliver_one(write)
        del self._unsent[key], self._senders[key]

    async def _deliver_one(self, write: _Write) -> None:
        while True:
            try:
                await self._api.ask(write.method, write.path, write.body, media=write.media)
            except Refusal as no:
                if no.code not in _EXPECTED:
                    log.warning("%s %s: %s", write.method, write.path, no)
                if no.code < 500:
                    return
            except (aiohttp.ClientError, TimeoutError) as silent:
                log.debug("%s %s is tried again: %s", write.method, write.path, silent)
            else:
                return
            await asyncio.sleep(_PAUSE)


def difference(old: Json, new: Json) -> Json:
    """The JSON merge patch (RFC 7386) that makes `new` of `old`."""
    patch: Json = dict.fromkeys(old.keys() - new.keys())
    for key, value in new.items():
        before = old.get(key)
        if isinstance(value, dict) and isinstance(before, dict):
            if inner := difference(before, value):
                patch[key] = inner
        elif key not in old or value != before:
            patch[key] = value
    return patch


def _wished(obj: Json) -> Json:
    """What of an object its writer decides."""
    meta = {key: obj["metadata"].get(key) or {} for key in ("labels", "annotations")}
    return {**{key: value for key, value in obj.items() if key != "status"}, "metadata": meta}
