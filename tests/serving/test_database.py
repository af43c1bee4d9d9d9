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


def test_a_statement_is_planned_once_and_for_all_parameters(runner: asyncio.Runner, pool: AsyncConnectionPool) -> None:
    async def plans() -> tuple[int, int] | None:
        async with pool.connection() as connection:
            for number in range(10):
                await connection.execute("SELECT %(number)s + 1 AS counted", {"number": number})
            cursor = await connection.execute(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%AS counted'"
            )
            return await cursor.fetchone()

    assert runner.run(plans()) == (10, 0)
