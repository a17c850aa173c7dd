"""Image references: read as registries read them, resolved as people mean them, compared only where that is sure."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.image import Image, older, version_of

SHA = "sha256:" + "a1" * 32


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("myapp", Image("myapp")),
        ("myapp:v2", Image("myapp", "v2")),
        ("team/myapp:v2", Image("team/myapp", "v2")),
        ("reg.example.com:5000/team/myapp:1.4.2", Image("reg.example.com:5000/team/myapp", "1.4.2")),
        ("reg.example.com:5000/myapp", Image("reg.example.com:5000/myapp")),
        ("localhost/myapp:v2", Image("localhost/myapp", "v2")),
        ("[::1]:5000/myapp:v2", Image("[::1]:5000/myapp", "v2")),
        ("REG.example.com/myapp:V2", Image("REG.example.com/myapp", "V2")),
        (f"myapp@{SHA}", Image("myapp", "", SHA)),
        (f"myapp:v2@{SHA}", Image("myapp", "v2", SHA)),
        ("team/my_app--x.y/z__w:latest", Image("team/my_app--x.y/z__w", "latest")),
    ],
)
def test_a_reference_is_read_and_written_back_as_it_was(text: str, expected: Image) -> None:
    assert Image.parse(text) == expected
    assert str(expected) == text


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "names no image"),
        (":v2", "names no image"),
        ("MyApp:v2", "capital letters"),
        ("team/MyApp", "capital letters"),
        ("myapp:", "no valid tag"),
        ("myapp:v2!", "no valid tag"),
        ("myapp:-v2", "no valid tag"),
        ("myapp:" + "v" * 129, "no valid tag"),
        ("myapp@", "no valid digest"),
        ("myapp@sha256:abc", "no valid digest"),
        ("myapp@sha256:" + "A1" * 32, "no valid digest"),
        ("my app:v2", "is not an image reference"),
        ("-myapp", "is not an image reference"),
        ("team//myapp", "is not an image reference"),
        ("https://reg.example.com/myapp", "no valid tag|is not an image reference|no host"),
        ("reg..example.com/myapp", "no host"),
        ("a" * 256, "256 characters"),
        ("myäpp", "is not an image reference"),
    ],
)
def test_a_malformed_reference_says_what_is_wrong_with_it(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        Image.parse(text)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("v2", "reg.io:5000/team/myapp:v2"),
        (":v2", "reg.io:5000/team/myapp:v2"),
        (f"@{SHA}", f"reg.io:5000/team/myapp@{SHA}"),
        (SHA, f"reg.io:5000/team/myapp@{SHA}"),
        (f":v2@{SHA}", f"reg.io:5000/team/myapp:v2@{SHA}"),
        ("nginx:1.25", "nginx:1.25"),
        ("other.io/team/myapp", "other.io/team/myapp"),
        (f"nginx@{SHA}", f"nginx@{SHA}"),
    ],
)
def test_a_version_is_that_of_the_running_repository_and_a_full_image_is_taken_as_given(said: str, meant: str) -> None:
    assert str(Image.resolve(said, "reg.io:5000/team/myapp:v1")) == meant


def test_a_version_that_is_no_tag_is_refused() -> None:
    with pytest.raises(ValueError, match="no valid tag"):
        Image.resolve("v 2", "myapp:v1")


def test_the_version_for_people_is_the_tag_else_a_short_digest_else_latest() -> None:
    assert version_of(f"myapp:v2@{SHA}") == "v2"
    assert version_of(f"myapp@{SHA}") == "sha256:a1a1a1a1a1a1"
    assert version_of("reg.io:5000/myapp") == "latest"
    assert version_of("Not An Image") == "Not An Image"


@pytest.mark.parametrize(
    ("version", "than"),
    [("v2", "v14"), ("1.8.1", "1.9"), ("v1.9.0", "v1.10.0"), ("2024.01.02", "2024.1.3"), ("v1.2.3-alpine", "v1.3.0")],
)
def test_versions_are_compared_number_by_number(version: str, than: str) -> None:
    assert older(version, than)
    assert not older(than, version)


@pytest.mark.parametrize(
    ("version", "than"),
    [("v2", "v2"), ("1.8", "1.8.1"), ("v1", "2"), ("main", "v2"), ("v2", "main"), ("v1.0-rc1", "v1.0"), ("abc", "abd")],
)
def test_what_is_not_surely_older_is_not_called_so(version: str, than: str) -> None:
    assert not older(version, than)
    assert not older(than, version)


@given(st.text(max_size=300))
def test_any_text_is_a_reference_that_reads_back_or_a_sentence(text: str) -> None:
    try:
        image = Image.parse(text)
    except ValueError as error:
        said = str(error)
    else:
        said = str(image)
        assert said == text

    assert said
