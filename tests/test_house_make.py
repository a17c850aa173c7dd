"""The Makefile: its help, and a set-up that keeps its hands off the demo's script and answer."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# Stands in for the real one: it is noisy and greedy, as an installer may be, and it counts how often it was asked.
UV = """#!/bin/sh
cat >/dev/null
echo noise
echo "$1 $2" >>calls
mkdir -p .venv/bin
printf '#!/bin/sh\\n' >.venv/bin/python
printf '#!/bin/sh\\necho "ran: $*"\\ncat\\n' >.venv/bin/steersman
chmod +x .venv/bin/*
"""


def script(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    path.chmod(0o755)


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    clone = tmp_path / "a fresh clone"
    clone.mkdir()
    for file in ("Makefile", "pyproject.toml", *(lock.name for lock in ROOT.glob("requirements*.lock"))):
        shutil.copy(ROOT / file, clone)
    # Only what make and its recipes need, so that an installed uv does not answer for the stand-in.
    for tool in ("sh", "make", "cat", "cksum", "tr", "rm", "mkdir", "chmod", "touch", "awk"):
        found = shutil.which(tool)
        assert found
        (clone / "bin").mkdir(exist_ok=True)
        (clone / "bin" / tool).symlink_to(found)
    return clone


def make(clone: Path, *arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["make", "-s", *arguments],
        cwd=clone,
        env={"PATH": str(clone / "bin"), "HOME": os.environ.get("HOME", "/")},
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_help_lists_every_target() -> None:
    targets = set((re.search(r"^\.PHONY: (.+)$", (ROOT / "Makefile").read_text(), re.MULTILINE) or [""])[1].split())

    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout

    assert re.findall(r"^make (\w+) +\S", shown, re.MULTILINE)
    assert set(re.findall(r"^make (\w+) +\S", shown, re.MULTILINE)) == targets


def test_the_set_up_neither_eats_the_script_nor_adds_to_the_answer(clone: Path) -> None:
    script(clone / "bin" / "uv", UV)

    ran = make(clone, "demo", stdin="/k8s status myapp\n")

    assert ran.stdout == "ran: demo\n/k8s status myapp\n"
    assert "preparing .venv with uv" in ran.stderr
    assert ran.returncode == 0


def test_the_second_time_nothing_is_installed(clone: Path) -> None:
    script(clone / "bin" / "uv", UV)
    make(clone, "demo")
    before = (clone / "calls").read_text()

    ran = make(clone, "demo")

    assert (clone / "calls").read_text() == before
    assert ran.stderr == ""


def test_a_changed_lock_is_installed(clone: Path) -> None:
    script(clone / "bin" / "uv", UV)
    make(clone, "demo")
    before = (clone / "calls").read_text()
    with (clone / "requirements.lock").open("a") as lock:
        lock.write("# another\n")

    make(clone, "demo")

    assert (clone / "calls").read_text() != before


def test_a_set_up_that_fails_says_so_and_is_tried_again(clone: Path) -> None:
    script(clone / "bin" / "uv", "#!/bin/sh\necho no network\nexit 1\n")
    first = make(clone, "demo")
    script(clone / "bin" / "uv", UV)

    second = make(clone, "demo")

    assert first.returncode != 0
    assert "no network" in first.stderr
    assert "the set-up did not finish" in first.stderr
    assert first.stdout == ""
    assert second.returncode == 0


@pytest.mark.parametrize(
    ("python", "sentence"),
    [
        ("", "there is no python3 here; install Python 3.11 or newer"),
        ('case "$*" in *version_info*) exit 1;; -V) echo Python 3.9.2;; esac', "and python3 is Python 3.9.2"),
        ('case "$*" in *ensurepip*) exit 1;; esac', "apt install python3-venv"),
    ],
)
def test_a_python_that_will_not_do_is_named_in_one_sentence(clone: Path, python: str, sentence: str) -> None:
    if python:
        script(clone / "bin" / "python3", f"#!/bin/sh\n{python}\n")

    ran = make(clone, "demo")

    assert ran.returncode != 0
    assert sentence in ran.stderr
    assert ran.stdout == ""
