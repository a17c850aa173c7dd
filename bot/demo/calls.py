"""One request as the API server understands it: which verb on what, read from method, URL and headers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import yaml

from bot.demo import protobuf
from bot.demo.access import ANONYMOUS, Attributes, User
from bot.demo.kinds import Kind, find
from bot.demo.objects import Json
from bot.demo.status import BadRequest, Invalid, MethodNotAllowed, NotFound, UnsupportedMediaType

JSON = "application/json"
PROTOBUF = "application/vnd.kubernetes.protobuf"
APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
PATCHES = (JSON_PATCH, MERGE, APPLY, STRATEGIC)


@dataclass(frozen=True, slots=True)
class Call:
    """A request for a resource. ``name`` is "" for a collection, ``namespace`` "" for all of them or for none."""

    verb: str
    kind: Kind
    namespace: str
    name: str
    subresource: str
    query: Mapping[str, str]
    body: bytes = b""
    content_type: str = JSON
    accept: str = JSON
    agent: str = ""
    user: User = ANONYMOUS

    @property
    def is_dry_run(self) -> bool:
        """Whether nothing may be stored; raises Invalid for anything but ``All``."""
        said = self.query.get("dryRun", "")
        if said not in {"", "All"}:
            raise Invalid(f' "" is invalid: dryRun: Unsupported value: "{said}": supported values: "All"')
        return said == "All"

    @property
    def manager(self) -> str:
        """The field manager: the one said, or the client's name (fieldmanager.prefixFromUserAgent)."""
        return self.query.get("fieldManager") or (self.agent.partition("/")[0] or "unknown")[:128]

    def flag(self, name: str) -> bool:
        return self.query.get(name, "").lower() in {"true", "1"}

    def number(self, name: str) -> int | None:
        """Return a whole number of the query; raises BadRequest for anything else, None when it is not said."""
        said = self.query.get(name)
        if said is None or said == "":
            return None
        if not re.fullmatch(r"-?\d{1,18}", said):
            raise BadRequest(f'strconv.ParseInt: parsing "{said}": invalid syntax')
        return int(said)

    def document(self) -> Json:
        """Return the body as an object; raises BadRequest, UnsupportedMediaType."""
        value = self.value()
        if not isinstance(value, dict):
            raise BadRequest(f"the object provided is unrecognized (must be of type {self.kind.kind})")
        return value

    def value(self) -> object:
        media = self.content_type.partition(";")[0].strip()
        try:
            if media in {"application/yaml", APPLY}:
                return yaml.safe_load(self.body)
            if media == PROTOBUF:
                return protobuf.decode(self.body)
            if media == JSON or media in PATCHES or not media:
                return msgspec.json.decode(self.body) if self.body else {}
        except (msgspec.DecodeError, yaml.YAMLError, UnicodeDecodeError) as wrong:
            said = "error decoding patch" if media in PATCHES else "couldn't get version/kind; json parse error"
            raise BadRequest(f"{said}: {wrong}") from None
        raise UnsupportedMediaType(
            "the body of the request was in an unknown format - accepted media types include: application/json, "
            f"application/yaml, {PROTOBUF}"
        )


_PATH = re.compile(
    r"/(?:api/(?P<core>v1)|apis/(?P<group>[^/]+)/(?P<version>[^/]+))"
    r"(?:/namespaces/(?P<namespace>[^/]+)(?=/(?!status$)))?"
    r"/(?P<plural>[^/]+)(?:/(?P<name>[^/]+)(?:/(?P<subresource>[^/]+))?)?/?"
)
_VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "HEAD": "get"}


def requested(method: str, path: str, query: Mapping[str, str]) -> Attributes | None:
    """Return what a URL asks for, whether it is served or not: rights come first. None when it is no resource's."""
    found = _PATH.fullmatch(path)
    if found is None:
        return None
    verb, name = _verb(method, found["name"], query), found["name"] or ""
    if not name and verb in {"list", "watch", "deletecollection"}:
        # A collection narrowed to one name is authorised like that one object (apiserver, RequestInfo).
        only = re.fullmatch(r"metadata\.name==?([^,=]+)", query.get("fieldSelector", ""))
        name = only[1] if only else ""
    group, namespace, subresource = found["group"] or "", found["namespace"] or "", found["subresource"] or ""
    return Attributes(verb, group, found["plural"], subresource, namespace, name)


def read(method: str, path: str, query: Mapping[str, str]) -> Call:
    """Return the call that a URL means; raises NotFound, MethodNotAllowed for what is not served."""
    found = _PATH.fullmatch(path)
    if found is None:
        raise NotFound("the server could not find the requested resource")
    kind = find(found["group"] or "", found["core"] or found["version"], found["plural"])
    namespace, name, subresource = found["namespace"] or "", found["name"] or "", found["subresource"] or ""
    if kind is None or (namespace and not kind.namespaced) or (name and kind.namespaced and not namespace):
        raise NotFound("the server could not find the requested resource")
    if subresource and subresource not in kind.subresources:
        raise NotFound("the server could not find the requested resource")
    verb = _verb(method, name, query)
    is_possible = bool(verb) and (bool(name) is (verb not in {"create", "list", "watch", "deletecollection"}))
    is_possible = is_possible or (verb == "create" and bool(subresource))
    if not is_possible or (not subresource and verb not in kind.verbs):
        raise MethodNotAllowed("the server does not allow this method on the requested resource")
    return Call(verb, kind, namespace, name, subresource, query)


def _verb(method: str, name: str | None, query: Mapping[str, str]) -> str:
    match method:
        case "GET" if not name:
            return "watch" if query.get("watch", "").lower() in {"true", "1"} else "list"
        case "GET" | "HEAD":
            return "get"
        case "DELETE":
            return "delete" if name else "deletecollection"
        case _:
            return _VERBS.get(method, "")
