"""One vector a profile in `matching.embeddings`: written when its content changed, gone when the profile is."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast
from uuid import UUID

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from psycopg.errors import DeadlockDetected, ForeignKeyViolation
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.db.errors import InputError

Rows = Iterable[tuple[str, str, Any]]
"""Profile id, content hash, and 384 numbers, in a list or an array."""

STAGE = "CREATE TEMPORARY TABLE staged (profile_id uuid, content_hash text, embedding halfvec) ON COMMIT DROP"
COPY = "COPY staged FROM STDIN (FORMAT BINARY)"
# A person erased since their profile was read must not come back; an unchanged vector must not cost an index entry; one
# that was stored since the profile was read is newer.
MERGE = """
INSERT INTO matching.embeddings AS kept (profile_id, encoder, content_hash, embedding)
SELECT profile_id, :encoder, content_hash, embedding FROM staged
WHERE EXISTS (SELECT FROM app.profiles WHERE id = profile_id)
ON CONFLICT (profile_id) DO UPDATE
SET encoder = excluded.encoder, content_hash = excluded.content_hash, embedding = excluded.embedding, updated_at = now()
WHERE (kept.encoder, kept.content_hash) <> (excluded.encoder, excluded.content_hash) AND kept.updated_at < :read_at
"""
# Somebody who emptied their profile has no vector any more; somebody who joined since profiles were read keeps theirs.
# NOT IN would go through all that is staged for each row: of 60,000 vectors, half a minute.
PRUNE = """
DELETE FROM matching.embeddings AS kept
WHERE NOT EXISTS (SELECT FROM staged WHERE staged.profile_id = kept.profile_id) AND updated_at < :read_at
"""
# An edit that leaves no answer to compare: the vector is of words that the profile no longer shows.
REMOVE = "DELETE FROM matching.embeddings WHERE profile_id = ANY (CAST(:ids AS uuid[])) AND updated_at < :read_at"
WAITING = """
FROM app.profiles AS profile LEFT JOIN matching.embeddings AS known ON known.profile_id = profile.id
WHERE profile.texts <> '{}' AND (known.updated_at < profile.updated_at OR known.profile_id IS NULL)
"""
ATTEMPTS = 5
# Only those of a table that is empty.
GRAPHS = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
WHERE indrelid = 'matching.embeddings'::regclass AND amname = 'hnsw' AND NOT EXISTS (SELECT FROM matching.embeddings)
"""
# What was committed a little later than the newest may be stamped a little earlier.
IN_FLIGHT = "interval '10 seconds'"
WHO_WAITS = f"SELECT profile.id::text AS id, known.content_hash {WAITING}"
HOW_MANY_WAIT = f"""
SELECT count(*), max(profile.updated_at)::text,
       md5(string_agg(profile.id || ' ' || profile.updated_at, ',' ORDER BY profile.id))
{WAITING} AND profile.updated_at > CAST(:since AS timestamptz) - {IN_FLIGHT}
"""


@dataclass(frozen=True)
class Waiting:
    """Those who wrote something since their vector was made, or have none."""

    people: int
    newest: str
    """The moment that the last of them wrote, as the database says it."""
    digest: str
    """Names who they are and when they wrote, and tells neither."""


def waiting(connection: Connection, since: str = "-infinity") -> Waiting | None:
    """Whoever waits for a vector and changed their profile since the moment, a few seconds early; None for nobody."""
    people, newest, digest = connection.execute(text(HOW_MANY_WAIT), {"since": since}).one()
    return Waiting(people, newest, digest) if people else None


def who_waits(connection: Connection) -> dict[str, str | None]:
    """Everybody who may need another vector: profile id → content hash of the one that is there, None for none."""
    return {row.id: row.content_hash for row in connection.execute(text(WHO_WAITS))}


def store_embeddings(engine: Engine, encoder: str, vectors: Rows, read_at: datetime) -> int:
    """Make `matching.embeddings` hold these and no others; returns how many rows were new or changed.

    `read_at` (with time zone) is the database's time when the profiles were read: what was stored since then stays.
    One transaction: a reader sees all of it or nothing.
    """
    return _store(engine, encoder, vectors, read_at, PRUNE)


def add_embeddings(engine: Engine, encoder: str, vectors: Rows, read_at: datetime) -> int:
    """Store these beside those of others, likewise."""
    return _store(engine, encoder, vectors, read_at)


def remove_embeddings(engine: Engine, ids: Sequence[str], read_at: datetime) -> int:
    """Remove the vectors of these profiles but those stored since `read_at`; returns how many were removed."""
    with engine.begin() as connection:
        return connection.execute(text(REMOVE), {"ids": list(ids), "read_at": read_at}).rowcount


def _store(engine: Engine, encoder: str, vectors: Rows, read_at: datetime, *before: str) -> int:
    with engine.begin() as connection:
        connection.execute(text(STAGE))
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        register_vector(driver)
        with driver.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.set_types(("uuid", "text", "halfvec"))
            for profile_id, content_hash, vector in vectors:
                copy.write_row((UUID(profile_id), content_hash, HalfVector(vector)))
        for statement in before:
            connection.execute(text(statement), {"read_at": read_at})
        for _ in range(ATTEMPTS):
            if (changed := _merged(connection, encoder, read_at)) is not None:
                return changed
    raise InputError(
        "matching.embeddings cannot refer to some of the people in app.profiles: where that is a view, let it show "
        "only people of the table that matching.embeddings refers to; else they were erased one after the other, so "
        "run this again"
    )


def _merged(connection: Connection, encoder: str, read_at: datetime) -> int | None:
    """How many rows the staged vectors added or changed; None, and nothing done, if somebody was erased meanwhile.

    The statement sees the people of its start, and the foreign key, which waits for erasures, those of its end. Locking
    the people instead would need the right to change them, which nobody has to give us.
    """
    try:
        # In a savepoint, which gives its locks back: an erasure may wait for one of them.
        with connection.begin_nested(), _indexed_afterwards(connection):
            return connection.execute(text(MERGE), {"encoder": encoder, "read_at": read_at}).rowcount
    except DBAPIError as error:
        if isinstance(error.orig, ForeignKeyViolation | DeadlockDetected):
            return None
        raise


@contextmanager
def _indexed_afterwards(connection: Connection) -> Iterator[None]:
    """Where no vector is stored yet, make the graph of neighbours when they are.

    That takes a fifth of the time of adding them one by one (5,000 vectors, in one run). Readers wait meanwhile; they
    would find nothing.
    """
    graphs = connection.execute(text(GRAPHS)).all()
    for graph in graphs:
        connection.execute(text(f"DROP INDEX {graph.name}"))
    yield
    for graph in graphs:
        connection.execute(text(graph.definition))
