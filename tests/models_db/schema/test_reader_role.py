"""The role that the API reads as, by trying: what was published and who may be shown, and nothing else."""

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psycopg
import pytest
from alembic import command
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import URL, Engine, make_url

from models.db import embedded
from models.db.engines import convert_to_libpq_url
from models.db.errors import InputError
from models.db.schema.migrations import make_alembic_config, upgrade_database
from models.db.schema.reader_role import ROLE
from tests.models_db.conftest import TOWN, person_id, publish_lists, run

ME = f"'{person_id(1)}'"
READABLE = {
    "the publication": "SELECT * FROM matching_api.read_publication()",
    "a list": f"SELECT * FROM matching_api.read_matches({ME}, 20, 20, '{{}}', '{{}}', NULL)",
    "one of it": f"SELECT * FROM matching_api.read_match({ME}, '{person_id(2)}', '{{}}')",
    "the one of the day": f"SELECT * FROM matching_api.read_most_compatible({ME}, '{{}}')",
    "likes that wait": f"SELECT * FROM matching_api.read_likes({ME}, 20, '{{}}', '{{}}', NULL)",
    "one of them": f"SELECT * FROM matching_api.read_like({ME}, '{person_id(2)}', '{{}}')",
    "who is like whom": f"SELECT * FROM matching_api.read_similar({ME}, 5, '{{}}')",
}

FORBIDDEN = {
    **{
        f"{column} of people": f"SELECT {column} FROM app.profiles"
        for column in (
            *("source_key", "display_name", "birth_date", "gender", "seeks", "age_min", "age_max", "latitude"),
            *("longitude", "max_distance_km", "texts", "interests", "traits", "facts", "wants", "paused"),
            *("created_at", "updated_at", "profiles", "*", "count(paused)"),
        )
    },
    **{
        f"{column} of lists": f"SELECT {column} FROM matching.match_lists"
        for column in ("viewer_id", "candidate_ids", "p_match", "reasons", "most_compatible_id", "likes_ids")
    },
    "publications": "SELECT id FROM matching.publications",
    "who may be shown to whom": "SELECT name FROM matching.visible_candidates",
    "who is here": "SELECT id FROM app.profiles",
    "whom a place would fit": "SELECT id FROM app.profiles WHERE latitude > 52",
    "the oldest": "SELECT id FROM app.profiles ORDER BY birth_date",
    "eligibility of rows": "SELECT matching.is_eligible(a, a, current_date) FROM app.profiles AS a",
    "likes": "SELECT 1 FROM app.interactions",
    "number of likes": "SELECT count(*) FROM app.interactions",
    "blocks": "SELECT 1 FROM app.blocks",
    "neighbours of any size": f"SELECT matching.neighbours({ME}, 5000, NULL, NULL)",
    "who is withheld": f"SELECT matching.withheld_from({ME})",
    "who likes whom": f"SELECT matching.find_likers({ME})",
    "p_match of any pair": f"SELECT matching.find_published_pair({ME}, {ME}, {{publication}})",
    "embeddings": "SELECT embedding FROM matching.embeddings",
    "p_like": "SELECT p_like FROM matching.match_lists",
    "p_liked_back": "SELECT p_liked_back FROM matching.match_lists",
    "whole lists": "SELECT * FROM matching.match_lists",
    "the analysts' view": "SELECT candidate_id FROM matching.matches",
    "a partition": "SELECT viewer_id FROM matching.match_lists_{publication}",
    "writing a list": "UPDATE matching.match_lists SET p_match = NULL",
    "deleting a list": "DELETE FROM matching.match_lists",
    "a publication": "UPDATE matching.publications SET state = 'retired'",
    "a new publication": "INSERT INTO matching.publications (ranker_version, encoder) VALUES ('', '')",
    "pausing": "UPDATE app.profiles SET paused = true",
    "erasing": "DELETE FROM app.profiles",
    "blocking": f"INSERT INTO app.blocks VALUES ('{person_id(1)}', '{person_id(2)}')",
    "truncating": "TRUNCATE matching.embeddings",
    "locking": "SELECT id FROM app.profiles FOR UPDATE",
    "a table": "CREATE TABLE matching.mine ()",
    "a function": "CREATE FUNCTION matching.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "a schema": "CREATE SCHEMA mine",
    "the search of neighbours": "ALTER FUNCTION matching.neighbours RESET search_path",
    "others' rights": f"GRANT SELECT ON app.profiles TO {ROLE}",
    "a role": "CREATE ROLE mine",
    "files of the server": "SELECT pg_read_file('postgresql.conf')",
}


@pytest.fixture
def reader(town: Engine) -> Iterator[psycopg.Connection]:
    """A session of the role, in a town with a publication."""
    publish_lists(town, TOWN)
    run(
        town,
        "INSERT INTO matching.embeddings (profile_id, encoder, content_hash, embedding)"
        " SELECT id, 'letters', '', array_fill(1, ARRAY[384])::real[]::halfvec FROM app.profiles",
    )
    with session(town.url) as connection:
        connection.execute(f"SET ROLE {ROLE}")
        yield connection


def session(url: URL) -> psycopg.Connection:
    return psycopg.connect(convert_to_libpq_url(url.render_as_string(hide_password=False)), autocommit=True)


@pytest.mark.parametrize("what", READABLE)
def test_it_reads_what_the_api_needs(reader: psycopg.Connection, what: str) -> None:
    assert reader.execute(READABLE[what].encode()).fetchall()


def test_it_can_do_nothing_else(reader: psycopg.Connection, subtests: pytest.Subtests) -> None:
    row = reader.execute("SELECT id FROM matching_api.read_publication()").fetchone()
    assert row is not None
    for what, statement in FORBIDDEN.items():
        with subtests.test(what), pytest.raises(InsufficientPrivilege):
            reader.execute(statement.format(publication=row[0]).encode())


def test_nobody_else_may_ask(town: Engine) -> None:
    with session(town.url) as connection, connection.transaction(force_rollback=True):
        connection.execute("CREATE ROLE passer_by")
        connection.execute("GRANT USAGE ON SCHEMA matching, matching_api TO passer_by")
        connection.execute("SET LOCAL ROLE passer_by")
        for what in ("who is like whom", "likes that wait", "one of them", "neighbours of any size", "who is withheld"):
            with pytest.raises(InsufficientPrivilege), connection.transaction():
                connection.execute((READABLE | FORBIDDEN)[what].encode())


def test_the_view_shows_a_function_nobody_who_may_not_be_shown(reader: psycopg.Connection) -> None:
    """A cheap function is run early, and sees the rows that are left out later, unless the view is a barrier."""
    owner = reader.execute("RESET ROLE")
    owner.execute("UPDATE app.profiles SET display_name = 'Unseen', seeks = '{}' WHERE id = %s", [person_id(2)])
    owner.execute(
        "CREATE FUNCTION pg_temp.peek(name text) RETURNS bool LANGUAGE plpgsql COST 0.0001 AS"
        " $$ BEGIN RAISE NOTICE '%', name; RETURN true; END $$"
    )
    seen: list[str | None] = []
    reader.add_notice_handler(lambda notice: seen.append(notice.message_primary))
    owner.execute("SELECT FROM matching.visible_candidates WHERE pg_temp.peek(name)")
    assert "Person 4" in seen
    assert "Unseen" not in seen


def test_going_down_takes_every_right_away(engine: Engine, database_url: str) -> None:
    command.downgrade(make_alembic_config(database_url), "0003")
    with engine.connect() as connection:
        acl = "SELECT attrelid::regclass FROM pg_attribute WHERE attacl::text LIKE '%%matching_reader%%'"
        acl += " UNION SELECT oid::regclass FROM pg_class WHERE relacl::text LIKE '%%matching_reader%%'"
        acl += " UNION SELECT oid::regclass FROM pg_namespace WHERE nspacl::text LIKE '%%matching_reader%%'"
        assert connection.exec_driver_sql(acl).all() == []
    upgrade_database(database_url)


@pytest.fixture(scope="module")
def own_server() -> Iterator[URL]:
    """A server without the role, whose databases belong to a user who is no superuser."""
    with TemporaryDirectory() as folder:
        url = make_url(embedded.ensure_running(Path(folder)))
        yield url.set(database="postgres")
        embedded.stop(Path(folder))


@pytest.fixture
def owners(own_server: URL) -> Iterator[list[URL]]:
    """Four empty databases of the user `owner`, who may make roles."""
    with session(own_server) as superuser:
        superuser.execute("CREATE ROLE owner LOGIN CREATEROLE")
        urls = [own_server.set(username="owner", database=f"town_{number}") for number in range(4)]
        for url in urls:
            superuser.execute(f"CREATE DATABASE {url.database} OWNER owner")
            with session(url.set(username=own_server.username)) as connection:
                connection.execute("CREATE EXTENSION vector")
        yield urls
        for url in urls:
            superuser.execute(f"DROP DATABASE {url.database} WITH (FORCE)")
        superuser.execute(f"DROP ROLE IF EXISTS {ROLE}")
        superuser.execute("DROP ROLE owner")


def migrate(url: URL) -> None:
    upgrade_database(url.render_as_string(hide_password=False))


def has_role(url: URL) -> bool:
    with session(url) as connection:
        row = connection.execute("SELECT to_regrole(%s) IS NOT NULL", [ROLE]).fetchone()
        assert row is not None
        return bool(row[0])


def test_databases_of_one_server_share_the_role_and_may_be_migrated_at_once(owners: list[URL]) -> None:
    assert not has_role(owners[0])
    # Processes, because Alembic migrates one database at a time in each.
    program = "import sys; from models.db.schema.migrations import upgrade_database; upgrade_database(sys.argv[1])"
    migrating = [
        subprocess.Popen([sys.executable, "-c", program, url.render_as_string(hide_password=False)]) for url in owners
    ]
    assert [process.wait() for process in migrating] == [0] * len(owners)
    for url in owners:
        with session(url) as connection:
            connection.execute(f"SET ROLE {ROLE}")
            assert connection.execute("SELECT * FROM matching_api.read_publication()").fetchall() == []
            with pytest.raises(InsufficientPrivilege):
                connection.execute("SELECT * FROM app.blocks")
    for url in owners:
        assert has_role(url)
        command.downgrade(make_alembic_config(url.render_as_string(hide_password=False)), "base")
    assert not has_role(owners[0]), "the last one drops it"


def test_who_may_not_make_roles_is_told_what_to_do(own_server: URL, owners: list[URL]) -> None:
    with session(own_server) as superuser:
        superuser.execute("ALTER ROLE owner NOCREATEROLE")
        with pytest.raises(InputError, match=r"user owner may not create .* run: (.*); then migrate again") as refused:
            migrate(owners[0])
        for statement in str(refused.value).partition("run: ")[2].partition("; then")[0].split("; "):
            superuser.execute(statement.encode())
    migrate(owners[0])
    with session(owners[0]) as connection:
        connection.execute(f"SET ROLE {ROLE}")
        assert connection.execute("SELECT * FROM matching_api.read_publication()").fetchall() == []


def test_who_may_not_take_rights_from_everybody_is_told_what_an_administrator_runs(
    own_server: URL, owners: list[URL], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("matching.migrations"), "disabled", False)  # a library may have
    migrate(owners[0])
    (warning,) = (record.getMessage() for record in caplog.records if record.levelname == "WARNING")
    statement = warning.partition("psql: ")[2].partition(" \\gexec")[0]
    with session(own_server.set(database=owners[0].database)) as superuser:
        for (each,) in superuser.execute(statement.encode()).fetchall():
            superuser.execute(each.encode())
    with session(owners[0]) as connection:
        connection.execute("SELECT FROM pg_locks")
        connection.execute(f"SET ROLE {ROLE}")
        for view in ("pg_locks", "pg_stat_xact_all_tables"):
            with pytest.raises(InsufficientPrivilege):
                connection.execute(f"SELECT FROM {view}".encode())
