"""Who asks and what they may: bearer tokens, impersonation, and RBAC read from the cluster's own Role objects."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import unquote

from bot.demo.objects import Json, name_of
from bot.demo.status import ApiError, Forbidden, Unauthorized
from bot.demo.store import Store

_RBAC = "rbac.authorization.k8s.io"
_SERVICE_ACCOUNT = "system:serviceaccount:"
ANYONE = "system:authenticated"
NOBODY = "system:unauthenticated"
MASTERS = "system:masters"


@dataclass(frozen=True, slots=True)
class User:
    name: str
    groups: tuple[str, ...] = ()
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


ANONYMOUS = User("system:anonymous", (NOBODY,))


@dataclass(frozen=True, slots=True)
class Attributes:
    """What a request wants to do: a verb on a resource, or on a ``path`` that is no resource."""

    verb: str
    group: str = ""
    resource: str = ""
    subresource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""

    @property
    def full_resource(self) -> str:
        return f"{self.resource}/{self.subresource}" if self.subresource else self.resource


@dataclass(frozen=True, slots=True)
class Decision:
    allowed: bool
    reason: str = ""


def _rule(verbs: Sequence[str], groups: Sequence[str] = (), resources: Sequence[str] = (), **more: object) -> Json:
    return {"verbs": [*verbs], "apiGroups": [*groups], "resources": [*resources], **more}


# What every cluster grants at its start (system:discovery, system:basic-user, system:public-info-viewer).
_FOR_ANYONE: tuple[Json, ...] = (
    _rule(["create"], ["authorization.k8s.io"], ["selfsubjectaccessreviews", "selfsubjectrulesreviews"]),
    _rule(["create"], ["authentication.k8s.io"], ["selfsubjectreviews"]),
    {"verbs": ["get"], "nonResourceURLs": ["/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*"]},
)
_FOR_EVERYBODY: tuple[Json, ...] = (
    {"verbs": ["get"], "nonResourceURLs": ["/healthz", "/livez", "/readyz", "/version", "/version/"]},
)


class Access:
    """One cluster's tokens and its RBAC."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._tokens: dict[str, User] = {}

    def register(self, token: str, user: User) -> None:
        self._tokens[token] = user

    # -- who -----------------------------------------------------------------------------------------------------------

    def authenticate(self, authorization: str | None) -> User:
        """Return who a request's Authorization header names; raises Unauthorized for an unknown token."""
        if not authorization:
            return ANONYMOUS
        scheme, _, token = authorization.partition(" ")
        user = self._tokens.get(token.strip())
        if scheme.lower() != "bearer" or user is None:
            raise Unauthorized("Unauthorized")
        groups = (*user.groups, *(group for group in (ANYONE,) if group not in user.groups))
        return User(user.name, groups, user.uid, user.extra)

    def impersonate(self, user: User, headers: Sequence[tuple[str, str]]) -> User:
        """Return whom the ``Impersonate-*`` headers (name, value; repeated ones repeat) make of the caller.

        Each of user, group, uid and extra is checked by itself against the verb ``impersonate``. Raises Forbidden.
        """
        said = [(name.lower(), value) for name, value in headers if name.lower().startswith("impersonate-")]
        if not said:
            return user
        name = next((value for key, value in said if key == "impersonate-user"), "")
        groups = tuple(value for key, value in said if key == "impersonate-group")
        uid = next((value for key, value in said if key == "impersonate-uid"), "")
        extra: dict[str, tuple[str, ...]] = {}
        for key, value in said:
            if key.startswith("impersonate-extra-"):
                plain = unquote(key.removeprefix("impersonate-extra-")).lower()
                extra[plain] = (*extra.get(plain, ()), value)
        if not name:
            raise ApiError("Internal Server Error: requested impersonation without impersonating a user")
        for wanted in _impersonations(name, groups, uid, extra):
            self.require(user, wanted)
        if name.startswith(_SERVICE_ACCOUNT) and not groups:
            groups = ("system:serviceaccounts", f"system:serviceaccounts:{name.split(':')[2]}")
        implied = NOBODY if name == ANONYMOUS.name else ANYONE
        return User(name, groups if implied in groups else (*groups, implied), uid, extra)

    # -- what ----------------------------------------------------------------------------------------------------------

    def require(self, user: User, wanted: Attributes) -> None:
        """Raise Forbidden in the server's words unless RBAC allows it."""
        decision = self.decide(user, wanted)
        if decision.allowed:
            return
        because = f": {decision.reason}" if decision.reason else ""
        if wanted.path:
            said = f'forbidden: User "{user.name}" cannot {wanted.verb} path "{wanted.path}"{because}'
            raise Forbidden(said)
        where = f' in the namespace "{wanted.namespace}"' if wanted.namespace else " at the cluster scope"
        qualified = f"{wanted.resource}.{wanted.group}" if wanted.group else wanted.resource
        subject = f'{qualified} "{wanted.name}"' if wanted.name else qualified
        raise Forbidden(
            f'{subject} is forbidden: User "{user.name}" cannot {wanted.verb} resource "{wanted.full_resource}" in API '
            f'group "{wanted.group}"{where}{because}',
            resource=qualified,
            name=wanted.name,
        )

    def decide(self, user: User, wanted: Attributes) -> Decision:
        if MASTERS in user.groups:
            return Decision(allowed=True)
        missing: list[str] = []
        for rule, granted_by in self._grants(user, wanted.namespace, missing):
            if _covers(rule, wanted):
                return Decision(allowed=True, reason=granted_by)
        return Decision(allowed=False, reason=f"RBAC: {', '.join(missing)}" if missing else "")

    def rules(self, user: User, namespace: str) -> list[Json]:
        """Return every rule that holds for a user in a namespace, as SelfSubjectRulesReview lists them."""
        if MASTERS in user.groups:
            return [_rule(["*"], ["*"], ["*"]), {"verbs": ["*"], "nonResourceURLs": ["*"]}]
        return [rule for rule, _ in self._grants(user, namespace, [])]

    def _grants(self, user: User, namespace: str, missing: list[str]) -> Iterator[tuple[Json, str]]:
        for rule in _FOR_EVERYBODY:
            yield rule, ""
        if ANYONE in user.groups:
            for rule in _FOR_ANYONE:
                yield rule, ""
        bindings = [("ClusterRoleBinding", known) for known in self._store.list(f"clusterrolebindings.{_RBAC}")]
        if namespace:
            bindings += [("RoleBinding", known) for known in self._store.list(f"rolebindings.{_RBAC}", namespace)]
        for kind, binding in bindings:
            subject = next((known for known in binding.get("subjects") or () if _is(known, user, namespace)), None)
            if subject is None:
                continue
            role = binding["roleRef"]
            is_local = role["kind"] == "Role"
            found = self._store.find(
                f"{'roles' if is_local else 'clusterroles'}.{_RBAC}", namespace if is_local else "", role["name"]
            )
            if found is None:
                missing.append(f'{role["kind"].lower()}.{_RBAC} "{role["name"]}" not found')
                continue
            where = f"/{namespace}" if kind == "RoleBinding" else ""
            source = (
                f'RBAC: allowed by {kind} "{name_of(binding)}{where}" of {role["kind"]} "{role["name"]}" to '
                f'{subject["kind"]} "{subject["name"]}"'
            )
            for rule in found.get("rules") or ():
                yield rule, source


def _impersonations(
    name: str, groups: Sequence[str], uid: str, extra: Mapping[str, Sequence[str]]
) -> Iterator[Attributes]:
    if name.startswith(_SERVICE_ACCOUNT) and name.count(":") == 3:
        _, _, namespace, account = name.split(":")
        yield Attributes("impersonate", "", "serviceaccounts", namespace=namespace, name=account)
    else:
        yield Attributes("impersonate", "", "users", name=name)
    for group in groups:
        yield Attributes("impersonate", "", "groups", name=group)
    if uid:
        yield Attributes("impersonate", "authentication.k8s.io", "uids", name=uid)
    for key, values in extra.items():
        for value in values:
            yield Attributes("impersonate", "authentication.k8s.io", "userextras", key, name=value)


def _is(subject: Json, user: User, namespace: str) -> bool:
    match subject.get("kind"):
        case "User":
            return bool(subject["name"] == user.name)
        case "Group":
            return subject["name"] in user.groups
        case "ServiceAccount":
            return user.name == f"{_SERVICE_ACCOUNT}{subject.get('namespace') or namespace}:{subject['name']}"
        case _:
            return False


def _covers(rule: Json, wanted: Attributes) -> bool:
    verbs = rule.get("verbs") or ()
    if "*" not in verbs and wanted.verb not in verbs:
        return False
    if wanted.path:
        return any(_matches_path(known, wanted.path) for known in rule.get("nonResourceURLs") or ())
    groups, resources = rule.get("apiGroups") or (), rule.get("resources") or ()
    if "*" not in groups and wanted.group not in groups:
        return False
    anywhere = f"*/{wanted.subresource}" if wanted.subresource else ""
    if not {"*", wanted.full_resource, anywhere} & set(resources):
        return False
    names = rule.get("resourceNames") or ()
    return not names or wanted.name in names


def _matches_path(pattern: str, path: str) -> bool:
    return pattern in {"*", path} or (pattern.endswith("*") and path.startswith(pattern[:-1]))
