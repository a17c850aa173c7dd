"""The rights in the demo's seeds, made as `steersman rbac` makes them; run as a script, this writes them anew."""

from pathlib import Path

import commands
from bot.core.command import Registry
from bot.demo.policy import demo_policy
from bot.demo.seed_people import CLUSTERS
from bot.rbac.manifests import manifests
from bot.rbac.text import text

SEEDS = Path(__file__).parents[2] / "bot/demo/seeds"


def demo_rights(cluster: str) -> str:
    policy = demo_policy()
    title = f"Rights on {cluster} for {policy.name}, as tests/rigs/demo_rights.py writes them."
    return text(manifests(policy, Registry.of(commands), cluster), title)


def seed(cluster: str) -> Path:
    return SEEDS / f"rights-{cluster}.yaml"


if __name__ == "__main__":
    for cluster in CLUSTERS:
        seed(cluster).write_text(demo_rights(cluster))
