"""Alembic's environment: the URL comes from the settings unless a caller injects one."""

from collections.abc import MutableMapping
from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool

from models.db.engines import database_url
from models.db.settings import settings
from models.db.tables import metadata


def include_name(name: str | None, type_: str, parent_names: MutableMapping[Any, str | None]) -> bool:
    """Leave out what Alembic does not own: other schemas, its version table, the partitions of the match lists."""
    if type_ == "schema":
        return name in ("app", "matching")
    if type_ == "table":
        return not (name or "").startswith(("match_lists_", "alembic_version"))
    return True


def run() -> None:
    """Apply the migrations in one transaction, one process at a time."""
    engine = create_engine(context.config.attributes.get("url") or database_url(settings()), poolclass=pool.NullPool)
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_schemas=True,
            include_name=include_name,
            version_table_schema="public",
        )
        with context.begin_transaction():
            # Two processes may find an old schema at once: the second waits here, then finds nothing left to do.
            connection.exec_driver_sql("SELECT pg_advisory_xact_lock(hashtext('matching.migrations'))")
            context.run_migrations()


run()
