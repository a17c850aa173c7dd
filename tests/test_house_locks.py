"""The lock files: every package pinned with its hashes, nowhere to fetch it from, all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ["requirements.lock", "requirements-dev.lock", "requirements-build.lock"]


def locked(lock: str) -> dict[str, tuple[str, int]]:
    """Each package's version and how many hashes stand under it; any line of another form fails."""
    found: dict[str, tuple[str, int]] = {}
    name = ""
    for line in (ROOT / lock).read_text().splitlines():
        if pin := re.fullmatch(r"([a-z0-9.-]+)==([^ ]+)( ; [^\\]+)? \\", line):
            name = canonicalize_name(pin[1])
            found[name] = (pin[2], 0)
        elif re.fullmatch(r"    --hash=sha256:[0-9a-f]{64}( \\)?", line):
            found[name] = (found[name][0], found[name][1] + 1)
        else:
            pytest.fail(f"{lock} holds more than pins and hashes: {line}")
    return found


def wanted(lines: list[str]) -> list[Requirement]:
    return [Requirement(line) for line in lines]


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_has_a_hash(lock: str) -> None:
    pins = locked(lock)

    assert pins
    assert not [name for name, (_, hashes) in pins.items() if hashes == 0]


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_names_no_host_and_no_index(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert "://" not in text
    assert "index" not in text


@pytest.mark.parametrize(
    ("lock", "lines"),
    [
        ("requirements.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["project"]["dependencies"]),
        ("requirements-dev.lock", PROJECT["dependency-groups"]["dev"]),
        ("requirements-dev.lock", PROJECT["dependency-groups"]["build"]),
        ("requirements-build.lock", PROJECT["dependency-groups"]["build"]),
        ("requirements-build.lock", PROJECT["build-system"]["requires"]),
    ],
)
def test_what_the_project_asks_for_is_locked_and_fits(lock: str, lines: list[str]) -> None:
    pins = locked(lock)

    for requirement in wanted(lines):
        version, _ = pins[canonicalize_name(requirement.name)]
        assert requirement.specifier.contains(version), f"make lock: {requirement} is locked as {version}"


def test_the_locks_agree_with_one_another() -> None:
    development = locked("requirements-dev.lock")

    assert locked("requirements.lock").items() <= development.items()
    assert locked("requirements-build.lock").items() <= development.items()
