"""Locks that end with their holder's transaction, and that nobody but their owner can take or hold up.

Any role may take any advisory lock, so a stranger could keep an erasure waiting. Each of these is a view of nothing:
LOCK TABLE asks for rights to it, and VACUUM, which would wait for a table that a run has locked, passes over views.
They are held by the transaction, because a pooler may lend a session to somebody else after each one.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

ERASURE, LOAD = "matching.erasure_lock", "matching.load_lock"
PUBLICATION, RUN = "matching.publication_lock", "matching.run_lock"

# A role without rights holds any lock for the moment until it is refused.
LOCK_TIMEOUT = "500ms"

# The transaction is idle for as long as the block lasts. It has neither a snapshot nor an id, so it does not hold back
# VACUUM.
SET_TIMEOUTS = f"""
SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', true), set_config('statement_timeout', '0', true),
       set_config('transaction_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)
"""


def acquire(connection: Connection, lock: str) -> None:
    """Wait for the lock and hold it until the connection's transaction ends."""
    # The weakest mode that excludes itself: PREPARE of a statement that writes takes ROW EXCLUSIVE without any right.
    connection.execute(text(f"LOCK TABLE {lock} IN SHARE UPDATE EXCLUSIVE MODE"))


@contextmanager
def try_acquire(engine: Engine, lock: str) -> Iterator[bool]:
    """Yield whether nobody else holds the lock; if so, a connection of its own holds it for the length of the block."""
    with engine.connect() as connection:
        free = _is_acquired(connection, lock)
        try:
            yield free
        finally:
            with suppress(SQLAlchemyError):  # a lost connection has lost the lock already
                connection.rollback()


def _is_acquired(connection: Connection, lock: str) -> bool:
    connection.execute(text(SET_TIMEOUTS))
    try:
        acquire(connection, lock)
    except OperationalError as error:
        if not isinstance(error.orig, LockNotAvailable):
            raise
        connection.rollback()
        return False
    return True
