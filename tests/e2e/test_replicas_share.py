"""Two replicas on one PostgreSQL: they share the work, take over what one lays down, and follow the policy's file."""

from collections import Counter
from typing import Final

import pytest
from rigs.postgres import shared_server
from rigs.replica import until
from rigs.replica_books import disagreements, quiet
from rigs.replicas import POLICY, Fleets, grant

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(120)]

APPS: Final = tuple(f"app{number}" for number in range(8))


async def test_the_work_is_shared_and_nothing_is_answered_twice(fleets: Fleets) -> None:
    async with (await shared_server()).database() as url, fleets.of(2, url, APPS, seed=2, lease=60.0) as fleet:
        looks = [fleet.ask(f"{verb} {app}") for _ in range(11) for app in APPS for verb in ("pods", "status")]
        changes = [fleet.ask(f"{wish} {app}{to}") for app in APPS for wish, to in (("deploy", " v2"), ("restart", ""))]

        found = await quiet(fleet)

        assert disagreements(fleet, found) == []
        assert len(found.inbox) == len(looks) + len(changes) == 192
        # Each look is one message, posted once; each change one message, edited.
        times = Counter(post["key"] for post in fleet.posts)
        assert [post for post in fleet.posts if post["key"] in looks and times[post["key"]] != 1] == []
        assert Counter(post["key"] for post in fleet.posts if post["anew"]).most_common(1)[0][1] == 1
        answered_by = Counter(post["pid"] for post in fleet.posts if post["key"] in looks)
        assert min(answered_by[replica.pid] for replica in fleet.replicas.values()) > len(looks) / 10


async def test_what_one_lays_down_another_takes_up_in_the_same_message(fleets: Fleets) -> None:
    async with (await shared_server()).database() as url, fleets.of(2, url, ["web"], seed=2) as fleet:
        wish = fleet.ask("deploy web v-slow")
        await until(lambda: any(post["headline"].startswith("Rolling out") for post in fleet.posts))
        at_work = next(replica for replica in fleet.replicas.values() if replica.pid == fleet.posts[-1]["pid"])

        await at_work.stop()
        fleet.replicas = {place: replica for place, replica in fleet.replicas.items() if replica is not at_work}

        assert disagreements(fleet, await quiet(fleet)) == []
        assert [post["key"] for post in fleet.posts if post["anew"]] == [wish]
        assert fleet.posts[-1]["headline"].startswith("web v-slow rolled out in")
        assert fleet.posts[-1]["pid"] in {replica.pid for replica in fleet.replicas.values()}


async def test_a_new_policy_counts_and_a_wrong_one_does_not(fleets: Fleets) -> None:
    async with (await shared_server()).database() as url, fleets.of(1, url, ["web"], seed=2) as fleet:

        async def tone(line: str, by: str) -> str:
            wish = fleet.ask(line, by=by)
            await quiet(fleet)
            return str(next(post["tone"] for post in reversed(fleet.posts) if post["key"] == wish))

        assert await tone("pods web", "eve") == "bad"
        wider = POLICY.replace("people: [alice, bob], role", "people: [alice, bob, eve], role")
        grant(fleet.world, wider)
        fleet.write_policy(wider)
        await until(lambda: "policy changed" in fleet.logs)
        assert await tone("pods web", "eve") == "plain"

        fleet.write_policy("version: 1\nnonsense: true\n")
        await until(lambda: "policy refused" in fleet.logs)
        assert await tone("pods web", "eve") == "plain"
