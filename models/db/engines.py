"""Engines and connection strings, made when asked for and never at import."""

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
# Behind a pooler that lends sessions by the transaction, a prepared statement would be left in somebody else's session.
CONNECTION = {"connect_timeout": 10, "prepare_threshold": None}
# SQLSTATEs of a server that will be back: connection exceptions, shutdowns and starts. None: it was not reached at all.
LOST_SQLSTATES = ("08", "57P")
UNREADABLE = (
    "DATABASE_URL cannot be read; it should look like postgresql://user:password@host:5432/database, with %40 for an @ "
    "in the password, %3A for a : and %25 for a %, and with several hosts like postgresql:///database?host=a,b"
)


def resolve_database_url(settings: Settings) -> str:
    """The `postgresql+psycopg://` URL: `DATABASE_URL` when set, else the embedded server's, started if need be.

    Raises InputError for a URL that is not PostgreSQL's and DatabaseUnavailable if the embedded server does not start.
    """
    if settings.database_url is None:
        return embedded.ensure_running(settings.home)
    try:
        url = _parse_url(settings.database_url)
    except (ArgumentError, ValueError, psycopg.ProgrammingError):  # not a word of theirs: they quote the password
        raise InputError(UNREADABLE) from None
    if url.drivername.split("+")[0] not in ("postgresql", "postgres"):
        raise InputError(f"DATABASE_URL names {url.drivername}; only PostgreSQL with pgvector will do")
    return url.set(drivername=DRIVER).render_as_string(hide_password=False)


def _parse_url(given: str) -> URL:
    """The URL. Raises what SQLAlchemy and the driver raise for one that either cannot use, ValueError for two @."""
    if given.count("@") > 1:
        raise ValueError("what follows the first @ of a password would be taken for the host, and told")
    url = make_url(given)
    _read_options(url)
    conninfo_to_dict(convert_to_libpq_url(url.set(drivername=DRIVER).render_as_string(hide_password=False)))
    return url


def convert_to_libpq_url(url: str) -> str:
    """The same URL as psycopg itself reads it."""
    # SQLAlchemy writes the spaces of a password as they are.
    return url.replace(DRIVER, "postgresql", 1).replace(" ", "%20")


@contextmanager
def open_database(settings: Settings) -> Iterator[Engine]:
    """An engine for the length of a block. A lost or absent server is raised as DatabaseUnavailable."""
    engine = create_engine(resolve_database_url(settings), connect_args=CONNECTION, hide_parameters=True)
    try:
        yield engine
    except (DBAPIError, psycopg.OperationalError) as error:
        cause = error.orig if isinstance(error, DBAPIError) else error
        if isinstance(cause, UndefinedTable | InvalidSchemaName):
            raise DatabaseUnavailable("the database lacks this version's tables: run `matching migrate`") from error
        if not isinstance(cause, psycopg.OperationalError):
            raise
        # The first line only: what follows may quote somebody's row.
        what = str(cause).partition("\n")[0]
        raise DatabaseUnavailable(
            f"{_describe_database(engine.url)} failed: {what}; see that it runs and has room, then run this again"
        ) from error
    finally:
        engine.dispose()


def _describe_database(url: URL) -> str:
    """The database by name, host and port. The rest of the URL, its query too, may hold a password."""
    name, host, port = (_read_options(url).get(part) for part in ("dbname", "host", "port"))
    return f"the database {name or 'of the user'} at {host or 'this machine'}, port {port or 5432},"


def _read_options(url: URL) -> dict[str, object]:
    """What the driver is given of a URL."""
    _, options = url.set(drivername=DRIVER).get_dialect()().create_connect_args(url)
    return dict(options)


def is_transient(error: DatabaseUnavailable) -> bool:
    """Whether the server went away or did not answer, so that the same may well succeed a little later."""
    return is_connection_failure(error.__cause__.orig if isinstance(error.__cause__, DBAPIError) else error.__cause__)


def is_connection_failure(error: BaseException | None) -> bool:
    """Whether the driver's error says that the server went away or did not answer."""
    return isinstance(error, psycopg.OperationalError) and (error.sqlstate or LOST_SQLSTATES[0]).startswith(
        LOST_SQLSTATES
    )
