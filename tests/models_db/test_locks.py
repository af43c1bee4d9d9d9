"""Locks that matter are for their owner alone: nobody else holds up an erasure, a load, a publication, a run."""

import subprocess
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import datetime

import psycopg
import pytest
from pgvector import HalfVector
from sqlalchemy import Engine, create_engine, text

from models.db import locks
from models.db.embedding_rows import store_embeddings
from models.db.engines import convert_to_libpq_url
from models.db.erasure import erase_profile
from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import get_live_publication, list_publications, roll_back
from models.db.schema.reader_role import ROLE
from pipelines.loaders.app_tables import fill_app_tables
from pipelines.store.run_lock import exclusive_run, try_run_lock
from tests.models_db.conftest import TOWN, list_for, person_id, publish_lists, run

LOCKS = (locks.ERASURE, locks.LOAD, locks.PUBLICATION, locks.RUN)
ADVISORY = ("matching.erasure", "matching.load", "matching.migrations", "matching.publication", "matching.run")
MODES = ("ACCESS SHARE", "ROW SHARE", "ROW EXCLUSIVE", "SHARE UPDATE EXCLUSIVE", "SHARE", "EXCLUSIVE")
# Each of these opens what it names, or waits for it, before it asks for a right.
IN_ADVANCE = (
    "PREPARE prepared_{n} AS DELETE FROM {relation}",
    "PREPARE prepared_{n} AS SELECT FROM {relation} FOR UPDATE",
    "COMMENT ON VIEW {relation} IS 'mine'",
    "COMMENT ON TABLE {relation} IS 'mine'",
    "CREATE TEMPORARY VIEW mine_{n} AS SELECT FROM {relation}",
    "ANALYZE {relation}",
    "TRUNCATE {relation}",
)


@pytest.fixture(params=["a member of the reader", "nobody"])
def stranger(town: Engine, request: pytest.FixtureRequest) -> Iterator[psycopg.Connection]:
    """A session, in a town with a publication, of a role that may have no more than the API has."""
    publish_lists(town, TOWN)
    name = f"stranger_{uuid.uuid4().hex}"
    run(town, f"CREATE ROLE {name} LOGIN")
    if request.param != "nobody":
        run(town, f"GRANT {ROLE} TO {name}")
    theirs = town.url.set(username=name).render_as_string(hide_password=False)
    with psycopg.connect(convert_to_libpq_url(theirs), prepare_threshold=None) as connection:
        yield connection
        connection.rollback()
    run(town, f"DROP ROLE {name}")


def take_everything(stranger: psycopg.Connection) -> None:
    """Hold whatever may be held, in a transaction that stays open."""
    schemas = "('app'::regnamespace, 'matching'::regnamespace)"
    found = stranger.execute(
        f"SELECT relnamespace::regnamespace || '.' || relname FROM pg_class WHERE relnamespace IN {schemas}"
        " AND relkind IN ('r', 'p', 'v', 'S')".encode()
    )
    relations = [name for (name,) in found.fetchall()]
    assert {*LOCKS, "matching.alembic_version", "matching.match_lists", "app.profiles"} <= set(relations)
    for name in ADVISORY:
        stranger.execute("SELECT pg_advisory_lock(hashtext(%s)), pg_advisory_xact_lock(hashtext(%s))", [name, name])
    statements = [f"LOCK TABLE {relation} IN {mode} MODE NOWAIT" for relation in relations for mode in MODES]
    numbered = enumerate((each, relation) for each in IN_ADVANCE for relation in relations)
    statements += [each.format(relation=relation, n=n) for n, (each, relation) in numbered]
    for statement in statements:
        with suppress(psycopg.Error), stranger.transaction():
            stranger.execute(statement.encode())
    assert stranger.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


def test_nobody_else_may_lock_them_in_any_mode(stranger: psycopg.Connection, subtests: pytest.Subtests) -> None:
    for relation in (*LOCKS, "matching.alembic_version"):
        for mode in (*MODES, "SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE"):
            with (
                subtests.test(f"{relation} {mode}"),
                pytest.raises(psycopg.errors.InsufficientPrivilege),
                stranger.transaction(),
            ):
                stranger.execute(f"LOCK TABLE {relation} IN {mode} MODE NOWAIT".encode())


def test_no_lock_on_any_relation_is_held_by_a_stranger(town: Engine, stranger: psycopg.Connection) -> None:
    take_everything(stranger)
    held_locks = text(
        "SELECT relation::regclass, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation"
        " WHERE pid = :pid AND relnamespace::regnamespace::text IN ('app', 'matching')"
    )
    with town.connect() as connection:
        assert connection.execute(held_locks, {"pid": stranger.info.backend_pid}).all() == []


def test_everything_goes_on_at_once_whatever_a_stranger_holds(
    town: Engine, stranger: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    take_everything(stranger)
    for name in LOCKS:
        with locks.try_acquire(town, name) as free:
            assert free, name
    with try_run_lock(town) as free:
        assert free
    said: list[str] = []
    with exclusive_run(town, said.append):
        assert said == []
    with town.begin() as connection:
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert erase_profile(connection, "town:1").lists == 1
    assert publish_lists(town, {2: [5], 4: [3]}).state == "live"
    assert roll_back(town).id == 1
    fill_app_tables(town, [], [])
    program = "import sys; from models.db.schema.migrations import upgrade_database; upgrade_database(sys.argv[1])"
    url = town.url.render_as_string(hide_password=False)
    assert subprocess.run([sys.executable, "-c", program, url], check=False, timeout=600).returncode == 0
    assert stranger.execute("SELECT 1").fetchone() == (1,)


def test_the_first_vectors_do_not_wait_for_a_reader(town: Engine) -> None:
    """Where none is stored yet their index is made afterwards, for which it is dropped."""
    with town.connect() as reader:
        assert reader.scalar(text("SELECT count(*) FROM matching.embeddings")) == 0
        now = reader.scalar(text("SELECT now()"))
        assert isinstance(now, datetime)
        vectors = [(person_id(1), "x", HalfVector([0.5] * 384).to_list())]
        assert store_embeddings(town, "letters", vectors, now) == 1
    with town.connect() as connection:
        assert connection.scalar(text("SELECT to_regclass('matching.ix_embeddings_embedding') IS NOT NULL"))


@pytest.mark.parametrize("lock", LOCKS)
def test_one_holder_at_a_time(engine: Engine, lock: str) -> None:
    with locks.try_acquire(engine, lock) as first:
        with locks.try_acquire(engine, lock) as second:
            assert (first, second) == (True, False)
        others = [each for each in LOCKS if each != lock]
        for other in others:
            with locks.try_acquire(engine, other) as free:
                assert free
    with locks.try_acquire(engine, lock) as again:
        assert again


def test_a_held_lock_neither_times_out_nor_holds_back_vacuum(engine: Engine, database_url: str) -> None:
    timeouts = ("idle_in_transaction_session_timeout", "transaction_timeout", "statement_timeout")
    for timeout in timeouts:
        run(engine, f"ALTER DATABASE {engine.url.database} SET {timeout} = '300ms'")
    without = " ".join(f"-c {timeout}=0" for timeout in timeouts)
    impatient = create_engine(database_url)
    with (
        locks.try_acquire(impatient, locks.RUN) as free,
        psycopg.connect(convert_to_libpq_url(database_url), options=without, autocommit=True) as other,
    ):
        assert free
        other.execute("SELECT pg_sleep(1)")
        holder = "pid = (SELECT pid FROM pg_locks WHERE relation = 'matching.run_lock'::regclass)"
        found = other.execute(f"SELECT backend_xid, backend_xmin FROM pg_stat_activity WHERE {holder}".encode())
        assert found.fetchall() == [(None, None)]
    impatient.dispose()


def test_vacuum_does_not_wait_for_a_run(engine: Engine, database_url: str) -> None:
    with try_run_lock(engine), psycopg.connect(convert_to_libpq_url(database_url), autocommit=True) as other:
        other.execute("SET lock_timeout = '5s'")
        other.execute("VACUUM ANALYZE")


def test_a_builder_that_lost_its_lock_does_not_go_live(town: Engine) -> None:
    """The connection that holds the lock is another one than that which builds, and may be lost alone."""
    holder = (
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_locks WHERE relation = 'matching.publication_lock'::regclass"
    )
    between: list[int] = []

    def lists() -> Iterable[MatchList]:
        yield list_for(1, [2])
        with town.connect() as other:
            assert other.scalars(text(holder)).all() == [True]
        between.append(publish_lists(town, TOWN).id)

    with pytest.raises(PublicationRefused, match="lock was lost"):
        publish_lists(town, lists())
    with town.connect() as connection:
        current = get_live_publication(connection)
        assert current is not None
        assert [current.id] == between
        assert [each.state for each in list_publications(connection)] == ["live", "failed"]
    assert publish_lists(town, TOWN).state == "live"
