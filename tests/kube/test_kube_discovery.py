"""Which kind a word means, in the old and the new form of discovery."""

from typing import Any

import pytest
from rigs.wire import Wire, reading

from bot.core.errors import NotFound
from bot.core.people import Impersonated
from bot.kube.clusters import KubeClusters


def legacy(wire: Wire) -> None:
    """A cluster that answers discovery in the old form, with one aggregated API that is away."""

    def resource(name: str, kind: str, *short: str, namespaced: bool = True) -> dict[str, Any]:
        return {
            "name": name,
            "singularName": "",
            "kind": kind,
            "shortNames": list(short),
            "namespaced": namespaced,
            "verbs": ["get", "list"],
        }

    def group(name: str, *versions: str) -> dict[str, Any]:
        listed = [{"groupVersion": f"{name}/{version}"} for version in versions]
        return {"name": name, "preferredVersion": listed[0], "versions": listed}

    wire.serve("/api", {"kind": "APIVersions", "versions": ["v1"]})
    wire.serve(
        "/apis",
        {
            "kind": "APIGroupList",
            "groups": [group("corp.io", "v2", "v1"), group("events.k8s.io", "v1"), group("metrics.k8s.io", "v1beta1")],
        },
    )
    core = [resource("pods", "Pod", "po"), resource("pods/log", "Pod"), resource("events", "Event", "ev")]
    wire.serve("/api/v1", {"resources": core})
    wire.serve("/apis/corp.io/v2", {"resources": [resource("widgets", "Widget", "wd")]})
    wire.serve("/apis/corp.io/v1", {"resources": [resource("widgets", "Widget"), resource("gadgets", "Gadget")]})
    wire.serve("/apis/events.k8s.io/v1", {"resources": [resource("events", "Event", "ev")]})
    wire.refuse("/apis/metrics.k8s.io/v1beta1", 503, "ServiceUnavailable", "away")


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("pods", "v1 pods"),
        ("POD", "v1 pods"),
        ("po", "v1 pods"),
        ("ev", "v1 events"),
        ("events.events.k8s.io", "events.k8s.io/v1 events"),
        ("widgets", "corp.io/v2 widgets"),
        ("widget.corp.io", "corp.io/v2 widgets"),
        ("widgets.v2.corp.io", "corp.io/v2 widgets"),
        ("Gadget", "corp.io/v1 gadgets"),
    ],
)
async def test_a_word_names_a_kind_as_kubectl_reads_it(
    wire: Wire, clusters: KubeClusters, word: str, meant: str
) -> None:
    legacy(wire)

    kind = await reading(clusters).objects.find_kind(word)

    assert f"{kind.api_version} {kind.resource}" == meant


async def test_an_unknown_kind_is_answered_with_the_nearest_names(wire: Wire, clusters: KubeClusters) -> None:
    legacy(wire)

    with pytest.raises(NotFound, match="no kind 'wigdets'") as told:
        await reading(clusters).objects.find_kind("wigdets")
    assert "widgets" in told.value.hint


async def test_discovery_is_read_once_for_all_and_again_for_a_word_that_is_new(
    wire: Wire, clusters: KubeClusters
) -> None:
    legacy(wire)
    await reading(clusters).objects.find_kind("pods")
    before = len(wire.heard)
    await reading(clusters, Impersonated("alice")).objects.find_kind("widgets")
    assert len(wire.heard) == before

    new = {"name": "gizmos", "kind": "Gizmo", "namespaced": True, "verbs": ["list"]}
    wire.serve("/apis/corp.io/v2", {"resources": [new]})
    await wire.clock.sleep(60)
    assert (await reading(clusters).objects.find_kind("gizmo")).resource == "gizmos"


async def test_aggregated_discovery_needs_two_requests(wire: Wire, clusters: KubeClusters) -> None:
    def answer(group: str, version: str, resource: str, kind: str) -> dict[str, Any]:
        listed = {
            "resource": resource,
            "responseKind": {"kind": kind},
            "scope": "Namespaced",
            "singularResource": kind.lower(),
            "verbs": ["get", "list"],
            "shortNames": [],
        }
        metadata = {"name": group} if group else {}
        return {
            "kind": "APIGroupDiscoveryList",
            "items": [{"metadata": metadata, "versions": [{"version": version, "resources": [listed]}]}],
        }

    wire.serve("/api", answer("", "v1", "pods", "Pod"))
    wire.serve("/apis", answer("apps", "v1", "deployments", "Deployment"))

    kinds = await reading(clusters).objects.kinds()

    assert [(kind.api_version, kind.kind, kind.namespaced) for kind in kinds] == [
        ("v1", "Pod", True),
        ("apps/v1", "Deployment", True),
    ]
    assert len(wire.heard) == 2
