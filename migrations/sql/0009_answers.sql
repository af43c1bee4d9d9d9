-- The functions that answer the API, and what they share. Their bodies are strings, so that they outlive the tables of
-- `app` where views take the place of those.

-- The row serving.queries.cards.Shown.
CREATE TYPE matching.answer AS (
    publication_id bigint, publication text, listed int, people bigint[], topped_up boolean, matches text);

-- One that was rolled back from was wrong in some way: nobody goes on reading it.
CREATE FUNCTION matching.is_readable(publication matching.publications) RETURNS boolean LANGUAGE sql STABLE AS $$
    SELECT publication.state = 'live' OR publication.state = 'retired' AND NOT publication.metrics ? 'rolled_back_at'
$$;

-- A reason in the words of `template`, where {detail} stands for its details: "hiking, jazz and films".
CREATE FUNCTION matching.sentence(template text, detail text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT replace(template, '{detail}', concat_ws(' and ',
        nullif(array_to_string(detail[:cardinality(detail) - 1], ', '), ''), detail[cardinality(detail)]))
$$;

-- What the API calls. These are in a schema of their own, because a role that may use a schema can lock its relations
-- without any right to them: PREPARE locks what it names before it asks. Each name in braces is the statement of
-- 0009_statement.sql, for what the name says.
CREATE SCHEMA matching_api;

-- A page of `most` people. Where fewer than `room` of the list may be shown, people with similar texts follow, to `room`.
-- `begun` is the publication that the pages before were of, 0 if there was none, and null for the first page.
CREATE FUNCTION matching_api.read_matches(
    viewer uuid, most int, room int, sentences jsonb, shown bigint[], begun bigint)
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
BEGIN
    most := least(greatest(most, 0), 50);
    room := least(room, 50);
    IF begun IS NULL THEN
        {live list}
    ELSE
        {begun list}
    END IF;
    IF cardinality(answer.people) < room THEN
        IF begun IS NULL THEN
            {live list and similar people}
        ELSE
            {begun list and similar people}
        END IF;
    END IF;
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;

-- One person, if any page, the most compatible or the similar people show them: as in the newest publication that has
-- them on the viewer's list or as the most compatible; those who look at an earlier one meet people who are in that
-- alone. Else as one of the fifty similar people, among whom are all who follow a list.
CREATE FUNCTION matching_api.read_match(viewer uuid, candidate uuid, sentences jsonb)
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
    shown CONSTANT bigint[] := '{}';
BEGIN
    {one published}
    IF cardinality(answer.people) = 0 THEN
        {one similar}
    END IF;
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;

CREATE FUNCTION matching_api.read_most_compatible(viewer uuid, sentences jsonb)
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
    shown CONSTANT bigint[] := '{}';
BEGIN
    {most compatible}
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;

CREATE FUNCTION matching_api.read_similar(viewer uuid, most int, sentences jsonb)
RETURNS SETOF matching.answer LANGUAGE plpgsql STABLE ROWS 1 AS $$
DECLARE
    answer matching.answer;
    shown CONSTANT bigint[] := '{}';
BEGIN
    most := least(greatest(most, 0), 50);
    {similar}
    IF answer.people IS NOT NULL THEN
        RETURN NEXT answer;
    END IF;
END
$$;

CREATE FUNCTION matching_api.read_publication()
RETURNS TABLE (id bigint, made_at timestamptz, viewers int, pairs bigint, age_seconds int)
LANGUAGE sql STABLE ROWS 1 AS $$
    SELECT id, created_at, viewer_count, pair_count, greatest(0, extract(epoch FROM now() - created_at))::int
    FROM matching.publications WHERE state = 'live'
$$;
