"""The role that the API reads as and the one that reads words: what they can read, and how databases share them."""

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from alembic import command
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import URL, Connection, Engine, make_url, text

from models.db import embedded
from models.db.errors import InputError
from models.db.schema import analyst_role, reviewer_role, words_role
from models.db.schema.migrations import make_alembic_config, upgrade_database
from models.db.schema.reader_role import ROLE
from tests.models_db.conftest import migrate_at_once, person_id, run, session

ROLES = (analyst_role.ROLE, ROLE, reviewer_role.ROLE, words_role.ROLE)
READ_PUBLICATION = "SELECT * FROM matching_api.read_publication()"


def test_functions_are_called_by_those_they_are_for(connection: Connection) -> None:
    """Those of the API by its role, and none with its owner's rights by anybody: not even as a trigger."""
    callers = """
        SELECT pronamespace::regnamespace::text, array_agg(DISTINCT caller)
        FROM pg_proc CROSS JOIN unnest(ARRAY['public', 'matching_reader']) AS caller
        WHERE (prosecdef AND pronamespace = 'matching'::regnamespace OR pronamespace = 'matching_api'::regnamespace)
          AND has_function_privilege(caller, oid, 'EXECUTE') GROUP BY pronamespace
    """
    assert [tuple(row) for row in connection.execute(text(callers))] == [("matching_api", [ROLE])]


def test_the_view_hides_rows_from_functions_of_its_reader(town: Engine) -> None:
    """A cheap function is run early, and sees the rows that are left out later, unless the view is a barrier."""
    run(town, "UPDATE app.profiles SET display_name = 'Unseen', seeks = '{}' WHERE id = :id", id=person_id(2))
    seen: list[str | None] = []
    with session(town.url) as owner:
        owner.execute(
            "CREATE FUNCTION pg_temp.peek(name text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS"
            " $$ BEGIN RAISE NOTICE '%', name; RETURN true; END $$"
        )
        owner.add_notice_handler(lambda notice: seen.append(notice.message_primary))
        owner.execute("SELECT FROM matching.visible_candidates WHERE pg_temp.peek(name)")
    assert "Person 4" in seen
    assert "Unseen" not in seen


@pytest.fixture(scope="module")
def own_server() -> Iterator[URL]:
    """A server without the role, whose databases belong to a user who is no superuser."""
    with TemporaryDirectory() as folder:
        url = make_url(embedded.ensure_running(Path(folder)))
        yield url.set(database="postgres")
        embedded.stop(Path(folder))


@pytest.fixture
def owners(own_server: URL) -> Iterator[list[URL]]:
    """Two empty databases of the user `owner`, who may make roles."""
    with session(own_server) as superuser:
        superuser.execute("CREATE ROLE owner LOGIN CREATEROLE")
        urls = [own_server.set(username="owner", database=f"town_{number}") for number in range(2)]
        for url in urls:
            superuser.execute(f"CREATE DATABASE {url.database} OWNER owner".encode())
            with session(url.set(username=own_server.username)) as connection:
                connection.execute("CREATE EXTENSION vector")
        yield urls
        for url in urls:
            superuser.execute(f"DROP DATABASE {url.database} WITH (FORCE)".encode())
        superuser.execute(f"DROP ROLE IF EXISTS {', '.join(ROLES)}".encode())
        superuser.execute("DROP ROLE owner")


def show(url: URL) -> str:
    return url.render_as_string(hide_password=False)


def list_roles(url: URL) -> list[str]:
    with session(url) as connection:
        found = connection.execute("SELECT rolname FROM pg_roles WHERE rolname = ANY (%s) ORDER BY 1", [list(ROLES)])
        return [name for (name,) in found]


def assert_readable(url: URL, *forbidden: str) -> None:
    with session(url) as connection:
        connection.execute(f"SET ROLE {ROLE}".encode())
        assert connection.execute(READ_PUBLICATION).fetchall() == []
        for relation in ("app.blocks", *forbidden):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(f"SELECT FROM {relation}".encode())


def test_databases_migrated_at_once_share_the_roles(owners: list[URL]) -> None:
    assert list_roles(owners[0]) == []
    migrate_at_once(*map(show, owners))
    for url in owners:
        assert_readable(url)
    for url in owners:
        assert list_roles(url) == [*ROLES]
        command.downgrade(make_alembic_config(show(url)), "base")
    assert list_roles(owners[0]) == [], "the last one drops them"


def test_an_owner_without_rights_learns_what_an_administrator_runs(
    own_server: URL, owners: list[URL], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To create the roles, and to take rights from everybody."""
    monkeypatch.setattr(logging.getLogger("matching.migrations"), "disabled", False)  # a library may have
    with session(own_server.set(database=owners[0].database)) as superuser:
        superuser.execute("ALTER ROLE owner NOCREATEROLE")
        for _ in ROLES:
            with pytest.raises(InputError, match=r"run: (.*); then migrate again") as refused:
                upgrade_database(show(owners[0]))
            for statement in str(refused.value).partition("run: ")[2].partition("; then")[0].split("; "):
                superuser.execute(statement.encode())
        upgrade_database(show(owners[0]))
        assert_readable(owners[0])
        (warning,) = {record.getMessage() for record in caplog.records if record.levelname == "WARNING"}
        statement = warning.partition("psql: ")[2].partition(" \\gexec")[0]
        for (each,) in superuser.execute(statement.encode()).fetchall():
            superuser.execute(each.encode())
    assert_readable(owners[0], "pg_locks", "pg_stat_xact_all_tables")
    with session(owners[0]) as owner:
        owner.execute("SELECT FROM pg_locks")
