from datetime import timedelta

import pytest
from pydantic import TypeAdapter, ValidationError
from rigs.grammar_commands import DeployArgs, ScaleArgs

from bot.core.args import AppRef, Args, ClusterName, Duration, Label, Name, Where
from bot.core.workload import Kind


@pytest.mark.parametrize(
    "name", ["", "-a", "a-", "A", "a_b", "a b", "a/b", "é", "a\u200b", "a\n", "a" * 254, ".", "a..b"]
)
@pytest.mark.parametrize("kind", [TypeAdapter(Name), TypeAdapter(Label)])
def test_a_name_is_rfc_1123(kind: TypeAdapter[str], name: str) -> None:
    with pytest.raises(ValidationError):
        kind.validate_python(name)


def test_a_label_has_no_dots_and_63_characters() -> None:
    assert TypeAdapter(Name).validate_python("a.b") == "a.b"
    for wrong in ("a.b", "a" * 64):
        with pytest.raises(ValidationError):
            TypeAdapter(Label).validate_python(wrong)


@pytest.mark.parametrize("name", ["", " ", "-x", "x\u202e", "a b", "x\n", "a" * 254])
def test_a_cluster_has_a_name_that_can_be_seen(name: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(ClusterName).validate_python(name)


@pytest.mark.parametrize("name", ["prod", "kind-dev", "arn:aws:eks:eu:1:cluster/prod", "admin@prod.example.com"])
def test_a_cluster_may_be_named_like_a_context(name: str) -> None:
    assert TypeAdapter(ClusterName).validate_python(name) == name


@pytest.mark.parametrize(
    ("text", "duration"),
    [("90s", timedelta(seconds=90)), ("1h30m", timedelta(minutes=90)), ("2d", timedelta(days=2))],
)
def test_a_duration_has_units(text: str, duration: timedelta) -> None:
    assert TypeAdapter(Duration).validate_python(text) == duration


@pytest.mark.parametrize("text", ["", "5", "-5m", "0s", "1:30", "soon", "99999999999999d", "1e9h"])
def test_a_duration_without_a_unit_or_an_end_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        TypeAdapter(Duration).validate_python(text)


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("myapp", AppRef("myapp")),
        ("Myapp", AppRef("myapp")),
        ("deploy/web", AppRef("web", Kind.DEPLOYMENT)),
        ("Deployment/web", AppRef("web", Kind.DEPLOYMENT)),
        ("deployments.apps/web", AppRef("web", Kind.DEPLOYMENT)),
        ("sts/db", AppRef("db", Kind.STATEFUL_SET)),
        ("daemonset/agent", AppRef("agent", Kind.DAEMON_SET)),
    ],
)
def test_an_app_or_one_workload_is_named_as_kubectl_does(text: str, ref: AppRef) -> None:
    assert AppRef.parse(text) == ref
    assert AppRef.parse(str(ref)) == ref


@pytest.mark.parametrize("text", ["", "/", "deploy/", "/web", "pod/web", "deploy/a/b", "my_app", "a@b", "deploy/-"])
def test_what_names_no_app_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        AppRef.parse(text)


@pytest.mark.parametrize("reason", ["", "  ", "a\x1b[31mb", "a\u202eb", "a\u200bb", "a\nb"])
def test_no_field_holds_what_cannot_be_seen_whichever_door_it_came_through(reason: str) -> None:
    with pytest.raises(ValidationError):
        DeployArgs(app=AppRef("myapp"), reason=reason)


@pytest.mark.parametrize("replicas", [-1, 1001])
def test_a_number_stays_within_its_bounds(replicas: int) -> None:
    with pytest.raises(ValidationError, match="must be from 0 to 1000"):
        ScaleArgs(app=AppRef("myapp"), replicas=replicas)


def test_a_model_is_frozen_and_knows_its_fields() -> None:
    class Plain(Args):
        """Nothing."""

    with pytest.raises(ValidationError):
        Plain.model_validate({"more": 1})
    args = ScaleArgs(app=AppRef("myapp"), replicas=3)
    with pytest.raises(ValidationError):
        args.replicas = 4  # type: ignore[misc]  # the very point


def test_a_place_that_was_not_said_is_false() -> None:
    assert not Where()
    assert all((Where(cluster="a"), Where(namespace="a"), Where(words=("a",)), Where(everywhere=True)))
