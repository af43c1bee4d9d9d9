"""The connection pool of the API: small, read-only, with short waits, reconnecting when the database comes back."""

import asyncio
from collections.abc import Mapping
from typing import Any

import structlog
from psycopg import AsyncConnection, Error, OperationalError
from psycopg.errors import (
    InsufficientPrivilege,
    InvalidParameterValue,
    QueryCanceled,
    UndefinedColumn,
    UndefinedFunction,
    UndefinedTable,
)
from psycopg_pool import AsyncConnectionPool, PoolTimeout, TooManyRequests

from models.db.errors import DatabaseUnavailable
from models.db.schema.reader_role import ROLE

MAX_CONNECTIONS = 8
MAX_WAITING = 128
"""Requests that may wait for a connection. The limit keeps the wait of the last one short."""
WAIT_SECONDS = 1.5
ANSWER_SECONDS = 5.0

_MISSING = (UndefinedTable, UndefinedColumn, UndefinedFunction, InsufficientPrivilege)
_MISSING_CAUSE = "the database has not been migrated, or its rights are missing"
_FIX = f"{_MISSING_CAUSE}: run `matching migrate`, or grant {ROLE} what is missing"

log = structlog.get_logger("serving")

# A generic plan, because planning the query for matches takes longer than running it.
SETTINGS = {
    "role": ROLE,
    "default_transaction_read_only": "on",
    "statement_timeout": "2s",
    "plan_cache_mode": "force_generic_plan",
    "jit": "off",
    "TimeZone": "UTC",
}
SESSION = "; ".join(f"SET {name} = '{value}'" for name, value in SETTINGS.items())
TRANSACTION = "SELECT " + ", ".join(
    f"set_config('{name}', '{value}', true)" for name, value in (SETTINGS | {"transaction_read_only": "on"}).items()
)


def make_pool(url: str) -> AsyncConnectionPool:
    """Create a closed pool of prepared, autocommit, read-only connections to `url` (`postgresql://`).

    The pool opens without a database and connects when one is available. Behind a pooler that reassigns sessions after
    each transaction, it neither sets nor prepares anything in a session.
    """
    return AsyncConnectionPool(
        url,
        kwargs={"autocommit": True, "prepare_threshold": 0, "connect_timeout": 3, "application_name": "delete-serving"},
        configure=_configure_connection,
        min_size=2,
        max_size=MAX_CONNECTIONS,
        max_waiting=MAX_WAITING,
        timeout=WAIT_SECONDS,
        # The pool doubles its pauses while the database is away. It gives up early, so that the next request retries.
        reconnect_timeout=2,
        open=False,
    )


async def _configure_connection(connection: AsyncConnection) -> None:
    try:
        if await _is_pooled(connection):
            connection.prepare_threshold = None
            await connection.execute(TRANSACTION.encode())  # a missing role fails here, not at the first request
        else:
            await connection.execute(SESSION.encode(), prepare=False)
    except InvalidParameterValue as error:
        raise DatabaseUnavailable(f"the database has no role {ROLE}: run `matching migrate`") from error
    except InsufficientPrivilege as error:
        user = connection.info.user
        raise DatabaseUnavailable(f"the database user {user} may not read: run GRANT {ROLE} TO {user}") from error


async def _is_pooled(connection: AsyncConnection) -> bool:
    """Return whether a pooler is in between: its cancellation key names another process than the one that answers."""
    cursor = await connection.execute("SELECT pg_backend_pid()", prepare=False)
    return await cursor.fetchone() != (connection.info.backend_pid,)


async def fetch_row(
    pool: AsyncConnectionPool, statement: str, parameters: Mapping[str, object] | None = None
) -> tuple[Any, ...] | None:
    """Return the first row of a read-only statement, or None if it has no rows.

    Args:
        pool: The open connection pool.
        statement: SQL with `%(name)s` placeholders.
        parameters: The values of the placeholders.

    Raises:
        DatabaseUnavailable: The database does not answer, is too busy or too slow, is not migrated, or denies access.
    """
    try:
        async with asyncio.timeout(ANSWER_SECONDS):
            return await _fetch_row_with_retry(pool, statement, parameters)
    except _MISSING as error:
        # The primary message is safe to log: it names a table, a column or a function, but no row.
        log.exception(_FIX, missing=error.diag.message_primary)
        raise DatabaseUnavailable(_MISSING_CAUSE) from error
    except (TimeoutError, OperationalError) as error:
        raise DatabaseUnavailable(_explain_error(error)) from error


async def _fetch_row_with_retry(
    pool: AsyncConnectionPool, statement: str, parameters: Mapping[str, object] | None
) -> tuple[Any, ...] | None:
    try:
        return await _try_fetch_row(pool, statement, parameters)
    except (PoolTimeout, TooManyRequests, QueryCanceled):
        raise
    except OperationalError:
        # The database may have restarted while this connection was idle; the other connections are then lost too.
        await pool.check()
        return await _try_fetch_row(pool, statement, parameters)


async def _try_fetch_row(
    pool: AsyncConnectionPool, statement: str, parameters: Mapping[str, object] | None
) -> tuple[Any, ...] | None:
    async with pool.connection() as connection:
        if connection.prepare_threshold is not None:
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchone()
        async with connection.pipeline():  # one transaction, in one round trip
            await connection.execute(TRANSACTION.encode())
            cursor = await connection.execute(statement, parameters)
            return await cursor.fetchone()


def _explain_error(error: Error | TimeoutError) -> str:
    if isinstance(error, TooManyRequests):
        return "too many requests wait for the database"
    if isinstance(error, QueryCanceled):
        return "the database was too slow"
    return "the database does not answer"
