"""What analysts may know of conversations: a table of figures of at least 20 people, and a role that reads it.

Revision: 0018, after 0017
"""

import sqlalchemy as sa
from alembic import op

from models.db.schema.analyst_role import ROLE
from models.db.schema.group_roles import create_group_role, drop_group_role

revision = "0018"
down_revision = "0017"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "town_insights",
        sa.Column("month", sa.Date(), comment="first day of the month of the match; null: all months together"),
        sa.Column("measure", sa.Text(), nullable=False),
        sa.Column(
            "cell",
            sa.Text(),
            nullable=False,
            comment="which of the measure's cells, such as a decile; all: the only one",
        ),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("low", sa.Double(), nullable=False, comment="end of the 95 % interval"),
        sa.Column("high", sa.Double(), nullable=False),
        sa.Column("people", sa.Integer(), nullable=False, comment="distinct people behind the figure"),
        sa.CheckConstraint("people >= 20", name=op.f("ck_town_insights_enough_people")),
        sa.UniqueConstraint(
            "month",
            "measure",
            "cell",
            name=op.f("uq_town_insights_month_measure_cell"),
            postgresql_nulls_not_distinct=True,
        ),
        schema="matching",
    )
    create_group_role(op.get_bind(), ROLE)
    op.execute("REVOKE ALL ON matching.town_insights FROM PUBLIC")
    op.execute(f"GRANT USAGE ON SCHEMA matching TO {ROLE}")
    op.execute(f"GRANT SELECT ON matching.town_insights TO {ROLE}")


def downgrade() -> None:
    op.drop_table("town_insights", schema="matching")
    op.execute(f"REVOKE USAGE ON SCHEMA matching FROM {ROLE}")
    drop_group_role(op.get_bind(), ROLE)
