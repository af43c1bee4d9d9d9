-- A reason in the words of `template`, where {detail} stands for its details: "hiking, jazz and films". A template may be
-- an object instead: {"sentence", "and", "titles"}, with what stands before the last detail, and titles of details. Where
-- there are titles, a detail without one loses its underscores.
CREATE OR REPLACE FUNCTION matching.sentence(template text, detail text[])
RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE
    count CONSTANT int := cardinality(detail);
    wording jsonb;
    words text[] := detail;
BEGIN
    IF starts_with(template, '{"') THEN
        wording := template;
        IF wording ? 'titles' THEN
            FOR place IN 1..count LOOP
                words[place] := coalesce(wording -> 'titles' ->> detail[place], replace(detail[place], '_', ' '));
            END LOOP;
        END IF;
    END IF;
    RETURN replace(coalesce(wording ->> 'sentence', template), '{detail}', concat_ws(coalesce(wording ->> 'and', ' and '),
        nullif(array_to_string(words[:count - 1], ', '), ''), words[count]));
END
$$;

-- Why the first page of matches has nobody, as far as the viewer may know. Nobody else's decision is read.
CREATE FUNCTION matching_api.explain_empty(viewer uuid) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT CASE
        WHEN me.paused THEN 'paused'
        WHEN NOT (
            matching.keeps_limits(
                me.gender, me.seeks, me.age_min, me.age_max, me.latitude, me.longitude, me.max_distance_km)
            AND matching.has_valid_values(me.traits, me.facts, me.wants)) THEN 'profile_invalid'
        WHEN publication.id IS NULL THEN 'no_publication'
        WHEN cardinality(list.candidate_ids) > 0 THEN 'list_used_up'
        -- Who joined while the lists were made is in none of them.
        WHEN list.viewer_id IS NULL AND me.created_at > publication.created_at - interval '1 day' THEN 'no_list_yet'
        ELSE 'no_candidates' END
    FROM app.profiles AS me
    LEFT JOIN matching.publications AS publication ON publication.state = 'live'
    LEFT JOIN matching.match_lists AS list ON list.publication_id = publication.id AND list.viewer_id = me.id
    WHERE me.id = viewer
$$;
