"""What pods and nodes use is summed and rounded as `kubectl top` does."""

import pytest
from rigs.wire import Wire, reading

from bot.core.errors import NotFound, Unavailable
from bot.kube.clusters import KubeClusters


def metrics(wire: Wire, *versions: str) -> None:
    wire.serve("/apis/metrics.k8s.io", {"versions": [{"version": version} for version in versions]})


async def test_usage_is_summed_and_rounded_as_kubectl_top_does(wire: Wire, clusters: KubeClusters) -> None:
    metrics(wire, "v1beta1")
    usage = [{"usage": {"cpu": "123456n", "memory": "1Mi"}}, {"usage": {"cpu": "2", "memory": "1048575"}}]
    pod = {"metadata": {"name": "web-1", "namespace": "shop"}, "containers": usage}
    wire.serve("/apis/metrics.k8s.io/v1beta1/namespaces/shop/pods", {"metadata": {}, "items": [pod]})
    node = {"metadata": {"name": "n1"}, "usage": {"cpu": "1999m", "memory": "999Mi"}}
    wire.serve("/apis/metrics.k8s.io/v1beta1/nodes", {"metadata": {}, "items": [node]})
    size = {"metadata": {"name": "n1"}, "status": {"allocatable": {"cpu": "4", "memory": "1000Mi"}}}
    wire.serve("/api/v1/nodes", {"metadata": {}, "items": [size]})
    reader = reading(clusters).metrics

    (used,) = await reader.pods("shop")
    assert (used.cpu_millicores, used.memory_mib) == (2001, 1)
    (node_used,) = await reader.nodes()
    assert (node_used.cpu_percent, node_used.memory_percent) == (49, 99)


async def test_the_newer_metrics_api_is_preferred(wire: Wire, clusters: KubeClusters) -> None:
    metrics(wire, "v1beta1", "v1")
    wire.serve("/apis/metrics.k8s.io/v1/namespaces/shop/pods", {"metadata": {}, "items": []})

    assert await reading(clusters).metrics.pods("shop") == ()


async def test_a_cluster_without_metrics_says_what_provides_them(wire: Wire, clusters: KubeClusters) -> None:
    with pytest.raises(NotFound, match="prod has no metrics API") as told:
        await reading(clusters).metrics.pods("shop")
    assert "metrics-server" in told.value.hint


async def test_an_amount_that_is_no_number_is_not_guessed(wire: Wire, clusters: KubeClusters) -> None:
    metrics(wire, "v1")
    pod = {"metadata": {"name": "x"}, "containers": [{"usage": {"cpu": "much", "memory": "1"}}]}
    wire.serve("/apis/metrics.k8s.io/v1/namespaces/shop/pods", {"metadata": {}, "items": [pod]})

    with pytest.raises(Unavailable, match="no number"):
        await reading(clusters).metrics.pods("shop")
