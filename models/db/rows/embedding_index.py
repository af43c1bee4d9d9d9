"""The HNSW index of each encoder's vectors: a partial index, because vectors of encoders differ in their dimensions."""

import hashlib
import logging

from psycopg.errors import DeadlockDetected, LockNotAvailable
from psycopg.sql import SQL, Identifier, Literal
from sqlalchemy import Connection, text
from sqlalchemy.exc import OperationalError

# The function matching.embedding_index names it alike.
FIND = "SELECT matching.embedding_index(:encoder) IS NOT NULL"
DIMENSIONS = "SELECT vector_dims(embedding) FROM matching.embeddings WHERE encoder = :encoder LIMIT 1"
CREATE = """
CREATE INDEX IF NOT EXISTS {} ON matching.embeddings USING hnsw ((embedding::halfvec({})) halfvec_cosine_ops)
WHERE encoder = {}
"""
DROP = "DROP INDEX IF EXISTS matching.{}"

logger = logging.getLogger(__name__)


def name_index(encoder: str) -> str:
    """Return the name of the index of an encoder's vectors, in schema `matching`."""
    return f"ix_embeddings_{hashlib.md5(encoder.encode(), usedforsecurity=False).hexdigest()[:12]}"


def create_index(connection: Connection, encoder: str) -> None:
    """Build the index of an encoder's vectors in the caller's transaction, unless there is one or nothing to index.

    Readers do not wait. Writers of vectors do.
    """
    if connection.scalar(text(FIND), {"encoder": encoder}):
        return
    if dimensions := connection.scalar(text(DIMENSIONS), {"encoder": encoder}):
        made = SQL(CREATE).format(Identifier(name_index(encoder)), Literal(dimensions), Literal(encoder))
        connection.exec_driver_sql(_escape(made.as_string()))


def drop_index(connection: Connection, encoder: str) -> None:
    """Drop the index of an encoder's vectors, in a transaction of its own.

    If readers or writers hold the table, the index stays until the next publication.
    """
    try:
        with connection.begin():
            connection.execute(text("SET LOCAL lock_timeout = '200ms'"))
            connection.exec_driver_sql(SQL(DROP).format(Identifier(name_index(encoder))).as_string())
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable | DeadlockDetected):
            raise
        logger.warning("the vectors of encoder %s are in use; the next publication drops their index", encoder)


def _escape(statement: str) -> str:
    """Double percent signs, which the driver would take for parameters."""
    return statement.replace("%", "%%")
