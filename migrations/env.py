"""Alembic's environment: the URL comes from the settings unless a caller injects one."""

from collections.abc import MutableMapping
from typing import Any

from alembic import context
from sqlalchemy import create_engine, pool

from models.db.engines import CONNECTION, resolve_database_url
from models.db.schema import version_table
from models.db.schema.tables import metadata
from models.db.settings import get_settings


def include_name(name: str | None, type_: str, parent_names: MutableMapping[Any, str | None]) -> bool:
    """Leave out what Alembic does not own: other schemas, its version table, partitions, the indexes of encoders."""
    if type_ == "schema":
        return name in ("app", "matching")
    if type_ == "table":
        return not (name or "").startswith(("match_lists_", "alembic_version"))
    if type_ == "index":
        return parent_names.get("table_name") != "embeddings"
    return True


def run() -> None:
    """Apply the migrations in one transaction, one process at a time."""
    url = context.config.attributes.get("url") or resolve_database_url(get_settings())
    engine = create_engine(url, poolclass=pool.NullPool, connect_args=CONNECTION)
    known = [script.revision for script in context.script.walk_revisions()]
    with engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=metadata,
            include_schemas=True,
            include_name=include_name,
            version_table=version_table.NAME,
            version_table_schema=version_table.SCHEMA,
        )
        with context.begin_transaction():
            if context.get_context().opts.get("dont_mutate"):  # `alembic current`
                context.run_migrations()
                return
            version_table.open_version_table(connection, known)
            context.run_migrations()
            version_table.close_version_table(connection)


run()
