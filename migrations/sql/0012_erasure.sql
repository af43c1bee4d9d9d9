-- As in 0006, under its name since 0010. The parts in braces take the senders of pending likes out as well.
CREATE OR REPLACE FUNCTION matching.remove_erased_candidates() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    UPDATE matching.match_lists AS list
    SET (candidate_ids, p_like, p_liked_back, p_match, reasons) = (
        SELECT coalesce(array_agg(kept.id ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_like ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_liked_back ORDER BY kept.place), '{}'),
               coalesce(array_agg(kept.p_match ORDER BY kept.place), '{}'),
               coalesce(jsonb_agg(list.reasons -> (kept.place - 1)::int ORDER BY kept.place), '[]')
        FROM unnest(list.candidate_ids, list.p_like, list.p_liked_back, list.p_match)
             WITH ORDINALITY AS kept (id, p_like, p_liked_back, p_match, place)
        WHERE kept.id NOT IN (SELECT id FROM gone)),
    (most_compatible_id, most_compatible_p_match, most_compatible_reasons) = (
        SELECT list.most_compatible_id, list.most_compatible_p_match, list.most_compatible_reasons
        WHERE list.most_compatible_id NOT IN (SELECT id FROM gone)),
    withheld_ids = ARRAY(SELECT id FROM unnest(list.withheld_ids) AS id WHERE id NOT IN (SELECT id FROM gone)){likes}
    WHERE list.candidate_ids && (SELECT array_agg(id) FROM gone)
       OR list.most_compatible_id IN (SELECT id FROM gone)
       OR list.withheld_ids && (SELECT array_agg(id) FROM gone){where_likes};
    RETURN NULL;
END
$$;
