-- Similar answers and similar people by the vectors of one encoder, that of the publication which is read. So the switch
-- of a publication switches the vectors too.

-- The index of an encoder's vectors. The pipeline makes it; models/db/rows/embedding_index.py names it alike.
CREATE FUNCTION matching.embedding_index(encoder text) RETURNS regclass LANGUAGE sql STABLE AS $$
    SELECT to_regclass('matching.ix_embeddings_' || left(md5(encoder), 12))
$$;

-- Where one of the two has no vector of the encoder yet, answers on both sides are enough.
CREATE FUNCTION matching.answer_alike(one uuid, other uuid, other_texts jsonb, ordinary jsonb, its_encoder text)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT matching.has_an_answer(other_texts) AND NOT EXISTS (
        SELECT FROM matching.embeddings AS mine JOIN matching.embeddings AS theirs USING (encoder)
        WHERE mine.profile_id = one AND theirs.profile_id = other AND encoder = its_encoder
          AND 1 - (mine.embedding OPERATOR({vector}.<=>) theirs.embedding) <= ordinary::float8)
$$;

-- As in 0009, but for the encoder. A statement that uses an encoder's index has to name the encoder and its dimensions
-- as constants, so it is put together here; an encoder without an index is small, or not yet whole, and compared whole.
CREATE FUNCTION matching.neighbours(viewer uuid, most int, listed uuid[], shown bigint[], its_encoder text)
RETURNS SETOF uuid LANGUAGE plpgsql STABLE SECURITY DEFINER ROWS 50
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
    size bigint;
    nearest uuid[] := '{}';
    left_out uuid[] := coalesce(listed, '{}')
        || matching.excluded_candidates(viewer) || matching.withheld_from(viewer);
BEGIN
    -- Before the first publication: that of the viewer's newest vector.
    its_encoder := coalesce(its_encoder, (
        SELECT encoder FROM matching.embeddings WHERE profile_id = viewer ORDER BY updated_at DESC, encoder LIMIT 1));
    size := coalesce(pg_relation_size(matching.embedding_index(its_encoder)), 0);
    SELECT embedding INTO mine
    FROM matching.embeddings JOIN app.profiles ON id = profile_id
    WHERE profile_id = viewer AND encoder = its_encoder
      AND NOT paused AND matching.has_valid_values(traits, facts, wants);
    IF NOT FOUND THEN
        RETURN;
    END IF;
    IF size > 4 * 1024 ^ 2 THEN
        EXECUTE format($query$SELECT ARRAY(
            SELECT profile_id FROM (
                SELECT other.profile_id, other.embedding::{vector}.halfvec(%1$s) OPERATOR({vector}.<=>) $1 AS distance
                FROM matching.embeddings AS other
                CROSS JOIN LATERAL (
                    SELECT FROM app.profiles AS me JOIN app.profiles AS candidate ON candidate.id = other.profile_id
                    WHERE me.id = $2 AND matching.is_eligible(me, candidate, current_date)
                      AND matching.has_valid_values(candidate.traits, candidate.facts, candidate.wants)
                    OFFSET 0
                ) AS fits
                WHERE other.encoder = %2$L
                  AND other.profile_id NOT IN (SELECT unnest($3))
                  AND uuid_hash_extended(other.profile_id, 0) <> ALL (coalesce($4, '{}'))
                ORDER BY other.embedding::{vector}.halfvec(%1$s) OPERATOR({vector}.<=>) $1
                LIMIT 2 * $5
            ) AS proposed
            ORDER BY distance + 0, profile_id
            LIMIT $5)$query$, {vector}.vector_dims(mine), its_encoder)
        INTO nearest USING mine, viewer, left_out, shown, most;
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
$$;
