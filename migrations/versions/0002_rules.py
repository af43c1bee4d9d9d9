"""The rules that live in SQL: eligibility, erasure from other people's lists, the analysts' view.

Revision: 0002, after 0001
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

DISTANCE = """
CREATE FUNCTION matching.distance_km(latitude_a float8, longitude_a float8, latitude_b float8, longitude_b float8)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN num_nulls(latitude_a, longitude_a, latitude_b, longitude_b) = 0  -- least() would pass over a null
        THEN 2 * 6371.0088 * asin(least(1, sqrt(
            sin(radians(latitude_b - latitude_a) / 2) ^ 2
            + cos(radians(latitude_a)) * cos(radians(latitude_b)) * sin(radians(longitude_b - longitude_a) / 2) ^ 2)))
        END
$$
"""

AGE = """
CREATE FUNCTION matching.age_in_years(birth_date date, as_of date)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT extract(year FROM age(as_of::timestamp, birth_date::timestamp))::int
$$
"""

# The same rule as models.ml.eligibility, held equal by a test; blocks are apart because they are a table of their own.
ELIGIBLE = """
CREATE FUNCTION matching.is_eligible(viewer app.profiles, candidate app.profiles, as_of date)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT viewer.id <> candidate.id
       AND NOT viewer.paused
       AND NOT candidate.paused
       AND candidate.gender = ANY (viewer.seeks)
       AND viewer.gender = ANY (candidate.seeks)
       AND matching.age_in_years(candidate.birth_date, as_of)
           BETWEEN coalesce(viewer.age_min, 0) AND coalesce(viewer.age_max, 32767)
       AND matching.age_in_years(viewer.birth_date, as_of)
           BETWEEN coalesce(candidate.age_min, 0) AND coalesce(candidate.age_max, 32767)
       AND coalesce(
           matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)
               <= least(viewer.max_distance_km, candidate.max_distance_km),
           true)
$$
"""

FORGET = """
CREATE FUNCTION matching.forget_candidates() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    UPDATE matching.match_lists AS list
    SET (candidate_ids, p_like, p_liked_back, p_match, reasons) = (
        SELECT coalesce(array_agg(kept.id ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_like ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_liked_back ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_match ORDER BY kept.place), '{}'),
               coalesce(jsonb_agg(list.reasons -> (kept.place - 1)::int ORDER BY kept.place), '[]')
        FROM unnest(list.candidate_ids, list.p_like, list.p_liked_back, list.p_match)
             WITH ORDINALITY AS kept (id, p_like, p_liked_back, p_match, place)
        WHERE kept.id NOT IN (SELECT id FROM gone))
    WHERE list.candidate_ids && (SELECT array_agg(id) FROM gone);
    RETURN NULL;
END
$$
"""

FORGET_TRIGGER = """
CREATE TRIGGER forget_candidates AFTER DELETE ON app.profiles
REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION matching.forget_candidates()
"""

MATCHES = """
CREATE VIEW matching.matches AS
SELECT list.publication_id, publication.state, list.viewer_id, place.rank::int AS rank, place.candidate_id,
       place.p_like, place.p_liked_back, place.p_match, list.reasons -> (place.rank - 1)::int AS reasons
FROM matching.match_lists AS list
JOIN matching.publications AS publication ON publication.id = list.publication_id
CROSS JOIN LATERAL unnest(list.candidate_ids, list.p_like, list.p_liked_back, list.p_match)
     WITH ORDINALITY AS place (candidate_id, p_like, p_liked_back, p_match, rank)
"""


def upgrade() -> None:
    for statement in (DISTANCE, AGE, ELIGIBLE, FORGET, FORGET_TRIGGER, MATCHES):
        op.execute(statement)


def downgrade() -> None:
    op.execute("DROP VIEW matching.matches")
    op.execute("DROP TRIGGER forget_candidates ON app.profiles")
    op.execute("DROP FUNCTION matching.forget_candidates")
    op.execute("DROP FUNCTION matching.is_eligible")
    op.execute("DROP FUNCTION matching.age_in_years")
    op.execute("DROP FUNCTION matching.distance_km")
