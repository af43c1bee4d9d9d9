"""Who wants no rates of their conversations to be used.

Revision: 0016, after 0015
"""

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

# Where the app's own views stand in for the tables, the app replaces this view with its own.
EMPTY_VIEW = """
CREATE VIEW app.rate_opt_outs AS SELECT NULL::uuid AS person_id, NULL::timestamptz AS created_at WHERE false
"""


def upgrade() -> None:
    if _is_table("profiles"):
        op.create_table(
            "rate_opt_outs",
            sa.Column("person_id", sa.UUID(as_uuid=False), nullable=False),
            sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
            sa.ForeignKeyConstraint(
                ["person_id"], ["app.profiles.id"], name=op.f("fk_rate_opt_outs_person_id"), ondelete="CASCADE"
            ),
            sa.PrimaryKeyConstraint("person_id", name=op.f("pk_rate_opt_outs")),
            schema="app",
        )
    else:
        op.execute(EMPTY_VIEW)
    op.execute("REVOKE ALL ON app.rate_opt_outs FROM PUBLIC")


def downgrade() -> None:
    kind = "TABLE" if _is_table("rate_opt_outs") else "VIEW"
    op.execute(f"DROP {kind} IF EXISTS app.rate_opt_outs")


def _is_table(name: str) -> bool:
    """Return whether `app` has a table of this name, partitioned or not, rather than a view."""
    kind = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(:name)"
    return bool(op.get_bind().scalar(sa.text(kind), {"name": f"app.{name}"}))
