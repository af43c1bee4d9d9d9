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
from psycopg.errors import DeadlockDetected, ForeignKeyViolation, LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.db.errors import InputError

Rows = Iterable[tuple[str, str, Any]]
"""Profile id, content hash, and 384 numbers, in a list or an array; None confirms the vector of this content."""

STAGE = "CREATE TEMPORARY TABLE staged (profile_id uuid, content_hash text, embedding halfvec) ON COMMIT DROP"
COPY = "COPY staged FROM STDIN (FORMAT BINARY)"
# What was stored since the profiles were read is newer; a stamp that is still to come says nothing, for the server's
# clock was ahead once. A person erased since their profile was read must not come back; an unchanged vector must not
# cost an index entry.
MERGE = """
INSERT INTO matching.embeddings AS kept (profile_id, encoder, content_hash, embedding)
SELECT profile_id, :encoder, content_hash, embedding FROM staged
WHERE embedding IS NOT NULL AND EXISTS (SELECT FROM app.profiles WHERE id = profile_id)
ON CONFLICT (profile_id) DO UPDATE
SET encoder = excluded.encoder, content_hash = excluded.content_hash, embedding = excluded.embedding, updated_at = now()
WHERE (kept.encoder, kept.content_hash) <> (excluded.encoder, excluded.content_hash)
  AND NOT (kept.updated_at BETWEEN :read_at AND clock_timestamp())
"""
# Somebody who emptied their profile has no vector any more; somebody who joined since profiles were read keeps theirs.
# NOT IN would go through all that is staged for each row: of 60,000 vectors, half a minute.
PRUNE = """
DELETE FROM matching.embeddings AS kept
WHERE NOT EXISTS (SELECT FROM staged WHERE staged.profile_id = kept.profile_id)
  AND NOT (kept.updated_at BETWEEN :read_at AND clock_timestamp())
"""
# What the vectors are of. Of a profile that was edited since it was read they are not: it has none, and waits.
CONFIRM = """
UPDATE matching.embeddings AS kept SET texts_hash = seen.texts_hash
FROM (
    SELECT id, CASE WHEN updated_at BETWEEN :read_at AND clock_timestamp() THEN NULL
                    ELSE jsonb_hash_extended(texts, 0) END AS texts_hash FROM app.profiles
) AS seen JOIN staged ON profile_id = id
WHERE kept.profile_id = id AND kept.content_hash = staged.content_hash
  AND kept.texts_hash IS DISTINCT FROM seen.texts_hash
"""
# An edit that leaves no answer to compare: the vector is of words that the profile no longer shows.
REMOVE = """
DELETE FROM matching.embeddings
WHERE profile_id = ANY (CAST(:ids AS uuid[])) AND NOT (updated_at BETWEEN :read_at AND clock_timestamp())
"""
# By a hash of the texts, not by stamps: an app may write any, and one from the future would hide all others. Texts are
# read once a row, as reading them is what this takes.
PENDING = """
FROM (SELECT id, jsonb_hash_extended(texts, 0) AS texts_hash FROM app.profiles OFFSET 0) AS profile
LEFT JOIN matching.embeddings AS known ON known.profile_id = profile.id
WHERE profile.texts_hash <> jsonb_hash_extended('{}', 0) AND known.texts_hash IS DISTINCT FROM profile.texts_hash
"""
ATTEMPTS = 5
# Only those of a table that is empty.
GRAPHS = """
SELECT indexrelid::regclass::text AS name, pg_get_indexdef(indexrelid) AS definition
FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid JOIN pg_am ON pg_am.oid = relam
WHERE indrelid = 'matching.embeddings'::regclass AND amname = 'hnsw' AND NOT EXISTS (SELECT FROM matching.embeddings)
"""
FIND_PENDING = f"SELECT profile.id::text AS id, known.content_hash {PENDING}"
SUMMARISE_PENDING = f"""
SELECT count(*), md5(string_agg(profile.id || ' ' || profile.texts_hash, ',' ORDER BY profile.id))
{PENDING}
"""


@dataclass(frozen=True)
class PendingEmbeddings:
    """Those who wrote something since their vector was made, or have none."""

    people: int
    digest: str
    """Names who they are and what they wrote, and tells neither."""


def summarise_pending(connection: Connection) -> PendingEmbeddings | None:
    """Return who waits for a vector, None for nobody."""
    people, digest = connection.execute(text(SUMMARISE_PENDING)).one()
    return PendingEmbeddings(people, digest) if people else None


def find_pending(connection: Connection) -> dict[str, str | None]:
    """Everybody who may need another vector: profile id → content hash of the one that is there, None for none."""
    return {row.id: row.content_hash for row in connection.execute(text(FIND_PENDING))}


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
                copy.write_row((UUID(profile_id), content_hash, None if vector is None else HalfVector(vector)))
        for statement in before:
            connection.execute(text(statement), {"read_at": read_at})
        for _ in range(ATTEMPTS):
            if (changed := _try_merge(connection, encoder, read_at)) is not None:
                return changed
    raise InputError(
        "matching.embeddings cannot refer to some of the people in app.profiles: where that is a view, let it show "
        "only people of the table that matching.embeddings refers to; else they were erased one after the other, so "
        "run this again"
    )


def _try_merge(connection: Connection, encoder: str, read_at: datetime) -> int | None:
    """How many rows the staged vectors added or changed; None, and nothing done, if somebody was erased meanwhile.

    The statement sees the people of its start, and the foreign key, which waits for erasures, those of its end. Locking
    the people instead would need the right to change them, which nobody has to give us.
    """
    try:
        # In a savepoint, which gives its locks back: an erasure may wait for one of them.
        with connection.begin_nested(), _create_index_afterwards(connection):
            changed = connection.execute(text(MERGE), {"encoder": encoder, "read_at": read_at}).rowcount
            connection.execute(text(CONFIRM), {"read_at": read_at})
            return changed
    except DBAPIError as error:
        if isinstance(error.orig, ForeignKeyViolation | DeadlockDetected):
            return None
        raise


@contextmanager
def _create_index_afterwards(connection: Connection) -> Iterator[None]:
    """Where no vector is stored yet, make the graph of neighbours when they are.

    That takes a fifth of the time of adding them one by one (5,000 vectors, in one run). Readers wait meanwhile; they
    would find nothing.
    """
    graphs = connection.execute(text(GRAPHS)).all()
    if graphs and not _lock_against_readers(connection):
        graphs = []
    for graph in graphs:
        connection.execute(text(f"DROP INDEX {graph.name}"))
    yield
    for graph in graphs:
        connection.execute(text(graph.definition))


def _lock_against_readers(connection: Connection) -> bool:
    """Whether nobody else has the table in a transaction that stays open: a reader's could keep us waiting for good."""
    try:
        with connection.begin_nested():
            connection.execute(text("SET LOCAL lock_timeout = '500ms'"))
            connection.execute(text("LOCK TABLE matching.embeddings IN ACCESS EXCLUSIVE MODE"))
            connection.execute(text("SET LOCAL lock_timeout TO DEFAULT"))
    except DBAPIError as error:
        if isinstance(error.orig, LockNotAvailable):
            return False
        raise
    return True
