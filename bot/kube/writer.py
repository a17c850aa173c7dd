"""Writes, for the executor alone: one request each, stamped, locked, and never repeated here."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, assert_never

import msgspec

from bot.core.cluster import Stamp, Written
from bot.core.diff import ACTION_ANNOTATION
from bot.core.errors import Invalid, Stale, SteersmanError
from bot.core.people import Identity
from bot.core.plan import ClusterWrite, Json, JsonValue, ObjectRef, PatchType, Same, Verb, pick
from bot.kube import errors
from bot.kube.request import Address, Request
from bot.kube.transport import Transport

_ANNOTATIONS: Final = "/metadata/annotations"


@dataclass(frozen=True, slots=True)
class ClusterWriter:
    """`bot.core.cluster.Writer`. `manager` is the field manager that the cluster records for our writes."""

    transport: Transport
    identity: Identity
    manager: str

    async def read(self, target: ObjectRef) -> Json:
        # An eviction is asked of a subresource that cannot be read: its object is the pod.
        subresource = "" if target.subresource == "eviction" else target.subresource
        return (await self._ask(Address.of(target).request("get", target.name, subresource))).manifest

    async def send(self, write: ClusterWrite, *, resource_version: str, stamp: Stamp | None, dry_run: bool) -> Written:
        """As the protocol says. A body that cannot carry what it must raises ValueError: a bug of its plan."""
        match write.verb:
            case Verb.PATCH:
                request = await self._patch(write, resource_version, stamp)
            case Verb.APPLY:
                request = self._object(write, "patch", PatchType.APPLY.value, resource_version, stamp)
            case Verb.CREATE:
                request = self._object(write, "create", "application/json", "", stamp)
            case Verb.DELETE:
                options = _options(write, resource_version, dry_run=dry_run)
                request = Address.of(write.target).request("delete", write.target.name, body=_encoded(options))
            case Verb.EVICT:
                request = _eviction(write, _options(write, resource_version, dry_run=dry_run))
            case _:
                assert_never(write.verb)
        query = [*request.query, *((("dryRun", "All"),) if dry_run else ())]
        request = replace(request, query=query, audit=stamp.audit if stamp else "", changes=not dry_run)
        try:
            return await self._ask(request)
        except Invalid as error:
            if request.content_type == PatchType.JSON.value and resource_version:
                await self._raise_if_stale(write.target, resource_version, error)
            raise

    async def _ask(self, request: Request) -> Written:
        answer = await self.transport.send(request, self.identity)
        try:
            return Written(_whole(msgspec.json.decode(answer.body, type=dict[str, Any])), answer.warnings)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Not chained: the decoder's message may quote the body.
            raise errors.unreadable(self.transport.cluster, request) from None

    async def _patch(self, write: ClusterWrite, version: str, stamp: Stamp | None) -> Request:
        match write.patch_type:
            case PatchType.STRATEGIC | PatchType.MERGE:
                return self._object(write, "patch", write.patch_type.value, version, stamp)
            case PatchType.JSON:
                operations = await self._operations(write, version, stamp)
                return self._request(write, "patch", PatchType.JSON.value, operations)
            case PatchType.APPLY | None:
                raise ValueError(f"a patch of {write.target} without its type")
            case _:
                assert_never(write.patch_type)

    def _object(self, write: ClusterWrite, verb: str, content_type: str, version: str, stamp: Stamp | None) -> Request:
        """A request whose body looks like the object: lock and stamp stand in its metadata."""
        metadata = dict(_mapping(write.body.get("metadata")))
        if verb == "create" and metadata.get("name") != write.target.name:
            raise ValueError(f"the manifest of {write.target} has another name")
        if version:
            metadata["resourceVersion"] = version
        if stamp and not write.target.subresource:
            annotations = metadata.get("annotations", {})
            if annotations is None:
                raise ValueError("a patch that removes all annotations cannot carry the action's id")
            metadata["annotations"] = {**_mapping(annotations), ACTION_ANNOTATION: stamp.action}
        body = {**write.body, "metadata": metadata} if metadata else write.body
        return self._request(write, verb, content_type, body)

    def _request(self, write: ClusterWrite, verb: str, content_type: str, body: object) -> Request:
        target = write.target
        return Address.of(target).request(
            verb,
            "" if verb == "create" else target.name,
            target.subresource,
            query=(("fieldManager", self.manager), ("fieldValidation", "Strict")),
            body=_encoded(body),
            content_type=content_type,
        )

    async def _operations(self, write: ClusterWrite, version: str, stamp: Stamp | None) -> list[Json]:
        """The operations of a JSON patch: the lock first, the stamp where annotations stand after them."""
        given = write.body.get("operations")
        operations = [_mapping(operation) for operation in given] if isinstance(given, Sequence) else []
        if not operations:
            raise ValueError(f"a JSON patch of {write.target} without operations")
        if stamp and not write.target.subresource:
            setting = [index for index, operation in enumerate(operations) if operation.get("path") == _ANNOTATIONS]
            if setting:
                last = operations[setting[-1]]
                kept = {} if last.get("op") == "remove" else _mapping(last.get("value"))
                operations[setting[-1]] = {
                    "op": last["op"] if last.get("op") != "remove" else "replace",
                    "path": _ANNOTATIONS,
                    "value": {**kept, ACTION_ANNOTATION: stamp.action},
                }
            else:
                manifest = await self.read(write.target)
                version = version or str(pick(manifest, "metadata.resourceVersion") or "")
                operations.append(_stamping(manifest, stamp))
        if version:
            operations.insert(0, {"op": "test", "path": "/metadata/resourceVersion", "value": version})
        return operations

    async def _raise_if_stale(self, target: ObjectRef, version: str, error: Invalid) -> None:
        """A failed `test` and a wrong patch look alike (422 without a cause): only the object tells them apart."""
        try:
            manifest = await self.read(target)
        except SteersmanError:
            return
        if pick(manifest, "metadata.resourceVersion") != version:
            raise Stale(f"Somebody changed {target} in the meantime.", hint="Look again.") from error


def _whole(manifest: dict[str, Any]) -> Json:
    """A Scale leaves out `replicas: 0` (omitempty): said here, so that none is not taken for unknown."""
    if manifest.get("kind") == "Scale":
        return {**manifest, "spec": {"replicas": 0, **(manifest.get("spec") or {})}}
    return manifest


def _stamping(manifest: Json, stamp: Stamp) -> Json:
    if isinstance(pick(manifest, "metadata.annotations"), Mapping):
        key = ACTION_ANNOTATION.replace("~", "~0").replace("/", "~1")  # RFC 6901 §3
        return {"op": "add", "path": f"{_ANNOTATIONS}/{key}", "value": stamp.action}
    return {"op": "add", "path": _ANNOTATIONS, "value": {ACTION_ANNOTATION: stamp.action}}


def _options(write: ClusterWrite, version: str, *, dry_run: bool) -> dict[str, JsonValue]:
    """metav1.DeleteOptions. Dry run stands in the body too: where there is one, the server ignores the query."""
    uid = write.expects.uid if isinstance(write.expects, Same) else ""
    conditions = {key: value for key, value in (("uid", uid), ("resourceVersion", version)) if value}
    options: dict[str, JsonValue] = {"apiVersion": "v1", "kind": "DeleteOptions", **write.body}
    if conditions:
        options["preconditions"] = conditions
    if dry_run:
        options["dryRun"] = ["All"]
    return options


def _eviction(write: ClusterWrite, options: Json) -> Request:
    target = write.target
    body = {
        "apiVersion": "policy/v1",
        "kind": "Eviction",
        "metadata": {"name": target.name, "namespace": target.namespace},
        "deleteOptions": options,
    }
    return Address.of(target).request("create", target.name, "eviction", body=_encoded(body))


def _mapping(value: JsonValue) -> Json:
    return value if isinstance(value, Mapping) else {}


def _encoded(body: object) -> bytes:
    return msgspec.json.encode(body, enc_hook=_as_dict)


def _as_dict(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} has no place in a manifest")
