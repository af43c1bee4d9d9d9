"""The API's own connections."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest
from psycopg.errors import ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool

from models.db.engines import convert_to_libpq_url
from models.db.errors import DatabaseUnavailable
from serving.queries.read_pool import MAX_CONNECTIONS, MAX_WAITING, WAIT_SECONDS, fetch_row, make_pool


@pytest.fixture
def runner() -> Iterator[asyncio.Runner]:
    with asyncio.Runner() as runner:
        yield runner


@pytest.fixture
def pool(runner: asyncio.Runner, api_database: str) -> Iterator[AsyncConnectionPool]:
    async def opened() -> AsyncConnectionPool:
        pool = make_pool(convert_to_libpq_url(api_database))
        await pool.open()
        return pool

    pool = runner.run(opened())
    yield pool
    runner.run(pool.close())


def test_nothing_can_be_written(runner: asyncio.Runner, pool: AsyncConnectionPool) -> None:
    with pytest.raises(ReadOnlySqlTransaction):
        runner.run(fetch_row(pool, "CREATE SCHEMA mine"))


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


@asynccontextmanager
async def all_connections_taken(pool: AsyncConnectionPool) -> AsyncIterator[None]:
    async with AsyncExitStack() as taken:
        for _ in range(MAX_CONNECTIONS):
            await taken.enter_async_context(pool.connection())
        yield


def test_a_full_pool_refuses_at_once(runner: asyncio.Runner, pool: AsyncConnectionPool) -> None:
    pool.timeout = 30  # so that whoever is refused was refused by the number of those who wait

    async def ask() -> tuple[float, set[object]]:
        async with all_connections_taken(pool):
            waiting = [asyncio.create_task(fetch_row(pool, "SELECT 1")) for _ in range(MAX_WAITING)]
            await asyncio.sleep(0)
            assert pool.get_stats()["requests_waiting"] == MAX_WAITING
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailable, match="too many requests wait"):
                await fetch_row(pool, "SELECT 1")
            refused_after = time.monotonic() - started
        return refused_after, set(await asyncio.gather(*waiting))

    refused_after, answers = runner.run(ask())
    assert refused_after < WAIT_SECONDS
    assert answers == {(1,)}, "who was let in to wait is answered"


def test_nobody_waits_long_for_a_busy_pool(runner: asyncio.Runner, pool: AsyncConnectionPool) -> None:
    async def ask() -> float:
        async with all_connections_taken(pool):
            started = time.monotonic()
            with pytest.raises(DatabaseUnavailable, match="does not answer"):
                await fetch_row(pool, "SELECT 1")
            return time.monotonic() - started

    assert WAIT_SECONDS - 0.1 < runner.run(ask()) < WAIT_SECONDS + 1
