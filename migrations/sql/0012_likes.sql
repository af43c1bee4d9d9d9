-- Pending likes, as the API returns them where likes are not secret.

-- A publication that was made while likes were secret reveals none, to any caller of the functions below.
CREATE FUNCTION matching.may_tell_likes() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT NOT EXISTS (SELECT FROM matching.publications WHERE state = 'live' AND metrics ->> 'likes' = 'secret')
$$;

-- The senders whose last decision about the viewer is a like, newest first.
CREATE FUNCTION matching.find_likers(viewer uuid) RETURNS TABLE (sender uuid, recency bigint)
LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT actor_id, row_number() OVER (ORDER BY created_at DESC NULLS LAST, id DESC)
    FROM (
        SELECT DISTINCT ON (actor_id) actor_id, kind, created_at, id FROM app.interactions
        WHERE target_id = viewer AND kind IN ('like', 'pass')
        ORDER BY actor_id, created_at DESC NULLS LAST, id DESC
    ) AS decision
    WHERE kind = 'like'
$$;

-- The probability and the reasons of a pair in a publication, as the viewer's row has them, else the probability alone
-- from the other's row: p_match is the same from both sides, and reasons are not. No row where neither has the pair.
CREATE FUNCTION matching.find_published_pair(viewer uuid, candidate uuid, publication bigint)
RETURNS TABLE (p_match real, reasons jsonb) LANGUAGE sql STABLE ROWS 1 PARALLEL SAFE AS $$
    SELECT published.p_match, published.reasons FROM (
        SELECT mine.p_match[at], mine.reasons -> (at - 1), 1
        FROM matching.match_lists AS mine
        CROSS JOIN LATERAL (SELECT array_position(mine.candidate_ids, candidate) AS at OFFSET 0) AS position
        WHERE mine.publication_id = publication AND mine.viewer_id = viewer AND at IS NOT NULL
        UNION ALL
        SELECT most_compatible_p_match, most_compatible_reasons, 2
        FROM matching.match_lists
        WHERE publication_id = publication AND viewer_id = viewer AND most_compatible_id = candidate
        UNION ALL
        SELECT theirs.p_match[at], NULL, 3
        FROM matching.match_lists AS theirs
        CROSS JOIN LATERAL (SELECT array_position(theirs.candidate_ids, viewer) AS at OFFSET 0) AS position
        WHERE theirs.publication_id = publication AND theirs.viewer_id = candidate AND at IS NOT NULL
    ) AS published (p_match, reasons, precedence)
    ORDER BY precedence
    LIMIT 1
$$;

-- A page of `most` senders: first those of the publication, in its order, then those whose likes arrived since, newest
-- first. `begun` is as in matching_api.read_matches. Each name in braces is the statement of 0009_statement.sql, for what
-- the name says.
CREATE FUNCTION matching_api.read_likes(viewer uuid, most int, sentences jsonb, shown bigint[], begun bigint)
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
BEGIN
    most := least(greatest(most, 0), 50);
    IF begun IS NULL THEN
        {live likes}
    ELSE
        {begun likes}
    END IF;
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;

-- One sender, if a page shows them.
CREATE FUNCTION matching_api.read_like(viewer uuid, candidate uuid, sentences jsonb)
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
    shown CONSTANT bigint[] := '{}';
BEGIN
    {one like}
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;
