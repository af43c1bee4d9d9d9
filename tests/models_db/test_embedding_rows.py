"""Vectors in the database: whole or beside others, never older ones over newer ones; and who waits for one."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest
from sqlalchemy import Connection, Engine, create_engine, func, select, text
from sqlalchemy.pool import NullPool

from models.db.errors import InputError
from models.db.rows.embedding_index import name_index
from models.db.rows.embedding_rows import (
    add_embeddings,
    drop_other_encoders,
    find_pending,
    remove_embeddings,
    store_embeddings,
    summarise_pending,
)
from tests.models_db.conftest import run, somebody_waits
from tests.support.waiting import until

PEOPLE = {name: f"00000000-0000-0000-0000-0000000000{number:02d}" for number, name in enumerate(("ann", "bob", "cy"))}
JOIN = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, texts)
VALUES (:id, 'Somebody', '1990-01-01', 'woman', '{man}', '{"About me": "I sail"}')
"""
EDIT = 'UPDATE app.profiles SET updated_at = now(), texts = \'{"About me": "I row"}\' WHERE id = :id'
ERASE = "DELETE FROM app.profiles WHERE id = :id"
EMPTY = "UPDATE app.profiles SET updated_at = now(), texts = '{}' WHERE id = :id"
LOCK = "SELECT FROM app.profiles WHERE id = :id FOR UPDATE"


@pytest.fixture
def engine(database_url: str) -> Iterator[Engine]:
    # The session that waits longest finds a deadlock, after this; long enough for a test to make one.
    engine = create_engine(database_url, poolclass=NullPool, connect_args={"options": "-c deadlock_timeout=2s"})
    for person in PEOPLE.values():
        run(engine, JOIN, id=person)
    yield engine
    engine.dispose()


def now(engine: Engine) -> datetime:
    with engine.connect() as connection:
        return connection.execute(select(func.now())).scalar_one()


def rows(*names: str, content: str = "first") -> list[tuple[str, str, list[float]]]:
    return [(PEOPLE[name], content, [1.0] + [0.0] * 383) for name in names]


def store(engine: Engine, *names: str, content: str = "first", read_at: datetime | None = None) -> int:
    return store_embeddings(engine, "letters", rows(*names, content=content), read_at or now(engine))


def add(engine: Engine, *names: str, content: str = "first") -> int:
    return add_embeddings(engine, "letters", rows(*names, content=content), now(engine))


def stored(engine: Engine) -> dict[str, str]:
    name_of = {key: name for name, key in PEOPLE.items()}
    with engine.connect() as connection:
        found = connection.execute(text("SELECT profile_id::text, content_hash FROM matching.embeddings"))
        return {name_of[key]: content for key, content in found}


def pending(engine: Engine) -> tuple[dict[str, str | None], str | None]:
    """Who waits, by name, and the digest."""
    name_of = {key: name for name, key in PEOPLE.items()}
    with engine.connect() as connection:
        found = find_pending(connection, "letters")
        summary = summarise_pending(connection, "letters")
    assert (summary.people if summary else 0) == len(found)
    return {name_of[key]: content for key, content in found.items()}, summary.digest if summary else None


def waits(engine: Engine) -> dict[str, str | None]:
    return pending(engine)[0]


def test_the_whole_replaces_what_there_was_and_an_addition_does_not(engine: Engine) -> None:
    assert waits(engine) == dict.fromkeys(PEOPLE)
    assert store(engine, "ann", "bob") == 2
    assert waits(engine) == {"cy": None}
    assert add(engine, "cy") == 1
    assert pending(engine) == ({}, None)
    assert stored(engine) == dict.fromkeys(PEOPLE, "first")
    assert store(engine, "ann", "cy") == 0
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_what_was_stored_since_the_profiles_were_read_stays(engine: Engine) -> None:
    store(engine, "ann")
    read_at = now(engine)
    add(engine, "ann", "bob", content="second")
    assert store(engine, "ann", "cy", read_at=read_at) == 1
    assert stored(engine) == {"ann": "second", "bob": "second", "cy": "first"}
    assert remove_embeddings(engine, "letters", [PEOPLE["ann"], PEOPLE["cy"]], now(engine)) == 2
    assert remove_embeddings(engine, "letters", [PEOPLE["bob"]], read_at) == 0
    assert remove_embeddings(engine, "letters", [], now(engine)) == 0
    assert stored(engine) == {"bob": "second"}


GRAPHS = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition, indisvalid FROM pg_index
WHERE indrelid = 'matching.embeddings'::regclass AND NOT indisprimary ORDER BY pg_get_indexdef(indexrelid)
"""


def graphs(engine: Engine) -> dict[str, str]:
    """The indexes of vectors, by name."""
    with engine.connect() as connection:
        found = connection.execute(text(GRAPHS)).all()
    assert all(each.indisvalid for each in found)
    return {each.name.removeprefix("matching."): each.definition for each in found}


def test_each_encoder_has_its_vectors_and_its_index(engine: Engine) -> None:
    """An encoder of two dimensions beside one of 384, and one without vectors; what is dropped is that alone."""
    few = [(PEOPLE["bob"], "few", [0.6, 0.8])]
    store(engine, "ann", "bob")
    assert store_embeddings(engine, "100% 'two'", few, now(engine)) == 1
    assert store_embeddings(engine, "none", [], now(engine)) == 0
    assert set(graphs(engine)) == {name_index("letters"), name_index("100% 'two'")}
    assert "halfvec(2)" in graphs(engine)[name_index("100% 'two'")]
    assert waits(engine) == {"cy": None}, "it is of one encoder who waits"
    assert remove_embeddings(engine, "100% 'two'", [PEOPLE["ann"]], now(engine)) == 0
    before = graphs(engine)
    store(engine, "ann")
    assert graphs(engine) == before
    with engine.connect() as connection:
        drop_other_encoders(connection, ["100% 'two'", "none"])
    assert stored(engine) == {"bob": "few"}
    assert set(graphs(engine)) == {name_index("100% 'two'")}


def test_the_first_vectors_do_not_wait_for_a_reader(engine: Engine) -> None:
    with engine.connect() as reader:
        assert reader.scalar(text("SELECT count(*) FROM matching.embeddings")) == 0
        assert store(engine, "ann") == 1


STAMPS = ["now()", "updated_at", "'2001-01-01'", "now() + interval '1 day'", "'infinity'", "'-infinity'"]


@pytest.mark.parametrize("stamp", [*STAMPS, "'294276-12-31'"])
def test_who_wrote_since_waits_whatever_the_stamp(engine: Engine, stamp: str) -> None:
    store(engine, *PEOPLE)
    run(engine, EDIT.replace("now()", stamp), id=PEOPLE["bob"])
    found, first = pending(engine)
    assert found == {"bob": "first"}
    add(engine, "bob", content="second")
    assert waits(engine) == {}
    run(engine, EDIT.replace("row", "swim"), id=PEOPLE["ann"])
    found, second = pending(engine)
    assert found == {"ann": "first"}
    assert second not in {None, first}
    assert store(engine, *PEOPLE, content="third") == 3
    assert waits(engine) == {}


@pytest.mark.parametrize("stamp", ["now() + interval '1 day'", "'infinity'"])
def test_a_stamp_of_ours_from_the_future_keeps_no_old_vector(engine: Engine, stamp: str) -> None:
    """The server's clock was ahead once, or the rows come from another server."""
    store(engine, *PEOPLE)
    run(engine, f"UPDATE matching.embeddings SET updated_at = {stamp}")
    assert store(engine, "ann", content="second") == 1
    assert stored(engine) == {"ann": "second"}


def test_who_writes_while_the_vectors_are_made_goes_on_waiting(engine: Engine) -> None:
    read_at = now(engine)
    run(engine, EDIT, id=PEOPLE["bob"])
    store(engine, *PEOPLE, read_at=read_at)
    assert waits(engine) == {"bob": "first"}
    add(engine, "bob", content="second")
    assert waits(engine) == {}
    run(engine, EMPTY, id=PEOPLE["ann"])
    assert waits(engine) == {}, "an empty profile does not wait"


def test_who_changed_nothing_after_all_is_confirmed(engine: Engine) -> None:
    """As after an edit that was taken back, or where an earlier version stored the vector."""
    store(engine, *PEOPLE)
    run(engine, "UPDATE matching.embeddings SET texts_hash = NULL")
    assert waits(engine) == dict.fromkeys(PEOPLE, "first")
    unchanged = [(PEOPLE["ann"], "first", None), (PEOPLE["bob"], "another", None)]
    assert add_embeddings(engine, "letters", unchanged, now(engine)) == 0
    assert waits(engine) == {"bob": "first", "cy": "first"}
    assert stored(engine) == dict.fromkeys(PEOPLE, "first")


def store_beside(engine: Engine, end: Callable[[Connection], None], *begin: str) -> int:
    """Store everybody's vectors, which waits for a transaction that has begun with bob; return how many were stored."""
    with ThreadPoolExecutor(1) as pool, engine.connect() as connection:
        for statement in begin:
            connection.execute(text(statement), {"id": PEOPLE["bob"]})
        storing = pool.submit(store, engine, *PEOPLE)
        until(lambda: somebody_waits(engine))
        end(connection)
        return storing.result(timeout=300)


@pytest.mark.parametrize("known", [(), ("cy",), tuple(PEOPLE)])
def test_an_erasure_meanwhile_costs_nobody_else_their_vector(engine: Engine, known: tuple[str, ...]) -> None:
    add(engine, *known, content="earlier")
    assert store_beside(engine, Connection.commit, ERASE) == 2
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_an_erasure_meanwhile_behind_a_view(engine: Engine) -> None:
    run(engine, "ALTER TABLE app.profiles RENAME TO people")
    run(engine, "CREATE VIEW app.profiles AS SELECT DISTINCT * FROM app.people")
    add(engine, "ann")
    assert store_beside(engine, Connection.commit, "DELETE FROM app.people WHERE id = :id") == 1
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_an_erasure_that_is_taken_back_leaves_the_vector(engine: Engine) -> None:
    assert store_beside(engine, Connection.rollback, ERASE) == 3
    assert stored(engine) == dict.fromkeys(PEOPLE, "first")


def test_storing_gives_way_to_an_erasure_that_waits_for_it(engine: Engine) -> None:
    """The first vectors are stored under a lock that the erasure waits for, and the vectors wait for the person."""

    def erase(connection: Connection) -> None:
        connection.execute(text(ERASE), {"id": PEOPLE["bob"]})
        connection.commit()

    assert store_beside(engine, erase, "SET LOCAL deadlock_timeout = '1min'", LOCK) == 2
    assert stored(engine) == {"ann": "first", "cy": "first"}


def test_people_whom_the_vectors_cannot_refer_to_are_an_error(engine: Engine) -> None:
    """As where `app.profiles` is a view that shows more than the table behind the foreign key."""
    run(engine, "CREATE TABLE app.others (id uuid PRIMARY KEY)")
    run(engine, "ALTER TABLE matching.embeddings ADD FOREIGN KEY (profile_id) REFERENCES app.others")
    with pytest.raises(InputError, match=r"app\.profiles") as raised:
        add(engine, "ann")
    assert PEOPLE["ann"] not in str(raised.value)
    assert stored(engine) == {}
