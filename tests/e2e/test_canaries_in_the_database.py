"""What is kept for good: the database's own bytes, page by page as they were written, and the exported audit."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from rigs.aviary import DEEDS, FLOCK, LOOKS, change_password, settle_in
from rigs.chat import Bot
from rigs.whole_bot import small_world

from bot.app import SystemClock, pipeline_on
from bot.auditor import run_export
from bot.core.policy import PolicyDirectory
from bot.demo.policy import demo_policy
from bot.kube.credentials import Kubeconfig
from bot.settings import Settings
from bot.store.engine import open_store

PAGE = 4096


@dataclass
class Kept:
    """A bot with a database in a file. `pages` are all that were ever seen in it and in its write-ahead log."""

    bot: Bot
    file: Path
    pages: dict[bytes, None] = field(default_factory=dict)

    async def does(self, line: str) -> None:
        """Say a line as bob, and look at the file while it is carried out and followed, and afterwards."""
        await self.bot.says(line, by="bob", settle=False)
        self.look()
        await self.bot.pipeline.settled(f"r{len(self.bot.recorder.messages)}")
        self.look()

    def look(self) -> None:
        for path in self.file.parent.glob(f"{self.file.name}*"):
            content = path.read_bytes()
            self.pages |= dict.fromkeys(content[at : at + PAGE] for at in range(0, len(content), PAGE))

    @property
    def text(self) -> str:
        return b"".join(self.pages).decode(errors="replace")


@asynccontextmanager
async def keeping(folder: Path) -> AsyncIterator[Kept]:
    async with small_world() as world:
        for cluster in world.clusters.values():
            settle_in(cluster.store)
        path, file, policy = folder / "kubeconfig", folder / "steersman.db", demo_policy()
        world.write_kubeconfig(path)
        sources = {name: Kubeconfig(str(path), name) for name in world.clusters}
        lease = timedelta(seconds=30)
        async with (
            open_store(f"sqlite:///{file}", owner="me", lease=lease, outbox=True, clock=SystemClock()) as store,
            pipeline_on(
                Settings.model_construct(), sources, policy, PolicyDirectory(policy), store.ledger, guarded=True
            ) as pipeline,
        ):
            kept = Kept(Bot(pipeline), file)
            await kept.does("deploy bank v2")
            change_password(world)
            yield kept


async def test_no_secret_is_in_the_database_nor_in_its_log_nor_in_the_exported_audit(tmp_path: Path) -> None:
    exported: list[str] = []
    async with keeping(tmp_path) as kept:
        for line in (*DEEDS, *LOOKS):
            await kept.does(line)
        url = f"sqlite:///{kept.file}"
        count = await asyncio.to_thread(run_export, url, "", "", exported.append)
        kept.look()

    assert count >= 2 * len(DEEDS)
    assert "env[name=DB_PASSWORD]" in kept.text  # the change itself is kept, and found by this search
    assert FLOCK.found_in(kept.text) == []
    assert FLOCK.found_in("\n".join(exported)) == []
