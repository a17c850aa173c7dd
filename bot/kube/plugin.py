"""Credential plugins: the command of a kubeconfig's `exec:` that prints a token or a certificate.

The protocol is client.authentication.k8s.io/v1 (and v1beta1, which has the same fields). The package's own runner
waits for ever, hands the terminal to the command and calls the cluster anonymously where it fails; so it runs here.
"""

import asyncio
import os
import re
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec

from bot.core.errors import Refused, Unavailable
from bot.core.plan import Json
from bot.kube.errors import tidy

_VERSIONS: Final = ("client.authentication.k8s.io/v1", "client.authentication.k8s.io/v1beta1")
_LIKE_A_TOKEN = re.compile(r"[A-Za-z0-9+/=_.-]{24,}")


class _Variable(msgspec.Struct, gc=False):
    name: str
    value: str


class _Exec(msgspec.Struct, rename="camel", gc=False):
    command: str = ""
    api_version: str = ""
    args: list[str] | None = None
    env: list[_Variable] | None = None
    install_hint: str = ""
    interactive_mode: str = ""
    provide_cluster_info: bool = False


class _Status(msgspec.Struct, rename="camel", gc=False):
    token: str | None = None
    client_certificate_data: str | None = None
    client_key_data: str | None = None
    expiration_timestamp: datetime | None = None


class _Credential(msgspec.Struct, rename="camel", gc=False):
    kind: str = ""
    api_version: str = ""
    status: _Status | None = None


@dataclass(frozen=True, slots=True)
class Grant:
    """What a plugin printed: a token, or a certificate with its key (PEM), or both; good until `expires`."""

    token: str
    certificate: str
    key: str
    expires: datetime | None

    def __repr__(self) -> str:
        return f"Grant(expires={self.expires})"


@dataclass(frozen=True, slots=True)
class Plugin:
    """One exec plugin, ready to run. `seconds` is how long it may take."""

    context: str
    command: Sequence[str]
    environment: Mapping[str, str]
    api_version: str
    install_hint: str
    seconds: float

    async def run(self) -> Grant:
        """Run the command once. Raises Unavailable where it fails, hangs, or prints no credential."""
        try:
            process = await asyncio.create_subprocess_exec(
                *self.command,
                env={**os.environ, **self.environment},
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                start_new_session=True,
            )
        except (OSError, ValueError) as error:
            raise self._failed("cannot be started", hint=self.install_hint) from error
        try:
            async with asyncio.timeout(self.seconds):
                printed, complaint = await process.communicate()
        except TimeoutError as error:
            raise self._failed(f"did not end within {self.seconds:g} s") from error
        finally:
            if process.returncode is None:
                # Its children too: a helper that waits for a browser would hold the pipes open.
                os.killpg(process.pid, signal.SIGKILL)
                await process.wait()
        if process.returncode:
            last = complaint.decode(errors="replace").strip().rpartition("\n")[2]
            words = tidy(_LIKE_A_TOKEN.sub("…", last), 200)
            raise self._failed(f"ended with code {process.returncode}" + (f": {words}" if words else ""))
        return self._grant(printed)

    def _grant(self, printed: bytes) -> Grant:
        try:
            credential = msgspec.json.decode(printed, type=_Credential)
        except (msgspec.DecodeError, UnicodeDecodeError):
            # Not chained: the decoder's message may quote what was printed.
            raise self._failed("printed nothing that is a credential") from None
        if credential.kind != "ExecCredential" or credential.api_version != self.api_version:
            raise self._failed(f"printed no ExecCredential of {self.api_version}")
        status = credential.status or _Status()
        grant = Grant(
            token=(status.token or "").strip(),
            certificate=status.client_certificate_data or "",
            key=status.client_key_data or "",
            expires=status.expiration_timestamp,
        )
        if bool(grant.certificate) != bool(grant.key) or not (grant.token or grant.certificate):
            raise self._failed("printed neither a token nor a certificate with its key")
        return grant

    def _failed(self, what: str, *, hint: str = "") -> Unavailable:
        return Unavailable(
            f"The credential plugin {tidy(Path(self.command[0]).name, 60)} of the context {self.context} {what}.",
            hint=tidy(hint) or "Run the same kubectl command by hand: it calls this plugin too.",
        )


def plugin(context: str, spec: Json, cluster: Json, folder: Path, *, seconds: float) -> Plugin:
    """The plugin of a kubeconfig's user. `cluster` is handed to it where it asks (provideClusterInfo).

    A command with a slash is relative to the kubeconfig's folder, as kubectl reads it.
    Raises Refused where the section cannot be used.
    """
    try:
        wanted = msgspec.convert(spec, _Exec)
    except msgspec.ValidationError as error:
        raise Refused(f"The exec section of the context {context} cannot be read: {tidy(str(error))}.") from error
    if not wanted.command or wanted.api_version not in _VERSIONS:
        raise Refused(
            f"The exec section of the context {context} needs a command and an apiVersion that is known here.",
            hint=f"Known: {', '.join(_VERSIONS)}.",
        )
    if wanted.interactive_mode == "Always":
        raise Refused(
            f"The credential plugin of the context {context} wants a terminal, and Steersman gives it none.",
            hint="Use a service account's token, or a plugin that can log in without asking.",
        )
    command = str(folder / wanted.command) if "/" in wanted.command else wanted.command
    info: dict[str, object] = {"interactive": False}
    if wanted.provide_cluster_info:
        known = {"server", "tls-server-name", "insecure-skip-tls-verify", "certificate-authority-data", "proxy-url"}
        info["cluster"] = {key: value for key, value in cluster.items() if key in known}
    asked = {"apiVersion": wanted.api_version, "kind": "ExecCredential", "spec": info}
    return Plugin(
        context=context,
        command=(command, *(wanted.args or [])),
        environment={
            **{variable.name: variable.value for variable in wanted.env or []},
            "KUBERNETES_EXEC_INFO": msgspec.json.encode(asked).decode(),
        },
        api_version=wanted.api_version,
        install_hint=wanted.install_hint,
        seconds=seconds,
    )
