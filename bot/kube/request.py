"""What is asked of the API server, as values: the address of a resource, one request to it, and the answer."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Self
from urllib.parse import quote, urlencode

from bot.core.plan import ObjectRef

JSON: Final = "application/json"
_METHODS: Final = {
    "get": "GET",
    "list": "GET",
    "watch": "GET",
    "create": "POST",
    "patch": "PATCH",
    "delete": "DELETE",
}
_NAMELESS: Final = frozenset({"list", "watch", "create"})

Query = Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `verb` is RBAC's; `resource` is said as RBAC says it ("deployments.apps/scale").

    `changes` is true where the cluster may be another afterwards: such a request is never repeated here, and a lost
    answer leaves it in doubt. There is no field for headers, so no caller can smuggle in an identity.
    """

    verb: str
    path: str
    resource: str
    namespace: str = ""
    name: str = ""
    query: Query = ()
    body: bytes | None = None
    content_type: str = JSON
    accept: str = JSON
    audit: str = ""
    changes: bool = False

    @property
    def method(self) -> str:
        return _METHODS[self.verb]

    @property
    def target(self) -> str:
        """Path and query as they go over the wire."""
        return f"{self.path}?{urlencode(self.query, quote_via=quote)}" if self.query else self.path


@dataclass(frozen=True, slots=True)
class Response:
    """A 2xx answer. `warnings` are the texts of its `Warning: 299` headers."""

    body: bytes
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Address:
    """Where a kind of object is served: a collection, or all namespaces of it where `namespace` is empty."""

    api_version: str
    resource: str
    namespace: str = ""

    @classmethod
    def of(cls, ref: ObjectRef) -> Self:
        return cls(ref.api_version, ref.resource, ref.namespace)

    @property
    def path(self) -> str:
        root = "/apis" if "/" in self.api_version else "/api"
        inside = f"/namespaces/{_segment(self.namespace)}" if self.namespace else ""
        return f"{root}/{self.api_version}{inside}/{_segment(self.resource)}"

    def request(
        self,
        verb: str,
        name: str = "",
        subresource: str = "",
        *,
        query: Query = (),
        body: bytes | None = None,
        content_type: str = JSON,
        accept: str = JSON,
        audit: str = "",
        changes: bool = False,
    ) -> Request:
        """A request to the collection or to one object of it.

        Raises ValueError where a name is missing (an object's verb on a path without a name reaches the whole
        collection: a delete would delete all of it) and where one stands that has no place.
        """
        if bool(name) == (verb in _NAMELESS and not subresource):
            raise ValueError(f"{verb} {self.resource} with the name {name!r}")
        path = self.path
        if name:
            path += f"/{_segment(name)}"
        if subresource:
            path += f"/{_segment(subresource)}"
        group = self.api_version.rpartition("/")[0]
        resource = f"{self.resource}.{group}" if group else self.resource
        return Request(
            verb=verb,
            path=path,
            resource=f"{resource}/{subresource}" if subresource else resource,
            namespace=self.namespace,
            name=name,
            query=query,
            body=body,
            content_type=content_type,
            accept=accept,
            audit=audit,
            changes=changes,
        )


def _segment(text: str) -> str:
    if text in {"", ".", ".."}:
        raise ValueError(f"{text!r} cannot stand in a path")
    return quote(text, safe="")
