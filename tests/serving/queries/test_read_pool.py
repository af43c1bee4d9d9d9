"""The API's connections, direct and behind a pooler that lends sessions by the transaction."""

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TypeVar

import psycopg
import pytest
from psycopg.errors import InsufficientPrivilege, QueryCanceled, ReadOnlySqlTransaction
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url
from models.db.errors import DatabaseUnavailable
from models.db.schema.reader_role import ROLE
from serving.queries.read_pool import MAX_CONNECTIONS, MAX_WAITING, SETTINGS, WAIT_SECONDS, fetch_row, make_pool
from tests.pgbouncer import pooled
from tests.serving.conftest import Users, serving

T = TypeVar("T")


@pytest.fixture
def pooled_url(api_database: str) -> Iterator[str]:
    """The API's database behind a pooler with one session."""
    with pooled(api_database, sessions=1) as url:
        yield url


@pytest.fixture(params=["direct", "pooled"])
def url(request: pytest.FixtureRequest, api_database: str) -> str:
    return api_database if request.param == "direct" else str(request.getfixturevalue("pooled_url"))


def run_with_pool(url: str, use: Callable[[AsyncConnectionPool], Coroutine[None, None, T]]) -> T:
    async def run() -> T:
        async with make_pool(convert_to_libpq_url(url)) as pool:
            return await use(pool)

    return asyncio.run(run())


def test_it_reads_as_the_reader_and_nothing_else(url: str) -> None:
    async def use(pool: AsyncConnectionPool) -> None:
        with pytest.raises(ReadOnlySqlTransaction):
            await fetch_row(pool, "CREATE SCHEMA mine")
        for statement, cause in (
            ("SELECT blocker_id FROM app.blocks", InsufficientPrivilege),
            ("SELECT pg_sleep(10)", QueryCanceled),
        ):
            with pytest.raises(DatabaseUnavailable) as refused:
                await fetch_row(pool, statement)
            assert isinstance(refused.value.__cause__, cause)
        shown = [await fetch_row(pool, sql) for sql in ("SELECT current_user::text", "SHOW statement_timeout")]
        assert shown == [(ROLE,), ("2s",)]

    run_with_pool(url, use)
    with psycopg.connect(convert_to_libpq_url(url)) as app:
        assert app.execute("SELECT current_user = session_user").fetchone() == (True,), "failures leave nothing behind"


def test_a_user_who_may_not_read_is_named_in_the_log(
    server: psycopg.Connection, api_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    server.execute("CREATE ROLE stranger LOGIN")
    try:
        stranger = make_url(api_database).set(username="stranger").render_as_string(hide_password=False)
        with pooled(stranger, sessions=1) as behind_pooler:
            for url in (stranger, behind_pooler):
                caplog.clear()
                with pytest.raises(DatabaseUnavailable):
                    run_with_pool(url, lambda pool: fetch_row(pool, "SELECT 1"))
                assert f"run GRANT {ROLE} TO stranger" in caplog.text
    finally:
        server.execute("DROP ROLE stranger")


def test_a_missing_role_is_named_in_the_log(
    url: str, server: psycopg.Connection, caplog: pytest.LogCaptureFixture
) -> None:
    server.execute(f"ALTER ROLE {ROLE} RENAME TO renamed")
    try:
        with pytest.raises(DatabaseUnavailable):
            run_with_pool(url, lambda pool: fetch_row(pool, "SELECT 1"))
    finally:
        server.execute(f"ALTER ROLE renamed RENAME TO {ROLE}")
    assert f"no role {ROLE}: run `matching migrate`" in caplog.text


def test_a_statement_is_planned_once_for_all_parameters(api_database: str) -> None:
    async def use(pool: AsyncConnectionPool) -> object:
        async with pool.connection() as connection:
            for number in range(10):
                await connection.execute("SELECT %(number)s + 1 AS counted", {"number": number})
            cursor = await connection.execute(
                "SELECT generic_plans, custom_plans FROM pg_prepared_statements WHERE statement LIKE '%AS counted'"
            )
            return await cursor.fetchone()

    assert run_with_pool(api_database, use) == (10, 0)


def test_a_busy_pool_refuses_or_ends_the_wait(api_database: str) -> None:
    async def use(pool: AsyncConnectionPool) -> set[object]:
        async with AsyncExitStack() as taken:
            for _ in range(MAX_CONNECTIONS):
                await taken.enter_async_context(pool.connection())
            pool.timeout = 30  # longer than a response may take, so that only the number of waiting ones refuses
            waiting = [asyncio.create_task(fetch_row(pool, "SELECT 1")) for _ in range(MAX_WAITING)]
            await asyncio.sleep(0)
            with pytest.raises(DatabaseUnavailable, match="too many requests wait"):
                await fetch_row(pool, "SELECT 1")
        responses: set[object] = set(await asyncio.gather(*waiting))
        pool.timeout = WAIT_SECONDS
        async with AsyncExitStack() as taken:
            for _ in range(MAX_CONNECTIONS):
                await taken.enter_async_context(pool.connection())
            with pytest.raises(DatabaseUnavailable, match="does not answer"):
                await fetch_row(pool, "SELECT 1")
        return responses

    assert run_with_pool(api_database, use) == {(1,)}, "the waiting ones get a response"


def test_the_sessions_of_a_pooler_stay_as_the_app_left_them(pooled_url: str, users: Users, tmp_path: Path) -> None:
    viewers, candidates = [users.add() for _ in range(8)], users.men(3)
    users.publish(dict.fromkeys(viewers, candidates))

    def use_as_the_app(_: object = None) -> list[object]:
        with psycopg.connect(convert_to_libpq_url(pooled_url), autocommit=True, prepare_threshold=None) as app:
            assert app.execute("UPDATE app.profiles SET paused = false").rowcount == 11
            assert app.execute("SELECT current_user = session_user").fetchone() == (True,)
            assert app.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)
            return [app.execute("SELECT current_setting(%s)", [name]).fetchone() for name in SETTINGS]

    before = use_as_the_app()
    with serving(pooled_url, tmp_path / "log") as api:
        for _ in range(10):  # more than psycopg prepares after
            assert api.shown(viewers[0]) == candidates
            assert use_as_the_app() == before
        with ThreadPoolExecutor(8) as threads:
            used = threads.map(use_as_the_app, range(40))
            assert list(threads.map(api.shown, viewers * 20)) == [candidates] * 160
            assert list(used) == [before] * 40
    assert use_as_the_app() == before
