-- Whether a published reason is true of two profiles at this moment. `learned` is `metrics -> 'reasons'` of the
-- publication: the median and scale of each trait and want, and the cosine of two ordinary people's answers. A
-- publication without it says a reason as long as both profiles still have the values that it rests on.

CREATE FUNCTION matching.interests_in_common(words text[], one text[], other text[])
RETURNS text[] LANGUAGE plpgsql STABLE PARALLEL SAFE AS $$
DECLARE
    word text;
    common text[];
BEGIN
    FOREACH word IN ARRAY words LOOP
        IF word = ANY (one) AND word = ANY (other) THEN
            common := common || word;
        END IF;
    END LOOP;
    RETURN common;
END
$$;

-- A fact is said as "smokes (no)".
CREATE FUNCTION matching.facts_in_common(words text[], one jsonb, other jsonb)
RETURNS text[] LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT nullif(ARRAY(
        SELECT word FROM unnest(words) WITH ORDINALITY AS said (word, place)
        WHERE EXISTS (
            SELECT FROM jsonb_each_text(one) AS fact (name, answer)
            WHERE replace(name, '_', ' ') || ' (' || answer || ')' = word AND other ->> name = answer)
        ORDER BY place), '{}')
$$;

CREATE FUNCTION matching.has_an_answer(texts jsonb) RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT matching.answers(texts) @? 'strict $.* ? (@ like_regex "\\S")'
$$;

-- As models.ml.profiles.profile_matrix has it: a number out of all proportion is no answer.
CREATE FUNCTION matching.deviation(amount jsonb, median_and_scale jsonb)
RETURNS float8 LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT CASE WHEN abs(scaled) <= 10 THEN least(3, greatest(-3, scaled)) END
    FROM (SELECT (amount::float8 - (median_and_scale -> 0)::float8) / (median_and_scale -> 1)::float8) AS number (scaled)
$$;

CREATE FUNCTION matching.are_alike(one jsonb, other jsonb, learned jsonb)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE WHEN learned IS NULL THEN bool_or(true)
        ELSE sum(matching.deviation(one -> name, learned -> name) * matching.deviation(other -> name, learned -> name)) > 0
        END, false)
    FROM jsonb_object_keys(one) AS name
    WHERE other ? name AND (learned IS NULL OR learned ? name)
$$;

CREATE FUNCTION matching.is_looked_for(wants jsonb, traits jsonb, learned_wants jsonb, learned_traits jsonb)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT coalesce(CASE WHEN learned_wants IS NULL THEN bool_or(wants -> name > '0')
        ELSE sum(greatest(0, matching.deviation(wants -> name, learned_wants -> name))
            * matching.deviation(traits -> name, learned_traits -> name)) > 0
        END, false)
    FROM jsonb_object_keys(wants) AS name
    WHERE traits ? name AND (learned_wants IS NULL OR learned_wants ? name AND learned_traits ? name)
$$;

-- Where one of the two has no vector of the other's encoder yet, answers on both sides are enough.
CREATE FUNCTION matching.answer_alike(one uuid, other uuid, other_texts jsonb, ordinary jsonb)
RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS $$
    SELECT matching.has_an_answer(other_texts) AND NOT EXISTS (
        SELECT FROM matching.embeddings AS mine JOIN matching.embeddings AS theirs USING (encoder)
        WHERE mine.profile_id = one AND theirs.profile_id = other
          AND 1 - (mine.embedding OPERATOR({vector}.<=>) theirs.embedding) <= ordinary::float8)
$$;

-- The details of a reason that are true now; null if it is not. It takes columns and not whole profiles: PostgreSQL would
-- copy all of a profile to hand it over, however large.
CREATE FUNCTION matching.true_detail(
    code text, detail text[], interests text[], their_interests text[], facts jsonb, their_facts jsonb, km float8,
    years_apart int, answer_alike boolean, traits jsonb, their_traits jsonb, wants jsonb, learned jsonb)
RETURNS text[] LANGUAGE sql STABLE AS $$
    SELECT CASE code
        WHEN 'shared_interests' THEN
            CASE WHEN detail <@ interests AND detail <@ their_interests THEN nullif(detail, '{}')
                ELSE matching.interests_in_common(detail, interests, their_interests) END
        WHEN 'in_common' THEN matching.facts_in_common(detail, facts, their_facts)
        WHEN 'close_by' THEN CASE WHEN km <= 25 THEN detail END
        WHEN 'similar_age' THEN CASE WHEN years_apart <= 4 THEN detail END
        WHEN 'similar_answers' THEN CASE WHEN answer_alike THEN detail END
        WHEN 'similar_nature' THEN
            CASE WHEN matching.are_alike(traits, their_traits, learned -> 'traits') THEN detail END
        WHEN 'what_you_look_for' THEN CASE WHEN matching.is_looked_for(
            wants, their_traits, learned -> 'wants', learned -> 'traits') THEN detail END
        ELSE detail END
$$;
