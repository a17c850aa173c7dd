"""Image references as people and manifests write them: parsed, resolved against what runs, compared by version.

The grammar is that of the OCI distribution project (`reference` package): `[host[:port]/]path[:tag][@digest]`.
"""

import re
from dataclasses import dataclass, replace
from typing import Final, Self

from bot.core.text import short

# Names are measured before they are matched, so that no pattern ever meets a long one.
_HOST: Final = re.compile(
    r"(?:\[[0-9a-fA-F:]+\]|[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*)"
    r"(?::[0-9]{1,5})?",
    re.ASCII,
)
_PART: Final = re.compile(r"[a-z0-9]+(?:(?:\.|__?|-+)[a-z0-9]+)*", re.ASCII)
_TAG: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}", re.ASCII)
_DIGEST: Final = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,128}", re.ASCII)
_SHA256: Final = re.compile(r"sha256:[0-9a-f]{64}", re.ASCII)
_VERSION: Final = re.compile(r"(v?)(\d{1,9}(?:\.\d{1,9}){0,3})([-+.][A-Za-z0-9.+-]*)?", re.ASCII)
_LONGEST_REPOSITORY: Final = 255
_SHORT_DIGEST: Final = 12


@dataclass(frozen=True, slots=True)
class Image:
    """An image reference. `repository` is kept as written, with its host if it has one; tag and digest may be empty."""

    repository: str
    tag: str = ""
    digest: str = ""

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a full reference. Raises ValueError with a sentence."""
        rest, at, digest = text.partition("@")
        if at:
            _check_digest(digest)
        # A colon behind the last slash begins the tag; one before it belongs to the host's port.
        head, slash, last = rest.rpartition("/")
        name, colon, tag = last.partition(":")
        if colon:
            _check_tag(tag)
        repository = f"{head}{slash}{name}"
        _check_repository(repository)
        return cls(repository, tag, digest)

    @classmethod
    def resolve(cls, version: str, running: str) -> Self:
        """What a person means by a version, given the image that runs now.

        `v2` and `:v2` are a tag of the running repository, `@sha256:…` and `sha256:…` a digest of it, `:v2@sha256:…`
        both; anything with a slash, a colon or an @ inside is a full reference, taken as given. Raises ValueError.
        """
        digest = version.removeprefix("@")
        if version.startswith("@") or _SHA256.fullmatch(digest):
            _check_digest(digest)
            return cls(cls.parse(running).repository, "", digest)
        if version.startswith(":"):
            tag, at, digest = version[1:].partition("@")
            _check_tag(tag)
            if at:
                _check_digest(digest)
            return cls(cls.parse(running).repository, tag, digest)
        if any(mark in version for mark in "/:@"):
            return cls.parse(version)
        _check_tag(version)
        return cls(cls.parse(running).repository, version)

    @property
    def version(self) -> str:
        """For people: `v2`, else the digest's beginning, else `latest` (what no tag means to a registry)."""
        if self.tag:
            return self.tag
        if self.digest:
            algorithm, _, value = self.digest.partition(":")
            return f"{algorithm}:{value[:_SHORT_DIGEST]}"
        return "latest"

    @property
    def pinned(self) -> bool:
        """Whether the reference says which content it means: it has a digest, or a tag other than `latest`."""
        return bool(self.digest) or self.tag not in ("", "latest")

    def same_repository(self, other: "Image") -> bool:
        return replace(self, tag="", digest="") == replace(other, tag="", digest="")

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        digest = f"@{self.digest}" if self.digest else ""
        return f"{self.repository}{tag}{digest}"


def version_of(image: str) -> str:
    """The version of an image for people; a reference that cannot be read is shown as it stands."""
    try:
        return Image.parse(image).version
    except ValueError:
        return image


def older(version: str, than: str) -> bool:
    """Whether a version is surely older than another: `v2` than `v14`, `1.8.1` than `1.9`.

    Only tags that both look like versions of the same style are compared, number by number. Where the numbers are
    equal, or one only continues the other (`1.8` and `1.8.1`), nothing is sure: False.
    """
    left, right = _VERSION.fullmatch(version), _VERSION.fullmatch(than)
    if not left or not right or left[1] != right[1]:
        return False
    mine, theirs = ([int(number) for number in match[2].split(".")] for match in (left, right))
    first_difference = next((pair for pair in zip(mine, theirs, strict=False) if pair[0] != pair[1]), (0, 0))
    return first_difference[0] < first_difference[1]


def _check_repository(name: str) -> None:
    if not name:
        raise ValueError("names no image")
    if len(name) > _LONGEST_REPOSITORY:
        raise ValueError(f"has a name of {len(name)} characters; {_LONGEST_REPOSITORY} are allowed")
    first, slash, path = name.partition("/")
    # As the distribution project tells a registry's host from a folder on Docker Hub.
    hosted = bool(slash) and (any(mark in first for mark in ".:[") or first == "localhost" or first != first.lower())
    if hosted and not _HOST.fullmatch(first):
        raise ValueError(f"names a registry {short(first)!r} that is no host")
    path = path if hosted else name
    if path != path.lower():
        raise ValueError("has capital letters in its name; image names are lower-case")
    if not all(_PART.fullmatch(part) for part in path.split("/")):
        raise ValueError("is not an image reference such as `myapp:v2` or `registry.example.com/team/myapp:v2`")


def _check_tag(tag: str) -> None:
    if not _TAG.fullmatch(tag):
        named = f"{short(tag)!r} " if tag else "it "
        raise ValueError(
            f"has no valid tag: {named}must be 1 to 128 letters, digits, dots, dashes and underscores, "
            "and begin with none of dot and dash"
        )


def _check_digest(digest: str) -> None:
    if not _DIGEST.fullmatch(digest) or (digest.startswith("sha256:") and not _SHA256.fullmatch(digest)):
        raise ValueError("has no valid digest: one looks like `sha256:` and 64 hexadecimal digits")
