"""Whatever several processes do to a database, in whatever order, it answers as its model in memory does.

A few sequences here, many with STEERSMAN_SOAK=1.
"""

import asyncio
import os
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from rigs.kept import MYAPP, action, message, record, request
from rigs.memory_ledger import LEASE
from rigs.stores import MemoryStores, View, fresh, sql_stores

from bot.core.errors import SteersmanError
from bot.core.ledger import ActionRecord, State
from bot.core.message import Outgoing

SOAK = bool(os.environ.get("STEERSMAN_SOAK"))

owners = st.sampled_from(["p", "q"])
keys = st.sampled_from(["r0", "r1", "r2"])
limits = st.integers(1, 3)
which = st.integers(0, 99)


class StoreMachine(RuleBasedStateMachine):
    """Two processes on one store, each step done to the database and to the model."""

    kind = ""
    folder = Path()

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.stack = AsyncExitStack()
        self.model = MemoryStores()
        self.seen: list[ActionRecord] = []
        self.taken: list[Outgoing] = []
        self.begun = 0
        self.runner.run(self.open())

    async def open(self) -> None:
        url = await self.stack.enter_async_context(fresh(self.kind, self.folder / uuid4().hex))
        self.sql = await self.stack.enter_async_context(sql_stores(url))

    def teardown(self) -> None:
        self.runner.run(self.stack.aclose())
        self.runner.close()

    def does(self, owner: str, step: Callable[[View], Awaitable[object]]) -> object:
        """The outcome of a step, which is the same in both: what it returns, or the kind of its refusal."""

        async def outcome(view: View) -> object:
            try:
                return await step(view)
            except SteersmanError as error:
                return type(error)

        async def both() -> tuple[object, object]:
            return await outcome(self.model.of(owner)), await outcome(self.sql.of(owner))

        expected, got = self.runner.run(both())
        assert got == expected
        for value in got if isinstance(got, tuple) else (got,):
            if isinstance(value, ActionRecord):
                self.seen.append(value)
            if isinstance(value, Outgoing):
                self.taken.append(value)
        return got

    @rule(owner=owners, some=st.lists(keys, max_size=3))
    def accept(self, owner: str, some: list[str]) -> None:
        self.does(owner, lambda view: view.inbox.accept([request(key) for key in some]))

    @rule(owner=owners, limit=limits)
    def claim(self, owner: str, limit: int) -> None:
        self.does(owner, lambda view: view.inbox.claim(limit))

    @rule(owner=owners, key=keys, how=st.sampled_from(["hold", "finish", "give_back"]))
    def settle(self, owner: str, key: str, how: str) -> None:
        self.does(owner, lambda view: view.inbox.hold([key]) if how == "hold" else getattr(view.inbox, how)(key))

    @rule(owner=owners, key=keys | st.just(""), state=st.sampled_from([State.WAITING, State.EXECUTING]))
    def begin(self, owner: str, key: str, state: State) -> None:
        self.begun += 1
        name = f"a{self.begun}"
        begun = action(name, state, MYAPP, request=key)
        self.does(owner, lambda view: view.ledger.begin(begun, record("BEGUN", name), [message(name, key or name)]))

    @precondition(lambda self: self.seen)
    @rule(owner=owners, at=which, to=st.sampled_from(State), key=keys | st.none())
    def advance(self, owner: str, at: int, to: State, key: str | None) -> None:
        seen = self.seen[-1 - at % len(self.seen)]
        if key is not None:
            seen = replace(seen, request=key)
        told = [message(f"{seen.id} {to}", seen.request or seen.id)]
        self.does(owner, lambda view: view.ledger.advance(seen, to, record(to, seen.id), told))

    @precondition(lambda self: self.seen)
    @rule(owner=owners, at=which, how=st.sampled_from(["hold", "release", "renew"]))
    def keep(self, owner: str, at: int, how: str) -> None:
        seen = self.seen[-1 - at % len(self.seen)]
        self.does(
            owner, lambda view: view.ledger.renew([seen.id]) if how == "renew" else getattr(view.ledger, how)(seen)
        )

    @rule(owner=owners, limit=limits)
    def orphans(self, owner: str, limit: int) -> None:
        self.does(owner, lambda view: view.ledger.orphans(limit))

    @rule(owner=owners, key=keys, text=st.sampled_from(["x", "y"]))
    def post(self, owner: str, key: str, text: str) -> None:
        self.does(owner, lambda view: view.outbox.post(message(text, key, "C0" if key == "r0" else "C1")))

    @rule(owner=owners, limit=limits)
    def due(self, owner: str, limit: int) -> None:
        self.does(owner, lambda view: view.outbox.due(limit))

    @precondition(lambda self: self.taken)
    @rule(owner=owners, at=which, well=st.booleans(), retry=st.sampled_from([0, 1.5 * LEASE]))
    def delivered(self, owner: str, at: int, well: bool, retry: float) -> None:
        out = self.taken[-1 - at % len(self.taken)]
        if well:
            self.does(owner, lambda view: view.outbox.posted(out, f"ts of {out.message.key}"))
        else:
            self.does(owner, lambda view: view.outbox.failed(out, retry))

    @rule()
    def time_passes(self) -> None:
        """Twice this ends a lease."""
        self.runner.run(self.model.pass_time(0.6 * LEASE))
        self.runner.run(self.sql.pass_time(0.6 * LEASE))

    @invariant()
    def both_remember_the_same(self) -> None:
        self.does("p", lambda view: view.ledger.records())
        self.does("p", lambda view: view.ledger.changes(MYAPP))


@pytest.mark.parametrize("kind", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def test_a_database_answers_as_the_model_does(kind: str, tmp_path: Path) -> None:
    machine = type("Machine", (StoreMachine,), {"kind": kind, "folder": tmp_path})

    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=400 if SOAK else 60,
            stateful_step_count=60 if SOAK else 30,
            derandomize=not SOAK,
            deadline=None,
            phases=[Phase.generate],  # a sequence is short, and shrinking one on a database takes minutes
            suppress_health_check=list(HealthCheck),
        ),
    )
