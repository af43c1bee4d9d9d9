"""Sentences with titles of facts, and the function that says why a list is empty.

Revision: 0013, after 0012
"""

from pathlib import Path
from typing import cast

import psycopg
from alembic import op

from models.db.schema.reader_role import ROLE

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

SQL = Path(__file__).parents[1] / "sql"
READ = "matching_api.explain_empty(uuid)"
SETTINGS = ("search_path = pg_catalog, pg_temp", "client_min_messages = error", "TimeZone = 'UTC'")


def upgrade() -> None:
    _run("0013_wording.sql")
    op.execute(f"ALTER FUNCTION {READ} SECURITY DEFINER")
    for setting in SETTINGS:
        op.execute(f"ALTER FUNCTION {READ} SET {setting}")
    op.execute(f"REVOKE ALL ON FUNCTION {READ} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {READ} TO {ROLE}")


def downgrade() -> None:
    _run("0013_down.sql")


def _run(file: str) -> None:
    """Run a file as it is: in a statement of SQLAlchemy's a colon or a percent sign would mean something else."""
    driver = cast("psycopg.Connection", op.get_bind().connection.driver_connection)
    driver.execute((SQL / file).read_text().encode())
