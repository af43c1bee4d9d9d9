"""The database of a command."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine

from models.db.engines import open_database, resolve_database_url
from models.db.schema.migrations import upgrade_database
from models.db.settings import Settings, get_settings


@contextmanager
def open_ready_database() -> Iterator[Engine]:
    """Yield an engine on a database with the current tables.

    The embedded database is migrated. DATABASE_URL is not; `matching migrate` does that.
    """
    here: Settings = get_settings()
    if here.database_url is None:
        upgrade_database(resolve_database_url(here))
    with open_database(here) as engine:
        yield engine
