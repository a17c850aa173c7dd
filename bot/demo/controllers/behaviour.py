"""What a container does, by a word in its image's tag: the one table that scripts pods.

It drives the embedded cluster's kubelets and the scripted ones of a real control plane alike.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Ending:
    """How a run of a container ends by itself."""

    code: int
    reason: str


@dataclass(frozen=True, slots=True)
class Behaviour:
    word: str
    what: str
    pullable: bool = True
    configured: bool = True
    ending: Ending | None = None
    slow: bool = False
    passes_probe: bool = True


BEHAVIOURS = (
    Behaviour("bad", "cannot be pulled: ErrImagePull, then ImagePullBackOff", pullable=False),
    Behaviour("noconfig", "names a ConfigMap that is not there: CreateContainerConfigError", configured=False),
    Behaviour("noready", "runs, but its readiness probe fails", passes_probe=False),
    Behaviour("crash", "fails with an error: CrashLoopBackOff", ending=Ending(1, "Error")),
    Behaviour("oom", "takes more memory than it may: OOMKilled", ending=Ending(137, "OOMKilled")),
    Behaviour("slow", "takes long to become ready", slow=True),
)
"""The first whose word is in the tag counts; a tag with none of them runs and becomes ready."""

_USUAL = Behaviour("", "runs and becomes ready")


def tag_of(image: str) -> str:
    """Return an image's tag (``latest`` when it has none, "" when it is pinned by digest)."""
    if "@" in image:
        return ""
    name, colon, tag = image.rpartition(":")
    return tag if colon and "/" not in tag and name else "latest"


def behaviour_of(image: str) -> Behaviour:
    tag = tag_of(image)
    return next((one for one in BEHAVIOURS if one.word in tag), _USUAL)


def full_name(image: str) -> str:
    """Return the name a container runtime reports: with registry, repository and tag spelled out."""
    repository = image if "@" in image or image.endswith(f":{tag_of(image)}") else f"{image}:latest"
    first, slash, _ = repository.partition("/")
    if slash and ("." in first or ":" in first or first == "localhost"):
        return repository
    return f"docker.io/{repository}" if slash else f"docker.io/library/{repository}"
