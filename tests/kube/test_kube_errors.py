"""Every failure of a cluster becomes one sentence that a person understands."""

import json
import ssl
from typing import Any

import aiohttp
import pytest
from aiohttp.client_reqrep import ConnectionKey
from hypothesis import given
from hypothesis import strategies as st

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
from bot.core.people import Impersonated
from bot.kube.errors import broken, failure
from bot.kube.request import Address, Request

ALICE = Impersonated("alice", ("viewer",))
GET_WEB = Address("apps/v1", "deployments", "shop").request("get", "web")
PATCH_WEB = Address("apps/v1", "deployments", "shop").request("patch", "web", body=b"{}", changes=True)
DRY_RUN = Address("apps/v1", "deployments", "shop").request("patch", "web", body=b"{}")
PATCH_SECRET = Address("v1", "secrets", "shop").request("patch", "db", body=b"{}", changes=True)
LIST_PODS = Address("v1", "pods", "shop").request("list")
KEY = ConnectionKey("api.prod", 6443, True, True, None, None, None)


def told(code: int, reason: str = "", message: str = "", request: Request = GET_WEB, **details: Any) -> SteersmanError:
    body = {"kind": "Status", "code": code, "reason": reason, "message": message, "details": details}
    return failure(code, json.dumps(body).encode(), request, ALICE, cluster="prod")


def test_a_missing_right_names_who_what_and_where() -> None:
    error = told(
        403,
        "Forbidden",
        'deployments.apps "web" is forbidden: User "alice" cannot patch resource "deployments/scale" '
        'in API group "apps" in the namespace "shop"',
        PATCH_WEB,
    )

    assert isinstance(error, Forbidden)
    assert error.judge is Judge.CLUSTER
    assert error.message == "alice may not patch deployments/scale web in prod/shop."
    assert error.hint == "Whoever runs prod can grant it: patch deployments/scale.apps in the namespace shop."


def test_a_right_missing_for_the_whole_cluster_says_so() -> None:
    error = told(
        403,
        "Forbidden",
        'pods is forbidden: User "alice" cannot list resource "pods" in API group "" at the cluster scope',
        Address("v1", "pods").request("list"),
    )

    assert error.message == "alice may not list pods on prod."
    assert "in the whole cluster" in error.hint


def test_a_bot_that_may_not_impersonate_says_that_it_is_the_bot() -> None:
    error = told(
        403,
        "Forbidden",
        'users "alice" is forbidden: User "system:serviceaccount:steersman:steersman" cannot impersonate resource '
        '"users" in API group "" at the cluster scope',
    )

    assert error.message == "prod does not let Steersman act as alice."
    assert "impersonate users" in error.hint


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (told(401, "Unauthorized", "Unauthorized"), Unavailable, "does not accept the credentials"),
        (
            told(404, "NotFound", 'deployments.apps "web" not found', name="web", kind="deployments"),
            NotFound,
            "There is no deployments/web in prod/shop.",
        ),
        (
            told(404, "NotFound", 'namespaces "shop" not found', name="shop", kind="namespaces"),
            NotFound,
            "There is no namespaces/shop on prod.",
        ),
        (
            told(404, "NotFound", "the server could not find the requested resource"),
            NotFound,
            "prod does not serve deployments.apps.",
        ),
        (
            told(403, "Forbidden", 'pods "web-1" is forbidden: exceeded quota: small, requested: pods=1'),
            Invalid,
            "exceeded quota: small",
        ),
        (
            told(403, "Forbidden", "no", PATCH_WEB, causes=[{"reason": "NamespaceTerminating", "message": "x"}]),
            Refused,
            "The namespace shop on prod is being deleted.",
        ),
        (
            told(400, "BadRequest", 'admission webhook "policy.corp" denied the request: no :latest'),
            Invalid,
            "The admission webhook policy.corp of prod refuses deployments/web in prod/shop: no :latest",
        ),
        (told(409, "Conflict", "the object has been modified", PATCH_WEB), Stale, "changed deployments/web"),
        (told(409, "AlreadyExists", "x", PATCH_WEB), Refused, "There is already deployments/web in prod/shop."),
        (
            told(
                409,
                "Conflict",
                "Apply failed with 1 conflict",
                PATCH_WEB,
                causes=[
                    {"reason": "FieldManagerConflict", "message": 'conflict with "kubectl"', "field": ".spec.replicas"}
                ],
            ),
            Refused,
            '.spec.replicas: conflict with "kubectl"',
        ),
        (told(410, "Expired", "too old resource version"), Expired, "no longer keeps"),
        (told(413, "RequestEntityTooLarge", "x", PATCH_WEB), Invalid, "too large"),
        (told(415, "UnsupportedMediaType", "x", PATCH_WEB), Invalid, "this sort of patch for deployments.apps"),
        (
            told(400, "BadRequest", 'Deployment in version "v1" cannot be handled: strict decoding error: unknown x'),
            Invalid,
            "prod does not accept deployments/web in prod/shop: unknown x",
        ),
        (told(504, "Timeout", "the request timed out"), Unavailable, "failed (HTTP 504): the request timed out"),
        (told(500, "InternalError", "etcd", PATCH_WEB), TimedOut, "it is not known yet"),
    ],
)
def test_each_refusal_has_its_kind_and_its_sentence(
    error: SteersmanError, kind: type[SteersmanError], words: str
) -> None:
    assert type(error) is kind
    assert words in error.message


def test_a_webhook_that_cannot_be_called_leaves_no_doubt_about_the_write() -> None:
    error = told(500, "InternalError", 'Internal error occurred: failed calling webhook "policy": refused', PATCH_WEB)

    assert type(error) is Unavailable
    assert "failed calling webhook" in error.message


def test_the_servers_causes_are_shortened_and_counted() -> None:
    dump = "v1.PodSpec{" + "x" * 500 + "}"
    causes = [
        {"reason": "FieldValueInvalid", "message": f"Invalid value: {dump}: must be small", "field": "spec"},
        {"reason": "FieldValueInvalid", "message": "Invalid value: -1: must be positive", "field": "spec.replicas"},
        *[{"reason": "FieldValueRequired", "message": "Required value", "field": f"f{n}"} for n in range(5)],
    ]
    error = told(422, "Invalid", "long", PATCH_WEB, causes=causes)

    assert error.message == (
        "prod does not accept deployments/web in prod/shop: spec: must be small; "
        "spec.replicas: Invalid value: -1: must be positive; f0: Required value; and 4 more"
    )


@pytest.mark.parametrize(
    "causes", [[], [{"field": "data[pw]", "reason": "FieldValueInvalid", "message": "bad hunter2"}]]
)
def test_a_secrets_value_is_never_quoted(causes: list[dict[str, str]]) -> None:
    error = told(
        422, "Invalid", 'Secret "db" is invalid: data[pw]: Invalid value: "hunter2"', PATCH_SECRET, causes=causes
    )

    assert "hunter2" not in f"{error.message} {error.hint}"


def test_an_eviction_against_a_budget_says_when_to_come_back() -> None:
    evict = Address("v1", "pods", "shop").request("create", "web-1", "eviction", body=b"{}", changes=True)
    causes = [{"reason": "DisruptionBudget", "message": "The disruption budget web needs 2 healthy pods"}]
    error = told(429, "TooManyRequests", "Cannot evict pod", evict, causes=causes, retryAfterSeconds=10)

    assert isinstance(error, TooManyRequests)
    assert error.retry_after == 10
    assert "needs 2 healthy pods" in error.message


@pytest.mark.parametrize(
    ("header", "seconds"), [("3", 3.0), ("", 1.0), ("soon", 1.0), ("-5", 1.0), ("99999999", 600.0)]
)
def test_retry_after_is_read_in_seconds_and_within_reason(header: str, seconds: float) -> None:
    error = failure(429, b"Too many requests", GET_WEB, ALICE, cluster="prod", retry_after=header)

    assert isinstance(error, TooManyRequests)
    assert error.retry_after == seconds


@pytest.mark.parametrize(
    ("code", "body", "words"),
    [
        (404, b"404 page not found\n", "prod does not serve deployments.apps."),
        (502, b"<html><h1>Bad Gateway</h1></html>", "prod failed (HTTP 502)."),
        (403, b"<html>Access denied</html>", "is not a Kubernetes API server (HTTP 403)"),
        (401, b"", "does not accept the credentials"),
        (404, b'{"error": "no route"}', "is not a Kubernetes API server (HTTP 404)"),
    ],
)
def test_what_a_proxy_answers_is_not_taken_for_the_cluster(code: int, body: bytes, words: str) -> None:
    assert words in failure(code, body, GET_WEB, ALICE, cluster="prod").message


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (aiohttp.ConnectionTimeoutError(), "no connection in time"),
        (aiohttp.ClientConnectorError(KEY, OSError(111, "refused")), "api.prod:6443 refuses the connection"),
        (aiohttp.ClientConnectorDNSError(KEY, OSError(-2, "unknown")), "the name api.prod is not known here"),
        (aiohttp.ClientProxyConnectionError(KEY, OSError(111, "refused")), "its proxy api.prod does not answer"),
        (aiohttp.ClientConnectorCertificateError(KEY, ssl.SSLCertVerificationError("x")), "certificate"),
        (aiohttp.ClientConnectorSSLError(KEY, ssl.SSLError("x")), "certificate"),
        (aiohttp.ClientPayloadError("half"), "broke before its answer"),
        (OSError("reset"), "broke before its answer"),
    ],
)
def test_each_failure_of_the_line_has_its_sentence(error: Exception, words: str) -> None:
    assert words in broken(error, LIST_PODS, "prod").message


def test_what_was_never_sent_leaves_no_doubt_and_what_was_sent_does() -> None:
    refused = aiohttp.ClientConnectorError(KEY, OSError(111, "refused"))

    assert type(broken(refused, PATCH_WEB, "prod")) is Unavailable
    assert type(broken(TimeoutError(), PATCH_WEB, "prod")) is TimedOut
    assert type(broken(aiohttp.ServerDisconnectedError(), PATCH_WEB, "prod")) is TimedOut
    assert type(broken(aiohttp.ServerDisconnectedError(), DRY_RUN, "prod")) is Unavailable


words = st.text(max_size=60) | st.none()
causes = (
    st.lists(st.fixed_dictionaries({}, optional={"reason": words, "message": words, "field": words}), max_size=5)
    | st.none()
)
details = st.fixed_dictionaries(
    {}, optional={"name": words, "kind": words, "causes": causes, "retryAfterSeconds": st.integers(-9, 10**9)}
)
statuses = st.fixed_dictionaries(
    {"kind": st.just("Status")},
    optional={"code": st.integers(0, 999), "reason": words, "message": words, "details": details},
)


@given(
    code=st.integers(300, 599),
    body=statuses.map(lambda status: json.dumps(status).encode()) | st.binary(max_size=200),
    request=st.sampled_from([GET_WEB, PATCH_WEB, DRY_RUN, PATCH_SECRET, LIST_PODS]),
    retry_after=st.text(max_size=8),
)
def test_whatever_the_server_says_the_person_reads_one_short_line(
    code: int, body: bytes, request: Request, retry_after: str
) -> None:
    error = failure(code, body, request, ALICE, cluster="prod", retry_after=retry_after)

    assert error.message.isprintable()
    assert 10 < len(error.message) < 1200
    if isinstance(error, TooManyRequests):
        assert 0 <= error.retry_after <= 600
