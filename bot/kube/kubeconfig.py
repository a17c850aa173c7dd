"""Kubeconfig files: which contexts they hold, and what of a context cannot be used and why.

`kubernetes.aio` reads and merges the files; what it would get wrong in silence (identities that the file asks to
impersonate, users without a credential, missing entries) is looked at here first.
"""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import yaml
from kubernetes.aio.config import ConfigException
from kubernetes.aio.config.kube_config import ConfigNode, KubeConfigMerger

from bot.core.errors import NotFound, Refused
from bot.core.plan import Json
from bot.core.suggest import nearest

_CREDENTIALS = (
    "token",
    "tokenFile",
    "client-certificate",
    "client-certificate-data",
    "exec",
    "auth-provider",
    "username",
)


@dataclass(frozen=True, slots=True)
class Context:
    """One context of a kubeconfig, as a person chooses among them. `namespace` is its own default, "" for none."""

    name: str
    cluster: str
    user: str
    namespace: str
    current: bool


@dataclass(frozen=True, slots=True)
class Entry:
    """All that one context names, checked for use. `merged` is the package's own view of the files.

    `user` and `cluster` are its live sections: what is replaced in them is what the package will load, and is never
    written back.
    """

    context: Context
    user: dict[str, Any]
    cluster: Json
    folder: Path
    merged: ConfigNode


def contexts(path: str) -> tuple[Context, ...]:
    """The contexts of a kubeconfig (several files with `:` between, as in KUBECONFIG). Reads files: blocking.

    Raises NotFound where no file is there, Refused where one cannot be read.
    """
    return _contexts(_merged(path))


def entry(path: str, context: str = "") -> Entry:
    """One context, "" for the current one, checked. Reads files: blocking.

    Raises NotFound for an unknown context, and Refused for one that cannot be used safely: without user, cluster or
    credential, with `as:`, or with a credential that would travel unencrypted.
    """
    merged = _merged(path)
    wanted = context or merged.value.get("current-context") or ""
    known = {found.name: found for found in _contexts(merged)}
    if not wanted:
        raise NotFound(
            "The kubeconfig has no current context.", hint=f"Name one of: {', '.join(known) or 'none is in it'}."
        )
    if wanted not in known:
        close = nearest(wanted, known)
        raise NotFound(
            f"The kubeconfig has no context {wanted}.",
            hint=f"Did you mean {', '.join(close)}?" if close else f"It has: {', '.join(known) or 'none'}.",
        )
    chosen = known[wanted]
    cluster, folder = _named(merged, "clusters", "cluster", chosen.cluster, wanted)
    user, _ = _named(merged, "users", "user", chosen.user, wanted)
    _refuse_impersonation(user, wanted)
    _refuse_anonymous(user, wanted)
    _refuse_server(cluster, wanted)
    return Entry(chosen, user, cluster, folder, merged)


def _contexts(merged: ConfigNode) -> tuple[Context, ...]:
    current = merged.value.get("current-context") or ""
    return tuple(
        Context(
            name=name,
            cluster=str(section.get("cluster") or ""),
            user=str(section.get("user") or ""),
            namespace=str(section.get("namespace") or ""),
            current=name == current,
        )
        for name, (section, _) in _sections(merged, "contexts", "context").items()
    )


def _merged(path: str) -> ConfigNode:
    try:
        # The package's loaders carry no types.
        merged: ConfigNode | None = KubeConfigMerger(path).config  # type: ignore[no-untyped-call]
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            "The kubeconfig cannot be read.", hint="Check that the file is yours to read and is text."
        ) from error
    except (yaml.YAMLError, AttributeError, KeyError, TypeError, ConfigException):
        # Not chained: a parser's message quotes the file, and there are credentials in it.
        raise Refused(
            "The kubeconfig is not one: its YAML or its sections are wrong.", hint="`kubectl config view` says where."
        ) from None
    if merged is None:
        raise NotFound(
            "There is no kubeconfig where one was looked for.",
            hint="Set KUBECONFIG, or name the file with --kubeconfig.",
        )
    return merged


def _sections(merged: ConfigNode, plural: str, singular: str) -> dict[str, tuple[dict[str, Any], Path]]:
    """Name → section and the folder of its file; entries that are no sections are left out."""
    found: dict[str, tuple[dict[str, Any], Path]] = {}
    for node in merged.value[plural]:
        section = node.value.get(singular) if isinstance(node.value, Mapping) else None
        if isinstance(section, dict):
            found[str(node.value["name"])] = (section, Path(node.path).absolute().parent)
    return found


def _named(merged: ConfigNode, plural: str, singular: str, name: str, context: str) -> tuple[dict[str, Any], Path]:
    if not name:
        raise Refused(f"The context {context} names no {singular}.", hint="`kubectl config set-context` adds it.")
    sections = _sections(merged, plural, singular)
    if name not in sections:
        raise Refused(f"The context {context} names the {singular} {name}, which the kubeconfig does not hold.")
    return sections[name]


def _refuse_impersonation(user: Mapping[str, Any], context: str) -> None:
    if any(user.get(key) for key in ("as", "as-uid", "as-groups", "as-user-extra")):
        raise Refused(
            f"The context {context} acts as somebody else (`as:`), and Steersman does that itself, per request.",
            hint="Use a context without `as`, `as-groups`, `as-uid` and `as-user-extra`.",
        )


def _refuse_anonymous(user: Mapping[str, Any], context: str) -> None:
    if not any(user.get(key) for key in _CREDENTIALS):
        raise Refused(
            f"The context {context} has no credential: the cluster would see an anonymous caller.",
            hint="Give its user a token, a client certificate or an exec plugin.",
        )
    provider = cast(Mapping[str, Any], user.get("auth-provider") or {}).get("name")
    if provider and provider != "oidc":
        raise Refused(
            f"The context {context} logs in with the auth provider {provider}, which kubectl has dropped too.",
            hint="Use the exec plugin of that provider.",
        )


def _refuse_server(cluster: Json, context: str) -> None:
    server = urlsplit(str(cluster.get("server") or ""))
    if server.scheme not in {"http", "https"} or not server.hostname:
        raise Refused(f"The cluster of the context {context} has no usable server address.")
    if server.scheme == "http" and not _loopback(server.hostname):
        raise Refused(
            f"The context {context} would send its credential unencrypted (http).", hint="Use the https address."
        )
    proxy = urlsplit(str(cluster.get("proxy-url") or "http:"))
    if proxy.scheme not in {"http", "https"}:
        raise Refused(f"The context {context} wants a {proxy.scheme} proxy; Steersman knows http and https ones.")


def _loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
