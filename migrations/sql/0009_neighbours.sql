-- Whom nothing shows to the viewer.
CREATE FUNCTION matching.excluded_candidates(viewer uuid) RETURNS uuid[] LANGUAGE sql STABLE AS $$
    SELECT ARRAY(
        SELECT blocked_id FROM app.blocks WHERE blocker_id = viewer
        UNION ALL SELECT blocker_id FROM app.blocks WHERE blocked_id = viewer
        UNION ALL SELECT target_id FROM app.interactions WHERE actor_id = viewer)
$$;

-- As in 0006, but for the limits of profiles, and that blocks and decisions are looked up by the viewer alone.
CREATE OR REPLACE FUNCTION matching.neighbours(viewer uuid, most int, listed uuid[], shown bigint[]) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
SET search_path = pg_catalog, pg_temp
SET hnsw.iterative_scan = relaxed_order
SET hnsw.ef_search = 100
SET hnsw.max_scan_tuples = 10000
SET enable_sort = off
SET client_min_messages = error
SET plan_cache_mode = force_generic_plan
AS $$
DECLARE
    mine {vector}.halfvec;
    its_encoder text;
    size bigint := pg_relation_size('matching.embeddings');
    nearest uuid[] := '{}';
    left_out uuid[] := coalesce(listed, '{}')
        || matching.excluded_candidates(viewer) || matching.withheld_from(viewer);
BEGIN
    SELECT embedding, encoder INTO mine, its_encoder
    FROM matching.embeddings JOIN app.profiles ON id = profile_id
    WHERE profile_id = viewer AND NOT paused AND matching.has_valid_values(traits, facts, wants);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF size > 4 * 1024 ^ 2 THEN
        nearest := ARRAY(
            SELECT profile_id FROM (
                SELECT other.profile_id, other.embedding OPERATOR({vector}.<=>) mine AS distance
                FROM matching.embeddings AS other
                CROSS JOIN LATERAL (
                    SELECT FROM app.profiles AS me JOIN app.profiles AS candidate ON candidate.id = other.profile_id
                    WHERE me.id = viewer AND matching.is_eligible(me, candidate, current_date)
                      AND matching.has_valid_values(candidate.traits, candidate.facts, candidate.wants)
                    OFFSET 0
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
            FROM app.profiles AS me
            CROSS JOIN app.profiles AS candidate
            JOIN matching.embeddings AS other ON other.profile_id = candidate.id
            WHERE me.id = viewer AND matching.is_eligible(me, candidate, current_date)
              AND matching.has_valid_values(candidate.traits, candidate.facts, candidate.wants)
              AND other.encoder = its_encoder
              AND candidate.id NOT IN (SELECT unnest(left_out))
              AND uuid_hash_extended(candidate.id, 0) <> ALL (coalesce(shown, '{}'))
            ORDER BY (other.embedding OPERATOR({vector}.<=>) mine) + 0, candidate.id
            LIMIT most);
    END IF;
    RETURN QUERY SELECT unnest(nearest);
END
$$
