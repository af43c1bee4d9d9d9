"""The table `matching.embeddings`: one vector per profile and encoder, rewritten when the content changes."""

from collections.abc import Collection, Iterable, Sequence
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
from models.db.rows.embedding_index import create_index, drop_index

Rows = Iterable[tuple[str, str, Any]]
"""Profile id, content hash, and the vector as a list or an array; None confirms the stored vector of this content."""

STAGE = "CREATE TEMPORARY TABLE staged (profile_id uuid, content_hash text, embedding halfvec) ON COMMIT DROP"
COPY = "COPY staged FROM STDIN (FORMAT BINARY)"
# Vectors stored since the profiles were read are newer and stay. Timestamps in the future are ignored: the server's
# clock may once have been ahead. Users erased since their profile was read must not come back. Unchanged vectors are
# not rewritten, as each update adds an index entry.
MERGE = """
INSERT INTO matching.embeddings AS kept (profile_id, encoder, content_hash, embedding)
SELECT profile_id, :encoder, content_hash, embedding FROM staged
WHERE embedding IS NOT NULL AND EXISTS (SELECT FROM app.profiles WHERE id = profile_id)
ON CONFLICT (profile_id, encoder) DO UPDATE
SET content_hash = excluded.content_hash, embedding = excluded.embedding, updated_at = now()
WHERE kept.content_hash <> excluded.content_hash
  AND NOT (kept.updated_at BETWEEN :read_at AND clock_timestamp())
"""
# Profiles without answers lose their vector; users who joined since the profiles were read keep theirs. NOT IN would
# scan all staged rows for each stored row.
PRUNE = """
DELETE FROM matching.embeddings AS kept
WHERE encoder = :encoder AND NOT EXISTS (SELECT FROM staged WHERE staged.profile_id = kept.profile_id)
  AND NOT (kept.updated_at BETWEEN :read_at AND clock_timestamp())
"""
# Records which texts a vector was made from. A profile edited since it was read gets null, so that it stays pending.
CONFIRM = """
UPDATE matching.embeddings AS kept SET texts_hash = seen.texts_hash
FROM (
    SELECT id, CASE WHEN updated_at BETWEEN :read_at AND clock_timestamp() THEN NULL
                    ELSE jsonb_hash_extended(texts, 0) END AS texts_hash FROM app.profiles
) AS seen JOIN staged ON profile_id = id
WHERE kept.profile_id = id AND kept.encoder = :encoder AND kept.content_hash = staged.content_hash
  AND kept.texts_hash IS DISTINCT FROM seen.texts_hash
"""
# For profiles that no longer have answers to embed: their vector is of text that the profile no longer shows.
REMOVE = """
DELETE FROM matching.embeddings
WHERE encoder = :encoder AND profile_id = ANY (CAST(:ids AS uuid[]))
  AND NOT (updated_at BETWEEN :read_at AND clock_timestamp())
"""
# Compares a hash of the texts rather than timestamps: the app may write any timestamp, and one in the future would hide
# later edits. OFFSET 0 makes PostgreSQL read the texts, the expensive part, once per row.
PENDING = """
FROM (SELECT id, jsonb_hash_extended(texts, 0) AS texts_hash FROM app.profiles OFFSET 0) AS profile
LEFT JOIN matching.embeddings AS known ON known.profile_id = profile.id AND known.encoder = :encoder
WHERE profile.texts_hash <> jsonb_hash_extended('{}', 0) AND known.texts_hash IS DISTINCT FROM profile.texts_hash
"""
ATTEMPTS = 5
DROP_OTHERS = "DELETE FROM matching.embeddings WHERE encoder <> ALL (:encoders) RETURNING encoder"
FIND_PENDING = f"SELECT profile.id::text AS id, known.content_hash {PENDING}"
SUMMARISE_PENDING = f"""
SELECT count(*), md5(string_agg(profile.id || ' ' || profile.texts_hash, ',' ORDER BY profile.id))
{PENDING}
"""


@dataclass(frozen=True)
class PendingEmbeddings:
    """The profiles with answers that are newer than their vector, or that have no vector."""

    people: int
    digest: str
    """Identifies these profiles and their answers without revealing either."""


def summarise_pending(connection: Connection, encoder: str) -> PendingEmbeddings | None:
    """Return the profiles that wait for a vector of an encoder, or None if there are none."""
    people, digest = connection.execute(text(SUMMARISE_PENDING), {"encoder": encoder}).one()
    return PendingEmbeddings(people, digest) if people else None


def find_pending(connection: Connection, encoder: str) -> dict[str, str | None]:
    """Return the profiles that may need a new vector: profile id → content hash of the stored one, None without one."""
    return {row.id: row.content_hash for row in connection.execute(text(FIND_PENDING), {"encoder": encoder})}


def store_embeddings(engine: Engine, encoder: str, vectors: Rows, read_at: datetime) -> int:
    """Replace the vectors of an encoder with these. Return the number of new or changed rows.

    All changes happen in one transaction, so readers see all of them or none. The index follows in another one. Vectors
    of other encoders stay.

    Args:
        engine: The database.
        encoder: Name of the encoder that made the vectors.
        vectors: One row per profile.
        read_at: Database time, with time zone, at which the profiles were read. Vectors stored since then are kept.
    """
    stored = _store(engine, encoder, vectors, read_at, PRUNE)
    with engine.begin() as connection:
        create_index(connection, encoder)
    return stored


def add_embeddings(engine: Engine, encoder: str, vectors: Rows, read_at: datetime) -> int:
    """Store these vectors and keep those of other profiles. The arguments are those of `store_embeddings`."""
    return _store(engine, encoder, vectors, read_at)


def remove_embeddings(engine: Engine, encoder: str, ids: Sequence[str], read_at: datetime) -> int:
    """Delete an encoder's vectors of these profiles, except those stored since `read_at`. Return the deleted rows."""
    with engine.begin() as connection:
        return connection.execute(text(REMOVE), {"encoder": encoder, "ids": list(ids), "read_at": read_at}).rowcount


def drop_other_encoders(connection: Connection, encoders: Collection[str]) -> None:
    """Delete the vectors of all encoders but these, and then their indexes."""
    with connection.begin():
        dropped = set(connection.scalars(text(DROP_OTHERS), {"encoders": list(encoders)}))
    for encoder in sorted(dropped):
        drop_index(connection, encoder)


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
            connection.execute(text(statement), {"encoder": encoder, "read_at": read_at})
        for _ in range(ATTEMPTS):
            if (changed := _try_merge(connection, encoder, read_at)) is not None:
                return changed
    raise InputError(
        "matching.embeddings cannot refer to some of the people in app.profiles: if that is a view, let it show only "
        "people of the table that matching.embeddings refers to; if it is a table, they were erased meanwhile, so "
        "run this again"
    )


def _try_merge(connection: Connection, encoder: str, read_at: datetime) -> int | None:
    """Merge the staged vectors and return the number of new or changed rows.

    Returns None, without changes, if a profile was erased in the meantime. The statement sees the profiles of its
    start, but the foreign key, which waits for erasures, checks those of its end. Locking the profiles would need the
    right to change them, which the app may not grant.
    """
    try:
        # A savepoint releases its locks when it is rolled back; an erasure may be waiting for one of them.
        with connection.begin_nested():
            changed = connection.execute(text(MERGE), {"encoder": encoder, "read_at": read_at}).rowcount
            connection.execute(text(CONFIRM), {"encoder": encoder, "read_at": read_at})
            return changed
    except DBAPIError as error:
        if isinstance(error.orig, ForeignKeyViolation | DeadlockDetected):
            return None
        raise
