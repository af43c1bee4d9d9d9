"""What is asked at the moment of an answer: places by cells, adults, what fits the API; and erasures in turn.

Revision: 0005, after 0004
"""

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

# Whoever moves their own place could find another's by distances or limits alone, so no distance knows a place closer
# than this: 1.1 km of latitude, and of longitude so much less as it is farther from the equator. The pipeline reads
# places through it too, which keeps the two forms of eligibility equal.
SNAPPED = """
CREATE FUNCTION matching.snapped(degrees float8)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT round(degrees * 100) / 100
$$
"""

# A place that is not on the globe is unknown, as a null is (which least() would pass over).
DISTANCE = """
CREATE OR REPLACE FUNCTION matching.distance_km(
    latitude_a float8, longitude_a float8, latitude_b float8, longitude_b float8)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN abs(latitude_a) <= 90 AND abs(longitude_a) <= 180
                 AND abs(latitude_b) <= 90 AND abs(longitude_b) <= 180
        THEN 2 * 6371.0088 * asin(least(1, sqrt(
            sin(radians(matching.snapped(latitude_b) - matching.snapped(latitude_a)) / 2) ^ 2
            + cos(radians(matching.snapped(latitude_a))) * cos(radians(matching.snapped(latitude_b)))
            * sin(radians(matching.snapped(longitude_b) - matching.snapped(longitude_a)) / 2) ^ 2)))
        END
$$
"""

EXACT_DISTANCE = """
CREATE OR REPLACE FUNCTION matching.distance_km(
    latitude_a float8, longitude_a float8, latitude_b float8, longitude_b float8)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN num_nulls(latitude_a, longitude_a, latitude_b, longitude_b) = 0  -- least() would pass over a null
        THEN 2 * 6371.0088 * asin(least(1, sqrt(
            sin(radians(latitude_b - latitude_a) / 2) ^ 2
            + cos(radians(latitude_a)) * cos(radians(latitude_b)) * sin(radians(longitude_b - longitude_a) / 2) ^ 2)))
        END
$$
"""

# Of a date that no calendar of ours has, -1, as the pipeline says: an infinite one is an error for age().
AGE = """
CREATE OR REPLACE FUNCTION matching.age_in_years(birth_date date, as_of date)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN birth_date BETWEEN '0001-01-02' AND '9999-12-30'
        THEN date_part('year', age(as_of::timestamp, birth_date::timestamp))::int ELSE -1 END
$$
"""

ANY_AGE = """
CREATE OR REPLACE FUNCTION matching.age_in_years(birth_date date, as_of date)
RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT extract(year FROM age(as_of::timestamp, birth_date::timestamp))::int
$$
"""

# The same rule as models.ml.eligibility, held equal by a test. Who turns out to be under 18 is out of all lists, and
# sees none, at once. greatest() and least() pass over a limit that is null.
ELIGIBLE = """
CREATE OR REPLACE FUNCTION matching.is_eligible(viewer app.profiles, candidate app.profiles, as_of date)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT viewer.id <> candidate.id
       AND NOT viewer.paused
       AND NOT candidate.paused
       AND candidate.gender = ANY (viewer.seeks)
       AND viewer.gender = ANY (candidate.seeks)
       AND matching.age_in_years(candidate.birth_date, as_of) BETWEEN {ages_of_viewer}
       AND matching.age_in_years(viewer.birth_date, as_of) BETWEEN {ages_of_candidate}
       AND coalesce(
           matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)
               <= least(viewer.max_distance_km, candidate.max_distance_km),
           true)
$$
"""

ADULTS = "greatest(18, {who}.age_min) AND least(110, {who}.age_max)"
ANYBODY = "coalesce({who}.age_min, 0) AND coalesce({who}.age_max, 32767)"

SHOWABLE = """
CREATE OR REPLACE VIEW matching.showable WITH (security_barrier) AS
SELECT viewer.id AS viewer_id, candidate.id AS candidate_id, {name} AS name,
       matching.age_in_years(candidate.birth_date, current_date) AS age, candidate.gender,
       {distance_km} AS distance_km, {interests} AS interests, {texts} AS texts
FROM app.profiles AS viewer
JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = viewer.id AND blocked_id = candidate.id)
  AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = candidate.id AND blocked_id = viewer.id)
  AND NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id)
"""

PLACES = "viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude"
KM = f"matching.distance_km({PLACES})"

# Columns hold whatever the app wrote last; the API promises words. Who has something else stays to be seen, without
# it: one bad answer should not make a person vanish, and to ask it of everybody, as a condition of the view would,
# takes reading all texts.
FITTING = {
    "name": "coalesce(candidate.display_name, '')",
    "distance_km": f"nullif(least(100, round(coalesce({KM}, -1))), -1)::int",  # least() passes over a null
    "interests": """CASE WHEN array_ndims(candidate.interests) > 1 THEN '{}'
           ELSE coalesce(array_remove(candidate.interests, NULL), '{}') END""",
    "texts": "matching.answers(candidate.texts)",
}

# The path finds a member that is no string; of what is no object it says null. The rest is apart, for it is rare.
ANSWERS = """
CREATE FUNCTION matching.answers(texts jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN NOT texts @? 'strict $.* ? (@.type() <> "string")' THEN texts
        ELSE matching.strings_only(texts) END
$$
"""

STRINGS_ONLY = """
CREATE FUNCTION matching.strings_only(texts jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(jsonb_object_agg(key, value) FILTER (WHERE jsonb_typeof(value) = 'string'), '{}')
    FROM jsonb_each(CASE jsonb_typeof(texts) WHEN 'object' THEN texts ELSE '{}' END)
$$
"""

AS_THEY_ARE = {
    "name": "candidate.display_name",
    "distance_km": f"CASE WHEN num_nulls({PLACES}) = 0 THEN least(100, round({KM}))::int END",
    "interests": "candidate.interests",
    "texts": "candidate.texts",
}

# Of two people on each other's lists, each erasure would hold its own list and wait for the other's.
IN_TURN = """
CREATE FUNCTION matching.erase_in_turn() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('matching.erasure'));
    RETURN NULL;
END
$$
"""

IN_TURN_TRIGGER = """
CREATE TRIGGER erase_in_turn BEFORE DELETE ON app.profiles
FOR EACH STATEMENT EXECUTE FUNCTION matching.erase_in_turn()
"""

# Whoever may delete a person has no need of rights to our lists. So nobody may hang this on a table of their own.
FORGET_AS_OWNER = (
    "ALTER FUNCTION matching.forget_candidates() SECURITY DEFINER SET search_path = pg_catalog, pg_temp",
    "REVOKE ALL ON FUNCTION matching.forget_candidates() FROM PUBLIC",
)
FORGET_AS_DELETER = (
    "GRANT EXECUTE ON FUNCTION matching.forget_candidates() TO PUBLIC",
    "ALTER FUNCTION matching.forget_candidates() SECURITY INVOKER RESET search_path",
)


def _eligible(ages: str) -> str:
    return ELIGIBLE.format(ages_of_viewer=ages.format(who="viewer"), ages_of_candidate=ages.format(who="candidate"))


def upgrade() -> None:
    rules = (SNAPPED, DISTANCE, AGE, _eligible(ADULTS), STRINGS_ONLY, ANSWERS, SHOWABLE.format(**FITTING))
    for statement in (*rules, IN_TURN, IN_TURN_TRIGGER, *FORGET_AS_OWNER):
        op.execute(statement)


def downgrade() -> None:
    for statement in FORGET_AS_DELETER:
        op.execute(statement)
    op.execute("DROP TRIGGER erase_in_turn ON app.profiles")
    op.execute("DROP FUNCTION matching.erase_in_turn")
    for statement in (SHOWABLE.format(**AS_THEY_ARE), _eligible(ANYBODY), ANY_AGE, EXACT_DISTANCE):
        op.execute(statement)
    for function in ("answers", "strings_only", "snapped"):
        op.execute(f"DROP FUNCTION matching.{function}")
