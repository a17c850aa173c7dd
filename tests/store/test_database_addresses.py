"""An address that leads nowhere is refused in one sentence with its cure, and its password is never told."""

import sys
from typing import Final

import pytest
from rigs.postgres import shared_server
from rigs.stores import opened

from bot.core.errors import StoreUnavailable

PASSWORD: Final = "hunter2"


async def refusal(url: str) -> StoreUnavailable:
    with pytest.raises(StoreUnavailable) as refused:
        async with opened(url, within=3):
            pass
    assert refused.value.message.endswith(".")
    assert PASSWORD not in said(refused.value)
    return refused.value


def said(error: BaseException | None) -> str:
    """All that an error and those it came from say, as a log would have it."""
    texts = []
    while error is not None:
        texts += [str(error), repr(error), str(getattr(error, "hint", ""))]
        error = error.__cause__ or error.__context__
    return "\n".join(texts)


@pytest.mark.parametrize(
    ("url", "sentence", "cure"),
    [
        (f"hm:{PASSWORD}", "cannot be read", "It looks like"),
        (f"postgresql://me:{PASSWORD}@host:port/db", "cannot be read", "It looks like"),
        (f"mysql://me:{PASSWORD}@host/db", "SQLite or PostgreSQL, not in mysql", "It looks like"),
        ("sqlite://", "names no file", "sqlite:////folder/file.db"),
        ("sqlite:////dev/null/x.db", "/dev/null/x.db cannot be opened", "STEERSMAN_DATABASE_URL"),
        ("sqlite:////sys/steersman/x.db", "/sys/steersman/x.db cannot be written", "rights"),
        (f"postgresql://me:{PASSWORD}@127.0.0.1:1/db", "db on 127.0.0.1 has no server", "Start the server"),
        (f"postgresql://me:{PASSWORD}@nowhere.invalid/db", "host whose name nobody knows", "STEERSMAN_DATABASE_URL"),
    ],
)
async def test_an_address_that_leads_nowhere_is_told(url: str, sentence: str, cure: str) -> None:
    error = await refusal(url)

    assert sentence in error.message
    assert cure in error.hint


async def test_postgresql_without_its_driver_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)

    error = await refusal(f"postgresql://me:{PASSWORD}@127.0.0.1/db")

    assert "driver that is not installed" in error.message
    assert "steersman[postgres]" in error.hint


@pytest.mark.postgres
async def test_a_login_that_is_refused_is_told(postgres_url: str) -> None:
    server = await shared_server()

    for wrong in (postgres_url.replace(server.password, PASSWORD), postgres_url.replace("//steersman:", "//nobody:")):
        error = await refusal(wrong)
        assert "refuses the login" in error.message
        assert "user and the password" in error.hint


@pytest.mark.postgres
async def test_a_database_that_is_not_there_is_told() -> None:
    error = await refusal((await shared_server()).url("nothere"))

    assert "nothere on 127.0.0.1 does not exist" in error.message
    assert "createdb" in error.hint


@pytest.mark.postgres
async def test_a_user_without_the_right_to_make_tables_is_told() -> None:
    server = await shared_server()
    async with server.database(migrated=False) as url:
        guest = f"guest_of_{url.rpartition('/')[2]}"
        await server.sql(f"CREATE ROLE {guest} LOGIN PASSWORD '{server.password}'")
        try:
            error = await refusal(url.replace("//steersman:", f"//{guest}:"))
        finally:
            await server.sql(f"DROP ROLE {guest}")

    assert "refuses what Steersman needs to do" in error.message
    assert "CREATE" in error.hint


async def test_a_reader_of_what_does_not_exist_yet_is_told(sqlite_url: str) -> None:
    with pytest.raises(StoreUnavailable, match="There is no database at") as refused:
        async with opened(sqlite_url, readonly=True):
            pass

    assert "first starts" in refused.value.hint


@pytest.mark.postgres
async def test_a_reader_of_an_empty_database_makes_nothing_in_it() -> None:
    async with (await shared_server()).database(migrated=False) as url:
        with pytest.raises(StoreUnavailable, match="has no tables of this version yet") as refused:
            async with opened(url, readonly=True):
                pass

        assert "Start Steersman once" in refused.value.hint
        tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
        assert await (await shared_server()).sql(tables, url.rpartition("/")[2]) == [(0,)]
