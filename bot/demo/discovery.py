"""What the API server says about itself: groups, versions, resources, its own version, and its OpenAPI documents."""

from __future__ import annotations

from functools import cache

from bot.demo.calls import PATCHES
from bot.demo.kinds import KINDS, Kind
from bot.demo.objects import Json

VERSION: Json = {
    "major": "1",
    "minor": "36",
    "gitVersion": "v1.36.4",
    "gitCommit": "0000000000000000000000000000000000000000",
    "gitTreeState": "clean",
    "buildDate": "2026-07-14T00:00:00Z",
    "goVersion": "go1.26.0",
    "compiler": "gc",
    "platform": "linux/amd64",
}


def answer(path: str, address: str) -> Json | None:
    """Return the document at a path, None when there is none. ``address`` is the server's host and port."""
    match path.rstrip("/").split("/")[1:]:
        case ["version"]:
            return VERSION
        case ["api"]:
            servers = [{"clientCIDR": "0.0.0.0/0", "serverAddress": address}]
            return {"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": servers}
        case ["apis"]:
            return {"kind": "APIGroupList", "apiVersion": "v1", "groups": [_group(group) for group in _groups()]}
        case ["apis", group] if group in _groups():
            return {"kind": "APIGroup", "apiVersion": "v1", **_group(group)}
        case ["api", version]:
            return _resources("", version)
        case ["apis", group, version]:
            return _resources(group, version)
        case ["openapi", "v3"]:
            return _index()
        case ["openapi", "v3", *rest] if (base := "/" + "/".join(rest)) in _bases():
            return _document(base)
        case _:
            return None


@cache
def _groups() -> dict[str, str]:
    return {kind.group: kind.version for kind in KINDS if kind.group}


@cache
def _bases() -> frozenset[str]:
    return frozenset(kind.base for kind in KINDS)


def _group(group: str) -> Json:
    version = {"groupVersion": f"{group}/{_groups()[group]}", "version": _groups()[group]}
    return {"name": group, "versions": [version], "preferredVersion": version}


def _resources(group: str, version: str) -> Json | None:
    kinds = [kind for kind in KINDS if (kind.group, kind.version) == (group, version)]
    if not kinds:
        return None
    return {
        "kind": "APIResourceList",
        "apiVersion": "v1",
        "groupVersion": kinds[0].api_version,
        "resources": [entry for kind in kinds for entry in _entries(kind)],
    }


# Subresources that are of another kind than their parent: group, version, kind, verbs.
_OTHERS = {
    "scale": ("autoscaling", "v1", "Scale", ["get", "patch", "update"]),
    "eviction": ("policy", "v1", "Eviction", ["create"]),
    "log": ("", "", "Pod", ["get"]),
}


def _entries(kind: Kind) -> list[Json]:
    main: Json = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    if kind.short:
        main["shortNames"] = list(kind.short)
    if kind.categories:
        main["categories"] = list(kind.categories)
    entries = [main]
    for subresource in kind.subresources:
        group, version, other, verbs = _OTHERS.get(subresource, ("", "", kind.kind, ["get", "patch", "update"]))
        entry: Json = {
            "name": f"{kind.plural}/{subresource}",
            "singularName": "",
            "namespaced": kind.namespaced,
            "kind": other,
            "verbs": verbs,
        }
        if version:
            entry.update({"group": group, "version": version} if group else {"version": version})
        entries.append(entry)
    return entries


# -- OpenAPI v3: as much as kubectl asks before it writes --------------------------------------------------------------


def _index() -> Json:
    return {"paths": {base[1:]: {"serverRelativeURL": f"/openapi/v3{base}?hash=demo"} for base in sorted(_bases())}}


def _document(base: str) -> Json:
    """Return a group's document, with its write operations and their parameters.

    kubectl looks up whether a kind takes ``fieldValidation`` and ``dryRun`` (cli-runtime, QueryParamVerifierV3).
    """
    paths: Json = {}
    for kind in (kind for kind in KINDS if kind.base == base and "patch" in kind.verbs):
        inside = "/namespaces/{namespace}" if kind.namespaced else ""
        operation = {
            "operationId": f"patch{kind.kind}",
            "parameters": [
                {"name": name, "in": "query", "schema": {"type": "string", "uniqueItems": True}}
                for name in ("dryRun", "fieldManager", "fieldValidation", "force")
            ],
            "requestBody": {"content": {media: {"schema": {"type": "object"}} for media in PATCHES}},
            "responses": {"200": {"description": "OK"}, "401": {"description": "Unauthorized"}},
            "x-kubernetes-action": "patch",
            "x-kubernetes-group-version-kind": {"group": kind.group, "version": kind.version, "kind": kind.kind},
        }
        paths[f"{base}{inside}/{kind.plural}/{{name}}"] = {"patch": operation}
    return {
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": VERSION["gitVersion"]},
        "paths": paths,
        "components": {"schemas": {}},
    }
