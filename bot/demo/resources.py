"""Every call for a resource that has one answer, and who gives it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.demo import admission, container_logs, measurements, reading, reviews, subresources
from bot.demo.access import Access
from bot.demo.calls import JSON, Call
from bot.demo.encoding import Encoder, encode
from bot.demo.kinds import Kind
from bot.demo.objects import Json
from bot.demo.sources import LogSource, MetricsSource
from bot.demo.status import MethodNotAllowed
from bot.demo.store import Store
from bot.demo.table import Accepted, accepted
from bot.demo.writing import Writer, Written


@dataclass(frozen=True, slots=True)
class Answer:
    code: int
    body: bytes
    media: str = JSON
    warnings: tuple[str, ...] = ()
    retry_after: int | None = None


class Resources:
    """One cluster's resources behind its URLs."""

    def __init__(self, store: Store, access: Access, logs: LogSource, metrics: MetricsSource) -> None:
        self.encoder = Encoder()
        self._store = store
        self._access = access
        self._writer = Writer(store, access)
        self._logs = logs
        self._metrics = metrics

    def answer(self, call: Call) -> Answer:
        """Carry out a call that the caller may make; raises ApiError."""
        if call.kind.verbs == ("create",):
            question = admission.decode(call.kind, call.document()).obj
            review = reviews.answer(self._access, call.kind.resource, call.namespace, question, call.user)
            return Answer(201, encode(_named(call.kind, review)))
        if call.kind.group == "metrics.k8s.io":
            return Answer(200, measurements.answer(self._store, self._metrics, call))
        match call.verb, call.subresource:
            case "get", "" | "status":
                return Answer(200, reading.get(self._store, self.encoder, call, self._wanted(call)))
            case "list", "":
                return Answer(200, reading.list_objects(self._store, self.encoder, call, self._wanted(call)))
            case "get", "scale":
                obj = self._store.get(call.kind.resource, call.namespace, call.name)
                return Answer(200, encode(subresources.scale_of(obj)))
            case "update" | "patch", "scale":
                return Answer(200, encode(subresources.write_scale(self._store, call)))
            case "create", "eviction":
                return Answer(201, encode(subresources.evict(self._store, call)))
            case "get", "log":
                pod, wanted = container_logs.read(self._store, call)
                lines = self._logs.lines(pod, wanted.container, previous=wanted.previous)
                return Answer(200, container_logs.text(lines, wanted), "text/plain")
            case _:
                return self._write(call)

    def follow(self, call: Call) -> AsyncIterator[bytes]:
        """Return a container's log as it grows; raises ApiError before the first piece."""
        pod, wanted = container_logs.read(self._store, call)
        return container_logs.follow(self._store, self._logs, pod, wanted)

    def _write(self, call: Call) -> Answer:
        match call.verb, call.subresource:
            case "create", "":
                written = self._writer.create(call)
            case "update", "" | "status":
                written = self._writer.update(call)
            case "patch", "" | "status":
                written = self._writer.patch(call)
            case "delete", "":
                written = self._writer.delete(call)
            case "deletecollection", "":
                written = self._writer.delete_collection(call)
            case _:
                raise MethodNotAllowed("the server does not allow this method on the requested resource")
        return Answer(written.code, self._shaped(call, written), warnings=tuple(written.warnings))

    def _shaped(self, call: Call, written: Written) -> bytes:
        is_stored = written.obj.get("kind") == call.kind.kind
        if not is_stored or call.is_dry_run:
            # What a dry run made has a version that belongs to the stored object: it must not meet the cache.
            return encode(written.obj)
        return reading.shaped(self._store, self.encoder, call, written.obj, self._wanted(call))

    @staticmethod
    def _wanted(call: Call) -> Accepted:
        return accepted(call.accept, call.query.get("includeObject"))


def _named(kind: Kind, review: Json) -> Json:
    return {**review, "kind": kind.kind, "apiVersion": kind.api_version}
