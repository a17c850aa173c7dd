"""`can` answers exactly policy ∩ access review, for everybody, every command and every place, in both modes.

The embedded clusters have the rights that `steersman rbac` makes, and no others.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace

import pytest
from rigs.chat import Answer, Bot
from rigs.decisions import MANY_SHAPES, SPACES, granted

import commands
from bot.app import demo_pipeline
from bot.core.command import Action, Command, Registry
from bot.core.plan import Place
from bot.core.policy import Mode, Person, Policy, PolicyDirectory, Role
from bot.core.reply import Table
from bot.core.rights import named_needs, of_no_namespace
from bot.demo.access import Access, Attributes, User
from bot.demo.controllers.tempo import FAST
from bot.demo.world import World
from bot.settings import Settings
from bot.trial import give

REGISTRY = Registry.of(commands)
ASKED = [command for command in REGISTRY if named_needs(command)]
PLACES = [Place(cluster, namespace) for cluster in ("dev", "prod") for namespace in SPACES]


@asynccontextmanager
async def chat(mode: Mode) -> AsyncIterator[tuple[Bot, World, Policy]]:
    policy = replace(MANY_SHAPES, mode=mode)
    async with demo_pipeline(Settings.model_construct(), FAST, PolicyDirectory(policy)) as (pipeline, world):
        give(world, policy, REGISTRY)
        yield Bot(pipeline, channel="nowhere"), world, policy


def reviewed(world: World, policy: Policy, person: Person, command: Command, place: Place) -> bool:
    """What the cluster's RBAC says to the person's identity: every right that the command needs."""
    granted_roles = {
        grant.role
        for grant in policy.grants
        if person.id in grant.people and {"*", place.cluster} & set(grant.clusters)
    }
    access = Access(world.clusters[place.cluster].store)
    user = User("whoever", tuple(f"steersman:{role}" for role in granted_roles))
    return all(
        access.decide(
            user,
            Attributes(
                right.verb,
                right.group,
                right.resource,
                right.subresource,
                "" if of_no_namespace(right) else place.namespace,
            ),
        ).allowed
        for right in named_needs(command)
    )


def allowed(answer: Answer) -> set[str]:
    tables = [part for part in answer.reply.parts if isinstance(part, Table)]
    return {name for table in tables for name, policy, cluster in table.rows if policy != "no" and cluster == "yes"}


@pytest.mark.parametrize("mode", list(Mode))
async def test_everybodys_every_command_everywhere(mode: Mode) -> None:
    decisions = runnable = 0
    async with chat(mode) as (bot, world, policy):
        for person in policy.people:
            for place in PLACES:
                answer = await bot.says(f"can -n {place.namespace} --cluster {place.cluster}", by=person.id)

                both = {
                    command.name
                    for command in ASKED
                    if granted(policy, person.id, command, place) and reviewed(world, policy, person, command, place)
                }
                assert allowed(answer) == both, f"{person.id} in {place}: {answer.text}"
                decisions, runnable = decisions + len(ASKED), runnable + len(both)

    assert decisions >= 1_000  # 2,000 with both modes
    assert decisions / 5 < runnable < decisions * 4 / 5  # neither answer is the exception


@pytest.mark.parametrize("mode", list(Mode))
async def test_the_rights_that_are_made_suffice_for_all_that_the_policy_grants(mode: Mode) -> None:
    async with chat(mode) as (_, world, policy):
        for person in policy.people:
            for place in PLACES:
                for command in ASKED:
                    if granted(policy, person.id, command, place):
                        assert reviewed(world, policy, person, command, place), (
                            f"{person.id}: {command.name} in {place}"
                        )


async def test_people_act_through_the_bot_in_both_modes_and_the_audit_names_them() -> None:
    for mode, user in ((Mode.PERSON, "ben@example.com"), (Mode.ROLE, "steersman:sre")):
        async with chat(mode) as (bot, world, _):
            answer = await bot.says("scale myapp 4 in shop on dev", by="ben")

            assert "myapp has 4 replicas" in answer.text
            patched = next(entry for entry in world.clusters["dev"].audit if entry.verb == "patch")
            assert patched.impersonated_user == user
            assert "steersman:sre" in patched.impersonated_groups


async def test_what_the_policy_grants_and_the_cluster_does_not_is_refused_in_these_words() -> None:
    async with chat(Mode.PERSON) as (bot, world, policy):
        narrower = replace(policy, roles=(*policy.roles[:2], Role("shipper", ("scale",)), *policy.roles[3:]))
        give(world, narrower, REGISTRY)

        explained = await bot.says("can deploy -n shop --cluster dev", by="ann")
        tried = await bot.says("deploy myapp v2 -n shop --cluster dev", by="ann")

    assert "No: the policy lets you `deploy` in dev/shop, the cluster does not." in explained.text
    assert "It refuses patch deployments.apps" in explained.text
    assert "dev" in tried.text
    assert "may not patch deployments" in tried.text


async def test_what_the_cluster_grants_and_the_policy_does_not_is_refused_the_other_way_round() -> None:
    async with chat(Mode.PERSON) as (bot, world, policy):
        wider = replace(policy, roles=(*policy.roles[:1], Role("viewer", ("*",)), *policy.roles[2:]))
        give(world, wider, REGISTRY)

        explained = await bot.says("can deploy -n data --cluster prod", by="ann")
        tried = await bot.says("deploy db 17 -n data --cluster prod", by="ann")

    assert "No: the policy does not let you `deploy` in prod/data." in explained.text
    assert "The role shipper or sre may: ask @ben." in explained.text
    assert "The cluster itself would let you." in explained.text
    assert "You may not `deploy` in prod/data." in tried.text
    assert "ask @ben" in tried.text


def test_every_changing_command_is_among_those_asked() -> None:
    assert {command.name for command in REGISTRY if isinstance(command, Action)} <= {command.name for command in ASKED}
