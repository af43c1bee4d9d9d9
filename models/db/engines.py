"""Engines and connection strings, created on request and never at import."""

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.errors import InvalidSchemaName, UndefinedTable
from sqlalchemy import URL, Engine, create_engine, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError

from models.db import embedded
from models.db.errors import DatabaseUnavailable, InputError
from models.db.settings import Settings

DRIVER = "postgresql+psycopg"
# A pooler may reassign the session after each transaction; a prepared statement would then stay in a foreign session.
CONNECTION = {"connect_timeout": 10, "prepare_threshold": None}
# SQLSTATE classes of temporary failures: connection exceptions, shutdowns and starts. An error without a SQLSTATE means
# that the server was not reached at all.
LOST_SQLSTATES = ("08", "57P")
UNREADABLE = (
    "DATABASE_URL cannot be read; it should look like postgresql://user:password@host:5432/database, with %40 for an @ "
    "in the password, %3A for a : and %25 for a %, and with several hosts like postgresql:///database?host=a,b"
)


def resolve_database_url(settings: Settings) -> str:
    """Return the `postgresql+psycopg://` URL of `DATABASE_URL`, or of the embedded server, which is started if needed.

    Raises:
        InputError: DATABASE_URL cannot be read or is not a PostgreSQL URL.
        DatabaseUnavailable: The embedded server does not start.
    """
    if settings.database_url is None:
        return embedded.ensure_running(settings.home)
    try:
        url = _parse_url(settings.database_url)
    except (ArgumentError, ValueError, psycopg.ProgrammingError):  # their messages quote the password
        raise InputError(UNREADABLE) from None
    if url.drivername.split("+")[0] not in ("postgresql", "postgres"):
        raise InputError(f"DATABASE_URL names {url.drivername}; set it to a PostgreSQL database with pgvector")
    return url.set(drivername=DRIVER).render_as_string(hide_password=False)


def _parse_url(given: str) -> URL:
    """Parse the URL, and check that both SQLAlchemy and the driver can use it.

    Raises:
        ValueError: The URL contains more than one @.
        sqlalchemy.exc.ArgumentError: SQLAlchemy cannot parse the URL.
        psycopg.ProgrammingError: The driver cannot parse the URL.
    """
    if given.count("@") > 1:
        raise ValueError("the part of the password after its first @ would be read as the host, and be shown")
    url = make_url(given)
    _read_options(url)
    conninfo_to_dict(convert_to_libpq_url(url.set(drivername=DRIVER).render_as_string(hide_password=False)))
    return url


def convert_to_libpq_url(url: str) -> str:
    """Return the same URL in the form that psycopg reads."""
    # SQLAlchemy does not escape spaces in a password.
    return url.replace(DRIVER, "postgresql", 1).replace(" ", "%20")


@contextmanager
def open_database(settings: Settings) -> Iterator[Engine]:
    """Yield an engine, and dispose of it at the end of the block.

    Raises:
        DatabaseUnavailable: The server is missing or was lost, or the tables are missing.
    """
    engine = create_engine(resolve_database_url(settings), connect_args=CONNECTION, hide_parameters=True)
    try:
        yield engine
    except (DBAPIError, psycopg.OperationalError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, UndefinedTable | InvalidSchemaName):
            raise DatabaseUnavailable("the database lacks this version's tables: run `matching migrate`") from error
        if not isinstance(cause, psycopg.OperationalError):
            raise
        # Only the first line: the others may quote a row.
        what = str(cause).partition("\n")[0]
        raise DatabaseUnavailable(
            f"{_describe_database(engine.url)} failed: {what}; check that it runs and has disk space, "
            "then run this again"
        ) from error
    finally:
        engine.dispose()


def _describe_database(url: URL) -> str:
    """Return the name, host and port of the database.

    The rest of the URL, including its query, may hold a password.
    """
    name, host, port = (_read_options(url).get(part) for part in ("dbname", "host", "port"))
    return f"the database {name or 'of the user'} at {host or 'this machine'}, port {port or 5432},"


def _read_options(url: URL) -> dict[str, object]:
    """Return the connection options that the driver gets for a URL."""
    _, options = url.set(drivername=DRIVER).get_dialect()().create_connect_args(url)
    return dict(options)


def is_transient(error: DatabaseUnavailable) -> bool:
    """Return whether the server went away or did not answer, so that a later attempt may succeed."""
    return is_connection_failure(error.__cause__.orig if isinstance(error.__cause__, DBAPIError) else error.__cause__)


def is_connection_failure(error: BaseException | None) -> bool:
    """Return whether the driver's error means that the server went away or did not answer."""
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or LOST_SQLSTATES[0]).startswith(
        LOST_SQLSTATES
    )
