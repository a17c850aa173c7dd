"""What the patches make of an object, and what the schema makes of a body."""

from __future__ import annotations

from typing import Any

import pytest

from bot.demo.kinds import stored
from bot.demo.objects import Json
from bot.demo.patch import json_patch, merge, strategic
from bot.demo.protobuf import decode
from bot.demo.quantity import canonical, value_of
from bot.demo.schema import ListOf, MapOf, Scalar, Shape, Struct, conform, types
from bot.demo.selectors import LabelSelector
from bot.demo.status import BadRequest, Invalid


def _pod_spec(**spec: Any) -> Json:
    return {"spec": {"template": {"spec": spec}}}


def _spec(obj: Json) -> Json:
    inner: Json = obj["spec"]["template"]["spec"]
    return inner


BASE = _pod_spec(
    containers=[
        {"name": "a", "image": "a:1", "env": [{"name": "X", "value": "1"}, {"name": "Y", "value": "2"}]},
        {"name": "b", "image": "b:1", "args": ["one", "two"]},
    ],
    tolerations=[{"key": "k"}],
)


def test_lists_with_a_key_merge_and_others_are_replaced() -> None:
    patched = _spec(
        strategic(
            "Deployment",
            BASE,
            _pod_spec(containers=[{"name": "b", "args": ["three"]}, {"name": "c", "image": "c:1"}], tolerations=[]),
        )
    )
    assert [one["name"] for one in patched["containers"]] == ["a", "b", "c"]
    assert patched["containers"][1] == {"name": "b", "image": "b:1", "args": ["three"]}
    assert patched["tolerations"] == []


def test_an_item_goes_by_its_directive_and_the_order_is_the_patchs() -> None:
    patch = _pod_spec(
        **{
            "$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
            "containers": [{"name": "a", "env": [{"name": "X", "$patch": "delete"}, {"name": "Z", "value": "3"}]}],
        }
    )
    patched = _spec(strategic("Deployment", BASE, patch))
    assert [one["name"] for one in patched["containers"]] == ["b", "a"]
    assert [one["name"] for one in patched["containers"][1]["env"]] == ["Z", "Y"]


def test_what_a_patch_brings_anew_goes_before_what_is_there() -> None:
    patched = _spec(strategic("Deployment", BASE, _pod_spec(containers=[{"name": "new", "image": "new:1"}])))
    assert [one["name"] for one in patched["containers"]] == ["new", "a", "b"]


def test_replace_takes_a_structure_whole_as_controller_revisions_need_it() -> None:
    patch = {"spec": {"template": {"$patch": "replace", "spec": {"containers": [{"name": "only"}]}}}}
    patched = strategic("StatefulSet", {**BASE, "status": {"replicas": 1}}, patch)
    assert patched["spec"]["template"] == {"spec": {"containers": [{"name": "only"}]}}
    assert patched["status"] == {"replicas": 1}


def test_retain_keys_drops_what_is_not_named() -> None:
    live = {"spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}}
    patch = {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}}
    assert strategic("Deployment", live, patch) == {"spec": {"strategy": {"type": "Recreate"}}}


def test_values_go_from_a_primitive_list() -> None:
    live = {"metadata": {"finalizers": ["a", "b"]}}
    patch = {"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"], "finalizers": ["c"]}}
    assert strategic("Deployment", live, patch) == {"metadata": {"finalizers": ["c", "b"]}}


def test_an_item_without_its_key_is_refused() -> None:
    with pytest.raises(BadRequest, match="does not contain declared merge key: name"):
        strategic("Deployment", BASE, _pod_spec(containers=[{"image": "x"}]))


def test_patches_leave_their_arguments_alone() -> None:
    before = repr(BASE)
    strategic("Deployment", BASE, _pod_spec(containers=[{"name": "a", "env": [{"name": "X", "value": "9"}]}]))
    merge(BASE, {"spec": {"template": {"spec": {"containers": None}}}})
    json_patch(BASE, [{"op": "remove", "path": "/spec/template"}])
    assert repr(BASE) == before


@pytest.mark.parametrize(
    ("operations", "after"),
    [
        ([{"op": "add", "path": "/a/1", "value": "x"}], {"a": ["p", "x", "q"]}),
        ([{"op": "add", "path": "/a/-", "value": "x"}], {"a": ["p", "q", "x"]}),
        ([{"op": "remove", "path": "/a/0"}], {"a": ["q"]}),
        ([{"op": "move", "from": "/a/0", "path": "/b~1c"}], {"a": ["q"], "b/c": "p"}),
        ([{"op": "copy", "from": "/a", "path": "/b"}], {"a": ["p", "q"], "b": ["p", "q"]}),
        ([{"op": "test", "path": "/a/0", "value": "p"}], {"a": ["p", "q"]}),
    ],
)
def test_json_patch_operations(operations: list[Json], after: Json) -> None:
    assert json_patch({"a": ["p", "q"]}, operations) == after


@pytest.mark.parametrize(
    "operation",
    [
        {"op": "remove", "path": "/nope"},
        {"op": "replace", "path": "/nope", "value": 1},
        {"op": "add", "path": "/a/9", "value": 1},
        {"op": "test", "path": "/a", "value": []},
    ],
)
def test_an_operation_that_cannot_be_done_is_invalid(operation: Json) -> None:
    with pytest.raises(Invalid):
        json_patch({"a": ["p"]}, [operation])


@pytest.mark.parametrize("patch", [{}, ["x"], [{"op": "jump", "path": "/a"}], [{"op": "add", "path": "a"}], None])
def test_a_malformed_json_patch_is_a_bad_request(patch: object) -> None:
    with pytest.raises(BadRequest):
        json_patch({"a": 1}, patch)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("128Mi", "128Mi"),
        ("100M", "100M"),
        ("0", "0"),
        ("1e3", "1e3"),
        ("123456n", "123456n"),
    ],
)
def test_quantities_have_one_spelling(said: str, written: str) -> None:
    assert canonical(said) == written
    assert value_of(said) == value_of(written)


@pytest.mark.parametrize("said", ["", "x", "1Q", "1 Gi", "--1", "1.5.2"])
def test_what_is_no_quantity_is_refused(said: str) -> None:
    with pytest.raises(ValueError, match="not a quantity"):
        value_of(said)


def test_a_zero_that_go_would_not_write_is_not_kept_and_a_pointers_is() -> None:
    body = {"spec": {"replicas": 0, "paused": False, "minReadySeconds": 0, "selector": {"matchLabels": {}}}}
    assert conform("Deployment", body).obj == {"spec": {"replicas": 0, "selector": {}}}


def _named(shape: Shape) -> set[str]:
    match shape:
        case Struct():
            return {shape.name}
        case MapOf():
            return _named(shape.value)
        case ListOf():
            return _named(shape.item)
        case Scalar():
            return set()


def test_every_type_that_a_field_names_is_in_the_table() -> None:
    named = {name for known in types().values() for shape in known.fields.values() for name in _named(shape)}
    assert named <= set(types())
    assert {kind.kind for kind in stored()} <= set(types())


@pytest.mark.parametrize("body", [b"", b"k8s\x00", b"{}", b"k8s\x00\x0a\xff", b"k8s\x00" + b"\xff" * 40])
def test_a_broken_protobuf_body_is_a_bad_request(body: bytes) -> None:
    with pytest.raises(BadRequest):
        decode(body)


@pytest.mark.parametrize("text", ["a b", "a in", "=x", "a>b", "a=b=c", "a/b/c"])
def test_a_selector_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        LabelSelector.parse(text)
