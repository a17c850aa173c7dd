"""Which contexts are used, which are refused and why, and how a credential stays fresh."""

import asyncio
import base64
import json
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from rigs.wire import Standstill, Wire, kubeconfig, reading, status

from bot.core.errors import NotFound, Refused, SteersmanError, Unavailable
from bot.kube import credentials
from bot.kube.clusters import Options, connect
from bot.kube.credentials import InCluster, Kubeconfig, open_credentials
from bot.kube.kubeconfig import contexts

HERE = "https://127.0.0.1:6443"
PODS = "/api/v1/namespaces/shop/pods"
EMPTY: dict[str, Any] = {"metadata": {}, "items": []}
API = "client.authentication.k8s.io/v1"


async def opened(path: Path, context: str = "") -> credentials.Credentials:
    return await open_credentials(Kubeconfig(str(path), context), Standstill().now)


def script(path: Path, body: str) -> str:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def printing(**given: Any) -> str:
    return f"echo '{json.dumps({'apiVersion': API, 'kind': 'ExecCredential', 'status': given})}'"


def plugin(command: str, **more: Any) -> dict[str, Any]:
    return {"exec": {"apiVersion": API, "command": command, "interactiveMode": "Never", **more}}


@pytest.mark.parametrize(
    ("parts", "words"),
    [
        ({"user": {}}, "has no credential"),
        ({"user": {"token": ""}}, "has no credential"),
        ({"user": {"token": "\n"}}, "has no credential"),
        ({"user": {"token": "t", "as": "root"}}, "acts as somebody else"),
        ({"user": {"token": "t", "as-groups": ["system:masters"]}}, "acts as somebody else"),
        ({"user": {"token": "t", "as-user-extra": {"a": ["b"]}}}, "acts as somebody else"),
        ({"user": {"auth-provider": {"name": "gcp"}}}, "auth provider gcp"),
        ({"user": {"client-certificate": "gone.crt", "client-key": "gone.key"}}, "missing or damaged"),
        ({"user": {"client-certificate-data": "bm8=", "client-key-data": "bm8="}}, "missing or damaged"),
        ({"user": {"tokenFile": "gone"}}, "missing or damaged"),
        ({"cluster": {"certificate-authority-data": "not base64!"}}, "missing or damaged"),
        ({"cluster": {"certificate-authority-data": "bm8="}}, "missing or damaged"),
        ({"context": {"cluster": "here"}}, "names no user"),
        ({"context": {"user": "bot"}}, "names no cluster"),
        (
            {"context": {"cluster": "here", "user": "nobody"}},
            "names the user nobody, which the kubeconfig does not hold",
        ),
        ({"context": {"cluster": "away", "user": "bot"}}, "names the cluster away"),
        ({"cluster": {"server": "http://api.corp:8080"}}, "unencrypted"),
        ({"cluster": {"server": "api.corp"}}, "no usable server address"),
        ({"cluster": {"proxy-url": "socks5://localhost:1"}}, "socks5 proxy"),
        ({"user": {"exec": {"command": "x", "apiVersion": "v0"}}}, "apiVersion that is known"),
        ({"user": {"exec": {"command": ["x"], "apiVersion": API}}}, "cannot be read"),
        ({"user": plugin("x", interactiveMode="Always")}, "wants a terminal"),
    ],
)
async def test_a_context_that_cannot_be_used_safely_is_refused(
    tmp_path: Path, parts: dict[str, Any], words: str
) -> None:
    with pytest.raises(Refused, match=words):
        await opened(kubeconfig(tmp_path / "config", HERE, **parts))


async def test_an_unknown_context_is_answered_with_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no context prdo") as told:
        await opened(kubeconfig(tmp_path / "config", HERE), "prdo")
    assert "prod" in told.value.hint


@pytest.mark.parametrize("text", ["", "{{{", "- 1", "contexts: 3", "just words", "users: [{}]", "\x00"])
async def test_a_file_that_is_no_kubeconfig_is_refused_without_quoting_it(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config"
    path.write_text(text + "\n# token: hunter2\n")

    with pytest.raises(SteersmanError) as told:
        await opened(path)
    assert isinstance(told.value, Refused | NotFound)
    assert told.value.__cause__ is None or "hunter2" not in str(told.value.__cause__)


async def test_a_missing_file_says_where_to_name_another(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="no kubeconfig") as told:
        await opened(tmp_path / "none")
    assert "KUBECONFIG" in told.value.hint


def test_the_contexts_of_several_files_are_listed_side_by_side(tmp_path: Path) -> None:
    one = kubeconfig(tmp_path / "one", HERE, context={"cluster": "here", "user": "bot", "namespace": "shop"})
    other = tmp_path / "other"
    other.write_text(one.read_text().replace("name: prod", "name: dev").replace("current-context: prod\n", ""))

    found = contexts(f"{one}:{other}")

    assert [(context.name, context.namespace, context.current) for context in found] == [
        ("prod", "shop", True),
        ("dev", "shop", False),
    ]


async def test_two_contexts_of_one_file_keep_their_own_credentials(wire: Wire, tmp_path: Path) -> None:
    wire.serve(PODS, EMPTY)
    one = kubeconfig(tmp_path / "one", wire.url, user={"token": "first"})
    two = kubeconfig(tmp_path / "two", wire.url, user={"token": "second"})
    sources = {"prod": Kubeconfig(str(one)), "dev": Kubeconfig(str(two), "prod")}
    clusters = await connect(sources, Options(wire.clock, lambda: 0.0))
    try:
        await reading(clusters).pods.list("shop")
        await clusters.reader("dev", reading(clusters)._caller.identity, reading(clusters)._caller.reach).pods.list(
            "shop"
        )
    finally:
        await clusters.close()

    assert [heard.headers["Authorization"] for heard in wire.heard] == ["Bearer first", "Bearer second"]


async def test_a_token_file_wins_over_the_token_beside_it_and_is_read_again(tmp_path: Path) -> None:
    clock = Standstill()
    (tmp_path / "token").write_text("one\n")
    path = kubeconfig(tmp_path / "config", HERE, user={"token": "stale", "tokenFile": str(tmp_path / "token")})
    found = await open_credentials(Kubeconfig(str(path)), clock.now)
    assert await found.authorization() == "Bearer one"

    (tmp_path / "token").write_text("two\n")
    assert await found.authorization() == "Bearer one"
    clock.time += timedelta(minutes=2)
    assert await found.authorization() == "Bearer two"


async def test_a_token_file_that_vanishes_for_a_moment_does_not_lock_us_out(tmp_path: Path) -> None:
    clock = Standstill()
    (tmp_path / "token").write_text("one")
    path = kubeconfig(tmp_path / "config", HERE, user={"tokenFile": str(tmp_path / "token")})
    found = await open_credentials(Kubeconfig(str(path)), clock.now)

    (tmp_path / "token").unlink()
    clock.time += timedelta(minutes=2)

    assert await found.authorization() == "Bearer one"


async def test_a_plugins_token_is_used_until_shortly_before_it_expires(tmp_path: Path) -> None:
    clock = Standstill()
    expires = (clock.time + timedelta(minutes=30)).isoformat().replace("+00:00", "Z")
    count = tmp_path / "count"
    command = script(tmp_path / "login", f'echo x >> "{count}"\n{printing(token="fresh", expirationTimestamp=expires)}')
    path = kubeconfig(tmp_path / "config", HERE, user=plugin(command))
    found = await open_credentials(Kubeconfig(str(path)), clock.now)

    clock.time += timedelta(minutes=28)
    assert await found.authorization() == "Bearer fresh"
    assert count.read_text() == "x\n"
    clock.time += timedelta(minutes=1, seconds=1)
    for _ in range(20):  # the plugin prints the cached token again, which now lives for 59 s
        assert await found.authorization() == "Bearer fresh"
    assert count.read_text() == "x\nx\n"


async def test_renewing_happens_once_for_all_who_wait(tmp_path: Path) -> None:
    clock = Standstill()
    count = tmp_path / "count"
    command = script(tmp_path / "login", f'echo x >> "{count}"\nsleep 0.1\n{printing(token="t")}')
    path = kubeconfig(tmp_path / "config", HERE, user=plugin(command))
    found = await open_credentials(Kubeconfig(str(path)), clock.now)

    found.rejected()
    assert set(await asyncio.gather(*(found.authorization() for _ in range(20)))) == {"Bearer t"}
    assert count.read_text() == "x\nx\n"


async def test_a_rejected_token_is_renewed_and_the_read_repeated(wire: Wire, tmp_path: Path) -> None:
    async def only_second(request: web.BaseRequest) -> web.StreamResponse:
        if request.headers["Authorization"] == "Bearer 2":
            return web.json_response(EMPTY)
        return status(401, "Unauthorized")

    wire.script(PODS, only_second)
    count = tmp_path / "count"
    token = '{"apiVersion":"%s","kind":"ExecCredential","status":{"token":"\'$(wc -l < "%s" | tr -d " ")\'"}}'
    command = script(tmp_path / "login", f"echo x >> \"{count}\"\necho '{token % (API, count)}'")
    path = kubeconfig(tmp_path / "config", wire.url, user=plugin(command))
    clusters = await connect({"prod": Kubeconfig(str(path))}, Options(wire.clock, lambda: 0.0))
    try:
        assert await reading(clusters).pods.list("shop") == ()
    finally:
        await clusters.close()
    assert [heard.headers["Authorization"] for heard in wire.heard] == ["Bearer 1", "Bearer 2"]


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            "echo 'please log in: eyJhbGciOiJSUzI1NiIsImtpZCI6IjEyMyJ9.abc' >&2; exit 3",
            "ended with code 3: please log in: …",
        ),
        ("true", "printed nothing that is a credential"),
        ("echo '{}'", "printed no ExecCredential"),
        (printing(), "neither a token nor a certificate"),
        (printing(clientCertificateData="x"), "neither a token nor a certificate"),
        ('echo \'{"status": "hunter2\'', "printed nothing that is a credential"),
        ("sleep 30 & wait", "did not end within"),
        ("head -c 300000 /dev/zero >&2; exit 1", "ended with code 1"),
        ("cat >/dev/null; " + printing(), "neither a token nor a certificate"),
    ],
)
async def test_a_plugin_that_fails_is_told_and_never_becomes_anonymous(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, body: str, words: str
) -> None:
    monkeypatch.setattr(credentials, "_SECONDS", 0.5)
    path = kubeconfig(tmp_path / "config", HERE, user=plugin(script(tmp_path / "login", body)))
    began = time.monotonic()

    with pytest.raises(Unavailable, match="The credential plugin login of the context prod") as told:
        await opened(path)

    assert words in told.value.message
    assert "hunter2" not in str(told.value)
    assert time.monotonic() - began < 5


async def test_a_missing_plugin_gives_its_own_hint(tmp_path: Path) -> None:
    path = kubeconfig(tmp_path / "config", HERE, user=plugin("no-such-login", installHint="brew install login"))

    with pytest.raises(Unavailable, match="cannot be started") as told:
        await opened(path)
    assert told.value.hint == "brew install login"


async def test_a_plugin_is_told_the_cluster_where_it_asks_and_found_beside_the_kubeconfig(tmp_path: Path) -> None:
    script(tmp_path / "login", f'echo "$KUBERNETES_EXEC_INFO $EXTRA" > "{tmp_path}/info"\n{printing(token="t")}')
    user = plugin("./login", provideClusterInfo=True, env=[{"name": "EXTRA", "value": "yes"}])
    found = await opened(kubeconfig(tmp_path / "config", HERE, user=user))

    assert await found.authorization() == "Bearer t"
    info, _, extra = (tmp_path / "info").read_text().strip().rpartition(" ")
    assert json.loads(info)["spec"] == {"interactive": False, "cluster": {"server": HERE}}
    assert extra == "yes"


async def test_the_service_account_of_a_pod_is_read_with_its_line_break_stripped(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, authority: Callable[[Path], Path]
) -> None:
    with pytest.raises(Refused, match="does not run in a pod"):
        await open_credentials(InCluster(), Standstill().now)

    (tmp_path / "token").write_text("pod-token\n")
    here = "kubernetes.aio.config.incluster_config"
    monkeypatch.setattr(f"{here}.SERVICE_TOKEN_FILENAME", str(tmp_path / "token"))
    monkeypatch.setattr(f"{here}.SERVICE_CERT_FILENAME", str(authority(tmp_path)))
    monkeypatch.setenv("KUBERNETES_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("KUBERNETES_SERVICE_PORT", "443")

    found = await open_credentials(InCluster(), Standstill().now)

    assert found.host == "https://10.0.0.1:443"
    assert (await found.authorization()).lower() == "bearer pod-token"


async def test_a_client_certificate_speaks_without_a_token(tmp_path: Path, authority: Callable[[Path], Path]) -> None:
    pem = base64.b64encode(authority(tmp_path).read_bytes()).decode()
    key = base64.b64encode((tmp_path / "ca.key").read_bytes()).decode()
    found = await opened(
        kubeconfig(tmp_path / "config", HERE, user={"client-certificate-data": pem, "client-key-data": key})
    )

    assert await found.authorization() == ""
    assert "key" not in repr(found)


def test_the_typed_half_of_the_client_is_never_imported() -> None:
    program = (
        "import sys, bot.kube.clusters\n"
        "bad = [m for m in sys.modules if m.startswith('kubernetes.') and "
        "('.api.' in m or '.models.' in m)]\n"
        "print(len(bad), bad[:3])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60)

    assert done.stdout.startswith("0 "), done.stdout
