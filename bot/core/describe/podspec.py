"""Pod specs in words: containers with their probes, resources and environment; volumes; where pods may run."""

from collections.abc import Iterator, Sequence

from bot.core.describe.scheduling import affinity, spread, tolerations
from bot.core.describe.tree import flat, items, listed, mapping, pairs, seconds, text, words
from bot.core.masking import MASK, hidden, hidden_words, secretive
from bot.core.plan import Json
from bot.core.reply import Fields, Part, Text, fields

# The defaults of the API, not worth a word.
_DEFAULTS = {"restartPolicy": "Always", "dnsPolicy": "ClusterFirst", "serviceAccountName": "default"}


def pod_spec(spec: Json, states: Sequence[tuple[str, Fields]] = ()) -> tuple[Part, ...]:
    """A pod's spec: a block a container, then what all of them share. `states` are fields a container has beside."""
    state = dict(states)
    parts: list[Part] = []
    for title, key in (("Init container", "initContainers"), ("Container", "containers")):
        for container in items(spec, key):
            name = text(container, "name")
            own = state.get(name, Fields(()))
            parts += [Text(f"{title} `{name}`"), Fields((*own.items, *_container(container).items))]
    return (*parts, _shared(spec))


def _shared(spec: Json) -> Fields:
    return fields(
        [
            ("Restart policy", _unusual(spec, "restartPolicy")),
            ("DNS", _unusual(spec, "dnsPolicy")),
            ("Service account", _unusual(spec, "serviceAccountName")),
            ("Security", flat(mapping(spec, "securityContext"))),
            ("Priority class", text(spec, "priorityClassName")),
            ("Grace period", seconds(spec, "terminationGracePeriodSeconds")),
            ("Pull secrets", ", ".join(text(item, "name") for item in items(spec, "imagePullSecrets"))),
            ("Host", ", ".join(key for key in ("hostNetwork", "hostPID", "hostIPC") if spec.get(key) is True)),
            ("Volumes", listed(f"{text(item, 'name')}: {volume(item)}" for item in items(spec, "volumes"))),
            ("Node selector", pairs(mapping(spec, "nodeSelector"))),
            ("Affinity", listed(affinity(mapping(spec, "affinity")))),
            ("Spread", listed(spread(spec))),
            ("Tolerations", listed(tolerations(spec))),
        ]
    )


def _container(container: Json) -> Fields:
    return fields(
        [
            ("Image", _image(container)),
            ("Command", hidden_words((*words(container, "command"), *words(container, "args")))),
            ("Ports", ", ".join(_port(item) for item in items(container, "ports"))),
            ("Requests", _amounts(mapping(container, "resources.requests"))),
            ("Limits", _amounts(mapping(container, "resources.limits"))),
            ("Liveness", probe(mapping(container, "livenessProbe"))),
            ("Readiness", probe(mapping(container, "readinessProbe"))),
            ("Startup", probe(mapping(container, "startupProbe"))),
            ("Security", flat(mapping(container, "securityContext"))),
            ("Environment", listed(_variables(container))),
            ("Mounts", listed(_mount(item) for item in items(container, "volumeMounts"))),
        ]
    )


def probe(spec: Json) -> str:
    """`GET /health on port http; after 30 s, every 10 s, timeout 5 s, 3 failures`. Empty where there is none."""
    if not spec:
        return ""
    http = mapping(spec, "httpGet")
    if http:
        what = f"{text(http, 'scheme') or 'HTTP'} GET {text(http, 'path') or '/'} on port {text(http, 'port')}"
    elif port := text(spec, "tcpSocket.port"):
        what = f"TCP connect to port {port}"
    elif port := text(spec, "grpc.port"):
        what = f"gRPC check on port {port}"
    else:
        what = f"runs {hidden_words(words(spec, 'exec.command'))}"
    details = [
        f"{before}{found}{after}"
        for before, key, after in (
            ("after ", "initialDelaySeconds", " s"),
            ("every ", "periodSeconds", " s"),
            ("timeout ", "timeoutSeconds", " s"),
            ("", "failureThreshold", " failures"),
        )
        if (found := text(spec, key))
    ]
    return f"{what}; {', '.join(details)}" if details else what


def volume(item: Json) -> str:
    """Where a volume comes from: `configmap/myapp-config`, `claim/myapp-data`, `empty directory`."""
    match next(((key, mapping(value)) for key, value in item.items() if key != "name"), ("emptyDir", {})):
        case ("configMap", source):
            return f"configmap/{text(source, 'name')}{_optional(source)}"
        case ("secret", source):
            return f"secret/{text(source, 'secretName')}{_optional(source)}"
        case ("persistentVolumeClaim", source):
            return f"claim/{text(source, 'claimName')}{' (read-only)' if source.get('readOnly') is True else ''}"
        case ("emptyDir", source):
            details = flat(source)
            return f"empty directory{f' ({details})' if details else ''}"
        case ("hostPath", source):
            return f"host path {text(source, 'path')}"
        case ("projected", source):
            return f"projected: {', '.join(key for part in items(source, 'sources') for key in part)}"
        case (kind, source):
            return f"{kind} {flat(source)}".strip()


def _variables(container: Json) -> Iterator[str]:
    for source in items(container, "envFrom"):
        prefix = text(source, "prefix")
        for key, kind in (("configMapRef", "configmap"), ("secretRef", "secret")):
            if ref := mapping(source, key):
                yield f"{f'{prefix}*: ' if prefix else ''}all of {kind}/{text(ref, 'name')}{_optional(ref)}"
    for variable in items(container, "env"):
        name = text(variable, "name")
        if origin := mapping(variable, "valueFrom"):
            yield f"{name}: {_origin(origin)}"
        else:
            value = text(variable, "value")
            yield f"{name}={MASK if value and secretive(name) else hidden(value)}"


def _origin(source: Json) -> str:
    match next(((key, mapping(value)) for key, value in source.items()), ("", {})):
        case ("fieldRef", ref):
            return f"field {text(ref, 'fieldPath')}"
        case ("resourceFieldRef", ref):
            return f"resource {text(ref, 'resource')}"
        case ("configMapKeyRef", ref):
            return f"key {text(ref, 'key')} of configmap/{text(ref, 'name')}{_optional(ref)}"
        case ("secretKeyRef", ref):
            return f"key {text(ref, 'key')} of secret/{text(ref, 'name')}{_optional(ref)}"
        case (kind, ref):
            return f"{kind} {flat(ref)}".strip()


def _image(container: Json) -> str:
    policy = text(container, "imagePullPolicy")
    return f"{text(container, 'image')}{f' (pull: {policy})' if policy else ''}"


def _port(item: Json) -> str:
    name, protocol = text(item, "name"), text(item, "protocol") or "TCP"
    return f"{name + ' ' if name else ''}{text(item, 'containerPort')}/{protocol}"


def _mount(item: Json) -> str:
    path = "/".join(part for part in (text(item, "name"), text(item, "subPath")) if part)
    return f"{text(item, 'mountPath')} from {path}{' (read-only)' if item.get('readOnly') is True else ''}"


def _amounts(amounts: Json) -> str:
    return ", ".join(f"{key} {text(value)}" for key, value in amounts.items())


def _unusual(spec: Json, key: str) -> str:
    found = text(spec, key)
    return "" if found == _DEFAULTS.get(key) else found


def _optional(ref: Json) -> str:
    return " (optional)" if ref.get("optional") is True else ""
