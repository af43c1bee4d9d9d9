"""A user whose only right is the API's role tries to learn who blocked, liked or passed whom, and to hold others up."""

import json
import re
from collections.abc import Iterator

import psycopg
import pytest
from alembic import command
from psycopg.errors import InsufficientPrivilege
from sqlalchemy import URL, Engine

from models.db.schema.migrations import make_alembic_config, upgrade_database
from models.db.schema.reader_role import ROLE
from tests.models_db.conftest import person_id, publish_lists, run, session, settle

ME = 1
# He blocked me, I blocked him, he liked me, I passed on him, he is paused, he looks for others, nothing is the matter.
BLOCKER, BLOCKED, LIKER, PASSED, PAUSED, OTHERWISE, FINE = range(2, 16, 2)
NOT_SHOWN = (BLOCKER, BLOCKED, PASSED, PAUSED, OTHERWISE)
ACT = "INSERT INTO app.interactions (actor_id, target_id, kind) VALUES (:one, :other, '{}')"
BLOCK = "INSERT INTO app.blocks VALUES (:one, :other)"


def read_match(candidate: int) -> bytes:
    return f"SELECT * FROM matching_api.read_match('{person_id(ME)}', '{person_id(candidate)}', '{{}}')".encode()


@pytest.fixture
def town(engine: Engine) -> Engine:
    with engine.begin() as connection:
        settle(connection, range(1, 16))
    publish_lists(engine, {ME: [BLOCKER, BLOCKED, LIKER, PASSED, PAUSED, OTHERWISE, FINE]})
    acts = (
        (BLOCK, BLOCKER, ME),
        (BLOCK, ME, BLOCKED),
        (ACT.format("like"), LIKER, ME),
        (ACT.format("pass"), ME, PASSED),
    )
    for statement, one, other in acts:
        run(engine, statement, one=person_id(one), other=person_id(other))
    run(engine, "UPDATE app.profiles SET paused = true WHERE id = :id", id=person_id(PAUSED))
    run(engine, "UPDATE app.profiles SET seeks = '{man}' WHERE id = :id", id=person_id(OTHERWISE))
    return engine


@pytest.fixture
def user(server: psycopg.Connection, town: Engine) -> Iterator[psycopg.Connection]:
    """A session of a user made as docs/guides/production.md says, after the migration."""
    server.execute("DROP ROLE IF EXISTS curious")
    server.execute(f"CREATE ROLE curious LOGIN NOINHERIT; GRANT {ROLE} TO curious".encode())
    try:
        with session(town.url.set(username="curious")) as connection:
            connection.execute(f"SET ROLE {ROLE}".encode())
            yield connection
    finally:
        server.execute("DROP ROLE curious")


RELATIONS = """
SELECT format('%I.%I', nspname, relname) FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
WHERE nspname IN ('app', 'matching', 'public') AND relkind IN ('r', 'v', 'm', 'p', 'f')
"""
USES = (
    *("SELECT FROM {}", "SELECT count(*) FROM {}", "COPY {} TO STDOUT", "DELETE FROM {}"),
    *("EXPLAIN SELECT FROM {}", "EXPLAIN (ANALYZE, VERBOSE) SELECT FROM {}", "INSERT INTO {} DEFAULT VALUES"),
    *("LOCK TABLE {} IN ACCESS SHARE MODE", "LOCK TABLE {} IN ACCESS EXCLUSIVE MODE NOWAIT"),
    "CREATE RULE mine AS ON INSERT TO {} DO ALSO NOTHING",
)


def test_no_relation_may_be_read_locked_or_written(user: psycopg.Connection, town: Engine) -> None:
    ((*_, matches),) = user.execute(
        f"SELECT * FROM matching_api.read_matches('{person_id(ME)}', 20, 20, '{{}}', '{{}}', NULL)".encode()
    ).fetchall()
    shown = [match["candidate"]["id"] for match in json.loads(matches)]
    assert shown == [person_id(LIKER), person_id(FINE)]
    with session(town.url) as owner:
        names = {name for (name,) in owner.execute(RELATIONS.encode())}
    assert {"app.blocks", "matching.visible_candidates", "matching.match_lists", "matching.match_lists_1"} <= names
    for name in names:
        for use in USES:
            with pytest.raises(InsufficientPrivilege), user.transaction():
                user.execute(use.format(name).encode())
        with pytest.raises(psycopg.Error):
            user.execute(f"TRUNCATE {name}".encode())


OPTIONS = (
    "VERBOSE, SETTINGS",
    "ANALYZE, TIMING OFF, VERBOSE, BUFFERS, WAL, SERIALIZE TEXT, MEMORY",
    "GENERIC_PLAN",
)


def test_no_plan_says_why_somebody_is_not_shown(user: psycopg.Connection) -> None:
    """The plan is that of a function, and the same for all who are not shown, its counts of buffers included."""
    for candidate in (*NOT_SHOWN, *NOT_SHOWN):  # the first round fills caches
        user.execute(read_match(candidate))
    for options in OPTIONS:
        plans = {_plan(user, f"EXPLAIN ({options}) ".encode() + read_match(each)) for each in NOT_SHOWN}
        assert len(plans) == 1, plans
        assert not re.search("blocks|interactions|visible_candidates|profiles", plans.pop())


def _plan(user: psycopg.Connection, explain: bytes) -> str:
    """Less the moment, the memory of the planner, and the id that was asked for."""
    # The least of some: what others do to the catalogue makes a session read that again.
    plans = ["\n".join(row[0] for row in user.execute(explain)) for _ in range(5)]
    plan = min(plans, key=lambda each: [int(hits) for hits in re.findall(r"hit=(\d+)", each)])
    plan = re.sub(r"Time: [\d.]+ ms|time=[\d.]+(\.\.[\d.]+)?|used=\d+kB|allocated=\d+kB|output=\d+kB", "", plan)
    return re.sub("[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "", plan)


STATISTICS = (
    *("SELECT * FROM pg_stat_xact_all_tables", "SELECT * FROM pg_stat_all_tables", "SELECT * FROM pg_stat_user_tables"),
    *("SELECT * FROM pg_stat_all_indexes", "SELECT * FROM pg_statio_all_tables", "SELECT * FROM pg_stat_io"),
    *("SELECT * FROM pg_statio_user_indexes", "SELECT * FROM pg_stat_wal", "SELECT * FROM pg_stat_database"),
    *("SELECT * FROM pg_stat_activity", "SELECT * FROM pg_stat_user_functions", "SELECT * FROM pg_locks"),
    "SELECT pg_stat_get_numscans(oid) FROM pg_class",
    "SELECT pg_stat_get_xact_tuples_fetched(oid) FROM pg_class",
    "SELECT pg_stat_get_tuples_inserted(oid) FROM pg_class",
    *("SELECT pg_stat_get_backend_io(pg_backend_pid())", "SELECT pg_lock_status()"),
)
OBJECTS = (
    *("CREATE TABLE public.mine ()", "CREATE TABLE matching.mine ()", "CREATE SCHEMA mine", "CREATE ROLE mine"),
    *("CREATE FUNCTION matching.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'", "CREATE EXTENSION hstore"),
    *("SELECT lo_create(0)", "SELECT lo_creat(-1)", "SELECT lo_from_bytea(0, 'x')", "SELECT lo_put(1, 0, 'x')"),
    *("SELECT lo_import('/etc/hostname')", "SELECT pg_read_file('postgresql.conf')", "SELECT pg_ls_dir('.')"),
    *("COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/mine'", "LOAD 'auto_explain'"),
    *("SET ROLE pg_read_all_data", "SET SESSION AUTHORIZATION postgres", "SET session_replication_role = replica"),
    *("SET track_functions = 'all'", "SET track_counts = off", "SET log_min_messages = debug5"),
    *("SET log_statement_stats = on", f"GRANT SELECT ON app.profiles TO {ROLE}"),
    "ALTER FUNCTION matching_api.read_publication() RESET search_path",
    "ALTER FUNCTION matching.neighbours RESET search_path",
    f"SELECT matching.neighbours('{person_id(ME)}', 5000, NULL, NULL, 'letters')",
    f"SELECT matching.withheld_from('{person_id(ME)}')",
    f"SELECT matching.excluded_candidates('{person_id(ME)}')",
    f"SELECT matching.find_likers('{person_id(ME)}')",
    f"SELECT matching.find_conversations('{person_id(ME)}')",
    f"SELECT matching.find_published_pair('{person_id(ME)}', '{person_id(FINE)}', 1)",
    "SELECT matching.age_in_years(current_date, current_date)",
    "SELECT matching.publication_to_read(NULL)",
    "DO $$ BEGIN EXECUTE 'SELECT FROM app.blocks'; END $$",
)


def test_no_counter_may_be_read_and_nothing_made_or_set(user: psycopg.Connection, subtests: pytest.Subtests) -> None:
    user.execute("SET default_transaction_read_only = off")
    for statement in STATISTICS:
        with subtests.test(statement), pytest.raises(InsufficientPrivilege):
            user.execute(statement.encode())
    for statement in OBJECTS:
        with subtests.test(statement), pytest.raises(psycopg.Error):
            user.execute(statement.encode())
    seen = user.execute("SELECT tablename FROM pg_stats WHERE schemaname IN ('app', 'matching')").fetchall()
    assert seen == []


TALKATIVE = (
    *("debug_print_parse = on", "debug_print_rewritten = on", "debug_print_plan = on", "trace_sort = on"),
    *("client_min_messages = debug5", "plan_cache_mode = force_custom_plan", "debug_parallel_query = on"),
)


def test_no_message_of_the_server_tells_what_it_reads(user: psycopg.Connection) -> None:
    said: list[str] = []
    user.add_notice_handler(lambda notice: said.append(f"{notice.message_primary} {notice.message_detail}"))
    for setting in TALKATIVE:
        user.execute(f"SET {setting}".encode())
    user.execute(read_match(FINE))  # loads the language
    heard = set()
    for candidate in NOT_SHOWN:
        said.clear()
        user.execute(read_match(candidate))
        everything = "\n".join(said)
        assert not re.search("excluded|blocker_id|visible_candidates", everything)
        heard.add(re.sub(r"\d+", "", everything))
    assert len(heard) == 1


def test_no_number_is_an_error_that_depends_on_rows(user: psycopg.Connection) -> None:
    for most in (-1, 0, 2**31 - 1, -(2**31)):
        for viewer in (person_id(ME), person_id(3)):
            user.execute(
                "SELECT * FROM matching_api.read_matches(%s, %s::int, %s::int, '{}', '{}', NULL)", [viewer, most, most]
            )
            user.execute("SELECT * FROM matching_api.read_similar(%s, %s::int, '{}')", [viewer, most])
            user.execute("SELECT * FROM matching_api.read_likes(%s, %s::int, '{}', '{}', NULL)", [viewer, most])
            user.execute("SELECT * FROM matching_api.read_conversations(%s, %s::int, '{}', '{}')", [viewer, most])


TEMPORARY = (
    "CREATE TEMPORARY TABLE mine ()",
    "CREATE TEMPORARY VIEW mine AS SELECT 1",
    "SELECT 1 INTO TEMPORARY mine",
    "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    "CREATE OPERATOR pg_temp.= (LEFTARG = uuid, RIGHTARG = uuid, FUNCTION = uuid_eq)",
)


@pytest.fixture
def migrated(server: psycopg.Connection, server_url: URL) -> Iterator[URL]:
    """A database migrated where users were before. A copy of one would not have the rights on the database itself."""
    for name in ("of_the_app", "curious"):
        server.execute(f"DROP ROLE IF EXISTS {name}".encode())
    server.execute("DROP DATABASE IF EXISTS with_users WITH (FORCE)")
    server.execute("CREATE DATABASE with_users")
    server.execute("CREATE ROLE of_the_app LOGIN")
    url = server_url.set(database="with_users")
    upgrade_database(url.render_as_string(hide_password=False))
    server.execute(f"CREATE ROLE curious LOGIN NOINHERIT; GRANT {ROLE} TO curious".encode())
    yield url
    server.execute("DROP DATABASE with_users WITH (FORCE)")
    server.execute("DROP ROLE of_the_app; DROP ROLE curious")


def test_users_who_were_there_keep_their_rights_and_the_reader_gets_none(migrated: URL) -> None:
    rights = ("CREATE TEMPORARY TABLE theirs ()", *STATISTICS, "SELECT lo_create(0)")
    with session(migrated.set(username="curious")) as user:
        for role in (ROLE, "curious"):
            user.execute(f"SET ROLE {role}".encode())
            for statement in (*TEMPORARY, *rights):
                with pytest.raises(InsufficientPrivilege):
                    user.execute(statement.encode())
    with session(migrated.set(username="of_the_app")) as user:
        for statement in rights:
            user.execute(statement.encode())

    command.downgrade(make_alembic_config(migrated.render_as_string(hide_password=False)), "0008")
    with session(migrated) as connection:
        granted = "SELECT oid::regprocedure FROM pg_proc WHERE proacl::text LIKE '%of_the_app%'"
        assert connection.execute(granted).fetchall() == []
    with session(migrated.set(username="curious")) as user:
        for statement in rights:
            user.execute(statement.encode())
