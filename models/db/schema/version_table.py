"""The table that records the applied migrations. It is separate from Alembic's default, which the app may use."""

from collections.abc import Collection

from psycopg.errors import DependentObjectsStillExist, DuplicateSchema, DuplicateTable, UniqueViolation
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from models.db.errors import InputError

NAME, SCHEMA = "alembic_version", "matching"
TABLE = f"{SCHEMA}.{NAME}"

SHARED = "public.alembic_version"
"""Where the version was kept up to 0005, possibly together with the app's."""

# Evidence of each of those revisions. The number alone proves nothing: the app's migrations may be numbered as well.
MADE_BY = {
    "0001": "to_regclass('matching.publications') IS NOT NULL",
    "0002": "to_regclass('matching.matches') IS NOT NULL",
    "0003": "EXISTS (SELECT FROM pg_attribute WHERE attname = 'most_compatible_id'"
    " AND attrelid = to_regclass('matching.match_lists'))",
    "0004": "to_regclass('matching.showable') IS NOT NULL",
    "0005": "to_regproc('matching.erase_in_turn') IS NOT NULL",
}

CREATE_TABLE = f"""
CREATE TABLE IF NOT EXISTS {TABLE} (version_num varchar(32) CONSTRAINT {NAME}_pkc PRIMARY KEY)
"""


def open_version_table(connection: Connection, known: Collection[str]) -> None:
    """Create the table if it is missing, and block other migrations until the transaction ends.

    If the database was migrated before this table existed, its version is carried over.

    Args:
        connection: A connection in a transaction.
        known: The revisions of this program.

    Raises:
        InputError: The database has a revision that is not among the `known`.
    """
    while not _has_table(connection):
        _create_table(connection)
    # models.db.locks explains this mode. A process that waited here finds the migrations already applied.
    connection.execute(text(f"LOCK TABLE {TABLE} IN SHARE UPDATE EXCLUSIVE MODE"))
    if not _list_revisions(connection, TABLE):
        _adopt_shared_version(connection)
    if unknown := set(_list_revisions(connection, TABLE)) - set(known):
        raise InputError(
            f"the database was migrated to {', '.join(sorted(unknown))} by a newer version of this program, and this "
            f"one knows {max(known)} at most; install the newer version, or use another database"
        )


def close_version_table(connection: Connection) -> None:
    """Drop the table if no migration is left, and the schema if it is empty."""
    if _list_revisions(connection, TABLE):
        return
    connection.execute(text(f"DROP TABLE {TABLE}"))
    try:
        with connection.begin_nested():
            connection.execute(text(f"DROP SCHEMA {SCHEMA}"))
    except DBAPIError as error:
        if not isinstance(error.orig, DependentObjectsStillExist):
            raise


def _has_table(connection: Connection, table: str = TABLE) -> bool:
    return bool(connection.scalar(text("SELECT to_regclass(:table) IS NOT NULL"), {"table": table}))


def _create_table(connection: Connection) -> None:
    """Create the schema and the table, unless another process does so concurrently."""
    try:
        with connection.begin_nested():
            if not connection.scalar(text("SELECT to_regnamespace(:schema) IS NOT NULL"), {"schema": SCHEMA}):
                connection.execute(text(f"CREATE SCHEMA {SCHEMA}"))
            connection.execute(text(CREATE_TABLE))
            connection.execute(text(f"REVOKE ALL ON {TABLE} FROM PUBLIC"))
    except DBAPIError as error:
        if not isinstance(error.orig, UniqueViolation | DuplicateSchema | DuplicateTable):
            raise


def _list_revisions(connection: Connection, table: str) -> list[str]:
    return list(connection.scalars(text(f"SELECT version_num FROM {table}")))  # noqa: S608 - one of the two above


def _adopt_shared_version(connection: Connection) -> None:
    """Record the last revision whose tables exist, and remove it from the shared table."""
    revision = _find_last_revision(connection)
    if revision is None:
        return
    connection.execute(text(f"INSERT INTO {TABLE} VALUES (:revision)"), {"revision": revision})  # noqa: S608
    if _has_table(connection, SHARED) and revision in _list_revisions(connection, SHARED):
        connection.execute(text(f"DELETE FROM {SHARED} WHERE version_num = :revision"), {"revision": revision})  # noqa: S608
        if not _list_revisions(connection, SHARED):
            connection.execute(text(f"DROP TABLE {SHARED}"))


def _find_last_revision(connection: Connection) -> str | None:
    last = None
    for revision, is_made in MADE_BY.items():
        if not connection.scalar(text(f"SELECT {is_made}")):
            break
        last = revision
    return last
