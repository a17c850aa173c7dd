"""`can` against the real API server's own word: random policies, with the rights that `steersman rbac` prints alone.

The oracle is the policy read as a person would, and a SubjectAccessReview for every right that a command needs. A few
hundred random (person, command, place) decisions here; 5,000 with STEERSMAN_SOAK=1.
"""

import os
from pathlib import Path
from random import Random
from uuid import uuid4

import pytest
from rigs.controlplane.api import Json
from rigs.decisions import NAMES, SPACES, granted, random_policy
from rigs.real import DEV, Real, bot_on, eventually
from rigs.real_rights import logged_in

import commands
from bot.core.cluster import Right
from bot.core.command import Registry
from bot.core.people import Actor
from bot.core.plan import Place
from bot.core.policy import Mode, Policy
from bot.core.rights import named_needs, of_no_namespace

pytestmark = pytest.mark.real

REGISTRY = Registry.of(commands)
ASKED = [command for command in REGISTRY if named_needs(command)]
POLICIES, DECISIONS = (10, 250) if os.environ.get("STEERSMAN_SOAK") else (1, 120)


class Server:
    """The API server's word on a person's rights, each right asked once."""

    def __init__(self, dev: Real, policy: Policy) -> None:
        self._dev = dev
        self._policy = policy
        self._known: dict[tuple[str, Right, str], bool] = {}

    async def allows(self, person: str, right: Right, namespace: str) -> bool:
        key = person, right, "" if of_no_namespace(right) else namespace
        if not self._known.get(key):  # a no is asked again: rights that were just made may not have been heard of
            self._known[key] = await self._ask(*key)
        return self._known[key]

    async def _ask(self, person: str, right: Right, namespace: str) -> bool:
        at = Place(DEV, "")
        held = {grant.role for grant in self._policy.grants_of(person, at)}
        identity = self._policy.identity(Actor(person, person), DEV)
        attributes = {
            "verb": right.verb,
            "group": right.group,
            "resource": right.resource,
            "subresource": right.subresource,
            "namespace": namespace,
        }
        review: Json = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "user": identity.user,
                "groups": [*(f"steersman:{role}" for role in held), "system:authenticated"],
                "resourceAttributes": attributes,
            },
        }
        answer = await self._dev.api.ask("POST", "/apis/authorization.k8s.io/v1/subjectaccessreviews", review)
        return bool(answer["status"]["allowed"])


@pytest.mark.timeout(3600)
@pytest.mark.parametrize("mode", list(Mode))
@pytest.mark.parametrize("round_", range(POLICIES))
async def test_can_is_the_policy_and_the_servers_word(dev: Real, tmp_path: Path, mode: Mode, round_: int) -> None:
    chance = Random(f"{mode.value} {round_}")  # noqa: S311 - a repeatable run, nothing secret
    mark = f"d{uuid4().hex[:6]}"
    policy = random_policy(chance, mark, DEV, REGISTRY, mode)
    for space in SPACES:
        await dev.api.create({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": f"{mark}-{space}"}})
    path = await logged_in(dev, f"{mark}-{SPACES[0]}", policy, REGISTRY)
    server = Server(dev, policy)
    await eventually(lambda: _granted_is_given(server, policy, mark), within=30)

    said_yes = 0
    async with bot_on((dev,), tmp_path, policy=policy, kubeconfig=path) as bot:
        for _ in range(DECISIONS):
            person, command = chance.choice(NAMES), chance.choice(ASKED)
            place = Place(DEV, f"{mark}-{chance.choice(SPACES)}")
            answer = await bot.says(f"can {command.name} -n {place.namespace}", by=person)

            # Without a role at a place one may not even ask there: that is a no as well.
            both = granted(policy, person, command, place) and all(
                [await server.allows(person, right, place.namespace) for right in named_needs(command)]
            )
            assert answer.reply.headline.startswith("Yes, you may ") == both, f"{person}: {answer.text}"
            assert both or answer.reply.headline.startswith(("No: ", "You may not ")), answer.text
            said_yes += both
    for space in SPACES:
        await dev.api.delete("namespaces", "", f"{mark}-{space}")

    assert DECISIONS / 12 < said_yes < DECISIONS * 11 / 12  # neither answer is the exception


async def _granted_is_given(server: Server, policy: Policy, mark: str) -> bool:
    """Whether the server has heard of all rights, which suffice for everything that the policy grants."""
    for person in NAMES:
        for command in ASKED:
            for space in SPACES:
                place = Place(DEV, f"{mark}-{space}")
                if granted(policy, person, command, place):
                    for right in named_needs(command):
                        if not await server.allows(person, right, place.namespace):
                            return False
    return True
