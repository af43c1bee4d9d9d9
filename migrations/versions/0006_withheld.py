"""Who passed on somebody is withheld from them as of a publication: from its lists and its neighbours alike.

Revision: 0006, after 0005
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from models.db.schema.reader_role import ROLE

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

# Of the live publication, whatever page is asked for: everything that is answered at one moment knows of the same
# passes. Viewers without a row, who joined since, have nobody withheld from them.
WITHHELD_FROM = """
CREATE FUNCTION matching.withheld_from(viewer uuid) RETURNS uuid[]
LANGUAGE sql STABLE SECURITY DEFINER PARALLEL SAFE
SET search_path = pg_catalog, pg_temp
AS $$
    SELECT coalesce((
        SELECT withheld_ids FROM matching.match_lists
        WHERE publication_id = (SELECT id FROM matching.publications WHERE state = 'live') AND viewer_id = viewer
    ), '{}')
$$
"""
WITHHELD_FROM_SIGNATURE = "matching.withheld_from(uuid)"

# As in 0004, less the people who are withheld. They may be thousands, so the list of who is left out is hashed.
NEIGHBOURS = """
CREATE OR REPLACE FUNCTION matching.neighbours(viewer uuid, most int, listed uuid[], shown bigint[]) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = 100
SET hnsw.max_scan_tuples = 10000
SET enable_sort = off
AS $$
DECLARE
    mine {vector}.halfvec;
    its_encoder text;
    size bigint := pg_relation_size('matching.embeddings');
    nearest uuid[] := '{{}}';
{left_out}BEGIN
    SELECT embedding, encoder INTO mine, its_encoder
    FROM matching.embeddings JOIN app.profiles ON id = profile_id WHERE profile_id = viewer AND NOT paused;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF size > 4 * 1024 ^ 2 THEN
        nearest := ARRAY(
            SELECT profile_id FROM (
                SELECT other.profile_id, other.embedding OPERATOR({vector}.<=>) mine AS distance
                FROM matching.embeddings AS other
                CROSS JOIN LATERAL (
                    SELECT FROM matching.showable
                    WHERE viewer_id = viewer AND candidate_id = other.profile_id OFFSET 0
                ) AS fits
                WHERE other.encoder = its_encoder
                  AND other.profile_id {not_among}
                  AND uuid_hash_extended(other.profile_id, 0) <> ALL (coalesce(shown, '{{}}'))
                ORDER BY other.embedding OPERATOR({vector}.<=>) mine
                LIMIT 2 * most
            ) AS proposed
            ORDER BY distance + 0, profile_id
            LIMIT most);
    END IF;
    IF cardinality(nearest) < most AND size < 200 * 1024 ^ 2 THEN
        nearest := ARRAY(
            SELECT other.profile_id
            FROM matching.showable JOIN matching.embeddings AS other ON other.profile_id = candidate_id
            WHERE viewer_id = viewer
              AND other.encoder = its_encoder
              AND candidate_id {not_among}
              AND uuid_hash_extended(candidate_id, 0) <> ALL (coalesce(shown, '{{}}'))
            ORDER BY (other.embedding OPERATOR({vector}.<=>) mine) + 0, candidate_id
            LIMIT most);
    END IF;
    RETURN QUERY SELECT unnest(nearest);
END
$$
"""
WITH_WITHHELD = {
    "left_out": "    left_out uuid[] := coalesce(listed, '{}') || matching.withheld_from(viewer);\n",
    "not_among": "NOT IN (SELECT unnest(left_out))",
}
WITHOUT_WITHHELD = {"left_out": "", "not_among": "<> ALL (coalesce(listed, '{}'))"}

# As in 0003 and 0005; an erased person is not withheld from anybody either.
FORGET = """
CREATE OR REPLACE FUNCTION matching.forget_candidates() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
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
        WHERE kept.id NOT IN (SELECT id FROM gone)),
    (most_compatible_id, most_compatible_p_match, most_compatible_reasons) = (
        SELECT list.most_compatible_id, list.most_compatible_p_match, list.most_compatible_reasons
        WHERE list.most_compatible_id NOT IN (SELECT id FROM gone)){and_withheld}
    WHERE list.candidate_ids && (SELECT array_agg(id) FROM gone)
       OR list.most_compatible_id IN (SELECT id FROM gone){or_withheld};
    RETURN NULL;
END
$$
"""
AND_WITHHELD = """,
    withheld_ids = ARRAY(SELECT id FROM unnest(list.withheld_ids) AS id WHERE id NOT IN (SELECT id FROM gone))"""
OR_WITHHELD = """
       OR list.withheld_ids && (SELECT array_agg(id) FROM gone)"""


def _neighbours(parts: dict[str, str]) -> str:
    vector = (
        op.get_bind()
        .exec_driver_sql("SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'")
        .scalar_one()
    )
    # Loads the extension, which is what makes the settings of its indexes known.
    op.execute(f"SELECT '[1]'::{vector}.halfvec")
    return NEIGHBOURS.format(vector=vector, **parts)


def upgrade() -> None:
    op.add_column(
        "match_lists",
        sa.Column(
            "withheld_ids",
            postgresql.ARRAY(sa.UUID(as_uuid=False)),
            server_default=sa.text("'{}'"),
            nullable=False,
            comment="people not shown to the viewer while this publication is live: who passed on them before it",
        ),
        schema="matching",
    )
    op.execute(WITHHELD_FROM)
    op.execute(f"REVOKE ALL ON FUNCTION {WITHHELD_FROM_SIGNATURE} FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {WITHHELD_FROM_SIGNATURE} TO {ROLE}")
    op.execute(_neighbours(WITH_WITHHELD))
    op.execute(FORGET.format(and_withheld=AND_WITHHELD, or_withheld=OR_WITHHELD))


def downgrade() -> None:
    op.execute(FORGET.format(and_withheld="", or_withheld=""))
    op.execute(_neighbours(WITHOUT_WITHHELD))
    op.execute(f"DROP FUNCTION {WITHHELD_FROM_SIGNATURE}")
    # Rows that hold nothing else were no lists before.
    op.execute("DELETE FROM matching.match_lists WHERE candidate_ids = '{}' AND withheld_ids <> '{}'")
    op.drop_column("match_lists", "withheld_ids", schema="matching")
