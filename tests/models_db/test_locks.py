"""Locks that matter are for their owner alone: nobody else holds up an erasure, a load, a publication, a run."""

import uuid
from collections.abc import Iterable, Iterator
from contextlib import suppress

import psycopg
import pytest
from sqlalchemy import Engine, text

from models.db import locks
from models.db.engines import convert_to_libpq_url
from models.db.erasure import erase_profile
from models.db.errors import PublicationRefused
from models.db.match_lists import MatchList
from models.db.publications import roll_back
from models.db.schema.reader_role import ROLE
from pipelines.loaders.app_tables import fill_app_tables
from pipelines.store.run_lock import exclusive_run, try_run_lock
from tests.models_db.conftest import (
    TOWN,
    fetch,
    list_for,
    live,
    migrate_at_once,
    publications,
    publish_lists,
    run,
    session,
)

LOCKS = (locks.ERASURE, locks.LOAD, locks.PUBLICATION, locks.RUN)
ADVISORY = ("matching.erasure", "matching.load", "matching.migrations", "matching.publication", "matching.run")
OWN_MODES = ("SHARE ROW EXCLUSIVE", "ACCESS EXCLUSIVE")
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
RELATIONS = """
SELECT relnamespace::regnamespace || '.' || relname FROM pg_class
WHERE relnamespace IN ('app'::regnamespace, 'matching'::regnamespace) AND relkind IN ('r', 'p', 'v', 'S')
"""
HELD = """
SELECT relation::regclass, mode FROM pg_locks JOIN pg_class ON pg_class.oid = relation
WHERE pid = :pid AND relnamespace::regnamespace::text IN ('app', 'matching')
"""


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
    relations = [name for (name,) in stranger.execute(RELATIONS).fetchall()]
    ours = {*LOCKS, "matching.alembic_version"}
    assert {*ours, "matching.match_lists", "app.profiles"} <= set(relations)
    for name in ADVISORY:
        stranger.execute("SELECT pg_advisory_lock(hashtext(%s)), pg_advisory_xact_lock(hashtext(%s))", [name, name])
    for relation in ours:
        for mode in (*MODES, *OWN_MODES):
            with pytest.raises(psycopg.errors.InsufficientPrivilege), stranger.transaction():
                stranger.execute(f"LOCK TABLE {relation} IN {mode} MODE NOWAIT".encode())
    statements = [f"LOCK TABLE {relation} IN {mode} MODE NOWAIT" for relation in relations for mode in MODES]
    numbered = enumerate((each, relation) for each in IN_ADVANCE for relation in relations)
    statements += [each.format(relation=relation, n=n) for n, (each, relation) in numbered]
    for statement in statements:
        with suppress(psycopg.Error), stranger.transaction():
            stranger.execute(statement.encode())


def test_everything_goes_on_at_once_whatever_a_stranger_holds(town: Engine, stranger: psycopg.Connection) -> None:
    take_everything(stranger)
    with town.begin() as connection:
        assert connection.execute(text(HELD), {"pid": stranger.info.backend_pid}).all() == []
        connection.execute(text("SET LOCAL lock_timeout = '5s'"))
        assert erase_profile(connection, "town:1").lists == 1
    said: list[str] = []
    with exclusive_run(town, said.append):
        assert said == []
    assert publish_lists(town, {2: [5], 4: [3]}).state == "live"
    assert roll_back(town).id == 1
    fill_app_tables(town, [], [])
    migrate_at_once(town.url.render_as_string(hide_password=False))
    assert stranger.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS


@pytest.mark.parametrize("lock", LOCKS)
def test_one_holder_at_a_time(engine: Engine, lock: str) -> None:
    with locks.try_acquire(engine, lock) as first:
        with locks.try_acquire(engine, lock) as second:
            assert (first, second) == (True, False)
        for other in set(LOCKS) - {lock}:
            with locks.try_acquire(engine, other) as free:
                assert free
    with locks.try_acquire(engine, lock) as again:
        assert again


TIMEOUTS = ("idle_in_transaction_session_timeout", "transaction_timeout", "statement_timeout")


def test_a_held_lock_neither_times_out_nor_holds_back_vacuum(engine: Engine) -> None:
    for timeout in TIMEOUTS:
        run(engine, f"ALTER DATABASE {engine.url.database} SET {timeout} = '300ms'")
    engine.dispose()
    with try_run_lock(engine) as free, session(engine.url) as other:
        assert free
        for timeout in TIMEOUTS:
            other.execute(f"SET {timeout} = 0".encode())
        other.execute("SELECT pg_sleep(0.6)")
        holder = "pid = (SELECT pid FROM pg_locks WHERE relation = 'matching.run_lock'::regclass)"
        found = other.execute(f"SELECT backend_xid, backend_xmin FROM pg_stat_activity WHERE {holder}".encode())
        assert found.fetchall() == [(None, None)]
        other.execute("SET lock_timeout = '5s'")
        other.execute("VACUUM ANALYZE")


def test_a_builder_that_lost_its_lock_does_not_go_live(town: Engine) -> None:
    """The connection that holds the lock is another one than that which builds, and may be lost alone."""
    before = publish_lists(town, TOWN)
    holder = "FROM pg_locks WHERE relation = 'matching.publication_lock'::regclass"

    def lists() -> Iterable[MatchList]:
        yield list_for(1, [2])
        assert fetch(town, f"SELECT pg_terminate_backend(pid, 5000) {holder}") == [(True,)]
        with pytest.raises(PublicationRefused, match="no pair"):
            publish_lists(town, {})

    with pytest.raises(PublicationRefused, match="lock was lost"):
        publish_lists(town, lists())
    assert live(town) == before
    assert [each.state for each in publications(town)] == ["failed", "failed", "live"]
