"""Locks of PostgreSQL's that are nothing but a name: one holder at a time, and none whose process has died."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Function, func, select
from sqlalchemy.exc import SQLAlchemyError


@contextmanager
def held(connection: Connection, name: str) -> Iterator[bool]:
    """Whether nobody else held the lock of this name; if so, the connection holds it for the length of the block.

    It is the session's, so that it ends with the connection, and no transaction lasts as long as it.
    """
    lock = func.hashtext(name)
    free = _ask(connection, func.pg_try_advisory_lock(lock))
    try:
        yield free
    finally:
        if free:
            with suppress(SQLAlchemyError):  # a lost connection has lost the lock already
                _ask(connection, func.pg_advisory_unlock(lock))


def _ask(connection: Connection, question: Function[bool]) -> bool:
    with connection.begin():
        return bool(connection.scalar(select(question)))
