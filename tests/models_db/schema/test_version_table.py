"""Two programs with Alembic in one database: each knows its own version, and neither is in the other's way."""

import uuid
from collections.abc import Iterator
from io import StringIO

import psycopg
import pytest
from alembic import command
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, text

from models.db.errors import MatchingError
from models.db.schema.migrations import make_alembic_config, upgrade_database
from tests.models_db.conftest import migrate_at_once, run


@pytest.fixture
def empty(server: psycopg.Connection, server_url: URL) -> Iterator[str]:
    """The URL of a database with nothing in it."""
    name = f"empty_{uuid.uuid4().hex}"
    server.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    yield server_url.set(database=name).render_as_string(hide_password=False)
    server.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture
def engine(empty: str) -> Iterator[Engine]:
    engine = create_engine(empty)
    yield engine
    engine.dispose()


def versions(engine: Engine, schema: str) -> set[str] | None:
    """What a version table holds; None if there is none."""
    with engine.connect() as connection:
        table = f"{schema}.alembic_version"
        if connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}) is None:
            return None
        return set(connection.scalars(text(f"SELECT version_num FROM {table}")))


def assert_migrated(engine: Engine, url: str, others: set[str] | None = None) -> None:
    """All tables are there, and our version is where nobody else's is."""
    head = ScriptDirectory.from_config(make_alembic_config(url)).get_current_head()
    assert versions(engine, "matching") == {head}
    assert versions(engine, "public") == others
    command.check(make_alembic_config(url))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regproc('matching.serialize_erasures') IS NOT NULL"))


def migrate_as_before(engine: Engine, url: str, revision: str, shared: set[str] | None) -> None:
    """Bring the database to a revision as the versions that knew no table of their own did, and share their table."""
    if revision != "base":
        upgrade_database(url, revision)
        run(engine, "DROP TABLE matching.alembic_version")
    if shared is not None:
        share(engine, *shared)


def share(engine: Engine, *revisions: str) -> None:
    """Do as the app's Alembic does."""
    run(engine, "CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
    for revision in revisions:
        run(engine, "INSERT INTO public.alembic_version VALUES (:revision)", revision=revision)


@pytest.mark.parametrize(
    ("revision", "shared", "left"),
    [
        ("base", {"0005"}, {"0005"}),  # the app's revision has the name of one of ours
        ("0001", {"0001", "abc123"}, {"abc123"}),
        ("0002", {"0002"}, None),
        ("0003", {"0002"}, {"0002"}),  # the app has replaced our version by its own
        ("0004", None, None),  # the table is lost
        ("0005", {"0005", "0099"}, {"0099"}),
        ("0005", {"0099"}, {"0099"}),
    ],
)
def test_a_version_that_was_shared_is_carried_over(
    engine: Engine, empty: str, revision: str, shared: set[str] | None, left: set[str] | None
) -> None:
    migrate_as_before(engine, empty, revision, shared)
    upgrade_database(empty)
    assert_migrated(engine, empty, left)


def test_the_app_s_version_outlives_ours(engine: Engine, empty: str) -> None:
    upgrade_database(empty)
    share(engine, "0005")
    upgrade_database(empty)
    assert_migrated(engine, empty, {"0005"})
    command.downgrade(make_alembic_config(empty), "base")
    assert (versions(engine, "matching"), versions(engine, "public")) == (None, {"0005"})


def test_a_database_of_a_newer_version_is_refused_in_one_line(engine: Engine, empty: str) -> None:
    upgrade_database(empty)
    run(engine, "UPDATE matching.alembic_version SET version_num = '9999'")
    with pytest.raises(MatchingError, match="9999 by a newer version") as refused:
        upgrade_database(empty)
    assert "\n" not in str(refused.value)
    assert versions(engine, "matching") == {"9999"}


def test_asking_for_the_version_changes_nothing(engine: Engine, empty: str) -> None:
    config = make_alembic_config(empty)
    config.stdout = said = StringIO()
    command.current(config)
    assert versions(engine, "matching") is None
    upgrade_database(empty, "0003")
    command.current(config)
    assert said.getvalue().strip() == "0003"


def test_a_migration_that_fails_leaves_nothing(engine: Engine, empty: str) -> None:
    run(engine, "CREATE SCHEMA app")
    run(engine, "CREATE TABLE app.blocks ()")
    with pytest.raises(Exception, match="already exists"):
        upgrade_database(empty)
    assert versions(engine, "matching") is None


@pytest.mark.parametrize("before", [None, "0005"])
def test_processes_that_migrate_at_once(engine: Engine, empty: str, before: str | None) -> None:
    """An empty database has nothing yet that they could take turns by."""
    if before:
        migrate_as_before(engine, empty, before, {before, "abc123"})
    migrate_at_once(*[empty] * 3)
    assert_migrated(engine, empty, {"abc123"} if before else None)
