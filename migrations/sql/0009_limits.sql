-- The limits of models.db.schema.profile_limits; a test holds the two equal. pg_column_size reads no more than the
-- pointer to a large value; a value that passes it may still be compressed, and is then read to know its size.

CREATE FUNCTION matching.is_at_most(value jsonb, bytes int) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_column_size(value) > bytes THEN false
                WHEN pg_column_compression(value) IS NULL THEN true
                ELSE octet_length(value::text) <= bytes END
$$;

CREATE FUNCTION matching.is_word(word text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT btrim(word, E' \t\n\r\f\v\x1c\x1d\x1e\x1f') <> ''
$$;

-- NaN is unknown, as null is. Joined by a character that no gender has, a blank gender shows as a gap.
CREATE FUNCTION matching.keeps_limits(
    gender text, seeks text[], age_min int, age_max int, latitude float8, longitude float8, max_distance_km float8)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT (age_min BETWEEN 0 AND 150) IS NOT FALSE
       AND (age_max BETWEEN 0 AND 150) IS NOT FALSE
       AND (latitude BETWEEN -90 AND 90 OR latitude = 'NaN') IS NOT FALSE
       AND (longitude BETWEEN -180 AND 180 OR longitude = 'NaN') IS NOT FALSE
       AND (max_distance_km BETWEEN 0 AND 40100 OR max_distance_km = 'NaN') IS NOT FALSE
       AND octet_length(gender) <= 2000 AND char_length(gender) <= 500 AND matching.is_word(gender)
       AND CASE WHEN pg_column_size(seeks) > 1024 THEN false
                WHEN cardinality(seeks) = 0 THEN true
                WHEN array_ndims(seeks) > 1 OR cardinality(seeks) > 20 THEN false
                WHEN cardinality(seeks) = 1 THEN matching.is_word(seeks[array_lower(seeks, 1)]) IS TRUE
                ELSE array_to_string(seeks, E'\x1f', '') !~ '(^|\x1f)\s*(\x1f|$)' END
$$;

CREATE FUNCTION matching.has_valid_values(traits jsonb, facts jsonb, wants jsonb)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN matching.is_at_most(traits, 32768) AND matching.is_at_most(facts, 32768)
                 AND matching.is_at_most(wants, 32768)
        THEN jsonb_typeof(traits) = 'object' AND jsonb_typeof(facts) = 'object' AND jsonb_typeof(wants) = 'object'
         AND NOT traits @? 'strict $.* ? (@.type() <> "number" || @ < -1000000000 || @ > 1000000000)'
         AND NOT facts @? 'strict $.* ? (@.type() <> "string" || @ like_regex "^\\s*$")'
         AND NOT wants @? 'strict $.* ? (@.type() <> "number" || @ < 0 || @ > 1)'
        ELSE false END
$$;

-- Whether two people who keep the limits fit each other. It takes columns: a whole row of another query's is copied.
CREATE FUNCTION matching.fit_each_other(
    seeks text[], age_min int, age_max int, gender text, birth_date date,
    their_seeks text[], their_age_min int, their_age_max int, their_gender text, their_birth_date date,
    km float8, most_km float8, as_of date)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT their_gender = ANY (seeks)
       AND gender = ANY (their_seeks)
       AND matching.age_in_years(their_birth_date, as_of) BETWEEN greatest(18, age_min) AND least(110, age_max)
       AND matching.age_in_years(birth_date, as_of) BETWEEN greatest(18, their_age_min) AND least(110, their_age_max)
       AND coalesce(km <= most_km, true)
$$;

-- The same rule as models.ml.eligibility, held equal by a test. The CASE is there because SQL may ask the conditions of
-- an AND in any order, and to look for a gender in a list reads all of the list.
CREATE OR REPLACE FUNCTION matching.is_eligible(viewer app.profiles, candidate app.profiles, as_of date)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN viewer.id <> candidate.id AND NOT viewer.paused AND NOT candidate.paused
        AND matching.keeps_limits(viewer.gender, viewer.seeks, viewer.age_min, viewer.age_max,
            viewer.latitude, viewer.longitude, viewer.max_distance_km)
        AND matching.keeps_limits(candidate.gender, candidate.seeks, candidate.age_min, candidate.age_max,
            candidate.latitude, candidate.longitude, candidate.max_distance_km)
        THEN matching.fit_each_other(
            viewer.seeks, viewer.age_min, viewer.age_max, viewer.gender, viewer.birth_date,
            candidate.seeks, candidate.age_min, candidate.age_max, candidate.gender, candidate.birth_date,
            matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude),
            least(viewer.max_distance_km, candidate.max_distance_km), as_of)
        ELSE false END
$$;

-- What is shown of a profile: what is beyond its limit is left out, and the rest stays.

CREATE FUNCTION matching.shown_name(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN octet_length(name) <= 2000 AND char_length(name) <= 500 THEN name ELSE '' END
$$;

-- Null where a place is unknown; least() would pass over a null.
CREATE FUNCTION matching.shown_km(km float8) RETURNS int LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT nullif(least(100, round(coalesce(km, -1))), -1)::int
$$;

CREATE FUNCTION matching.words_within_limits(words text[]) RETURNS text[] LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT coalesce(array_agg(word ORDER BY place), '{}') FROM (
        SELECT word, place FROM unnest(words) WITH ORDINALITY AS each (word, place)
        WHERE char_length(word) <= 500 ORDER BY place LIMIT 200
    ) AS kept
$$;

CREATE FUNCTION matching.shown_interests(interests text[]) RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN pg_column_size(interests) <= 32768 AND array_ndims(interests) = 1 THEN
        CASE WHEN pg_column_size(interests) <= 500 AND pg_column_compression(interests) IS NULL
                  AND cardinality(interests) <= 200
            THEN array_remove(interests, NULL)
            ELSE matching.words_within_limits(interests) END
        ELSE '{}' END
$$;

CREATE FUNCTION matching.answers_within_limits(texts jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN sum(octet_length(prompt) + octet_length(answer)) <= 65536
        THEN jsonb_object_agg(prompt, answer) ELSE '{}' END
    FROM (
        SELECT key AS prompt, value #>> '{}' AS answer
        FROM jsonb_each(CASE jsonb_typeof(texts) WHEN 'object' THEN texts ELSE '{}' END)
        WHERE CASE WHEN jsonb_typeof(value) = 'string' AND pg_column_size(value) <= 40012
            THEN char_length(value #>> '{}') <= 10000 END
        LIMIT 50
    ) AS kept
$$;

-- Most texts are short as a whole, and shown as they are.
CREATE OR REPLACE FUNCTION matching.answers(texts jsonb) RETURNS jsonb LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN texts IS NULL OR pg_column_size(texts) > 65536 THEN '{}'
                WHEN pg_column_size(texts) <= 10000 AND pg_column_compression(texts) IS NULL
                     AND jsonb_typeof(texts) = 'object' AND NOT texts @? 'strict $.* ? (@.type() <> "string")'
                     AND jsonb_array_length(jsonb_path_query_array(texts, 'strict $.*')) <= 50
                THEN texts
                ELSE matching.answers_within_limits(texts) END
$$;
