DROP FUNCTION matching_api.explain_empty;

CREATE OR REPLACE FUNCTION matching.sentence(template text, detail text[]) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT replace(template, '{detail}', concat_ws(' and ',
        nullif(array_to_string(detail[:cardinality(detail) - 1], ', '), ''), detail[cardinality(detail)]))
$$;
