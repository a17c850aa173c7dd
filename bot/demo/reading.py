"""GET of one object and LIST of many: selectors, pages, and lists as of an earlier version."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass

import msgspec

from bot.demo.calls import Call
from bot.demo.encoding import Encoder, encode
from bot.demo.objects import Json, labels_of, name_of, namespace_of
from bot.demo.selectors import FieldSelector, LabelSelector
from bot.demo.status import ApiError, BadRequest, Cause, Expired
from bot.demo.store import Store
from bot.demo.table import Accepted, metadata_list, metadata_only, table


@dataclass(frozen=True, slots=True)
class Selection:
    """What of a collection a call wants to see."""

    namespace: str | None
    labels: LabelSelector
    fields: FieldSelector

    def matches(self, obj: Json) -> bool:
        return (
            (self.namespace is None or namespace_of(obj) == self.namespace)
            and self.labels.matches(labels_of(obj))
            and self.fields.matches(obj)
        )

    @property
    def is_whole(self) -> bool:
        return not self.labels.requirements and not self.fields.terms


def selection(call: Call) -> Selection:
    """Read a call's selectors; raises BadRequest."""
    terms = call.query.get("fieldSelector", "")
    if call.name:
        terms = f"metadata.name={call.name}"
    return Selection(
        call.namespace or None,
        LabelSelector.parse(call.query.get("labelSelector", "")),
        FieldSelector.parse(terms, call.kind.selectable),
    )


class TooRecent(ApiError):
    """A resourceVersion that the cluster has not reached: a client that was told of another cluster."""

    code = 504
    reason = "Timeout"


def get(store: Store, encoder: Encoder, call: Call, wanted: Accepted) -> bytes:
    _check_reached(store, call.number("resourceVersion"))
    obj = store.get(call.kind.resource, call.namespace, call.name)
    return shaped(store, encoder, call, obj, wanted)


def shaped(store: Store, encoder: Encoder, call: Call, obj: Json, wanted: Accepted) -> bytes:
    """Return one object in the form that the client wants."""
    match wanted.form:
        case "object":
            return encoder.whole(call.kind, obj)
        case "metadata":
            return encode(metadata_only(obj))
        case "table":
            meta = {"resourceVersion": obj["metadata"].get("resourceVersion", "")}
            return encode(table(call.kind, [obj], meta, wanted.include, store.now))


def list_objects(store: Store, encoder: Encoder, call: Call, wanted: Accepted) -> bytes:
    """Return a list in the form that the client wants; raises BadRequest, Expired (410), TooRecent."""
    objects, meta = page(store, call)
    match wanted.form:
        case "object":
            return encoder.list(call.kind, objects, meta)
        case "metadata":
            return encode(metadata_list(objects, meta))
        case "table":
            return encode(table(call.kind, objects, meta, wanted.include, store.now))


def page(store: Store, call: Call) -> tuple[list[Json], Json]:
    """Return the objects that a list call asks for, and the list's metadata (resourceVersion, continue, remaining)."""
    chosen = selection(call)
    version, start = _snapshot(store, call)
    current = int(store.resource_version)
    resource = call.kind.resource
    if version == current:
        objects = store.list(resource, chosen.namespace)
    else:
        objects = [obj for obj in store.list_at(resource, version) if chosen.matches(obj)]
    if not chosen.is_whole:
        objects = [obj for obj in objects if chosen.matches(obj)]
    if start is not None:
        objects = [obj for obj in objects if (namespace_of(obj), name_of(obj)) > start]
    meta: Json = {"resourceVersion": str(version)}
    limit = call.number("limit") or 0
    if 0 < limit < len(objects):
        if chosen.is_whole:
            meta["remainingItemCount"] = len(objects) - limit
        objects = objects[:limit]
        last = objects[-1]
        meta["continue"] = _token(version, namespace_of(last), name_of(last))
    return objects, meta


def _snapshot(store: Store, call: Call) -> tuple[int, tuple[str, str] | None]:
    """Return the version that a list shows, and after which object it begins."""
    token, version = call.query.get("continue", ""), call.number("resourceVersion")
    match = call.query.get("resourceVersionMatch", "")
    if match not in {"", "Exact", "NotOlderThan"}:
        raise BadRequest(
            f'resourceVersionMatch: Unsupported value: "{match}": supported values: "Exact", "NotOlderThan"'
        )
    if match and version is None and call.verb != "watch":
        raise BadRequest(
            "resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided"
        )
    if token:
        if version:
            raise BadRequest("specifying resource version is not allowed when using continue")
        at, namespace, name = _read_token(token)
        try:
            store.since(at)
        except Expired:
            raise Expired(
                "The provided continue parameter is too old to display a consistent list result. You can start a new "
                "list without the continue parameter, or use the continue token in this response to retrieve the "
                "remainder of the results. Continuing with the provided token results in an inconsistent list - "
                "objects that were created, modified, or deleted between the time the first chunk was returned and now "
                "may show up in the list."
            ) from None
        return at, (namespace, name)
    _check_reached(store, version)
    if match == "Exact" and version:
        store.since(version)
        return version, None
    return int(store.resource_version), None


def _check_reached(store: Store, version: int | None) -> None:
    current = int(store.resource_version)
    if version is not None and version > current:
        cause = Cause("", "ResourceVersionTooLarge", "Too large resource version")
        raise TooRecent(f"Too large resource version: {version}, current: {current}", causes=[cause], retry_after=1)


def _token(version: int, namespace: str, name: str) -> str:
    said = {"v": "meta.k8s.io/v1", "rv": version, "start": f"{namespace}/{name}"}
    return urlsafe_b64encode(encode(said)).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, str, str]:
    try:
        said = msgspec.json.decode(urlsafe_b64decode(token + "=" * (-len(token) % 4)), type=dict[str, str | int])
        namespace, _, name = str(said["start"]).partition("/")
        return int(said["rv"]), namespace, name
    except (NotBase64, ValueError, KeyError, msgspec.DecodeError):
        raise BadRequest("continue key is not valid: illegal base64 data or unknown content") from None
