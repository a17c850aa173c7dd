"""Who somebody is, is asked at every decision; when nobody can say, nobody is let through."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from rigs.weather import changing
from rigs.whole_bot import small_world, whole_bot

from bot.core.errors import Unavailable
from bot.core.ledger import State
from bot.core.people import Actor, Identity
from bot.core.policy import PolicyDirectory
from bot.demo.policy import demo_policy


class Moody(PolicyDirectory):
    """A directory that answers, fails, or says nothing at all; `asked` counts its questions."""

    def __init__(self) -> None:
        super().__init__(demo_policy())
        self.mood = "fine"
        self.asked = 0

    async def person(self, actor_id: str) -> Actor:
        await self._feel()
        return await super().person(actor_id)

    async def identity(self, actor: Actor, cluster: str) -> Identity:
        await self._feel()
        return await super().identity(actor, cluster)

    async def _feel(self) -> None:
        self.asked += 1
        if self.mood == "fails":
            raise Unavailable("The directory does not answer.", hint="Try again in a moment.")
        if self.mood == "silent":
            await asyncio.Event().wait()


async def test_neither_a_question_nor_a_deed_reaches_a_cluster_while_the_directory_fails() -> None:
    directory = Moody()
    async with small_world("myapp") as world, whole_bot(world, directory=directory) as whole:
        directory.mood = "fails"
        for line in ("pods", "deploy myapp v2", "can deploy", "whoami", "help"):
            answer = await whole.bot.says(line)
            assert answer.reply.headline == "The directory does not answer.", line
            assert "Try again in a moment." in answer.text

        assert whole.dev.calls == []
        assert whole.ledger.actions == ()


async def test_a_confirmation_is_refused_while_the_directory_fails_and_counts_afterwards() -> None:
    directory = Moody()
    async with small_world("myapp") as world, whole_bot(world, directory=directory) as whole:
        await whole.bot.says("scale myapp 0")
        directory.mood = "fails"
        refused = await whole.bot.clicks("Confirm")

        assert refused.reply.headline == "The directory does not answer."
        assert whole.dev.count(changing) == 0
        assert whole.ledger.states == [State.WAITING]

        directory.mood = "fine"
        done = await whole.bot.clicks("Confirm")
        assert "0" in done.reply.headline
        assert whole.ledger.states == [State.DONE]


async def test_a_directory_that_says_nothing_ends_in_a_refusal_and_not_in_silence() -> None:
    directory = Moody()
    async with (
        small_world("myapp") as world,
        whole_bot(world, directory=directory, answer=timedelta(seconds=0.3)) as whole,
    ):
        directory.mood = "silent"
        async with asyncio.timeout(5):
            for line in ("pods", "deploy myapp v2"):
                answer = await whole.bot.says(line)
                assert answer.reply.headline == "I cannot find out now who you are: the directory does not answer."

        assert whole.dev.calls == []


async def test_it_is_asked_again_for_every_request_and_every_decision() -> None:
    directory = Moody()
    async with small_world("myapp") as world, whole_bot(world, directory=directory) as whole:
        counts = []
        for line in ("pods", "pods", "scale myapp 0"):
            before = directory.asked
            await whole.bot.says(line)
            counts.append(directory.asked - before)
        before = directory.asked
        await whole.bot.clicks("Confirm")

        assert all(counts)
        assert directory.asked > before


async def test_somebody_who_was_taken_out_of_the_policy_cannot_confirm_what_they_asked_for() -> None:
    directory = Moody()
    async with small_world("myapp") as world, whole_bot(world, directory=directory) as whole:
        await whole.bot.says("scale myapp 0")
        base = demo_policy()
        narrower = replace(base, people=tuple(person for person in base.people if person.id != "alice"))
        directory.adopt(narrower)
        refused = await whole.bot.clicks("Confirm")

        assert "I do not know @alice" in refused.reply.headline
        assert whole.dev.count(changing) == 0
