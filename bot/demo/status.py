"""The API server's refusals: every error is a metav1.Status in the server's own words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.demo.objects import Json


@dataclass(frozen=True, slots=True)
class Cause:
    """One field that is wrong: its path (``spec.replicas``), the reason (``FieldValueInvalid``) and the sentence."""

    field: str
    reason: str
    message: str


class ApiError(Exception):
    """A refusal with its HTTP code, its reason (CamelCase, machine-readable) and its message (for people)."""

    code = 500
    reason = "InternalError"

    def __init__(
        self,
        message: str,
        *,
        resource: str = "",
        kind: str = "",
        name: str = "",
        causes: Sequence[Cause] = (),
        retry_after: int | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.resource = resource
        self.kind = kind
        self.name = name
        self.causes = tuple(causes)
        self.retry_after = retry_after

    def as_status(self) -> Json:
        """Return the metav1.Status body of this refusal."""
        plural, _, group = self.resource.partition(".")
        details: Json = {}
        if self.name:
            details["name"] = self.name
        if group:
            details["group"] = group
        if self.kind or plural:
            details["kind"] = self.kind or plural
        if self.causes:
            details["causes"] = [
                {"reason": cause.reason, "message": cause.message, "field": cause.field} for cause in self.causes
            ]
        if self.retry_after is not None:
            details["retryAfterSeconds"] = self.retry_after
        body: Json = {
            "kind": "Status",
            "apiVersion": "v1",
            "metadata": {},
            "status": "Failure",
            "message": self.message,
            "reason": self.reason,
            "code": self.code,
        }
        if details:
            body["details"] = details
        return body


class BadRequest(ApiError):
    code = 400
    reason = "BadRequest"


class Unauthorized(ApiError):
    code = 401
    reason = "Unauthorized"


class Forbidden(ApiError):
    code = 403
    reason = "Forbidden"


class NotFound(ApiError):
    code = 404
    reason = "NotFound"

    @classmethod
    def named(cls, resource: str, name: str) -> NotFound:
        return cls(f'{resource} "{name}" not found', resource=resource, name=name)


class MethodNotAllowed(ApiError):
    code = 405
    reason = "MethodNotAllowed"


class NotAcceptable(ApiError):
    code = 406
    reason = "NotAcceptable"


class AlreadyExists(ApiError):
    code = 409
    reason = "AlreadyExists"

    @classmethod
    def named(cls, resource: str, name: str) -> AlreadyExists:
        return cls(f'{resource} "{name}" already exists', resource=resource, name=name)


class Conflict(ApiError):
    code = 409
    reason = "Conflict"

    @classmethod
    def on(cls, resource: str, name: str, why: str) -> Conflict:
        return cls(
            f'Operation cannot be fulfilled on {resource} "{name}": {why}',
            resource=resource,
            name=name,
        )

    @classmethod
    def stale(cls, resource: str, name: str) -> Conflict:
        return cls.on(
            resource,
            name,
            "the object has been modified; please apply your changes to the latest version and try again",
        )


class Expired(ApiError):
    """The resourceVersion asked for is older than the history kept."""

    code = 410
    reason = "Expired"


class TooLarge(ApiError):
    code = 413
    reason = "RequestEntityTooLarge"


class UnsupportedMediaType(ApiError):
    code = 415
    reason = "UnsupportedMediaType"


class Invalid(ApiError):
    code = 422
    reason = "Invalid"


class TooManyRequests(ApiError):
    code = 429
    reason = "TooManyRequests"
