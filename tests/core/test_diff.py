"""What differs between two states of an object, as people read it."""

from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.core.diff import changes, lines, yaml_lines
from bot.core.plan import FieldChange, ObjectChange, ObjectRef, pick
from bot.core.reply import Sign

REF = ObjectRef("dev", "apps/v1", "Deployment", "deployments", "shop", "myapp")


def deployment(image: str = "myapp:v1", **metadata: Any) -> dict[str, Any]:
    containers = [{"name": "myapp", "image": image}, {"name": "proxy", "image": "envoy:1"}]
    return {
        "kind": "Deployment",
        "metadata": {"name": "myapp", **metadata},
        "spec": {"replicas": 3, "template": {"spec": {"containers": containers}}},
    }


def test_a_new_image_is_one_field_named_by_its_container() -> None:
    assert changes(deployment(), deployment("myapp:v2")) == (
        FieldChange("spec.template.spec.containers[name=myapp].image", "myapp:v1", "myapp:v2"),
    )


def test_what_the_server_keeps_for_itself_is_noise() -> None:
    noisy = deployment(resourceVersion="7", generation=3, managedFields=[{"manager": "x"}])
    noisy["metadata"]["annotations"] = {"steersman.dev/action-id": "a1", "deployment.kubernetes.io/revision": "4"}

    assert changes(deployment(), noisy | {"status": {"replicas": 3}}) == ()


def test_absent_and_empty_are_the_same() -> None:
    assert changes(deployment(), deployment(labels={})) == ()


def test_the_first_annotation_is_a_field_of_its_own() -> None:
    after = deployment()
    after["spec"]["template"]["metadata"] = {"annotations": {"kubectl.kubernetes.io/restartedAt": "now"}}

    assert changes(deployment(), after) == (
        FieldChange('spec.template.metadata.annotations."kubectl.kubernetes.io/restartedAt"', None, "now"),
    )


def test_values_of_secrets_are_never_shown() -> None:
    before: dict[str, Any] = {"kind": "Secret", "data": {"token": "b2xk", "gone": "eA=="}}
    after: dict[str, Any] = {"kind": "Secret", "data": {"token": "bmV3"}, "stringData": {"plain": "hunter2"}}

    text = str(changes(before, after))

    assert "b2xk" not in text
    assert "bmV3" not in text
    assert "hunter2" not in text
    assert "data.token" in text


def test_one_change_reads_as_two_lines() -> None:
    shown = lines(ObjectChange(REF, changes(deployment(), deployment("myapp:v2"))))

    assert shown.title == "deployment/myapp"
    assert shown.lines == ((Sign.GONE, "image: myapp:v1"), (Sign.NEW, "image: myapp:v2"))


def test_changes_at_several_places_say_where_each_stands() -> None:
    after = deployment("myapp:v2")
    after["spec"]["replicas"] = 5

    shown = lines(ObjectChange(REF, changes(deployment(), after)))

    assert [text for sign, text in shown.lines if sign is Sign.WHERE] == [
        "spec",
        "spec.template.spec.containers[name=myapp]",
    ]


def test_an_added_list_reads_as_yaml() -> None:
    after = deployment()
    after["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "true"}]

    shown = lines(ObjectChange(REF, changes(deployment(), after)))

    assert [text for _, text in shown.lines] == ["env:", "  - name: A", '    value: "true"']


TEXT = st.text("aZ0.-_:#=?!'\"\\ {}[]&*|>%@`,~/éß\n", max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT.filter(bool), inner, max_size=3),
    max_leaves=12,
)


@given(st.dictionaries(TEXT.filter(bool), JSON, max_size=4))
def test_what_is_written_as_yaml_reads_back_the_same(value: dict[str, Any]) -> None:
    text = "\n".join(yaml_lines(value))

    assert yaml.safe_load(text) == value


@given(st.dictionaries(st.sampled_from(["a", "b.c", "d/e"]), st.integers(), min_size=1), st.integers())
def test_every_changed_path_leads_back_to_its_value(before: dict[str, int], new: int) -> None:
    key = next(iter(before))
    after = before | {key: new}

    for change in changes(before, after):
        assert pick(before, change.path) == change.before
        assert pick(after, change.path) == change.after
