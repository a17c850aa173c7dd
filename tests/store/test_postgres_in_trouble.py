"""PostgreSQL locked, read-only, beside a frozen process, killed: one sentence each, nothing confirmed lost."""

import asyncio
import signal

import pytest
from rigs.apiserver import eventually
from rigs.child import child
from rigs.kept import action, record, request
from rigs.postgres import own_server, shared_server
from rigs.stores import opened, sql_stores

from bot.core.errors import StoreUnavailable
from bot.store.engine import Store

pytestmark = pytest.mark.postgres


async def test_a_server_that_only_reads_is_told(postgres_url: str) -> None:
    name = postgres_url.rpartition("/")[2]
    await (await shared_server()).sql(f"ALTER DATABASE {name} SET default_transaction_read_only = on")
    async with opened(postgres_url) as store:
        with pytest.raises(StoreUnavailable, match="the server is read-only") as refused:
            await store.ledger.note(record())

    assert "primary" in refused.value.hint


async def test_a_lock_that_another_holds_ends_in_a_sentence_and_then_all_goes_on(postgres_url: str) -> None:
    async with sql_stores(postgres_url) as holder, opened(postgres_url, within=0.5) as store:
        async with holder.database.write() as transaction:
            await transaction.exec_driver_sql("LOCK TABLE audit")
            with pytest.raises(StoreUnavailable, match="did not answer in time"):
                await store.ledger.note(record())
        await store.ledger.note(record())

        assert len(await store.ledger.records()) == 1


async def test_who_stops_waiting_leaves_a_connection_that_works(postgres_url: str) -> None:
    async with sql_stores(postgres_url) as holder, opened(postgres_url) as store:
        async with holder.database.write() as transaction:
            await transaction.exec_driver_sql("LOCK TABLE audit")
            waiting = [asyncio.create_task(store.ledger.note(record("LOST"))) for _ in range(8)]
            while await held_up(postgres_url) < len(waiting):  # noqa: ASYNC110 - the server rings no bell
                await asyncio.sleep(0.01)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
        await store.ledger.note(record("KEPT"))

        assert [line.kind for line in await store.ledger.records()] == ["KEPT"]


async def held_up(url: str) -> int:
    """How many statements wait for a lock."""
    here = "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
    [[count]] = await (await shared_server()).sql(here, url.rpartition("/")[2])
    assert isinstance(count, int)
    return count


FREEZES_WITH_THE_CHAIN = """
import asyncio, sys, time
from rigs.stores import opened

async def main():
    async with opened(sys.argv[1], "frozen", within=1) as store, store.audit.database.write() as transaction:
        await transaction.exec_driver_sql("SELECT * FROM chain_head FOR UPDATE")
        print("held", flush=True)
        time.sleep(60)

asyncio.run(main())
"""


async def test_a_frozen_process_does_not_hold_up_the_others(postgres_url: str) -> None:
    async with child(FREEZES_WITH_THE_CHAIN, postgres_url) as frozen, opened(postgres_url) as store:
        assert await frozen.line() == "held"
        frozen.process.send_signal(signal.SIGSTOP)

        await store.ledger.note(record())

        assert len(await store.ledger.records()) == 1


async def test_a_server_that_is_killed_under_load_loses_nothing_that_was_confirmed() -> None:
    confirmed: set[str] = set()
    refused: list[StoreUnavailable] = []

    async def load(store: Store, worker: int) -> None:
        number = 0
        while True:
            number += 1
            name = f"{worker}-{number}"
            try:
                await store.inbox.accept([request(name)])
                await store.ledger.begin(action(name), record("STARTED", name))
            except StoreUnavailable as error:
                refused.append(error)
                await asyncio.sleep(0.01)
            else:
                confirmed.add(name)

    async def more_of(some: set[str] | list[StoreUnavailable], count: int = 1) -> None:
        enough = len(some) + count
        await eventually(lambda: len(some) >= enough, 30)

    with own_server() as server:
        await server.sql("CREATE DATABASE steersman")
        url = server.url("steersman")
        async with opened(url) as store:
            loads = [asyncio.create_task(load(store, worker)) for worker in range(8)]
            for end in (server.kill, server.kill, server.stop):
                await more_of(confirmed, 20)
                await asyncio.to_thread(end)
                await more_of(refused)
                await asyncio.to_thread(server.start)
            await more_of(confirmed, 20)
            for task in loads:
                task.cancel()
            ends = await asyncio.gather(*loads, return_exceptions=True)

        assert all(isinstance(end, asyncio.CancelledError) for end in ends)
        async with opened(url) as store:
            lines = await store.ledger.records()
            begun = [line.action for line in lines]
            assert confirmed <= set(begun)
            assert len(begun) == len(set(begun))
            assert confirmed <= {one.id for one in await store.inbox.claim(len(begun) + 100)}
            assert (await store.audit.head()).seq == len(lines)
        for error in refused:
            assert error.message.startswith("The database steersman on 127.0.0.1 ")
            assert error.hint
