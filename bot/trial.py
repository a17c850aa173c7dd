"""The demo by somebody's own policy: their file judges, and the embedded clusters have the rights made of it."""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TextIO

import structlog

import commands
from bot.app import SystemClock, chat_session, demo_pipeline, log_to_stderr, script_lines
from bot.console.chat import Chat
from bot.console.script import run_script
from bot.console.session import Speaking
from bot.core.command import Registry
from bot.core.errors import NotFound, SteersmanError
from bot.core.pipeline import Pipeline
from bot.core.policy import Policy, PolicyDirectory
from bot.core.suggest import listed
from bot.demo.controllers.tempo import Tempo
from bot.demo.policy import CHANNEL
from bot.demo.seed_people import CLUSTERS
from bot.demo.world import World
from bot.policyfile.source import PolicySource
from bot.rbac.manifests import manifests
from bot.settings import Settings


def run_trial(settings: Settings, path: Path, script: TextIO | None) -> int:
    """Run the demo's chat, or a script against it, by the policy of a file. Returns the exit code. Raises BadPolicy."""
    return asyncio.run(_trial(settings, path, script))


def spoken(policy: Policy, clusters: Collection[str]) -> Policy:
    """The policy as the console speaks: people by their names, for nobody types an id.

    Raises NotFound where it knows none of the clusters.
    """
    if not {rule.name for rule in policy.clusters} & set(clusters):
        theirs = listed([rule.name for rule in policy.clusters])
        raise NotFound(
            f"The demo has the clusters {listed(list(clusters))}, and the policy only {theirs}.",
            hint="Give one of the policy's clusters the name of one of the demo's to try it.",
        )
    names = {person.id: person.name for person in policy.people}
    return replace(
        policy,
        people=tuple(replace(person, id=person.name) for person in policy.people),
        grants=tuple(replace(grant, people=tuple(names[one] for one in grant.people)) for grant in policy.grants),
    )


def give(world: World, policy: Policy, registry: Registry) -> None:
    """Give the embedded clusters the rights of a policy, and none where it does not know a cluster."""
    known = [rule.name for rule in policy.clusters]
    for name in world.clusters:
        made = manifests(policy, registry, name) if name in known else ()
        world.grant(name, (dict(one.body) for one in made))


async def _trial(settings: Settings, path: Path, script: TextIO | None) -> int:
    log_to_stderr(settings)
    registry = Registry.of(commands)
    log = structlog.get_logger()
    news: asyncio.Queue[Policy] = asyncio.Queue()
    source = await PolicySource.opened(
        path,
        registry,
        SystemClock(),
        changed=news.put_nowait,
        refused=lambda error: log.warning("policy refused, the old one stays in force", problems=error.message),
    )
    directory = PolicyDirectory(spoken(source.policy, CLUSTERS))
    async with demo_pipeline(settings, Tempo(), directory) as (pipeline, world):
        give(world, directory.policy, registry)
        tasks = [
            asyncio.create_task(source.watch(), name="policy's file"),
            asyncio.create_task(_adopting(news, directory, pipeline, world, registry), name="policy's changes"),
        ]
        try:
            await _chat(settings, pipeline, directory.policy, script)
        finally:
            for task in tasks:
                task.cancel()
            with suppress(asyncio.CancelledError):
                await asyncio.gather(*tasks)
    return 0


async def _adopting(
    news: asyncio.Queue[Policy], directory: PolicyDirectory, pipeline: Pipeline, world: World, registry: Registry
) -> None:
    log = structlog.get_logger()
    while True:
        policy = await news.get()
        try:
            tried = spoken(policy, CLUSTERS)
        except SteersmanError as error:
            log.warning("policy refused, the old one stays in force", problems=error.message)
            continue
        # The rights first: in between, the policy of before meets wider rights, never the other way round.
        give(world, tried, registry)
        directory.adopt(tried)
        pipeline.adopt(tried)
        log.warning("policy changed", policy=policy.name)


async def _chat(settings: Settings, pipeline: Pipeline, policy: Policy, script: TextIO | None) -> None:
    people = tuple(person.name for person in policy.people)
    channel = next((rule.channel for rule in policy.channels), CHANNEL)
    session = chat_session(pipeline, Speaking(people, channel, settings.command), script)
    if script is not None:
        await run_script(session, script_lines(script))
        return
    await Chat(session, f"#{channel} · {policy.name} · you are @{people[0]} · ? help").run()
