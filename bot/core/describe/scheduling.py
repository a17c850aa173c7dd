"""Where pods may run, in words: affinity, topology spread, tolerations, taints."""

from collections.abc import Iterator

from bot.core.describe.tree import expression, items, mapping, selector, text, words
from bot.core.plan import Json

_REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
_PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def affinity(rules: Json) -> Iterator[str]:
    """A line a rule: `away from pods with app in (myapp), per kubernetes.io/hostname (preferred, weight 100)`."""
    for key, verb in (("podAffinity", "near"), ("podAntiAffinity", "away from")):
        for term in items(rules, f"{key}.{_REQUIRED}"):
            yield f"{_pods(verb, term)} (required)"
        for item in items(rules, f"{key}.{_PREFERRED}"):
            yield f"{_pods(verb, mapping(item, 'podAffinityTerm'))} ({_weight(item)})"
    for term in items(rules, f"nodeAffinity.{_REQUIRED}.nodeSelectorTerms"):
        yield f"{_nodes(term)} (required)"
    for item in items(rules, f"nodeAffinity.{_PREFERRED}"):
        yield f"{_nodes(mapping(item, 'preference'))} ({_weight(item)})"


def spread(spec: Json) -> Iterator[str]:
    """A line a topology spread constraint."""
    for item in items(spec, "topologySpreadConstraints"):
        yield (
            f"over {text(item, 'topologyKey')}, {text(item, 'maxSkew')} apart at most"
            f" ({text(item, 'whenUnsatisfiable')}) for {selector(mapping(item, 'labelSelector')) or 'all pods'}"
        )


def tolerations(spec: Json) -> Iterator[str]:
    """A line a toleration, as kubectl writes them: `key=value:NoSchedule op=Exists for 300 s`."""
    for item in items(spec, "tolerations"):
        limit = text(item, "tolerationSeconds")
        exists = " exists" if text(item, "operator") == "Exists" else ""
        yield f"{_taint(item) or 'everything'}{exists}{f' for {limit} s' if limit else ''}"


def taints(spec: Json) -> Iterator[str]:
    """A line a taint of a node: `key=value:NoSchedule`."""
    for item in items(spec, "taints"):
        yield _taint(item)


def node_terms(terms: Json) -> Iterator[str]:
    """A line a required term of a node selector (a PersistentVolume's node affinity)."""
    for term in items(terms, "nodeSelectorTerms"):
        yield _nodes(term)


def _pods(verb: str, term: Json) -> str:
    spaces = ", ".join(words(term, "namespaces"))
    return (
        f"{verb} pods with {selector(mapping(term, 'labelSelector')) or 'any labels'}"
        f"{f' in {spaces}' if spaces else ''}, per {text(term, 'topologyKey')}"
    )


def _nodes(term: Json) -> str:
    wanted = [expression(item) for key in ("matchExpressions", "matchFields") for item in items(term, key)]
    return f"on nodes with {', '.join(wanted) or 'any labels'}"


def _weight(item: Json) -> str:
    return f"preferred, weight {text(item, 'weight')}"


def _taint(item: Json) -> str:
    value, effect = text(item, "value"), text(item, "effect")
    return f"{text(item, 'key')}{f'={value}' if value else ''}{f':{effect}' if effect else ''}"
