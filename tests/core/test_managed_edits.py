"""Who wrote which fields of an object, as managedFields tell it."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.edits import edits, told, tool
from bot.core.plan import Json, JsonValue

IMAGE: Json = {"f:spec": {"f:template": {"f:spec": {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}}}}}
REPLICAS: Json = {"f:spec": {"f:replicas": {}}}


def entry(manager: str, operation: str = "Update", time: str = "", sub: str = "", fields: Json = IMAGE) -> Json:
    return {
        "manager": manager,
        "operation": operation,
        "fieldsV1": fields,
        **({"time": time} if time else {}),
        **({"subresource": sub} if sub else {}),
    }


def managed(*entries: JsonValue) -> Json:
    return {"metadata": {"managedFields": entries}}


def test_the_newest_writer_comes_first_and_one_without_a_time_last() -> None:
    found = edits(
        managed(entry("old", time="2026-11-01T00:00:00Z"), entry("ancient"), entry("new", time="2026-11-02T00:00:00Z"))
    )

    assert [one.manager for one in found] == ["new", "old", "ancient"]
    assert found[0].at == datetime(2026, 11, 2, tzinfo=UTC)
    assert found[0].fields == ("spec.template.spec.containers[name=web].image",)


@pytest.mark.parametrize(
    ("one", "who", "wanted"),
    [
        (entry("kubectl-edit"), "kubectl edit", True),
        (entry("kubectl-client-side-apply"), "kubectl apply", True),
        (entry("kubectl", "Apply"), "kubectl apply", True),
        (entry("kubectl", sub="scale", fields=REPLICAS), "kubectl scale", True),
        (entry("argocd-controller"), "Argo CD", True),
        (entry("helm-controller"), "Flux (Helm)", True),
        (entry("helm"), "Helm", True),
        (entry("k9s"), "k9s", True),
        (entry("kube-controller-manager", sub="scale", fields=REPLICAS), "an autoscaler", True),
        (entry("kube-controller-manager", sub="status"), "Kubernetes itself", False),
        (entry("kube-controller-manager"), "Kubernetes itself", False),
        (entry("helm", sub="status"), "Helm", False),
    ],
)
def test_writers_are_called_as_people_call_them(one: Json, who: str, wanted: bool) -> None:
    [found] = edits(managed(one))

    assert (found.who, found.wanted) == (who, wanted)


def test_scale_and_apply_are_told_apart_from_an_update() -> None:
    found = edits(managed(entry("a", sub="scale"), entry("b", "Apply"), entry("c")))

    assert {one.manager: one.how for one in found} == {
        "a": "update of scale",
        "b": "server-side apply",
        "c": "update",
    }


def test_fields_are_told_as_people_mean_them_the_most_telling_first() -> None:
    fields: Json = {
        "f:metadata": {"f:labels": {"f:app": {}}, "f:annotations": {"f:a.b/c": {}, "f:steersman.dev/action-id": {}}},
        "f:spec": {
            "f:progressDeadlineSeconds": {},
            "f:replicas": {},
            "f:template": {
                "f:spec": {
                    "f:containers": {
                        'k:{"name":"web"}': {
                            "f:env": {'k:{"name":"DB_URL"}': {".": {}, "f:name": {}, "f:value": {}}},
                            "f:image": {},
                            "f:ports": {'k:{"containerPort":80,"protocol":"TCP"}': {".": {}, "f:containerPort": {}}},
                        }
                    }
                }
            },
        },
        "f:status": {"f:replicas": {}},
    }
    [found] = edits(managed(entry("kubectl-create", fields=fields)))

    assert told(found.fields[:0]) == ""
    assert told(found.fields).startswith("image of web, replicas, ")
    assert "env DB_URL of web" in told(found.fields)
    assert "steersman.dev/action-id" not in " ".join(found.fields)
    assert told(found.fields).endswith(" more")
    assert told(("metadata.labels.app", 'metadata.annotations."a.b/c"')) == "label app, annotation a.b/c"


def test_kubectls_managers_are_its_commands() -> None:
    assert tool("kubectl-set") == "kubectl set"
    assert tool("somebody") == "somebody"


JUNK = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["f:a", "k:{}", 'k:{"name":7}', "k:[", "v:1", ".", "f:x.y", "f:", ""]), inner)
    ),
    max_leaves=8,
)


@given(JUNK, JUNK)
def test_no_managed_fields_are_a_bug(whole: JsonValue, fields: JsonValue) -> None:
    for manifest in (
        managed(whole),
        managed({"manager": fields, "fieldsV1": fields, "time": whole}),
        {"metadata": whole},
    ):
        for one in edits(manifest):
            assert isinstance(told(one.fields), str)
            assert isinstance(one.who, str)
