"""Questions about rights that are themselves requests: who am I, may I, may they, what may I do here."""

from __future__ import annotations

from bot.demo.access import Access, Attributes, User
from bot.demo.objects import Json
from bot.demo.status import ApiError, BadRequest, Invalid


def answer(access: Access, resource: str, namespace: str, body: Json, user: User) -> Json:
    """Return the review with its status; ``resource`` is one of the review kinds. Raises BadRequest, Invalid."""
    spec = body.get("spec") or {}
    status: Json
    match resource:
        case "selfsubjectreviews.authentication.k8s.io":
            status = {"userInfo": _said(user)}
        case "selfsubjectaccessreviews.authorization.k8s.io":
            status = _decided(access, user, spec, body)
        case "subjectaccessreviews.authorization.k8s.io" | "localsubjectaccessreviews.authorization.k8s.io":
            if not spec.get("user") and not spec.get("groups"):
                raise Invalid("at least one of user or group must be specified")
            asked = (spec.get("resourceAttributes") or {}).get("namespace", "")
            if resource.startswith("local") and asked != namespace:
                raise BadRequest(f"spec.resourceAttributes.namespace must match metadata.namespace: {asked}")
            extra = {key: tuple(values) for key, values in (spec.get("extra") or {}).items()}
            them = User(spec.get("user", ""), tuple(spec.get("groups") or ()), spec.get("uid", ""), extra)
            status = _decided(access, them, spec, body)
        case "selfsubjectrulesreviews.authorization.k8s.io":
            if not spec.get("namespace"):
                raise BadRequest("no namespace on request")
            status = _rules(access, user, spec["namespace"])
        case _:
            raise ApiError(f"no review: {resource}")
    return {**body, "metadata": body.get("metadata") or {}, "status": status}


def _said(user: User) -> Json:
    info: Json = {"username": user.name, "groups": list(user.groups)}
    if user.uid:
        info["uid"] = user.uid
    if user.extra:
        info["extra"] = {key: list(values) for key, values in user.extra.items()}
    return info


def _decided(access: Access, user: User, spec: Json, body: Json) -> Json:
    wanted, path = spec.get("resourceAttributes"), spec.get("nonResourceAttributes")
    if (wanted is None) == (path is None):
        raise Invalid(
            f'{body.get("kind")}.authorization.k8s.io "" is invalid: spec.resourceAttributes: Invalid value: null: '
            "exactly one of nonResourceAttributes or resourceAttributes must be specified"
        )
    if wanted is not None:
        attributes = Attributes(
            wanted.get("verb", ""),
            wanted.get("group", ""),
            wanted.get("resource", ""),
            wanted.get("subresource", ""),
            wanted.get("namespace", ""),
            wanted.get("name", ""),
        )
    else:
        path = path or {}
        attributes = Attributes(path.get("verb", ""), path=path.get("path", "") or "/")
    decision = access.decide(user, attributes)
    return {"allowed": decision.allowed, **({"reason": decision.reason} if decision.reason else {})}


def _rules(access: Access, user: User, namespace: str) -> Json:
    rules = access.rules(user, namespace)
    return {
        "resourceRules": [rule for rule in rules if rule.get("resources")],
        "nonResourceRules": [rule for rule in rules if rule.get("nonResourceURLs")],
        "incomplete": False,
    }
