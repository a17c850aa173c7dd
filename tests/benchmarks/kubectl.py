"""kubectl with a stopwatch: how long a read takes it, and how much processor time."""

import os
import resource
import shlex
import shutil
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

_WITHIN = 120.0


@dataclass(frozen=True, slots=True)
class Took:
    """Seconds of one run: by the clock on the wall, and of processors (user and system)."""

    wall: float
    processor: float


class Kubectl:
    """One login, with caches of its own in `home`, so that discovery is warm after the first run."""

    def __init__(self, kubeconfig: Path, home: Path, binary: str = "") -> None:
        self.binary = binary or _binary()
        self._env = {"PATH": os.environ.get("PATH", ""), "HOME": str(home), "KUBECONFIG": str(kubeconfig)}

    def takes(self, *lines: str) -> Took:
        """Run lines one after the other. Raises CalledProcessError where one fails. Blocks: nothing else runs."""
        before = _children()
        began = time.perf_counter()
        for line in lines:
            subprocess.run(
                [self.binary, "--context=dev", *shlex.split(line)],
                env=self._env,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=_WITHIN,
                check=True,
            )
        return Took(time.perf_counter() - began, _children() - before)

    @property
    def version(self) -> str:
        said = subprocess.run(
            [self.binary, "version", "--client"], env=self._env, capture_output=True, text=True, timeout=10, check=True
        ).stdout
        return said.splitlines()[0].removeprefix("Client Version: ")


def here() -> bool:
    return shutil.which("kubectl") is not None


def _binary() -> str:
    """The machine's kubectl; where that only dispatches to others beside it, the newest of those, which is quicker."""
    found = Path(shutil.which("kubectl") or "kubectl").resolve()
    others = {int(path.name.rpartition(".")[2]): path for path in found.parent.glob("kubectl.1.[0-9]*")}
    return str(others[max(others)] if others else found)


def _children() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
