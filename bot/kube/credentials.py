"""How a cluster is reached and how it knows us: address, TLS, and a credential that stays fresh.

`kubernetes.aio` loads them (kubeconfig or service account) and builds the TLS context. Renewing is done here: the
package reads a credential once, except the token of a pod's service account.
"""

import asyncio
import base64
import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, TypeAlias, assert_never

import aiohttp
from kubernetes.aio.client import Configuration
from kubernetes.aio.client.rest import RESTClientObject
from kubernetes.aio.config import ConfigException, load_incluster_config
from kubernetes.aio.config.kube_config import KubeConfigLoader

from bot.core.errors import Refused, SteersmanError, Unavailable
from bot.kube.kubeconfig import Entry, entry
from bot.kube.plugin import Plugin, plugin

Now: TypeAlias = Callable[[], datetime]
# Loads the credential into the Configuration; answers when it expires, None where it does not say.
Load: TypeAlias = Callable[[Configuration], Awaitable[datetime | None]]

_REREAD: Final = timedelta(minutes=1)
_EARLY: Final = timedelta(minutes=1)
_AGAIN: Final = timedelta(seconds=10)
_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True)
class Kubeconfig:
    """A context of a kubeconfig file (or files, as in KUBECONFIG); "" is the file's current context."""

    path: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class InCluster:
    """The service account of the pod that this runs in."""


Source: TypeAlias = Kubeconfig | InCluster


class Credentials:
    """The way to one cluster. `authorization()` is asked before every request and renews what is due."""

    def __init__(
        self,
        settings: Configuration,
        now: Now,
        *,
        load: Load | None,
        reread: timedelta | None,
        expires: datetime | None,
    ) -> None:
        self._settings = settings
        self._now = now
        self._load = load
        self._reread = reread
        self._lock = asyncio.Lock()
        self._chain = (settings.cert_file, settings.key_file)
        self._expires: datetime | None = None
        self._due: datetime | None = None
        self._schedule(expires)
        self.host = str(settings.host).rstrip("/")
        self.proxy: str | None = settings.proxy
        self.server_hostname: str | None = settings.tls_server_name
        self.ssl: ssl.SSLContext = RESTClientObject(settings).ssl_context

    def __repr__(self) -> str:
        return f"Credentials({self.host})"

    async def authorization(self) -> str:
        """The Authorization header, "" where a client certificate speaks for us.

        Raises Unavailable where the credential ran out and no new one can be had.
        """
        if self._is_due():
            async with self._lock:
                if self._is_due():  # who waited at the lock finds it done
                    await self._renew()
        try:
            value = await self._settings.get_api_key_with_prefix("BearerToken") or ""
        except (OSError, ConfigException) as error:
            raise Unavailable("The service account's token cannot be read.") from error
        scheme, _, token = value.partition(" ")
        # A token file ends with a line break, which no header may hold.
        return f"{scheme} {token.strip()}" if token.strip() else ""

    @property
    def renewable(self) -> bool:
        """Whether a new credential can be had: not for a token or certificate that stands in the file itself."""
        return self._load is not None

    def rejected(self) -> None:
        """The cluster answered 401: renew before the next request."""
        if self.renewable:
            self._due = self._expires = self._now()

    async def trust_anew(self) -> None:
        """Read the certificate authority's file again: a cluster may rotate it under a running bot.

        Raises Unavailable where the file is gone or damaged.
        """
        if path := self._settings.ssl_ca_cert:
            try:
                await asyncio.to_thread(self.ssl.load_verify_locations, path)
            except OSError as error:
                raise Unavailable("The file of the cluster's certificate authority cannot be read any more.") from error

    def _is_due(self) -> bool:
        return self._due is not None and self._now() >= self._due

    async def _renew(self) -> None:
        if self._load is None:
            return
        try:
            expires = await self._load(self._settings)
            chain = (self._settings.cert_file, self._settings.key_file)
            if chain != self._chain and chain[0]:
                await asyncio.to_thread(self.ssl.load_cert_chain, chain[0], chain[1])
                self._chain = chain
        except SteersmanError:
            if self._expires and self._now() >= self._expires:
                raise
            # What we hold is still good: go on with it, and ask again soon instead of at every request.
            self._due = self._now() + _AGAIN
        else:
            self._schedule(expires)

    def _schedule(self, expires: datetime | None) -> None:
        now = self._now()
        self._expires = expires
        if expires:
            # A minute early, or a tenth of a short life; but a plugin that prints its cached token until the very end
            # is not run for every request of the last minute.
            life = max(expires - now, timedelta(seconds=1))
            self._due = now + max(life - min(_EARLY, life / 10), min(life, _AGAIN))
        else:
            self._due = now + self._reread if self._reread else None


async def open_credentials(source: Source, now: Now) -> Credentials:
    """Load what one cluster needs; what blocks runs in a thread.

    Raises NotFound for a file or context that is not there, Refused for one that cannot be used safely or at all,
    Unavailable where its plugin fails.
    """
    match source:
        case Kubeconfig(path, context):
            return await _from_kubeconfig(await asyncio.to_thread(entry, path, context), now)
        case InCluster():
            return await asyncio.to_thread(_from_pod, now)
        case _:
            assert_never(source)


def _from_pod(now: Now) -> Credentials:
    settings = Configuration()
    try:
        load_incluster_config(client_configuration=settings)  # type: ignore[no-untyped-call]  # the package's loaders carry no types
        return Credentials(settings, now, load=None, reread=None, expires=None)
    except (ConfigException, OSError) as error:
        raise Refused(
            "This does not run in a pod with a service account.",
            hint="Name a kubeconfig, or mount the account's token.",
        ) from error


async def _from_kubeconfig(found: Entry, now: Now) -> Credentials:
    name = found.context.name
    spec = found.user.pop("exec", None)
    command = plugin(name, spec, found.cluster, found.folder, seconds=_SECONDS) if spec else None
    changing = "tokenFile" in found.user or "auth-provider" in found.user
    if "tokenFile" in found.user:
        found.user.pop("token", None)  # the file wins, as in client-go; the package would prefer the copy beside it

    async def load(settings: Configuration) -> datetime | None:
        return await _load(found, command, settings)

    settings = Configuration()
    expires = await load(settings)
    if not settings.api_key.get("BearerToken", "").partition(" ")[2].strip() and not settings.cert_file:
        raise Refused(
            f"The context {name} has no credential: the cluster would see an anonymous caller.",
            hint="Its token or token file is empty.",
        )
    try:
        return await asyncio.to_thread(
            lambda: Credentials(
                settings,
                now,
                load=load if command or changing else None,
                reread=_REREAD if changing else None,
                expires=expires,
            )
        )
    except OSError as error:
        raise _damaged(name) from error


async def _load(found: Entry, command: Plugin | None, settings: Configuration) -> datetime | None:
    """Fill `settings` from the context, running its plugin first."""
    expires: datetime | None = None
    if command:
        grant = await command.run()
        expires = grant.expires
        found.user.update(
            {
                "token": grant.token,
                "client-certificate-data": base64.b64encode(grant.certificate.encode()).decode(),
                "client-key-data": base64.b64encode(grant.key.encode()).decode(),
            }
        )
    # A new loader each time: it keeps what it found the first time.
    loader = KubeConfigLoader(  # type: ignore[no-untyped-call]  # the package's loaders carry no types
        found.merged, active_context=found.context.name, config_base_path=None
    )
    try:
        async with asyncio.timeout(_SECONDS):
            await loader.load_and_set(settings)  # type: ignore[no-untyped-call]  # as above
    except (ConfigException, OSError, ValueError, TypeError, aiohttp.ClientError):
        # Not chained: some of these quote the credential that they could not read.
        raise _damaged(found.context.name) from None
    return expires


def _damaged(context: str) -> Refused:
    return Refused(
        f"The context {context} cannot be used: a certificate, key or token that it names is missing or damaged.",
        hint="`kubectl --context` with the same name says which.",
    )
