"""The API's own connections."""

import asyncio
from collections.abc import Iterator

import pytest
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool

from models.db.engines import libpq_url
from serving.database import fetch_row, make_pool


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def pool(runner: asyncio.Runner, api_database: str) -> Iterator[AsyncConnectionPool]:
    async def opened() -> AsyncConnectionPool:
        pool = make_pool(libpq_url(api_database))
        await pool.open()
        return pool

    pool = runner.run(opened())
    yield pool
    runner.run(pool.close())


def test_nothing_can_be_written(runner: asyncio.Runner, pool: AsyncConnectionPool) -> None:
    with pytest.raises(ReadOnlySqlTransaction):
        runner.run(fetch_row(pool, "DELETE FROM app.blocks RETURNING blocker_id"))


def test_statements_are_planned_once_a_connection(runner: asyncio.Runner, pool: AsyncConnectionPool) -> None:
    for number in range(10):
        assert runner.run(fetch_row(pool, "SELECT %(number)s + 1 AS counted", {"number": number})) == (number + 1,)
    plans = "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%%AS counted'"
    generic, custom = zip(*(runner.run(fetch_row(pool, plans)) or () for _ in range(2)), strict=True)
    assert (sum(generic), sum(custom)) == (10, 0)
