"""SQLite without waiting for the disk: what Dagster and MLflow write in tests may be lost with the machine."""

import sqlite3

from sqlalchemy import Engine, event


def stop_syncing() -> None:
    """Let no SQLite connection of this process sync: that would take as long as all else in a run of the pipeline."""
    event.listen(Engine, "connect", _set_pragma)


def _set_pragma(connection: object, _: object) -> None:
    if isinstance(connection, sqlite3.Connection):
        connection.execute("PRAGMA synchronous = OFF")
