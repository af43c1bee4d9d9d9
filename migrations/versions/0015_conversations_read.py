"""The function that returns a viewer's conversations, and the index that finds who wrote last.

Revision: 0015, after 0014
"""

from pathlib import Path
from typing import cast

import psycopg
import sqlalchemy as sa
from alembic import op

from models.db.schema.reader_role import ROLE

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql" / "0015_conversations.sql"
READ = "matching_api.read_conversations(uuid, int, jsonb, bigint[])"
SETTINGS = (
    "search_path = pg_catalog, pg_temp",
    "client_min_messages = error",
    "plan_cache_mode = force_generic_plan",
    "jit = off",
    "TimeZone = 'UTC'",
)
SHARED = (
    "suggest_openers(text[], text[], jsonb, jsonb, jsonb, jsonb, jsonb)",
    "find_conversations(uuid)",
    "is_sensitive(text)",
)
LAST_WRITTEN = ["conversation_id", "sender_id", "sent_at"]


def upgrade() -> None:
    if _is_table("messages"):
        op.create_index(op.f("ix_messages_conversation_id_sender_id_sent_at"), "messages", LAST_WRITTEN, schema="app")
    driver = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    # As it is: in a statement of SQLAlchemy's a colon or a percent sign would mean something else.
    driver.execute(SQL.read_text().encode())
    op.execute(f"ALTER FUNCTION {READ} SECURITY DEFINER")
    for setting in SETTINGS:
        op.execute(f"ALTER FUNCTION {READ} SET {setting}")
    op.execute(f"REVOKE ALL ON FUNCTION {READ} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {READ} TO {ROLE}")


def downgrade() -> None:
    op.execute(f"DROP FUNCTION {READ}")
    for function in SHARED:
        op.execute(f"DROP FUNCTION matching.{function}")
    op.execute("DROP INDEX IF EXISTS app.ix_messages_conversation_id_sender_id_sent_at")


def _is_table(name: str) -> bool:
    """Return whether `app` has a table of this name, partitioned or not, rather than a view."""
    kind = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(:name)"
    return bool(op.get_bind().scalar(sa.text(kind), {"name": f"app.{name}"}))
