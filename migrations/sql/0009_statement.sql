-- The statement of every answer about people: listed people in, those still to be shown out, in this order, to {most}. It
-- fills the variable `answer` if the viewer has a profile.
--
-- {listed} makes rows (candidate_id, chance, reasons, place, source) and may speak of `me` and of `list`, the viewer's
-- list in the publication that {publication} picks. {only} picks from the shown people once they have their ranks.
-- {withheld} adds to those who are not shown.
--
-- OFFSET 0 lets PostgreSQL plan for one candidate at a time, by index, and stop at the limit; left to choose, it may
-- read all profiles. Blocks and decisions are looked up by the viewer alone, and only where both profiles have been read.
-- So a plan's count of what was read is the same for every candidate, and does not say why one of them is not shown.
SELECT publication.id, json_build_object('id', publication.id, 'made_at', publication.created_at)::text,
    coalesce(cardinality(list.candidate_ids), 0), found.people, found.topped_up, found.matches
INTO answer
FROM app.profiles AS me
LEFT JOIN matching.publications AS publication ON {publication}
LEFT JOIN matching.match_lists AS list ON list.publication_id = publication.id AND list.viewer_id = me.id
CROSS JOIN LATERAL (
    SELECT matching.shown_interests(me.interests) AS interests, matching.has_an_answer(me.texts) AS answered,
        matching.age_in_years(me.birth_date, current_date) AS age,
        matching.keeps_limits(me.gender, me.seeks, me.age_min, me.age_max, me.latitude, me.longitude, me.max_distance_km)
            AND matching.has_valid_values(me.traits, me.facts, me.wants) AS valid
    OFFSET 0
) AS mine
CROSS JOIN LATERAL (
    SELECT coalesce(array_agg(uuid_hash_extended(candidate_id, 0)), '{}') AS people,
        coalesce(bool_or(source = 'similar'), false) AS topped_up,
        coalesce(json_agg(json_build_object(
            'rank', rank, 'candidate', card, 'p_match_percent', percent, 'reasons', said, 'source', source
        ) ORDER BY rank), '[]')::text AS matches
    FROM (
        SELECT cardinality(shown) + row_number() OVER (ORDER BY place) AS rank, listed.candidate_id, card,
            round(100 * chance) AS percent, said, source
        FROM ({listed}) AS listed (candidate_id, chance, reasons, place, source)
        CROSS JOIN LATERAL (
            SELECT json_build_object(
                'id', other.id, 'name', matching.shown_name(other.display_name),
                'age', theirs.age, 'gender', other.gender, 'distance_km', matching.shown_km(theirs.km),
                'interests', theirs.interests, 'texts', matching.answers(other.texts)) AS card,
                (SELECT coalesce(json_agg(json_build_object(
                    'code', code, 'sentence', matching.sentence(sentences ->> code, true_detail))), '[]')
                 FROM (
                    SELECT code, matching.true_detail(
                        code, detail, mine.interests, theirs.interests, me.facts, other.facts,
                        theirs.km, abs(mine.age - theirs.age),
                        mine.answered AND matching.answer_alike(
                            me.id, other.id, other.texts, publication.metrics -> 'reasons' -> 'texts_cosine'),
                        me.traits, other.traits, me.wants, publication.metrics -> 'reasons') AS true_detail
                    FROM jsonb_to_recordset(listed.reasons) AS published (code text, detail text[])
                    OFFSET 0
                 ) AS checked
                 WHERE true_detail IS NOT NULL AND sentences ? code) AS said
            FROM app.profiles AS other
            CROSS JOIN LATERAL (
                SELECT matching.shown_interests(other.interests) AS interests,
                    matching.age_in_years(other.birth_date, current_date) AS age,
                    matching.distance_km(me.latitude, me.longitude, other.latitude, other.longitude) AS km
                OFFSET 0
            ) AS theirs
            WHERE other.id = listed.candidate_id AND other.id <> me.id AND NOT me.paused AND NOT other.paused
              AND mine.valid
              AND CASE WHEN matching.keeps_limits(other.gender, other.seeks, other.age_min, other.age_max,
                            other.latitude, other.longitude, other.max_distance_km)
                        AND matching.has_valid_values(other.traits, other.facts, other.wants)
                  THEN CASE WHEN matching.fit_each_other(
                            me.seeks, me.age_min, me.age_max, me.gender, me.birth_date,
                            other.seeks, other.age_min, other.age_max, other.gender, other.birth_date,
                            theirs.km, least(me.max_distance_km, other.max_distance_km), current_date)
                       THEN other.id NOT IN (
                            SELECT blocked_id FROM app.blocks WHERE blocker_id = viewer
                            UNION ALL SELECT blocker_id FROM app.blocks WHERE blocked_id = viewer
                            UNION ALL SELECT target_id FROM app.interactions WHERE actor_id = viewer{withheld})
                       END END
            OFFSET 0
        ) AS still_shown
        WHERE uuid_hash_extended(listed.candidate_id, 0) <> ALL (shown)
        ORDER BY place
        LIMIT {most}
    ) AS kept
    WHERE {only}
) AS found
WHERE me.id = viewer;
