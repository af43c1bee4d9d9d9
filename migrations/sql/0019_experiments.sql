-- The impressions of viewers in an arm, as the app logged them. A function's text depends on nothing, so that the app can
-- replace `app.views`. The propensity is null where nothing was random, and once the lists are no longer kept.
CREATE FUNCTION matching.find_experiment_impressions()
RETURNS TABLE (experiment text, arm text, unit_key text, publication_id bigint, viewer_id uuid, candidate_id uuid,
               surface text, "position" integer, propensity real, shown_at timestamptz) LANGUAGE sql STABLE AS $$
    SELECT assigned.experiment, assigned.arm, assigned.unit_key, publication_id, viewer_id, seen.candidate_id,
           seen.surface, seen.position,
           CASE WHEN seen.surface = 'list'
                THEN list.propensities[array_position(list.candidate_ids, seen.candidate_id)] END, seen.shown_at
    FROM app.views AS seen
    JOIN (SELECT experiment, arm, unit_key, publication_id, profile_id AS viewer_id
          FROM matching.experiment_assignments) AS assigned USING (publication_id, viewer_id)
    LEFT JOIN matching.match_lists AS list USING (publication_id, viewer_id)
$$;
CREATE VIEW matching.experiment_impressions AS
SELECT experiment, arm, unit_key, publication_id, viewer_id, candidate_id, surface, "position", propensity, shown_at
FROM matching.find_experiment_impressions();

-- The arms of a viewer in a publication, as the API's header names them; null: none.
CREATE FUNCTION matching_api.read_arms(viewer uuid, made_in bigint) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT string_agg(experiment || '=' || arm, ', ' ORDER BY experiment)
    FROM matching.experiment_assignments WHERE profile_id = viewer AND publication_id = made_in
$$;
