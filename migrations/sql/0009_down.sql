-- Everything as 0008 left it.

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
    nearest uuid[] := '{}';
    left_out uuid[] := coalesce(listed, '{}') || matching.withheld_from(viewer);
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
                  AND other.profile_id NOT IN (SELECT unnest(left_out))
                  AND uuid_hash_extended(other.profile_id, 0) <> ALL (coalesce(shown, '{}'))
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
              AND candidate_id NOT IN (SELECT unnest(left_out))
              AND uuid_hash_extended(candidate_id, 0) <> ALL (coalesce(shown, '{}'))
            ORDER BY (other.embedding OPERATOR({vector}.<=>) mine) + 0, candidate_id
            LIMIT most);
    END IF;
    RETURN QUERY SELECT unnest(nearest);
END
$$;
CREATE OR REPLACE VIEW matching.showable WITH (security_barrier) AS
SELECT viewer.id AS viewer_id, candidate.id AS candidate_id, coalesce(candidate.display_name, '') AS name,
       matching.age_in_years(candidate.birth_date, current_date) AS age, candidate.gender,
       nullif(least(100, round(coalesce(matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude), -1))), -1)::int AS distance_km, CASE WHEN array_ndims(candidate.interests) > 1 THEN '{}'
           ELSE coalesce(array_remove(candidate.interests, NULL), '{}') END AS interests, matching.answers(candidate.texts) AS texts
FROM app.profiles AS viewer
JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = viewer.id AND blocked_id = candidate.id)
  AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = candidate.id AND blocked_id = viewer.id)
  AND NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id);

CREATE OR REPLACE FUNCTION matching.is_eligible(viewer app.profiles, candidate app.profiles, as_of date)
RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT viewer.id <> candidate.id
       AND NOT viewer.paused
       AND NOT candidate.paused
       AND candidate.gender = ANY (viewer.seeks)
       AND viewer.gender = ANY (candidate.seeks)
       AND matching.age_in_years(candidate.birth_date, as_of) BETWEEN greatest(18, viewer.age_min) AND least(110, viewer.age_max)
       AND matching.age_in_years(viewer.birth_date, as_of) BETWEEN greatest(18, candidate.age_min) AND least(110, candidate.age_max)
       AND coalesce(
           matching.distance_km(viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)
               <= least(viewer.max_distance_km, candidate.max_distance_km),
           true)
$$;

CREATE OR REPLACE FUNCTION matching.answers(texts jsonb) RETURNS jsonb LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN NOT texts @? 'strict $.* ? (@.type() <> "string")' THEN texts
        ELSE matching.strings_only(texts) END
$$;

DROP SCHEMA matching_api CASCADE;
DROP FUNCTION matching.sentence(text, text[]);
DROP FUNCTION matching.is_readable(matching.publications);
DROP FUNCTION matching.excluded_candidates(uuid);
DROP FUNCTION matching.true_detail;
DROP FUNCTION matching.answer_alike(uuid, uuid, jsonb, jsonb);
DROP FUNCTION matching.is_looked_for(jsonb, jsonb, jsonb, jsonb);
DROP FUNCTION matching.are_alike(jsonb, jsonb, jsonb);
DROP FUNCTION matching.deviation(jsonb, jsonb);
DROP FUNCTION matching.has_an_answer(jsonb);
DROP FUNCTION matching.facts_in_common(text[], jsonb, jsonb);
DROP FUNCTION matching.interests_in_common(text[], text[], text[]);
DROP FUNCTION matching.answers_within_limits(jsonb);
DROP FUNCTION matching.words_within_limits(text[]);
DROP FUNCTION matching.shown_interests(text[]);
DROP FUNCTION matching.shown_km(float8);
DROP FUNCTION matching.shown_name(text);
DROP FUNCTION matching.has_valid_values(jsonb, jsonb, jsonb);
DROP FUNCTION matching.fit_each_other;
DROP FUNCTION matching.keeps_limits(text, text[], int, int, float8, float8, float8);
DROP FUNCTION matching.is_word(text);
DROP FUNCTION matching.is_at_most(jsonb, int);
DROP TYPE matching.answer;

GRANT USAGE ON SCHEMA app, matching TO {reader};
GRANT SELECT (id) ON app.profiles TO {reader};
GRANT SELECT (publication_id, viewer_id, candidate_ids, p_match, reasons, most_compatible_id, most_compatible_p_match,
    most_compatible_reasons) ON matching.match_lists TO {reader};
GRANT SELECT ON matching.publications, matching.showable TO {reader};
GRANT EXECUTE ON FUNCTION matching.neighbours(uuid, int, uuid[], bigint[]), matching.withheld_from(uuid) TO {reader};

-- PUBLIC has again what it has by default, and nobody needs a grant of their own.
DO $$
DECLARE
    grants record;
BEGIN
    FOR grants IN
        SELECT format('TEMPORARY ON DATABASE %I', datname) AS rights, datacl AS acl, datdba AS owner FROM pg_database
        WHERE datname = current_database() AND pg_has_role(datdba, 'USAGE')
        UNION ALL
        SELECT format('EXECUTE ON FUNCTION %s', oid::regprocedure), proacl, proowner FROM pg_proc
        WHERE proname ~ '{open}' AND prokind = 'f' AND proacl IS NOT NULL
          AND NOT EXISTS (SELECT FROM pg_init_privs WHERE classoid = 'pg_proc'::regclass AND objoid = pg_proc.oid)
          AND (SELECT rolsuper FROM pg_roles WHERE rolname = current_user)
    LOOP
        EXECUTE format('GRANT %s TO PUBLIC', grants.rights);
        EXECUTE coalesce((
            SELECT format('REVOKE %s FROM %s', grants.rights, string_agg(DISTINCT quote_ident(rolname), ', '))
            FROM aclexplode(grants.acl) AS acl JOIN pg_roles ON pg_roles.oid = acl.grantee
            WHERE acl.grantee <> grants.owner AND acl.privilege_type IN ('TEMPORARY', 'EXECUTE')
            HAVING count(*) > 0), 'SELECT');
    END LOOP;
END
$$;
