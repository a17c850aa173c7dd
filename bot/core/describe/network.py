"""Service and Ingress in words."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from bot.core.describe.metadata import about, conditions
from bot.core.describe.tree import flat, items, mapping, pairs, seconds, text, words
from bot.core.plan import Json
from bot.core.reply import Note, Part, Table, Tone, fields

_CLASS = "kubernetes.io/ingress.class"
_MOST_ENDPOINTS = 20


def service(manifest: Json, now: datetime, slices: Sequence[Json] | None) -> tuple[Part, ...]:
    """Type, addresses, ports, affinity, and the endpoints of its EndpointSlices."""
    spec = mapping(manifest, "spec")
    affinity = text(spec, "sessionAffinity")
    lasting = seconds(spec, "sessionAffinityConfig.clientIP.timeoutSeconds")
    head = fields(
        [
            ("Type", text(spec, "type")),
            ("Cluster IP", ", ".join(words(spec, "clusterIPs")) or text(spec, "clusterIP")),
            ("External", ", ".join(_addresses(manifest)) or text(spec, "externalName")),
            ("Selector", pairs(mapping(spec, "selector")).replace("\n", ",")),
            ("Session affinity", f"{affinity}{f' for {lasting}' if lasting else ''}" if affinity != "None" else None),
            ("External traffic", text(spec, "externalTrafficPolicy")),
            ("Internal traffic", text(spec, "internalTrafficPolicy")),
            ("Source ranges", ", ".join(words(spec, "loadBalancerSourceRanges"))),
        ]
    )
    ports = tuple(
        (
            text(item, "name"),
            f"{text(item, 'port')}/{text(item, 'protocol') or 'TCP'}",
            text(item, "targetPort"),
            text(item, "nodePort"),
        )
        for item in items(spec, "ports")
    )
    table = Table(("Name", "Port", "Target", "Node port"), ports)
    return (head, table, *_endpoints(spec, slices), about(manifest, now), *conditions(manifest, now))


def ingress(manifest: Json, now: datetime) -> tuple[Part, ...]:
    """Class, addresses, rules with their backends, TLS and annotations."""
    spec = mapping(manifest, "spec")
    head = fields(
        [
            ("Class", text(spec, "ingressClassName") or text(manifest, f'metadata.annotations."{_CLASS}"')),
            ("Address", ", ".join(_addresses(manifest))),
            ("Default backend", _backend(mapping(spec, "defaultBackend"))),
            ("TLS", "\n".join(_tls(item) for item in items(spec, "tls"))),
        ]
    )
    rows = tuple(
        (
            text(rule, "host") or "any host",
            text(path, "path") or "/",
            text(path, "pathType"),
            _backend(mapping(path, "backend")),
        )
        for rule in items(spec, "rules")
        for path in items(rule, "http.paths")
    )
    rules = (Table(("Host", "Path", "Type", "Backend"), rows),) if rows else ()
    return (head, *rules, about(manifest, now))


def _addresses(manifest: Json) -> Iterator[str]:
    for item in items(manifest, "status.loadBalancer.ingress"):
        yield text(item, "hostname") or text(item, "ip")


def _endpoints(spec: Json, slices: Sequence[Json] | None) -> tuple[Part, ...]:
    if slices is None or (not slices and not mapping(spec, "selector")):
        return ()
    found = [
        (address, endpoint)
        for piece in slices
        for endpoint in items(piece, "endpoints")
        for address in words(endpoint, "addresses")
    ]
    # The API: a missing `ready` means unknown, to be read as ready.
    rows = tuple(
        (
            address,
            "no" if text(endpoint, "conditions.ready") == "false" else "yes",
            text(endpoint, "targetRef.name"),
            text(endpoint, "nodeName"),
        )
        for address, endpoint in found
    )
    table = (Table(("Endpoint", "Ready", "Pod", "Node"), rows[:_MOST_ENDPOINTS], len(rows)),) if rows else ()
    if any(row[1] == "yes" for row in rows):
        return table
    why = "none of its pods is ready" if found else "no pod matches its selector"
    return (*table, Note(f"It has no ready endpoint: {why}. Requests to it fail.", Tone.WARN))


def _backend(backend: Json) -> str:
    if target := mapping(backend, "service"):
        return f"service/{text(target, 'name')}:{text(target, 'port.name') or text(target, 'port.number')}"
    return flat(mapping(backend, "resource"))


def _tls(item: Json) -> str:
    secret = text(item, "secretName")
    return f"{', '.join(words(item, 'hosts')) or 'any host'}{f' by secret/{secret}' if secret else ''}"
