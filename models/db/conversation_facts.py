"""The table `matching.conversation_facts`: replaced by each night's facts, in one transaction."""

from collections.abc import Iterable, Sequence
from typing import cast

import psycopg
from psycopg.errors import DeadlockDetected, ForeignKeyViolation
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from models.db import locks
from models.db.errors import InputError
from models.db.schema.tables import conversation_facts

COLUMNS = tuple(column.name for column in conversation_facts.columns)
STAGE = "CREATE TEMPORARY TABLE staged (LIKE matching.conversation_facts) ON COMMIT DROP"
COPY = f"COPY staged ({', '.join(COLUMNS)}) FROM STDIN"
# Conversations and people that were deleted since the messages were read must not come back.
MERGE = """
INSERT INTO matching.conversation_facts AS kept SELECT * FROM staged
WHERE EXISTS (SELECT FROM app.conversations WHERE id = conversation_id)
  AND EXISTS (SELECT FROM app.profiles WHERE id = person_a) AND EXISTS (SELECT FROM app.profiles WHERE id = person_b)
ON CONFLICT (conversation_id) DO UPDATE SET {changes}
WHERE kept.* IS DISTINCT FROM excluded.*
"""
CHANGES = ", ".join(f"{name} = excluded.{name}" for name in COLUMNS[1:])
# Conversations that are refused, older than facts are kept, or gone.
PRUNE = """
DELETE FROM matching.conversation_facts AS kept
WHERE NOT EXISTS (SELECT FROM staged WHERE staged.conversation_id = kept.conversation_id)
"""
ATTEMPTS = 5


def store_conversation_facts(engine: Engine, rows: Iterable[Sequence[object]]) -> int:
    """Replace the content of `matching.conversation_facts`, and return the number of new and changed rows.

    Args:
        engine: The database.
        rows: The values of COLUMNS for each conversation, None where a value is missing.

    Raises:
        InputError: Conversations are deleted again and again while their facts are stored.
    """
    with engine.begin() as connection:
        # An erasure goes before this or after it: then its trigger removes these rows.
        locks.acquire(connection, locks.ERASURE)
        connection.execute(text(STAGE))
        driver = cast("psycopg.Connection", connection.connection.driver_connection)
        with driver.cursor() as cursor, cursor.copy(COPY) as copy:
            for row in rows:
                copy.write_row(row)
        for _ in range(ATTEMPTS):
            if (changed := _try_merge(connection)) is not None:
                return changed
    raise InputError(
        "matching.conversation_facts cannot refer to some rows of app.conversations, because they are deleted in the "
        "meantime; run this again"
    )


def _try_merge(connection: Connection) -> int | None:
    """Merge the staged rows and return the number of new and changed ones; None if a conversation was just deleted."""
    try:
        with connection.begin_nested():
            connection.execute(text(PRUNE))
            return connection.execute(text(MERGE.format(changes=CHANGES))).rowcount
    except DBAPIError as error:
        if isinstance(error.orig, ForeignKeyViolation | DeadlockDetected):
            return None
        raise
