-- Conversations, as the API returns them to the two people in them. Their bodies are strings, so that the functions
-- outlive the tables of `app` where views take the place of those.

-- Names about race or ethnicity, as models.ml.profiles.feature_spec has them; a test holds the two equal.
CREATE FUNCTION matching.is_sensitive(name text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT string_to_array(lower(regexp_replace(regexp_replace(name, '([a-z])([A-Z])', '\1_\2', 'g'), '[\W_]+', ' ', 'g')), ' ')
        && '{race,ethnicity,ethnic,skin,caste}'
$$;

-- The conversations of a viewer, and when each of the two last wrote, null: never. No other function reads messages for
-- the API, and this one reads their conversation, sender and moment alone. What was sent before the match, after the end
-- or in the future does not count, nor does a sender who is neither of the two.
CREATE FUNCTION matching.find_conversations(viewer uuid)
RETURNS TABLE (id uuid, candidate_id uuid, matched_at timestamptz, closed_at timestamptz, viewer_sent_at timestamptz,
    candidate_sent_at timestamptz)
LANGUAGE sql STABLE AS $$
    SELECT mine.id, mine.candidate_id, mine.matched_at, mine.closed_at, sent.by_viewer, sent.by_candidate
    FROM (
        SELECT DISTINCT ON (either.id) either.id, either.candidate_id, either.matched_at, either.closed_as,
            CASE WHEN either.closed_at <= now() THEN either.closed_at END AS closed_at
        FROM (
            SELECT id, person_b, matched_at, closed_at, closed_as FROM app.conversations WHERE person_a = viewer
            UNION ALL
            SELECT id, person_a, matched_at, closed_at, closed_as FROM app.conversations WHERE person_b = viewer
        ) AS either (id, candidate_id, matched_at, closed_at, closed_as)
        ORDER BY either.id, either.matched_at
    ) AS mine
    CROSS JOIN LATERAL (
        SELECT (
            SELECT sent_at FROM app.messages
            WHERE conversation_id = mine.id AND sender_id = viewer
              AND sent_at BETWEEN mine.matched_at AND least(now(), mine.closed_at)
            ORDER BY sent_at DESC LIMIT 1
        ) AS by_viewer, (
            SELECT sent_at FROM app.messages
            WHERE conversation_id = mine.id AND sender_id = mine.candidate_id
              AND sent_at BETWEEN mine.matched_at AND least(now(), mine.closed_at)
            ORDER BY sent_at DESC LIMIT 1
        ) AS by_candidate
    ) AS sent
    WHERE mine.matched_at <= now() AND (mine.closed_as IN ('blocked', 'reported')) IS NOT TRUE
$$;

-- What to begin with, from what both profiles show: two interests, two answers of the candidate's, those to prompts that
-- both answered first, and two facts. `sentences` has the sentence of each code, with the titles of prompts and facts.
CREATE FUNCTION matching.suggest_openers(
    interests text[], their_interests text[], texts jsonb, their_texts jsonb, facts jsonb, their_facts jsonb,
    sentences jsonb)
RETURNS json LANGUAGE sql STABLE AS $$
    SELECT coalesce(json_agg(json_build_object('code', code, 'detail', detail,
        'sentence', matching.sentence(sentences ->> code, ARRAY[detail])) ORDER BY kind, place), '[]')
    FROM (
        (SELECT 1, 'shared_interest', word, min(place)
         FROM unnest(their_interests) WITH ORDINALITY AS each (word, place)
         WHERE word = ANY (interests) AND matching.is_word(word)
         GROUP BY word ORDER BY min(place) LIMIT 2)
        UNION ALL
        (SELECT 2, 'ask_about', prompt, row_number() OVER (ORDER BY (texts ->> prompt ~ '\S') IS NOT TRUE, prompt)
         FROM jsonb_each_text(their_texts) AS each (prompt, answer)
         WHERE answer ~ '\S' AND char_length(prompt) <= 500 AND NOT matching.is_sensitive(prompt)
         ORDER BY 4 LIMIT 2)
        UNION ALL
        (SELECT 3, 'in_common', replace(name, '_', ' ') || ' (' || answer || ')', row_number() OVER (ORDER BY name)
         FROM jsonb_each_text(their_facts) AS each (name, answer)
         WHERE facts ->> name = answer AND answer <> 'other' AND char_length(name) + char_length(answer) <= 500
           AND NOT matching.is_sensitive(name)
         ORDER BY 4 LIMIT 2)
    ) AS openers (kind, code, detail, place)
    WHERE sentences ? code
$$;

-- A page of `most` conversations, those where something happened last first, without those of `shown`: hashes of the
-- conversations on the pages before. The row is that of answers about people, without a publication.
CREATE FUNCTION matching_api.read_conversations(viewer uuid, most int, sentences jsonb, shown bigint[])
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
BEGIN
    most := least(greatest(most, 0), 50);
    SELECT NULL, NULL, 0, page.conversations, false, page.items
    INTO answer
    FROM app.profiles AS me
    CROSS JOIN LATERAL (
        SELECT matching.shown_interests(me.interests) AS interests, matching.answers(me.texts) AS texts,
            matching.keeps_limits(
                me.gender, me.seeks, me.age_min, me.age_max, me.latitude, me.longitude, me.max_distance_km)
                AND matching.has_valid_values(me.traits, me.facts, me.wants) AS valid
        OFFSET 0
    ) AS mine
    CROSS JOIN LATERAL (
        SELECT coalesce(array_agg(uuid_hash_extended(kept.id, 0) ORDER BY since DESC, kept.id), '{}') AS conversations,
            coalesce(json_agg(json_build_object(
                'id', kept.id, 'candidate', card, 'stage', stage, 'turn', turn, 'since', since,
                'closed', closed_at IS NOT NULL, 'closed_at', closed_at, 'openers', openers
            ) ORDER BY since DESC, kept.id), '[]')::text AS items
        FROM (
            SELECT found.*, card, openers
            FROM (
                SELECT id, candidate_id, closed_at, stage,
                    CASE WHEN closed_at IS NOT NULL OR stage = 'new' THEN 'nobody'
                         WHEN candidate_sent_at < viewer_sent_at OR candidate_sent_at IS NULL THEN 'theirs'
                         ELSE 'mine' END AS turn,
                    coalesce(closed_at, greatest(viewer_sent_at, candidate_sent_at), matched_at) AS since
                FROM matching.find_conversations(viewer)
                CROSS JOIN LATERAL (
                    SELECT CASE num_nonnulls(viewer_sent_at, candidate_sent_at)
                        WHEN 0 THEN 'new'
                        WHEN 1 THEN 'opened'
                        ELSE CASE WHEN closed_at IS NULL
                                   AND least(viewer_sent_at, candidate_sent_at) > now() - interval '7 days'
                             THEN 'going_on' ELSE 'answered' END END AS stage
                ) AS how_far
                WHERE uuid_hash_extended(id, 0) <> ALL (shown)
                ORDER BY since DESC, id
            ) AS found
            CROSS JOIN LATERAL (
                SELECT json_build_object(
                    'id', other.id, 'name', matching.shown_name(other.display_name),
                    'age', matching.age_in_years(other.birth_date, current_date), 'gender', other.gender,
                    'distance_km', matching.shown_km(matching.distance_km(
                        me.latitude, me.longitude, other.latitude, other.longitude)),
                    'interests', theirs.interests, 'texts', theirs.texts) AS card,
                    CASE WHEN stage = 'new' AND closed_at IS NULL
                        THEN matching.suggest_openers(mine.interests, theirs.interests, mine.texts, theirs.texts,
                            me.facts, other.facts, sentences)
                        ELSE '[]' END AS openers
                FROM app.profiles AS other
                CROSS JOIN LATERAL (
                    SELECT matching.shown_interests(other.interests) AS interests,
                        matching.answers(other.texts) AS texts
                    OFFSET 0
                ) AS theirs
                WHERE other.id = found.candidate_id AND other.id <> me.id AND NOT me.paused AND NOT other.paused
                  AND mine.valid
                  AND CASE WHEN matching.keeps_limits(other.gender, other.seeks, other.age_min, other.age_max,
                                other.latitude, other.longitude, other.max_distance_km)
                            AND matching.has_valid_values(other.traits, other.facts, other.wants)
                      THEN other.id NOT IN (
                            SELECT blocked_id FROM app.blocks WHERE blocker_id = viewer
                            UNION ALL SELECT blocker_id FROM app.blocks WHERE blocked_id = viewer)
                      END
                OFFSET 0
            ) AS shown_card
            ORDER BY since DESC, id
            LIMIT most
        ) AS kept
    ) AS page
    WHERE me.id = viewer;
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;
