"""The API behind a pooler that lends sessions by the transaction, and the app that uses the same sessions."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psycopg
import pytest
from psycopg.errors import QueryCanceled, ReadOnlySqlTransaction
from sqlalchemy import make_url

from models.db.engines import convert_to_libpq_url
from models.db.errors import DatabaseUnavailable
from models.db.schema.reader_role import ROLE
from serving.queries.read_pool import fetch_row, make_pool
from tests.pgbouncer import pooled
from tests.serving.conftest import Api, Town, serving

SETTINGS = ("role", "default_transaction_read_only", "statement_timeout", "plan_cache_mode", "jit", "TimeZone")


@pytest.fixture
def url(api_database: str) -> Iterator[str]:
    """The API's database behind a pooler that has one session in it."""
    with pooled(api_database, sessions=1) as url:
        yield url


@pytest.fixture
def api(url: str, tmp_path: Path) -> Iterator[Api]:
    """The API behind the pooler."""
    with serving(url, tmp_path / "log") as api:
        yield api


def settings(connection: psycopg.Connection) -> list[object]:
    return [connection.execute("SELECT current_setting(%s)", [name]).fetchone() for name in SETTINGS]


def assert_the_app_s(url: str, before: list[object]) -> None:
    """The session that the pooler lends to the app is as the app left it."""
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True, prepare_threshold=None) as app:
        assert settings(app) == before
        assert app.execute("UPDATE app.profiles SET paused = false").rowcount > 0
        assert app.execute("SELECT current_user = session_user").fetchone() == (True,)
        assert app.execute("SELECT count(*) FROM pg_prepared_statements").fetchone() == (0,)


def test_the_app_s_sessions_stay_as_they_are(url: str, town: Town, tmp_path: Path) -> None:
    viewer, candidates = town.person("woman"), town.people("man", 3)
    town.publish({viewer: candidates})
    town.pair(town.publish({viewer: candidates}), viewer, candidates[0])
    with psycopg.connect(convert_to_libpq_url(url), autocommit=True, prepare_threshold=None) as app:
        before = settings(app)
    with serving(url, tmp_path / "log") as api:
        for _ in range(10):  # more than psycopg prepares after
            assert api.shown(viewer) == candidates
            assert_the_app_s(url, before)
        assert api.get("/readyz").status_code == 200
        assert_the_app_s(url, before)
    assert_the_app_s(url, before)


def test_many_at_once_share_one_session_with_the_app(api: Api, url: str, town: Town) -> None:
    viewers, candidates = town.people("woman", 8), town.people("man", 3)
    town.publish(dict.fromkeys(viewers, candidates))

    def write(_: int) -> int:
        with psycopg.connect(convert_to_libpq_url(url), prepare_threshold=None) as app:
            return app.execute("UPDATE app.profiles SET paused = false").rowcount

    with ThreadPoolExecutor(8) as pool:
        written = pool.map(write, range(40))
        assert list(pool.map(api.shown, viewers * 20)) == [candidates] * 160
        assert set(written) == {11}


def test_it_reads_as_the_reader_and_nothing_else(url: str) -> None:
    async def asked(*statements: str) -> list[object]:
        async with make_pool(convert_to_libpq_url(url)) as pool:
            return [await fetch_row(pool, statement) for statement in statements]

    assert asyncio.run(asked("SELECT current_user::text", "SHOW statement_timeout", "SHOW TimeZone")) == [
        (ROLE,),
        ("2s",),
        ("UTC",),
    ]
    with pytest.raises(ReadOnlySqlTransaction):
        asyncio.run(asked("CREATE SCHEMA mine"))
    with pytest.raises(DatabaseUnavailable):
        asyncio.run(asked("SELECT 1 FROM app.blocks"))
    with pytest.raises(DatabaseUnavailable) as slow:
        asyncio.run(asked("SELECT pg_sleep(10)"))
    assert isinstance(slow.value.__cause__, QueryCanceled)


def test_an_answer_that_fails_leaves_nothing_behind(url: str, town: Town) -> None:
    town.person()

    async def fail() -> None:
        async with make_pool(convert_to_libpq_url(url)) as pool:
            for statement in ("SELECT 1 FROM app.blocks", "SELECT pg_sleep(10)"):
                with pytest.raises(DatabaseUnavailable):
                    await fetch_row(pool, statement)
            assert await fetch_row(pool, "SELECT 1") == (1,)

    with psycopg.connect(convert_to_libpq_url(url), autocommit=True, prepare_threshold=None) as app:
        before = settings(app)
    asyncio.run(fail())
    assert_the_app_s(url, before)


def test_a_user_who_may_not_be_the_reader_is_told_in_the_log(
    server: psycopg.Connection, api_database: str, caplog: pytest.LogCaptureFixture
) -> None:
    async def ask(url: str) -> None:
        async with make_pool(convert_to_libpq_url(url)) as pool:
            await fetch_row(pool, "SELECT 1")

    server.execute("CREATE ROLE stranger LOGIN")
    try:
        stranger = make_url(api_database).set(username="stranger").render_as_string(hide_password=False)
        with pooled(stranger, sessions=1) as url, pytest.raises(DatabaseUnavailable):
            asyncio.run(ask(url))
    finally:
        server.execute("DROP ROLE stranger")
    assert f"the database user stranger may not read: run GRANT {ROLE} TO stranger" in caplog.text
