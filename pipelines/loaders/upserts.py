"""The SQL of `app_tables.fill_app_tables`: a temporary table and an upsert for profiles and for interactions.

An upsert writes only rows that differ and returns how many rows it received, added and changed.
"""

INCOMING_PROFILES = """
CREATE TEMP TABLE incoming_profiles ON COMMIT DROP AS
SELECT id, source_key, display_name, birth_date, gender, seeks, age_min, age_max, latitude, longitude, max_distance_km,
       texts, interests, traits, facts, wants
FROM app.profiles WITH NO DATA
"""

UPSERT_PROFILES = """
WITH written AS (
    INSERT INTO app.profiles AS kept (
        id, source_key, display_name, birth_date, gender, seeks, age_min, age_max, latitude, longitude,
        max_distance_km, texts, interests, traits, facts, wants)
    SELECT * FROM incoming_profiles ORDER BY source_key
    ON CONFLICT (source_key) DO UPDATE SET
        (display_name, birth_date, gender, seeks, age_min, age_max, latitude, longitude,
         max_distance_km, texts, interests, traits, facts, wants, updated_at)
        = (excluded.display_name, excluded.birth_date, excluded.gender, excluded.seeks, excluded.age_min,
           excluded.age_max, excluded.latitude, excluded.longitude, excluded.max_distance_km, excluded.texts,
           excluded.interests, excluded.traits, excluded.facts, excluded.wants, now())
    WHERE (kept.display_name, kept.birth_date, kept.gender, kept.seeks, kept.age_min, kept.age_max, kept.latitude,
           kept.longitude, kept.max_distance_km, kept.texts, kept.interests, kept.traits, kept.facts, kept.wants)
        IS DISTINCT FROM
          (excluded.display_name, excluded.birth_date, excluded.gender, excluded.seeks, excluded.age_min,
           excluded.age_max, excluded.latitude, excluded.longitude, excluded.max_distance_km, excluded.texts,
           excluded.interests, excluded.traits, excluded.facts, excluded.wants)
    RETURNING xmax = 0 AS added)
SELECT (SELECT count(*) FROM incoming_profiles), count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added)
FROM written
"""

INCOMING_INTERACTIONS = """
CREATE TEMP TABLE incoming_interactions (
    line bigint, id uuid, actor_key text, target_key text, kind text, created_at timestamptz, position int,
    propensity real) ON COMMIT DROP
"""

DELETE_UNKNOWN_PEOPLE = """
DELETE FROM incoming_interactions
WHERE NOT EXISTS (SELECT FROM app.profiles WHERE source_key = actor_key)
   OR NOT EXISTS (SELECT FROM app.profiles WHERE source_key = target_key)
"""

UPSERT_INTERACTIONS = """
WITH first AS MATERIALIZED (
    SELECT DISTINCT ON (id) * FROM incoming_interactions ORDER BY id, line),
written AS (
    INSERT INTO app.interactions AS kept (id, actor_id, target_id, kind, created_at, position, propensity)
    SELECT first.id, actor.id, target.id, first.kind, first.created_at, first.position, first.propensity
    FROM first
    JOIN app.profiles AS actor ON actor.source_key = first.actor_key
    JOIN app.profiles AS target ON target.source_key = first.target_key
    ON CONFLICT (id) DO UPDATE SET
        (kind, created_at, position, propensity)
        = (excluded.kind, excluded.created_at, excluded.position, excluded.propensity)
    WHERE (kept.kind, kept.created_at, kept.position, kept.propensity)
        IS DISTINCT FROM (excluded.kind, excluded.created_at, excluded.position, excluded.propensity)
    RETURNING xmax = 0 AS added)
SELECT (SELECT count(*) FROM first), count(*) FILTER (WHERE added), count(*) FILTER (WHERE NOT added) FROM written
"""
