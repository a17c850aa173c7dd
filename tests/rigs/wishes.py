"""What people ask of a bot in a busy hour: deploys good, bad and slow, scalings, undos, looks; and a guest's wishes."""

from collections.abc import Iterator, Sequence
from random import Random
from typing import Final

APPS: Final = tuple(f"app{number}" for number in range(10))

_GUEST: Final = 0.05  # of all; eve may nothing


def wishes(chance: Random, apps: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Without end: a line, and who asks. A version is never asked for twice, unless it is bad or slow."""
    version = 100
    while True:
        version += 1
        app = chance.choice(apps)
        if chance.random() < _GUEST:
            yield f"deploy {app} v{version}", "eve"
            continue
        lines = {
            f"deploy {app} v{version}": 6,
            f"deploy {app} v-slow": 1,
            f"deploy {app} v-bad": 1,
            f"scale {app} {chance.randint(1, 4)}": 4,
            f"scale {app} 0": 2,
            f"undo {app}": 3,
            f"restart {app}": 2,
            f"status {app}": 2,
            f"pods {app}": 2,
        }
        (line,) = chance.choices(list(lines), list(lines.values()))
        yield line, chance.choice(("alice", "bob"))
