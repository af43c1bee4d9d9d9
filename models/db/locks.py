"""Locks that end with the holder's transaction and that roles without rights can neither take nor block.

Any role may take any advisory lock, so an unrelated role could block an erasure. Each of these locks is an empty view
instead. LOCK TABLE on a view requires rights to it, and VACUUM, which would wait for a table locked by a run, skips
views. Transactions hold the locks, because a pooler may reassign a session after each transaction.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from psycopg.errors import LockNotAvailable
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import OperationalError, SQLAlchemyError

ERASURE, LOAD = "matching.erasure_lock", "matching.load_lock"
PUBLICATION, RUN = "matching.publication_lock", "matching.run_lock"

# A role without rights holds a lock briefly, until its request is rejected.
LOCK_TIMEOUT = "500ms"

# The transaction stays idle until the end of the block. It has neither a snapshot nor an id, so it does not hold back
# VACUUM.
SET_TIMEOUTS = f"""
SELECT set_config('lock_timeout', '{LOCK_TIMEOUT}', true), set_config('statement_timeout', '0', true),
       set_config('transaction_timeout', '0', true), set_config('idle_in_transaction_session_timeout', '0', true)
"""

HOLDERS = """
SELECT count(*) FROM pg_locks WHERE relation = to_regclass(:lock) AND granted AND mode = 'ShareUpdateExclusiveLock'
AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


def acquire(connection: Connection, lock: str) -> None:
    """Wait for the lock and hold it until the connection's transaction ends."""
    # The weakest mode that excludes itself. ROW EXCLUSIVE is no option: PREPARE of a writing statement takes it without
    # any rights.
    connection.execute(text(f"LOCK TABLE {lock} IN SHARE UPDATE EXCLUSIVE MODE"))


def is_held(connection: Connection, lock: str) -> bool:
    """Return whether anybody holds the lock, without taking it."""
    return bool(connection.execute(text(HOLDERS), {"lock": lock}).scalar_one())


@contextmanager
def try_acquire(engine: Engine, lock: str) -> Iterator[bool]:
    """Yield whether the lock was free; if so, a separate connection holds it until the end of the block."""
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
