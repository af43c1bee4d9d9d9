"""Impressions: the table `app.views`, where a decision was made, and when a user was last active.

Revision: 0011, after 0010
"""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

SURFACE = "where the target was shown: list, likes, most_compatible or similar; null: unknown"
LAST_ACTIVE = "when the user last opened the app; null: not recorded"
NEW_COLUMNS = {"interactions": "surface", "profiles": "last_active_at"}

# Where the app's own views stand in for the tables, a foreign key has nothing to refer to. There the app replaces this
# view with one over its log (docs/guides/connect-your-app.md).
EMPTY_VIEW = """
CREATE VIEW app.views AS
SELECT NULL::uuid AS viewer_id, NULL::uuid AS candidate_id, NULL::bigint AS publication_id, NULL::integer AS position,
       NULL::text AS surface, NULL::timestamptz AS shown_at
WHERE false
"""


def upgrade() -> None:
    if _is_table("interactions"):
        op.add_column("interactions", sa.Column("surface", sa.Text(), comment=SURFACE), schema="app")
    if _is_table("profiles"):
        last_active = sa.Column("last_active_at", sa.DateTime(timezone=True), comment=LAST_ACTIVE)
        op.add_column("profiles", last_active, schema="app")
        _create_table()
    else:
        op.execute(EMPTY_VIEW)


def downgrade() -> None:
    op.execute(f"DROP {'TABLE' if _is_table('views') else 'VIEW'} IF EXISTS app.views")
    for table, name in NEW_COLUMNS.items():
        if _is_table(table):
            op.drop_column(table, name, schema="app")


def _is_table(name: str) -> bool:
    """Return whether `app` has a table of this name, partitioned or not, rather than a view."""
    kind = "SELECT relkind IN ('r', 'p') FROM pg_class WHERE oid = to_regclass(:name)"
    return bool(op.get_bind().scalar(sa.text(kind), {"name": f"app.{name}"}))


def _create_table() -> None:
    op.create_table(
        "views",
        sa.Column("viewer_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column("candidate_id", sa.UUID(as_uuid=False), nullable=False),
        sa.Column(
            "publication_id",
            sa.BigInteger(),
            nullable=True,
            comment="the publication that the API named with the candidate; null: none",
        ),
        sa.Column("position", sa.Integer(), nullable=True, comment="place in the list as shown, from 1; null: none"),
        sa.Column("surface", sa.Text(), nullable=False, comment="list, likes, most_compatible or similar"),
        sa.Column("shown_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.ForeignKeyConstraint(
            ["candidate_id"], ["app.profiles.id"], name=op.f("fk_views_candidate_id"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["viewer_id"], ["app.profiles.id"], name=op.f("fk_views_viewer_id"), ondelete="CASCADE"
        ),
        schema="app",
    )
    for columns in (["viewer_id", "shown_at"], ["shown_at"], ["candidate_id"]):
        op.create_index(op.f(f"ix_views_{'_'.join(columns)}"), "views", columns, unique=False, schema="app")
