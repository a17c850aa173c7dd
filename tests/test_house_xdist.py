"""How the tests are spread over workers: a group stays together, or two of its tests meet on one cluster."""

import os
import re
import subprocess
import sys
from pathlib import Path

TESTS = Path(__file__).parent

GROUPED = """
import pytest

@pytest.mark.parametrize("n", [pytest.param(n, marks=pytest.mark.xdist_group("one")) for n in range(8)])
def test_grouped(n):
    pass
"""


def test_a_group_runs_on_one_worker(tmp_path: Path) -> None:
    (tmp_path / "test_grouped.py").write_text(GROUPED)
    told = subprocess.run(
        [sys.executable, "-m", "pytest", "-v", "-n", "2", "--dist", "loadgroup", "-p", "rigs.xdist_groups"],
        cwd=tmp_path, env=os.environ | {"PYTHONPATH": str(TESTS)}, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip

    assert len(set(re.findall(r"\[(gw\d)\].*PASSED", told))) == 1, told
    assert told.count("PASSED") == 8
