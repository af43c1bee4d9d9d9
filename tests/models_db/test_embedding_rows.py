"""Vectors in the database: whole or beside others, never older ones over newer ones; and who waits for one."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.pool import NullPool

from models.db.embedding_rows import (
    add_embeddings,
    find_pending,
    remove_embeddings,
    store_embeddings,
    summarise_pending,
)
from models.db.errors import InputError
from tests.models_db.conftest import run, somebody_waits, wait_until

PEOPLE = {name: f"00000000-0000-0000-0000-0000000000{number:02d}" for number, name in enumerate(("ann", "bob", "cy"))}
JOIN = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, texts)
VALUES (CAST(:id AS uuid), 'Somebody', '1990-01-01', 'woman', '{man}', '{"About me": "I sail"}')
"""
EDIT = 'UPDATE app.profiles SET updated_at = now(), texts = \'{"About me": "I row"}\' WHERE id = :id'
ERASE = "DELETE FROM app.profiles WHERE id = CAST(:id AS uuid)"
EMPTY = "UPDATE app.profiles SET updated_at = now(), texts = '{}' WHERE id = CAST(:id AS uuid)"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    # Whoever waits longest finds a deadlock, after this; long enough for a test to make one.
    options = {"options": "-c deadlock_timeout=2s"}
    engine = create_engine(database_url, poolclass=NullPool, connect_args=options)
    tell(engine, JOIN, *PEOPLE)
    yield engine
    engine.dispose()


def tell(engine: Engine, statement: str, *names: str) -> None:
    """A statement about some people, each in a transaction of its own."""
    for name in names:
        with engine.begin() as connection:
            connection.execute(text(statement), {"id": PEOPLE[name]})


def now(engine: Engine) -> datetime:
    with engine.connect() as connection:
        moment: datetime = connection.execute(text("SELECT now()")).scalar_one()
        return moment


def rows(*names: str, content: str = "first") -> list[tuple[str, str, list[float]]]:
    return [(PEOPLE[name], content, [1.0] + [0.0] * 383) for name in names]


def stored(engine: Engine) -> dict[str, str]:
    with engine.connect() as connection:
        found = connection.execute(text("SELECT profile_id::text, content_hash FROM matching.embeddings"))
        name_of = {key: name for name, key in PEOPLE.items()}
        return {name_of[key]: content for key, content in found}


def test_the_whole_replaces_what_there_was_and_an_addition_does_not(engine: Engine) -> None:
    assert store_embeddings(engine, "letters", rows("ann", "bob"), now(engine)) == 2
    assert add_embeddings(engine, "letters", rows("cy"), now(engine)) == 1
    assert stored(engine) == {"ann": "first", "bob": "first", "cy": "first"}
    assert store_embeddings(engine, "letters", rows("ann", "cy"), now(engine)) == 0
    assert stored(engine) == {"ann": "first", "cy": "first"}


GRAPHS = """
SELECT pg_get_indexdef(indexrelid), indisvalid FROM pg_index WHERE indrelid = 'matching.embeddings'::regclass ORDER BY 1
"""


def test_the_first_vectors_are_indexed_as_those_that_follow(engine: Engine) -> None:
    with engine.connect() as connection:
        before = connection.execute(text(GRAPHS)).all()
        oid = text("SELECT 'matching.ix_embeddings_embedding'::regclass::oid")
        first = connection.execute(oid).scalar_one()
        connection.rollback()
        store_embeddings(engine, "letters", rows("ann"), now(engine))
        built = connection.execute(oid).scalar_one()
        connection.rollback()
        store_embeddings(engine, "letters", rows("ann", "bob"), now(engine))
        assert connection.execute(text(GRAPHS)).all() == before
        assert first != built == connection.execute(oid).scalar_one()
    assert "hnsw" in str(before)


def test_what_was_stored_since_the_profiles_were_read_stays(engine: Engine) -> None:
    store_embeddings(engine, "letters", rows("ann"), now(engine))
    read_at = now(engine)
    add_embeddings(engine, "letters", rows("ann", "bob", content="second"), now(engine))
    assert store_embeddings(engine, "letters", rows("ann", "cy"), read_at) == 1
    assert stored(engine) == {"ann": "second", "bob": "second", "cy": "first"}


def waits(engine: Engine) -> dict[str, str | None]:
    """Who waits, by name."""
    with engine.connect() as connection:
        found = find_pending(connection)
        asked = summarise_pending(connection)
    assert (asked.people if asked else 0) == len(found)
    name_of = {key: name for name, key in PEOPLE.items()}
    return {name_of[key]: content for key, content in found.items()}


def digest(engine: Engine) -> str | None:
    with engine.connect() as connection:
        found = summarise_pending(connection)
    return found.digest if found else None


def test_who_joined_waits(engine: Engine) -> None:
    assert waits(engine) == dict.fromkeys(PEOPLE)
    store_embeddings(engine, "letters", rows("ann", "bob"), now(engine))
    assert waits(engine) == {"cy": None}
    add_embeddings(engine, "letters", rows("cy"), now(engine))
    assert waits(engine) == {}


STAMPS = [
    "now()",
    "updated_at",
    "'2001-01-01'",
    "now() + interval '1 day'",
    "'infinity'",
    "'-infinity'",
    "'294276-12-31'",
]


@pytest.mark.parametrize("stamp", STAMPS)
def test_who_wrote_since_waits_whatever_the_stamp_and_hides_nobody(engine: Engine, stamp: str) -> None:
    store_embeddings(engine, "letters", rows("ann", "bob", "cy"), now(engine))
    tell(engine, EDIT.replace("now()", stamp), "bob")
    assert waits(engine) == {"bob": "first"}
    first = digest(engine)
    add_embeddings(engine, "letters", rows("bob", content="second"), now(engine))
    assert waits(engine) == {}
    tell(engine, EDIT.replace("row", "swim"), "ann")
    assert waits(engine) == {"ann": "first"}
    assert digest(engine) not in {None, first}
    assert store_embeddings(engine, "letters", rows("ann", "bob", "cy", content="third"), now(engine)) == 3
    assert waits(engine) == {}


@pytest.mark.parametrize("stamp", ["now() + interval '1 day'", "'infinity'"])
def test_a_stamp_of_ours_from_the_future_keeps_no_old_vector(engine: Engine, stamp: str) -> None:
    """The server's clock was ahead once, or the rows come from another server."""
    store_embeddings(engine, "letters", rows("ann", "bob", "cy"), now(engine))
    run(engine, f"UPDATE matching.embeddings SET updated_at = {stamp}")
    assert store_embeddings(engine, "letters", rows("ann", content="second"), now(engine)) == 1
    assert stored(engine) == {"ann": "second"}


def test_who_writes_while_the_vectors_are_made_goes_on_waiting(engine: Engine) -> None:
    read_at = now(engine)
    tell(engine, EDIT, "bob")
    store_embeddings(engine, "letters", rows("ann", "bob", "cy"), read_at)
    assert waits(engine) == {"bob": "first"}
    add_embeddings(engine, "letters", rows("bob", content="second"), now(engine))
    assert waits(engine) == {}


def test_who_changed_nothing_after_all_is_confirmed(engine: Engine) -> None:
    """As after an edit that was taken back, or where an earlier version stored the vector."""
    store_embeddings(engine, "letters", rows(*PEOPLE), now(engine))
    run(engine, "UPDATE matching.embeddings SET texts_hash = NULL")
    assert waits(engine) == dict.fromkeys(PEOPLE, "first")
    unchanged = [(PEOPLE["ann"], "first", None), (PEOPLE["bob"], "another", None)]
    assert add_embeddings(engine, "letters", unchanged, now(engine)) == 0
    assert waits(engine) == {"bob": "first", "cy": "first"}
    assert stored(engine) == dict.fromkeys(PEOPLE, "first")


def test_who_wrote_nothing_does_not_wait(engine: Engine) -> None:
    store_embeddings(engine, "letters", rows("ann", "bob", "cy"), now(engine))
    tell(engine, EMPTY, "ann")
    assert digest(engine) is None


def storing(engine: Engine, pool: ThreadPoolExecutor) -> Future[int]:
    """Everybody's vectors being stored in a thread, which waits for an open transaction of the test's."""
    stored = pool.submit(store_embeddings, engine, "letters", rows(*PEOPLE), now(engine))
    wait_until(lambda: somebody_waits(engine))
    return stored


def erase(connection: Connection, name: str) -> None:
    connection.execute(text(ERASE), {"id": PEOPLE[name]})


@pytest.mark.parametrize("known", [(), ("cy",), ("ann", "bob", "cy")])
def test_who_is_erased_meanwhile_costs_nobody_else_their_vector(engine: Engine, known: tuple[str, ...]) -> None:
    add_embeddings(engine, "letters", rows(*known, content="earlier"), now(engine))
    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        erase(connection, "bob")
        storing_all = storing(engine, pool)
        connection.commit()
        assert storing_all.result(timeout=300) == 2
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_who_is_erased_meanwhile_behind_a_view(engine: Engine) -> None:
    run(engine, "ALTER TABLE app.profiles RENAME TO people")
    run(engine, "CREATE VIEW app.profiles AS SELECT DISTINCT * FROM app.people")
    add_embeddings(engine, "letters", rows("ann"), now(engine))
    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        connection.execute(text("DELETE FROM app.people WHERE id = :id"), {"id": PEOPLE["bob"]})
        storing_all = storing(engine, pool)
        connection.commit()
        assert storing_all.result(timeout=300) == 1
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_an_erasure_that_is_taken_back_leaves_the_vector(engine: Engine) -> None:
    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        erase(connection, "bob")
        storing_all = storing(engine, pool)
        connection.rollback()
        assert storing_all.result(timeout=300) == 3
    assert stored(engine) == dict.fromkeys(PEOPLE, "first")


def test_storing_gives_way_to_an_erasure_that_waits_for_it(engine: Engine) -> None:
    """The first vectors are stored under a lock that the erasure waits for, and the vectors wait for the person."""
    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        connection.execute(text("SET LOCAL deadlock_timeout = '1min'"))
        connection.execute(text("SELECT FROM app.profiles WHERE id = :id FOR UPDATE"), {"id": PEOPLE["bob"]})
        storing_all = storing(engine, pool)
        erase(connection, "bob")
        connection.commit()
        assert storing_all.result(timeout=300) == 2
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_people_whom_the_vectors_cannot_refer_to_are_told(engine: Engine) -> None:
    """As where `app.profiles` is a view that shows more than the table behind the foreign key."""
    run(engine, "CREATE TABLE app.others (id uuid PRIMARY KEY)")
    run(engine, "ALTER TABLE matching.embeddings ADD FOREIGN KEY (profile_id) REFERENCES app.others")
    with pytest.raises(InputError, match=r"cannot refer to some of the people in app\.profiles") as raised:
        add_embeddings(engine, "letters", rows("ann"), now(engine))
    assert PEOPLE["ann"] not in str(raised.value)
    assert stored(engine) == {}


def test_a_vector_is_removed_unless_it_was_stored_since_the_profiles_were_read(engine: Engine) -> None:
    store_embeddings(engine, "letters", rows("ann", "bob", "cy"), now(engine))
    read_at = now(engine)
    add_embeddings(engine, "letters", rows("ann", content="second"), now(engine))
    assert remove_embeddings(engine, [PEOPLE["ann"], PEOPLE["bob"]], read_at) == 1
    assert stored(engine) == {"ann": "second", "cy": "first"}
    assert remove_embeddings(engine, [], now(engine)) == 0
