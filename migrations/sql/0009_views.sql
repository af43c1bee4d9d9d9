-- Everybody who may be shown to a viewer, and how. Only its owner may read it: a plan of it counts what was read of whom.
CREATE OR REPLACE VIEW matching.showable WITH (security_barrier) AS
SELECT viewer.id AS viewer_id, candidate.id AS candidate_id, matching.shown_name(candidate.display_name) AS name,
       matching.age_in_years(candidate.birth_date, current_date) AS age, candidate.gender,
       matching.shown_km(matching.distance_km(
           viewer.latitude, viewer.longitude, candidate.latitude, candidate.longitude)) AS distance_km,
       matching.shown_interests(candidate.interests) AS interests, matching.answers(candidate.texts) AS texts
FROM app.profiles AS viewer
JOIN app.profiles AS candidate ON matching.is_eligible(viewer, candidate, current_date)
WHERE matching.has_valid_values(viewer.traits, viewer.facts, viewer.wants)
  AND matching.has_valid_values(candidate.traits, candidate.facts, candidate.wants)
  AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = viewer.id AND blocked_id = candidate.id)
  AND NOT EXISTS (SELECT FROM app.blocks WHERE blocker_id = candidate.id AND blocked_id = viewer.id)
  AND NOT EXISTS (SELECT FROM app.interactions WHERE actor_id = viewer.id AND target_id = candidate.id);
