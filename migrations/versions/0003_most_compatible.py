"""The one partner of the day, beside each match list.

Revision: 0003, after 0002
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

COLUMNS = ("most_compatible_id", "most_compatible_p_match", "most_compatible_reasons")

FORGET_PLACES = """
CREATE OR REPLACE FUNCTION matching.forget_candidates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE matching.match_lists AS list
    SET (candidate_ids, p_like, p_liked_back, p_match, reasons) = (
        SELECT coalesce(array_agg(kept.id ORDER BY kept.place), '{{}}'),
               coalesce(array_agg(kept.p_like ORDER BY kept.place), '{{}}'),
               coalesce(array_agg(kept.p_liked_back ORDER BY kept.place), '{{}}'),
               coalesce(array_agg(kept.p_match ORDER BY kept.place), '{{}}'),
               coalesce(jsonb_agg(list.reasons -> (kept.place - 1)::int ORDER BY kept.place), '[]')
        FROM unnest(list.candidate_ids, list.p_like, list.p_liked_back, list.p_match)
             WITH ORDINALITY AS kept (id, p_like, p_liked_back, p_match, place)
        WHERE kept.id NOT IN (SELECT id FROM gone)){and_partner}
    WHERE list.candidate_ids && (SELECT array_agg(id) FROM gone){or_partner};
    RETURN NULL;
END
$$
"""

AND_PARTNER = """,
    (most_compatible_id, most_compatible_p_match, most_compatible_reasons) = (
        SELECT list.most_compatible_id, list.most_compatible_p_match, list.most_compatible_reasons
        WHERE list.most_compatible_id NOT IN (SELECT id FROM gone))"""

OR_PARTNER = " OR list.most_compatible_id IN (SELECT id FROM gone)"


def upgrade() -> None:
    op.add_column(
        "match_lists",
        sa.Column(
            "most_compatible_id",
            sa.UUID(as_uuid=False),
            nullable=True,
            comment="the viewer's one partner of the day; null: none",
        ),
        schema="matching",
    )
    op.add_column("match_lists", sa.Column("most_compatible_p_match", sa.REAL(), nullable=True), schema="matching")
    op.add_column(
        "match_lists",
        sa.Column(
            "most_compatible_reasons",
            postgresql.JSONB(astext_type=sa.Text()),
            nullable=True,
            comment="an array of {code, detail}",
        ),
        schema="matching",
    )
    op.create_check_constraint(
        op.f("ck_match_lists_most_compatible_whole"),
        "match_lists",
        "num_nulls(most_compatible_id, most_compatible_p_match, most_compatible_reasons) IN (0, 3)",
        schema="matching",
    )
    op.execute(FORGET_PLACES.format(and_partner=AND_PARTNER, or_partner=OR_PARTNER))


def downgrade() -> None:
    op.execute(FORGET_PLACES.format(and_partner="", or_partner=""))
    op.drop_constraint(op.f("ck_match_lists_most_compatible_whole"), "match_lists", schema="matching")
    for column in COLUMNS:
        op.drop_column("match_lists", column, schema="matching")
