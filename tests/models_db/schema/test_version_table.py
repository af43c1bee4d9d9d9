"""Two programs with Alembic in one database: each knows its own version, and neither is in the other's way."""

import subprocess
import sys
import uuid
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import psycopg
import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, Engine, create_engine, text

from models.db.errors import MatchingError
from models.db.schema.migrations import make_alembic_config, upgrade_database
from tests.models_db.conftest import run

OURS = ("0001", "0002", "0003", "0004", "0005")
"""The revisions that kept their version in the table `public.alembic_version`."""

APP_ENVIRONMENT = """
from alembic import context
from sqlalchemy import NullPool, create_engine

with create_engine(context.config.get_main_option("url"), poolclass=NullPool).connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
"""
APP_REVISION = """
from alembic import op

revision, down_revision = "{revision}", {before}


def upgrade():
    op.execute("CREATE TABLE swipes_{revision} ()")
"""


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


@pytest.fixture(params=["abc123", "0003", "0005"])
def app(request: pytest.FixtureRequest, tmp_path: Path, empty: str) -> Config:
    """The app's own migrations, two of them, of which the second is named like this."""
    (tmp_path / "versions").mkdir()
    (tmp_path / "env.py").write_text(APP_ENVIRONMENT)
    for revision, before in (("first", None), (request.param, "first")):
        source = APP_REVISION.format(revision=revision, before=repr(before))
        (tmp_path / "versions" / f"{revision}.py").write_text(source)
    config = Config()
    config.set_main_option("script_location", str(tmp_path))
    config.set_main_option("url", empty.replace("%", "%%"))
    return config


def head(config: Config) -> str:
    revision = ScriptDirectory.from_config(config).get_current_head()
    assert revision is not None
    return revision


def versions(engine: Engine, table: str) -> set[str] | None:
    """What a version table holds; None if there is none."""
    with engine.connect() as connection:
        if connection.scalar(text("SELECT to_regclass(:table)"), {"table": table}) is None:
            return None
        return set(connection.scalars(text(f"SELECT version_num FROM {table}")))


def assert_migrated(engine: Engine, url: str) -> None:
    """Everything is there, and our version is where nobody else's is."""
    assert versions(engine, "matching.alembic_version") == {head(make_alembic_config(url))}
    command.check(make_alembic_config(url))
    with engine.connect() as connection:
        assert connection.scalar(text("SELECT to_regprocedure('matching.serialize_erasures()') IS NOT NULL"))


def migrate_as_before(engine: Engine, url: str, revision: str, *others: str) -> None:
    """Bring the database to a revision as the versions that knew no table of their own did, beside `others`."""
    upgrade_database(url, revision)
    rows = ", ".join(f"('{each}')" for each in (revision, *others))
    run(engine, "DROP TABLE matching.alembic_version")
    run(engine, "CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
    run(engine, f"INSERT INTO public.alembic_version VALUES {rows}")


def test_a_fresh_database(engine: Engine, empty: str) -> None:
    upgrade_database(empty)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") is None


@pytest.mark.parametrize("revision", OURS)
def test_a_database_migrated_before(engine: Engine, empty: str, revision: str) -> None:
    migrate_as_before(engine, empty, revision)
    upgrade_database(empty)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") is None


@pytest.mark.parametrize("revision", OURS)
def test_a_database_migrated_before_that_holds_the_app_s_version_too(engine: Engine, empty: str, revision: str) -> None:
    migrate_as_before(engine, empty, revision, "abc123")
    upgrade_database(empty)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") == {"abc123"}


@pytest.mark.parametrize(("revision", "theirs"), [("0001", "abc123"), ("0003", "0002"), ("0005", "0099")])
def test_a_database_migrated_before_whose_version_the_app_replaced(
    engine: Engine, empty: str, revision: str, theirs: str
) -> None:
    migrate_as_before(engine, empty, revision)
    run(engine, f"UPDATE public.alembic_version SET version_num = '{theirs}'")
    upgrade_database(empty)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") == {theirs}


def test_a_database_migrated_before_whose_version_is_lost(engine: Engine, empty: str) -> None:
    migrate_as_before(engine, empty, "0004")
    run(engine, "DROP TABLE public.alembic_version")
    upgrade_database(empty)
    assert_migrated(engine, empty)


def test_the_app_s_migrations_before_ours_and_after(engine: Engine, empty: str, app: Config) -> None:
    command.upgrade(app, "first")
    upgrade_database(empty)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") == {"first"}
    command.upgrade(app, "head")
    upgrade_database(empty)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") == {head(app)}


def test_the_app_s_migrations_all_before_ours(engine: Engine, empty: str, app: Config) -> None:
    command.upgrade(app, "head")
    upgrade_database(empty)
    assert_migrated(engine, empty)
    command.upgrade(app, "head")
    assert versions(engine, "public.alembic_version") == {head(app)}
    command.downgrade(make_alembic_config(empty), "base")
    assert versions(engine, "public.alembic_version") == {head(app)}


@pytest.mark.parametrize("revision", ["0003", "0005"])
def test_the_app_s_migrations_in_a_database_migrated_before(
    engine: Engine, empty: str, app: Config, revision: str
) -> None:
    migrate_as_before(engine, empty, revision)
    upgrade_database(empty)
    command.upgrade(app, "head")
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") == {head(app)}


def test_a_database_of_a_newer_version_is_refused_in_one_line(engine: Engine, empty: str) -> None:
    upgrade_database(empty)
    run(engine, "UPDATE matching.alembic_version SET version_num = '9999'")
    with pytest.raises(MatchingError, match=r"9999 by a newer version of this program.*install") as refused:
        upgrade_database(empty)
    assert "\n" not in str(refused.value)
    assert versions(engine, "matching.alembic_version") == {"9999"}


def test_asking_for_the_version_changes_nothing(engine: Engine, empty: str) -> None:
    said = StringIO()
    config = make_alembic_config(empty)
    config.stdout = said
    command.current(config)
    assert versions(engine, "matching.alembic_version") is None
    upgrade_database(empty, "0003")
    command.current(config)
    assert said.getvalue().strip() == "0003"


def test_a_migration_that_fails_leaves_nothing(engine: Engine, empty: str) -> None:
    run(engine, "CREATE SCHEMA app")
    run(engine, "CREATE TABLE app.blocks ()")
    with pytest.raises(Exception, match="already exists"):
        upgrade_database(empty)
    assert versions(engine, "matching.alembic_version") is None


def test_processes_that_migrate_at_once(engine: Engine, empty: str) -> None:
    """An empty database has nothing yet that they could take turns by."""
    program = "import sys; from models.db.schema.migrations import upgrade_database; upgrade_database(sys.argv[1])"
    migrating = [subprocess.Popen([sys.executable, "-c", program, empty]) for _ in range(4)]
    assert [process.wait() for process in migrating] == [0] * len(migrating)
    assert_migrated(engine, empty)


def test_processes_that_carry_the_version_over_at_once(engine: Engine, empty: str) -> None:
    migrate_as_before(engine, empty, "0005", "abc123")
    program = "import sys; from models.db.schema.migrations import upgrade_database; upgrade_database(sys.argv[1])"
    migrating = [subprocess.Popen([sys.executable, "-c", program, empty]) for _ in range(4)]
    assert [process.wait() for process in migrating] == [0] * len(migrating)
    assert_migrated(engine, empty)
    assert versions(engine, "public.alembic_version") == {"abc123"}
