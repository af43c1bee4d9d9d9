"""The database of the tests: one server, the real migrations once, then clones and rolled-back transactions."""

import gc
import os
import signal
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from sqlalchemy import URL, Connection, Engine, create_engine, make_url

from models.db import embedded
from models.db.engines import DRIVER, convert_to_libpq_url
from models.db.schema import migrations
from models.db.settings import Settings, get_settings
from tests.support.unsynced import stop_syncing

# Set before any test module is collected: the Hugging Face libraries read these when they are imported.
os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1"}
# Side by side, with a core at most: threads that wait for each other's cores would take a quarter of all the time.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ |= {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}

# What collecting imports stays: to search it for garbage again and again took a quarter of its time, and a seventh of a
# run of the pipeline's.
gc.disable()

# Started in the background, this process ignores Ctrl-C, and whatever Dagster starts would ignore what ends it: a run
# in a thread, which Dagster sets no handlers for, waits for that a minute.
signal.signal(signal.SIGINT, signal.default_int_handler)

stop_syncing()

TEMPLATE = "matching_template"
# A minute and more each: begun first, so that at the end no core waits for the other. On a fresh clone the first run of
# the pipeline compiles its loops for all others: the browser's tests, which need none, go beside it.
LONGEST = (
    *(
        "test_crash.py",
        "test_example.py",
        "test_example_loop.py",
        "test_speed_dating_run.py",
        "test_notebooks.py",
        "test_market_lists.py",
    ),
    *("test_who_passed.py", "test_blocks.py"),
)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The longest files first."""
    items.sort(key=lambda item: LONGEST.index(item.path.name) if item.path.name in LONGEST else len(LONGEST))


def pytest_collection_finish() -> None:
    """From here on garbage is what tests make."""
    gc.collect()
    gc.freeze()
    gc.enable()


@pytest.fixture(scope="session", autouse=True)
def matching_home() -> Iterator[Path]:
    """An empty MATCHING_HOME, and no other setting of whoever runs the tests."""
    # Not pytest's tmp_path: as root the server is another user, whom each starting pytest shuts out of those folders.
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as environment:
        home = Path(folder)
        for field in Settings.model_fields.values():
            environment.delenv(str(field.validation_alias), raising=False)
        environment.setenv("MATCHING_HOME", str(home))
        get_settings.cache_clear()
        yield home
        embedded.stop(home)
    get_settings.cache_clear()


@pytest.fixture(scope="session")
def server_url(matching_home: Path) -> URL:
    """The server of the tests: TEST_DATABASE_URL's if set (its user must be a superuser), else an embedded one."""
    url = os.environ.get("TEST_DATABASE_URL") or embedded.ensure_running(matching_home)
    return make_url(url).set(drivername=DRIVER, database="postgres")


@pytest.fixture(scope="session")
def server(server_url: URL) -> Iterator[psycopg.Connection]:
    """An autocommit connection to the server's database `postgres`, to make and drop databases."""
    with psycopg.connect(
        convert_to_libpq_url(server_url.render_as_string(hide_password=False)), autocommit=True
    ) as connection:
        if "TEST_DATABASE_URL" not in os.environ:
            for setting in ("fsync", "synchronous_commit", "full_page_writes"):  # what tests write may be lost
                connection.execute(f"ALTER SYSTEM SET {setting} = off")
            connection.execute("SELECT pg_reload_conf()")
        yield connection


@pytest.fixture(scope="session")
def template_url(server: psycopg.Connection, server_url: URL) -> Iterator[str]:
    """A database with the migrations applied and no rows, to be cloned: nothing may stay connected to it."""
    server.execute(f"DROP DATABASE IF EXISTS {TEMPLATE} WITH (FORCE)")
    with _database(server, TEMPLATE, like="template0"):
        url = server_url.set(database=TEMPLATE).render_as_string(hide_password=False)
        migrations.upgrade_database(url)
        yield url


@pytest.fixture
def database_url(server: psycopg.Connection, template_url: str) -> Iterator[str]:
    """A database of the test's own, migrated and empty: for tests that commit or need several connections."""
    with _database(server, f"test_{uuid.uuid4().hex}", like=TEMPLATE) as name:
        yield make_url(template_url).set(database=name).render_as_string(hide_password=False)


@pytest.fixture(scope="session")
def shared_engine(server: psycopg.Connection, template_url: str) -> Iterator[Engine]:
    """The engine behind `connection`, on a database that stays empty."""
    with _database(server, f"test_{uuid.uuid4().hex}", like=TEMPLATE) as name:
        engine = create_engine(make_url(template_url).set(database=name))
        yield engine
        engine.dispose()


@pytest.fixture
def connection(shared_engine: Engine) -> Iterator[Connection]:
    """A connection in a transaction that is rolled back: for tests that neither commit nor connect again."""
    with shared_engine.connect() as connection:
        transaction = connection.begin()
        yield connection
        assert transaction.is_active, "the test ended its transaction; one that commits takes database_url instead"
        transaction.rollback()


@contextmanager
def _database(server: psycopg.Connection, name: str, like: str) -> Iterator[str]:
    server.execute(f"CREATE DATABASE {name} TEMPLATE {like}")
    try:
        yield name
    finally:
        server.execute(f"DROP DATABASE {name} WITH (FORCE)")
