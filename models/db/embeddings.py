"""One vector a profile in `matching.embeddings`: written when its content changed, gone when the profile is."""

from collections.abc import Iterable
from typing import cast
from uuid import UUID

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from sqlalchemy import Engine, text

STAGE = "CREATE TEMPORARY TABLE staged (profile_id uuid, content_hash text, embedding halfvec) ON COMMIT DROP"
COPY = "COPY staged FROM STDIN (FORMAT BINARY)"
# A person erased since their profile was read must not come back; an unchanged vector must not cost an index entry.
MERGE = """
INSERT INTO matching.embeddings AS kept (profile_id, encoder, content_hash, embedding)
SELECT profile_id, :encoder, content_hash, embedding FROM staged
WHERE EXISTS (SELECT FROM app.profiles WHERE id = profile_id)
ON CONFLICT (profile_id) DO UPDATE
SET encoder = excluded.encoder, content_hash = excluded.content_hash, embedding = excluded.embedding, updated_at = now()
WHERE (kept.encoder, kept.content_hash) <> (excluded.encoder, excluded.content_hash)
"""
# Somebody who emptied their profile has no vector any more.
PRUNE = "DELETE FROM matching.embeddings WHERE profile_id NOT IN (SELECT profile_id FROM staged)"


def store_embeddings(engine: Engine, encoder: str, vectors: Iterable[tuple[str, str, list[float]]]) -> int:
    """Make `matching.embeddings` hold these and no others: profile id, content hash, 384 numbers each.

    Returns how many rows were new or changed. One transaction: a reader sees all of it or nothing.
    """
    with engine.begin() as connection:
        connection.execute(text(STAGE))
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        register_vector(driver)
        with driver.cursor() as cursor, cursor.copy(COPY) as copy:
            copy.set_types(("uuid", "text", "halfvec"))
            for profile_id, content_hash, vector in vectors:
                copy.write_row((UUID(profile_id), content_hash, HalfVector(vector)))
        connection.execute(text(PRUNE))
        return connection.execute(text(MERGE), {"encoder": encoder}).rowcount
