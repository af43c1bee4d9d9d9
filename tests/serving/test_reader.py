"""The API's connections read as the database role that the migrations made, or not at all."""

import asyncio
from collections.abc import Iterator

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url
from models.db.errors import DatabaseUnavailable
from models.db.schema.reader_role import ROLE
from serving.queries import read_pool
from serving.queries.read_pool import fetch_row, make_pool


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


def ask(runner: asyncio.Runner, url: str, statement: str) -> object:
    async def asked() -> object:
        async with make_pool(url) as pool:
            return await fetch_row(pool, statement)

    return runner.run(asked())


def test_it_reads_as_the_reader(runner: asyncio.Runner, api_database: str) -> None:
    url = convert_to_libpq_url(api_database)
    assert ask(runner, url, "SELECT current_user::text") == (ROLE,)
    with pytest.raises(DatabaseUnavailable) as refused:
        ask(runner, url, "SELECT blocker_id FROM app.blocks")
    assert isinstance(refused.value.__cause__, InsufficientPrivilege)


def test_a_user_who_may_not_be_the_reader_is_told_in_the_log(
    runner: asyncio.Runner, server: psycopg.Connection, api_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.execute("CREATE ROLE stranger LOGIN")
    try:
        url = make_url(api_database).set(username="stranger").render_as_string(hide_password=False)
        with pytest.raises(DatabaseUnavailable):
            ask(runner, convert_to_libpq_url(url), "SELECT 1")
    finally:
        server.execute("DROP ROLE stranger")
    assert f"the database user stranger may not read: run GRANT {ROLE} TO stranger" in caplog.text


def test_a_database_without_the_reader_is_told_in_the_log(
    runner: asyncio.Runner, api_database: str, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(read_pool, "SESSION", read_pool.SESSION.replace(ROLE, "nobody_here"))
    with pytest.raises(DatabaseUnavailable):
        ask(runner, convert_to_libpq_url(api_database), "SELECT 1")
    assert "run `matching migrate`" in caplog.text
