"""What the API may know: a role that reads what was published, and who may be shown to whom, without learning why.

Revision: 0004, after 0003
"""

from alembic import op

from models.db.errors import InputError
from models.db.schema.reader_role import ROLE

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

# A view and a function of the owner's: who reads them needs no right to the blocks, likes, birth dates and places
# behind. A security barrier lets no function of the reader's see a row before it has been left out.
SHOWABLE = """
CREATE VIEW matching.showable WITH (security_barrier) AS
SELECT viewer.id AS viewer_id, candidate.id AS candidate_id, candidate.display_name AS name,
       matching.age_in_years(candidate.birth_date, current_date) AS age, candidate.gender,
       CASE WHEN num_nulls(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude) = 0  -- see 0002
           THEN least(100, round(matching.distance_km(
               viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)))::int END AS distance_km,
       candidate.interests, candidate.texts
FROM app.profiles AS viewer
JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = viewer.id AND blocked_id = candidate.id)
  AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = candidate.id AND blocked_id = viewer.id)
  AND NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id)
"""

# The people who may be shown to a viewer, nearest in embedding first; none of `listed`, and nobody whose hash is among
# `shown`. Up to 4 MB of vectors (4,500 people) are all compared. Beyond that the HNSW index proposes people until twice
# as many as asked for fit (in its own order, which is not quite that of distance), or until it has looked at 10,000.
# Where that was not enough, few people fit: then those are compared, unless the town is so large (200 MB, 220,000
# people) that finding them would take a second. A paused viewer fits nobody, and is not searched for.
NEIGHBOURS = """
CREATE FUNCTION matching.neighbours(viewer uuid, most int, listed uuid[], shown bigint[]) RETURNS SETOF uuid
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
BEGIN
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
                  AND other.profile_id <> ALL (coalesce(listed, '{{}}'))
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
              AND candidate_id <> ALL (coalesce(listed, '{{}}'))
              AND uuid_hash_extended(candidate_id, 0) <> ALL (coalesce(shown, '{{}}'))
            ORDER BY (other.embedding OPERATOR({vector}.<=>) mine) + 0, candidate_id
            LIMIT most);
    END IF;
    RETURN QUERY SELECT unnest(nearest);
END
$$
"""

NEIGHBOURS_SIGNATURE = "matching.neighbours(uuid, int, uuid[], bigint[])"
LISTED = "publication_id, viewer_id, candidate_ids, p_match, reasons"
PARTNER = "most_compatible_id, most_compatible_p_match, most_compatible_reasons"

RIGHTS = (
    "USAGE ON SCHEMA app, matching",
    "SELECT (id) ON app.profiles",
    "SELECT ON matching.publications, matching.showable",
    f"SELECT ({LISTED}, {PARTNER}) ON matching.match_lists",
    f"EXECUTE ON FUNCTION {NEIGHBOURS_SIGNATURE}",
)

MAY_MAKE_ROLES = "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"

# Roles are the server's: another of its databases may have made this one, or may be doing so at this moment.
MAKE_ROLE = f"""
DO $$
BEGIN
    IF to_regrole('{ROLE}') IS NULL THEN
        CREATE ROLE {ROLE} NOLOGIN;
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$
"""

# So that the API can log in as whoever migrates. If somebody else made the role, it is theirs to let people in.
ENTER_ROLE = f"""
DO $$
BEGIN
    IF pg_has_role('{ROLE}', 'MEMBER WITH ADMIN OPTION') AND NOT pg_has_role('{ROLE}', 'SET') THEN
        GRANT {ROLE} TO CURRENT_USER WITH SET TRUE, INHERIT FALSE;
    END IF;
EXCEPTION WHEN unique_violation THEN NULL;
END
$$
"""

# It stays while another database uses it, and where it is not ours to drop.
DROP_ROLE = f"""
DO $$
BEGIN
    DROP ROLE IF EXISTS {ROLE};
EXCEPTION WHEN dependent_objects_still_exist OR insufficient_privilege THEN NULL;
END
$$
"""


def upgrade() -> None:
    connection = op.get_bind()
    vector = connection.exec_driver_sql(
        "SELECT extnamespace::regnamespace::text FROM pg_extension WHERE extname = 'vector'"
    ).scalar_one()
    _make_role()
    # Loads the extension, which is what makes the settings of its indexes known.
    connection.exec_driver_sql(f"SELECT '[1]'::{vector}.halfvec")
    if connection.exec_driver_sql("SELECT current_setting('hnsw.iterative_scan', true)").scalar_one() is None:
        raise InputError("the server's pgvector is older than 0.8; install a newer one, then migrate again")
    op.execute(SHOWABLE)
    op.execute(NEIGHBOURS.format(vector=vector))
    op.execute(f"REVOKE ALL ON FUNCTION {NEIGHBOURS_SIGNATURE} FROM PUBLIC")
    for right in RIGHTS:
        op.execute(f"GRANT {right} TO {ROLE}")


def _make_role() -> None:
    connection = op.get_bind()
    made = connection.exec_driver_sql(f"SELECT to_regrole('{ROLE}') IS NOT NULL").scalar_one()
    if not made and not connection.exec_driver_sql(MAY_MAKE_ROLES).scalar_one():
        user = connection.exec_driver_sql("SELECT quote_ident(current_user)").scalar_one()
        raise InputError(
            f"the database user {user} may not create the role that the API reads as; let an administrator run: "
            f"CREATE ROLE {ROLE} NOLOGIN; GRANT {ROLE} TO {user}; then migrate again"
        )
    op.execute(MAKE_ROLE)
    op.execute(ENTER_ROLE)


def downgrade() -> None:
    for right in RIGHTS:
        op.execute(f"REVOKE {right} FROM {ROLE}")
    op.execute(f"DROP FUNCTION {NEIGHBOURS_SIGNATURE}")
    op.execute("DROP VIEW matching.showable")
    op.execute(DROP_ROLE)
