"""What went wrong between us and a cluster, as the core's errors: each a sentence for a person.

The sources are the API server's `Status` bodies (k8s.io/apimachinery/pkg/api/errors) and aiohttp's exceptions.
Headers and bodies never appear in a message as they came; of Secrets not even the server's words do.
"""

import re

import aiohttp
import msgspec

from bot.core.errors import (
    Expired,
    Forbidden,
    Invalid,
    Judge,
    NotFound,
    Refused,
    Stale,
    SteersmanError,
    TimedOut,
    TooManyRequests,
    Unavailable,
)
from bot.core.masking import hidden
from bot.core.people import Identity
from bot.core.plan import Place
from bot.core.readable import one_line
from bot.kube.request import Request


class _Cause(msgspec.Struct, gc=False):
    reason: str | None = None
    message: str | None = None
    field: str | None = None


class _Details(msgspec.Struct, gc=False):
    name: str | None = None
    kind: str | None = None
    causes: list[_Cause] | None = None
    retry_after: int | None = msgspec.field(default=None, name="retryAfterSeconds")


class Status(msgspec.Struct, gc=False):
    """A metav1.Status: how the API server tells a failure, in a response or in a watch."""

    kind: str = ""
    message: str | None = None
    reason: str | None = None
    code: int | None = None
    details: _Details | None = None

    @property
    def causes(self) -> list[_Cause]:
        return (self.details and self.details.causes) or []


# The authorizer's sentence (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go); a 403 without it
# comes from an admission plugin.
_NO_RIGHT = re.compile(
    r'User "(?P<user>[^"]*)" cannot (?P<verb>\S+) (?:resource|path) "(?P<resource>[^"]*)"'
    r'(?: in API group "(?P<group>[^"]*)")?(?: in the namespace "(?P<namespace>[^"]*)")?'
)
_WEBHOOK = re.compile(r'admission webhook "(?P<name>[^"]*)" denied the request(?:: (?P<text>.*)| without explanation)')
_STRICT = re.compile(r"strict decoding error: (?P<text>.*)")
_LONGEST_WAIT = 600.0


def tidy(text: str, limit: int = 400) -> str:
    """Foreign words as they may stand in one of our sentences: one line of readable characters, secrets hidden."""
    return one_line(hidden(text), limit)


def failure(
    code: int, body: bytes, request: Request, identity: Identity, *, cluster: str, retry_after: str = ""
) -> SteersmanError:
    """The error behind an answer that is not a success. `retry_after` is that header's value, in seconds."""
    try:
        status = msgspec.json.decode(body, type=Status)
    except (msgspec.DecodeError, UnicodeDecodeError):
        status = Status()
    if status.kind != "Status":
        return _not_an_api_server(code, body, request, cluster, retry_after)
    return refusal(status, request, identity, cluster=cluster, code=code, retry_after=retry_after)


def refusal(
    status: Status, request: Request, identity: Identity, *, cluster: str, code: int = 0, retry_after: str = ""
) -> SteersmanError:
    """The error behind a Status; a watch brings them in ERROR events too, where the code stands in the body."""
    code = code or status.code or 500
    what = subject(request, cluster)
    said = _said(status, request)
    reasons = {cause.reason for cause in status.causes}
    match code:
        case 401:
            return _unknown_caller(cluster)
        case _ if denied := _WEBHOOK.search(status.message or ""):
            words = tidy(denied["text"] or "without saying why")
            return Invalid(f"The admission webhook {tidy(denied['name'], 100)} of {cluster} refuses {what}: {words}")
        case 403 if "NamespaceTerminating" in reasons:
            return Refused(f"The namespace {request.namespace} on {cluster} is being deleted.")
        case 403:
            return _forbidden(status, request, identity, cluster, said)
        case 404:
            return _not_found(status, request, cluster, reasons)
        case 409 if status.reason == "AlreadyExists":
            return Refused(f"There is already {what}.")
        case 409 if "FieldManagerConflict" in reasons:
            return Refused(
                f"Others manage the same fields of {what}: {said}.",
                hint="Change them where they are managed, or leave those fields out.",
            )
        case 409:
            return Stale(f"Somebody changed {what} in the meantime.", hint="Look again, then repeat the command.")
        case 410:
            return Expired(f"{cluster} no longer keeps that state of {request.resource}.", hint="Ask again.")
        case 413:
            return Invalid(f"{what} is too large for {cluster}.")
        case 415:
            return Invalid(f"{cluster} does not take this sort of patch for {request.resource}.")
        case 429:
            seconds = _seconds(retry_after, status)
            if "DisruptionBudget" in reasons:
                return TooManyRequests(f"{what} may not be evicted now: {said}", retry_after=seconds)
            return _busy(cluster, seconds)
        case _ if code >= 500:
            return _failed(code, said, request, cluster, sure="failed calling webhook" in (status.message or ""))
        case _:
            return Invalid(f"{cluster} does not accept {what}: {said}")


def broken(error: BaseException, request: Request, cluster: str) -> SteersmanError:
    """The error behind an exception of the transport. Certain only about what was never sent."""
    match error:
        case aiohttp.ConnectionTimeoutError():
            return Unavailable(f"{cluster} cannot be reached: no connection in time.", hint=_NETWORK)
        case TimeoutError() if request.changes:
            return TimedOut(
                f"{cluster} did not answer in time; whether {subject(request, cluster)} was changed is not known yet."
            )
        case TimeoutError():
            return TimedOut(f"{cluster} did not answer in time.", hint="Try again in a moment.")
        case aiohttp.ClientConnectorCertificateError() | aiohttp.ClientSSLError():
            return Unavailable(
                f"{cluster} shows a certificate that is not trusted, or does not speak TLS.",
                hint="Compare the certificate authority and the server's address in the kubeconfig with the cluster.",
            )
        case aiohttp.ClientConnectorDNSError():
            return Unavailable(
                f"{cluster} cannot be reached: the name {tidy(error.host, 100)} is not known here.", hint=_NETWORK
            )
        case aiohttp.ClientProxyConnectionError():
            return Unavailable(
                f"{cluster} cannot be reached: its proxy {tidy(error.host, 100)} does not answer.", hint=_NETWORK
            )
        case aiohttp.ClientConnectorError():
            return Unavailable(
                f"{cluster} cannot be reached: {tidy(error.host, 100)}:{error.port} refuses the connection.",
                hint=_NETWORK,
            )
        case _ if request.changes:
            return TimedOut(
                f"The connection to {cluster} broke before its answer came; whether {subject(request, cluster)} "
                "was changed is not known yet."
            )
        case _:
            return Unavailable(f"The connection to {cluster} broke before its answer came.", hint=_NETWORK)


def unreadable(cluster: str, request: Request) -> Unavailable:
    """A success whose body is not what the API promises: something else answered."""
    if request.changes:
        return TimedOut(
            f"What answered for {cluster} is not the Kubernetes API; whether {subject(request, cluster)} was changed "
            "is not known yet."
        )
    return Unavailable(
        f"What answered for {cluster} is not what the Kubernetes API sends for {request.resource}.",
        hint="A proxy or a login page may stand before the cluster: check the server's address.",
    )


def subject(request: Request, cluster: str) -> str:
    """What a request is about: `deployments/web in prod/shop`."""
    resource, _, subresource = request.resource.partition("/")
    plural = resource.partition(".")[0]
    name = f"{plural}/{request.name}" if request.name else plural
    whole = f"{subresource} of {name}" if subresource else name
    return f"{whole} in {Place(cluster, request.namespace)}" if request.namespace else f"{whole} on {cluster}"


_NETWORK = "Check that the cluster is up and that this machine can reach it."


def _unknown_caller(cluster: str) -> Unavailable:
    return Unavailable(
        f"{cluster} does not accept the credentials that it is called with (401).",
        hint="The token or certificate has expired or was revoked: log in again, or renew it.",
    )


def _forbidden(
    status: Status, request: Request, identity: Identity, cluster: str, said: str
) -> Forbidden | Invalid | Unavailable:
    missing = _NO_RIGHT.search(status.message or "")
    if missing is None:
        return Invalid(f"{cluster} refuses {subject(request, cluster)}: {said}")
    verb, resource, group = missing["verb"], missing["resource"], missing["group"]
    namespace = missing["namespace"]
    where = f"in the namespace {namespace}" if namespace else "in the whole cluster"
    right = f"{verb} {resource}.{group}" if group else f"{verb} {resource}"
    if verb.startswith("impersonate"):
        return Forbidden(
            f"{cluster} does not let Steersman act as {tidy(str(identity), 100)}.",
            judge=Judge.CLUSTER,
            hint=f"Steersman's own role there lacks: {tidy(right, 200)}.",
        )
    name = f" {request.name}" if request.name else ""
    return Forbidden(
        f"{tidy(missing['user'] or str(identity), 100)} may not {verb} {resource}{name} "
        f"{f'in {Place(cluster, namespace)}' if namespace else f'on {cluster}'}.",
        judge=Judge.CLUSTER,
        hint=f"Whoever runs {cluster} can grant it: {tidy(right, 200)} {where}.",
    )


def _not_found(status: Status, request: Request, cluster: str, reasons: set[str | None]) -> NotFound:
    details = status.details
    if status.reason != "NotFound" or "UnexpectedServerResponse" in reasons or not (details and details.name):
        return _not_served(request, cluster)
    if details.name == request.name:
        plural = request.resource.partition("/")[0].partition(".")[0]
        return NotFound(f"There is no {subject(request, cluster)}.", hint=f"`get {plural}` lists what is there.")
    return NotFound(f"There is no {tidy(details.kind or 'object', 60)}/{tidy(details.name, 100)} on {cluster}.")


def _not_served(request: Request, cluster: str) -> NotFound:
    return NotFound(f"{cluster} does not serve {request.resource}.", hint="The API is not installed there, or too old.")


def _not_an_api_server(code: int, body: bytes, request: Request, cluster: str, retry_after: str) -> SteersmanError:
    # The API server itself answers some failures in plain text: the unknown path, overload, an aggregated API away.
    if code == 404 and body.startswith(b"404 page not found"):
        return _not_served(request, cluster)
    if code == 429:
        return _busy(cluster, _seconds(retry_after, Status()))
    if code == 401:
        return _unknown_caller(cluster)
    if code >= 500:
        return _failed(code, "", request, cluster, sure=False)
    return Unavailable(
        f"What answered for {cluster} is not a Kubernetes API server (HTTP {code}).",
        hint="A proxy, load balancer or login page may stand before it: check the server's address.",
    )


def _failed(code: int, said: str, request: Request, cluster: str, *, sure: bool) -> Unavailable:
    why = f": {said}" if said else "."
    if request.changes and not sure:
        # Behind a proxy, or with etcd slow, an error may follow an effect: only a look at the object can tell.
        return TimedOut(
            f"{cluster} failed (HTTP {code}) and it is not known yet whether {subject(request, cluster)} "
            f"was changed{why}"
        )
    return Unavailable(f"{cluster} failed (HTTP {code}){why}", hint="Try again in a moment.")


def _busy(cluster: str, seconds: float) -> TooManyRequests:
    return TooManyRequests(
        f"{cluster} is too busy to answer (429).", retry_after=seconds, hint=f"Try again in {seconds:g} s."
    )


def _seconds(header: str, status: Status) -> float:
    """Retry-After as kube-apiserver sends it, in whole seconds; without one, a second."""
    if header.isascii() and header.isdigit():
        return min(float(header), _LONGEST_WAIT)
    given = status.details.retry_after if status.details else None
    return min(max(float(given), 0.0), _LONGEST_WAIT) if given is not None else 1.0


def _said(status: Status, request: Request) -> str:
    """The server's own causes, shortened; for a Secret the fields alone, for a message may quote a value."""
    causes = [cause for cause in status.causes if cause.field or cause.message]
    if request.resource.partition("/")[0] == "secrets":
        named = [tidy(f"{cause.field or 'it'} ({cause.reason or 'invalid'})", 100) for cause in causes]
        return ", ".join(named[:3]) or tidy(status.reason or "invalid content", 100)
    if not causes:
        message = status.message or status.reason or "no reason given"
        strict = _STRICT.search(message)
        return tidy(strict["text"] if strict else message)
    words = [tidy(_cause(cause), 200) for cause in causes[:3]]
    more = len(causes) - len(words)
    return "; ".join(words) + (f"; and {more} more" if more else "")


def _cause(cause: _Cause) -> str:
    message = cause.message or cause.reason or ""
    if len(message) > 160 and message.startswith("Invalid value: "):
        # The value itself may be the whole object, printed by Go; what is wrong with it stands behind.
        message = message.rpartition("}: ")[2] or message
    return f"{cause.field}: {message}" if cause.field and cause.field != "<nil>" else message
