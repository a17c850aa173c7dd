"""Access reviews: asking the cluster what a person may do, as that person, so that the whole chain is tried."""

import msgspec

from bot.core.cluster import Access, Right
from bot.core.readable import one_line
from bot.kube.caller import Caller
from bot.kube.request import Address


class _Status(msgspec.Struct, rename="camel", gc=False):
    allowed: bool = False
    reason: str = ""
    evaluation_error: str = ""


class _Review(msgspec.Struct, gc=False):
    status: _Status = msgspec.field(default_factory=_Status)


async def review(caller: Caller, right: Right, namespace: str, name: str) -> Access:
    """A SelfSubjectAccessReview; `namespace` "" asks for the whole cluster.

    It is RBAC's word only: admission may still refuse, and the rights may change before they are used.
    """
    attributes = {
        "verb": right.verb,
        "group": right.group,
        "resource": right.resource,
        "subresource": right.subresource,
        "namespace": namespace,
        "name": name,
    }
    body = {
        "apiVersion": "authorization.k8s.io/v1",
        "kind": "SelfSubjectAccessReview",
        "spec": {"resourceAttributes": {key: value for key, value in attributes.items() if value}},
    }
    # A POST that stores nothing: it may be repeated like a read.
    asked = Address("authorization.k8s.io/v1", "selfsubjectaccessreviews").request(
        "create", body=msgspec.json.encode(body)
    )
    status = (await caller.read(asked, _Review)).status
    return Access(status.allowed, one_line(status.reason or status.evaluation_error, 200))
