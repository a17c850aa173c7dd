"""POST, PUT, PATCH and DELETE: what a request makes of an object, and who owns its fields afterwards."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from bot.demo import admission, ownership
from bot.demo.access import Access, Attributes
from bot.demo.calls import APPLY, JSON_PATCH, MERGE, STRATEGIC, Call
from bot.demo.field_sets import Manager
from bot.demo.garbage import FOREGROUND, ORPHAN
from bot.demo.kinds import Kind
from bot.demo.objects import Json, copied, name_of, namespace_of, stamp
from bot.demo.patch import json_patch, merge, strategic
from bot.demo.reading import page
from bot.demo.schema import conform
from bot.demo.status import ApiError, BadRequest, Invalid, NotFound, UnsupportedMediaType
from bot.demo.store import Store


@dataclass(slots=True)
class Written:
    """The answer to a write: the code, the object (or Status), and warnings for ``Warning`` headers."""

    code: int
    obj: Json
    warnings: list[str] = field(default_factory=list)


class Writer:
    """Carries out the writes of one cluster."""

    def __init__(self, store: Store, access: Access) -> None:
        self._store = store
        self._access = access

    # -- POST, PUT -----------------------------------------------------------------------------------------------------

    def create(self, call: Call) -> Written:
        """Create an object; raises ApiError."""
        body = _placed(call, call.document())
        decoded = admission.decode(call.kind, body)
        warnings = _strict(call, decoded.strict, lambda why: BadRequest(admission.cannot_handle(call.kind, why)))
        owned = ownership.record_update(call.kind.kind, None, _without_managers(decoded.obj), self._manager(call))
        return Written(201, self._created(call, owned), warnings)

    def update(self, call: Call) -> Written:
        """Replace an object or its status; raises ApiError."""
        body = _placed(call, call.document())
        decoded = admission.decode(call.kind, body)
        warnings = _strict(call, decoded.strict, lambda why: BadRequest(admission.cannot_handle(call.kind, why)))
        old = self._store.get(call.kind.resource, call.namespace, call.name)
        return Written(200, self._stored(call, old, decoded.obj), warnings)

    def _created(self, call: Call, obj: Json) -> Json:
        return admission.create(self._store, call.kind.resource, obj, dry_run=call.is_dry_run)

    def _stored(self, call: Call, old: Json, new: Json) -> Json:
        """Write ``new`` over ``old``, with the fields that changed owned by the caller."""
        if call.subresource == "status":
            new = {**copied(old), **({"status": new["status"]} if "status" in new else {}), "metadata": new["metadata"]}
        elif "status" in old and "status" in call.kind.subresources:
            new = {**new, "status": old["status"]}
        managed = old["metadata"].get("managedFields")
        kept = {**new, "metadata": {**new["metadata"], **({"managedFields": managed} if managed else {})}}
        owned = ownership.record_update(call.kind.kind, old, kept, self._manager(call))
        if call.subresource == "status":
            return self._store.update(call.kind.resource, owned, subresource="status", dry_run=call.is_dry_run)
        return admission.update(self._store, call.kind.resource, owned, dry_run=call.is_dry_run)

    def _manager(self, call: Call, operation: str = "Update") -> Manager:
        return Manager(call.manager, operation, call.kind.api_version, call.subresource, stamp(self._store.now))

    # -- PATCH ---------------------------------------------------------------------------------------------------------

    def patch(self, call: Call) -> Written:
        """Patch an object or its status; raises ApiError."""
        media = call.content_type.partition(";")[0].strip()
        if media == APPLY:
            return self._apply(call)
        if call.query.get("force"):
            raise Invalid(
                'PatchOptions.meta.k8s.io "" is invalid: force: Forbidden: may not be specified for non-apply patch'
            )
        old = self._store.get(call.kind.resource, call.namespace, call.name)
        patched = _placed(call, patched_with(call, media, old))
        said = _go_map(call.value()) if media == STRATEGIC else ""
        try:
            decoded = admission.decode(call.kind, patched)
        except BadRequest as wrong:
            raise _bad_patch(said, wrong.message.partition(": ")[2] or wrong.message) from None
        warnings = _strict(call, decoded.strict, lambda why: _bad_patch(said, why))
        return Written(200, self._stored(call, old, decoded.obj), warnings)

    def _apply(self, call: Call) -> Written:
        if not call.query.get("fieldManager"):
            raise Invalid(
                'PatchOptions.meta.k8s.io "" is invalid: fieldManager: Required value: is required for apply patch'
            )
        config = _placed(call, call.document())
        for key in ("apiVersion", "kind"):
            if not config.get(key):
                raise BadRequest(f"invalid object: {key} not set")
        resource = call.kind.resource
        old = self._store.find(resource, call.namespace, call.name)
        locked = config["metadata"].pop("resourceVersion", None)
        if old is None and (locked or config["metadata"].get("uid")):
            raise NotFound.named(resource, call.name)
        by = self._manager(call, "Apply")
        config = {**config, **conform_known(call.kind, config)}
        live = None if old is None else admission.decode(call.kind, old).obj
        new = ownership.apply(call.kind.kind, resource, live, config, by, force=call.flag("force"))
        if old is None:
            wanted = Attributes("create", call.kind.group, call.kind.plural, namespace=call.namespace)
            self._access.require(call.user, wanted)
            return Written(
                201, self._created(call, {**new, "kind": call.kind.kind, "apiVersion": call.kind.api_version})
            )
        if locked:
            new["metadata"]["resourceVersion"] = locked
        if call.subresource == "status":
            return Written(200, self._store.update(resource, new, subresource="status", dry_run=call.is_dry_run))
        return Written(200, admission.update(self._store, resource, new, dry_run=call.is_dry_run))

    # -- DELETE --------------------------------------------------------------------------------------------------------

    def delete(self, call: Call) -> Written:
        """Delete one object; raises ApiError."""
        options = _delete_options(call)
        left = self._delete(call, name_of(self._store.get(call.kind.resource, call.namespace, call.name)), options)
        if self._store.by_uid(left["metadata"]["uid"]) is not None or call.kind.resource in _RETURNED:
            return Written(200, left)
        details: Json = {"name": call.name, "kind": call.kind.plural, "uid": left["metadata"]["uid"]}
        if call.kind.group:
            details["group"] = call.kind.group
        status = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": details}
        return Written(200, status)

    def delete_collection(self, call: Call) -> Written:
        """Delete what the call's selectors choose; raises ApiError."""
        options = _delete_options(call)
        objects, meta = page(self._store, call)
        for obj in objects:
            self._delete(call, name_of(obj), options, namespace=namespace_of(obj))
        items = [{key: value for key, value in obj.items() if key not in {"kind", "apiVersion"}} for obj in objects]
        listed = {
            "kind": f"{call.kind.kind}List",
            "apiVersion": call.kind.api_version,
            "metadata": meta,
            "items": items,
        }
        return Written(200, listed)

    def _delete(self, call: Call, name: str, options: Json, *, namespace: str | None = None) -> Json:
        space, resource = call.namespace if namespace is None else namespace, call.kind.resource
        wanted = options.get("preconditions") or {}
        policy = options.get("propagationPolicy") or ("Orphan" if options.get("orphanDependents") else "Background")
        if policy not in _FINALIZERS:
            supported = ", ".join(f'"{known}"' for known in _FINALIZERS)
            raise Invalid(
                f'DeleteOptions.meta.k8s.io "" is invalid: propagationPolicy: Unsupported value: "{policy}": supported '
                f"values: {supported}"
            )
        dry_run = call.is_dry_run or "All" in (options.get("dryRun") or ())
        finalizer = _FINALIZERS[policy]
        if finalizer and not dry_run:
            marked = copied(self._store.get(resource, space, name))
            finalizers = marked["metadata"].get("finalizers") or []
            if finalizer not in finalizers:
                marked["metadata"]["finalizers"] = [*finalizers, finalizer]
                self._store.update(resource, marked)
        return self._store.delete(
            resource,
            space,
            name,
            uid=wanted.get("uid"),
            rv=None if finalizer else wanted.get("resourceVersion"),
            grace=options.get("gracePeriodSeconds"),
            dry_run=dry_run,
        )


_FINALIZERS = {"Background": "", "Foreground": FOREGROUND, "Orphan": ORPHAN}
# Kinds whose strategy returns the deleted object rather than a Status (ReturnDeletedObject).
_RETURNED = frozenset({"pods", "persistentvolumeclaims", "persistentvolumes", "serviceaccounts", "services"})


def _delete_options(call: Call) -> Json:
    options = call.document() if call.body else {}
    for key in ("propagationPolicy", "orphanDependents"):
        if call.query.get(key):
            options[key] = call.query[key]
    if (grace := call.number("gracePeriodSeconds")) is not None:
        options["gracePeriodSeconds"] = grace
    return options


def _placed(call: Call, body: Json) -> Json:
    """Return the body with the URL's name and namespace; raises BadRequest when it says others."""
    said = body.get("metadata") or {}
    if not isinstance(said, dict):
        raise BadRequest(admission.cannot_handle(call.kind, "metadata is not an object"))
    meta = dict(said)
    if call.kind.namespaced:
        meta["namespace"] = meta.get("namespace") or call.namespace
        if meta["namespace"] != call.namespace:
            raise BadRequest("the namespace of the provided object does not match the namespace sent on the request")
    else:
        meta.pop("namespace", None)
    if call.name:
        meta["name"] = meta.get("name") or call.name
        if meta["name"] != call.name:
            raise BadRequest(
                f"the name of the object ({meta['name']}) does not match the name on the URL ({call.name})"
            )
    return {**body, "metadata": meta}


def _without_managers(obj: Json) -> Json:
    return {**obj, "metadata": {key: value for key, value in obj["metadata"].items() if key != "managedFields"}}


def conform_known(kind: Kind, config: Json) -> Json:
    """Return an applied configuration in canonical form, with what its type does not know left in to be refused."""
    conformed = conform(kind.kind, config)
    return {} if conformed.unknown else conformed.obj


def patched_with(call: Call, media: str, old: Json) -> Json:
    """Return the object after a JSON, merge or strategic patch; raises BadRequest, Invalid, UnsupportedMediaType."""
    if media == JSON_PATCH:
        return json_patch(old, call.value())
    if media == MERGE:
        merged: Json = merge(old, call.document())
        return merged
    if media == STRATEGIC:
        return strategic(call.kind.kind, old, call.document())
    raise UnsupportedMediaType(
        "the body of the request was in an unknown format - accepted media types include: "
        f"{JSON_PATCH}, {MERGE}, {STRATEGIC}, {APPLY}"
    )


def _strict(call: Call, complaints: tuple[str, ...], refuse: Callable[[str], ApiError]) -> list[str]:
    """Return the warnings about unknown fields, or raise, as ``fieldValidation`` says (the server's default: Warn)."""
    match call.query.get("fieldValidation") or "Warn":
        case "Ignore":
            return []
        case "Warn":
            return list(complaints)
        case "Strict":
            if complaints:
                raise refuse("strict decoding error: " + ", ".join(complaints))
            return []
        case other:
            raise Invalid(
                f'{call.kind.kind} "" is invalid: fieldValidation: Unsupported value: "{other}": supported values: "", '
                '"Ignore", "Strict", "Warn"'
            )


def _bad_patch(said: str, why: str) -> Invalid:
    return Invalid(f' "" is invalid: patch: Invalid value: "{said}": {why}')


def _go_map(value: object) -> str:
    """Write a value as Go's ``%+v`` does, which is how the server quotes a strategic patch."""
    match value:
        case dict():
            return "map[" + " ".join(f"{key}:{_go_map(item)}" for key, item in sorted(value.items())) + "]"
        case list():
            return "[" + " ".join(_go_map(item) for item in value) + "]"
        case None:
            return "<nil>"
        case bool():
            return str(value).lower()
        case _:
            return str(value)
