"""What is read of nights: who did what, to which publication it belongs, and which matches are between arms."""

from datetime import UTC, date, datetime, timedelta

import pandas as pd

from models.experiments.design.experiment import Experiment, ExperimentArm, Unit
from pipelines.experiments.readings import add_counts, read_everybody, read_members, read_nights
from tests.pipelines.conftest import Place

FIRST = datetime(2026, 11, 1, 3, tzinfo=UTC)
EXPERIMENT = Experiment(
    *("order", "More matches.", Unit.person, "lists", 1.0),
    (ExperimentArm("control", 0.5, {}), ExperimentArm("new", 0.5, {})),
    *(date(2026, 11, 1), date(2026, 11, 30), "matches", (), 0.1),
)
SETTLE = """
INSERT INTO app.profiles (id, display_name, birth_date, gender, seeks, created_at)
SELECT lpad(number::text, 32, '0')::uuid, 'N', '2000-01-01', 'woman', '{woman}',
       CASE WHEN number = 3 THEN timestamptz '2026-10-30' ELSE '2026-01-01' END
FROM generate_series(1, 4) AS number
"""
PUBLISH = """
INSERT INTO matching.publications (state, ranker_version, encoder, activated_at, metrics)
SELECT CASE night WHEN 3 THEN 'live' ELSE 'retired' END, '1', 'e',
       timestamptz '2026-11-01 03:00Z' + night * interval '1 day',
       CASE night WHEN 2 THEN '{"rolled_back_at": "2026-11-03"}'::jsonb ELSE '{}' END
FROM generate_series(0, 3) AS night
"""
ASSIGN = """
INSERT INTO matching.experiment_assignments (experiment, publication_id, profile_id, arm, unit_key)
SELECT 'order', publication.id, profile.id,
       CASE WHEN profile.id::text LIKE '%2' THEN 'new' ELSE 'control' END, profile.id
FROM matching.publications AS publication, app.profiles AS profile WHERE profile.id::text NOT LIKE '%4'
"""
DECIDE = """
INSERT INTO app.interactions (actor_id, target_id, kind, created_at)
SELECT lpad(actor, 32, '0')::uuid, lpad(target, 32, '0')::uuid, kind,
       timestamptz '2026-11-01 03:00Z' + hours * interval '1 hour'
FROM (VALUES ('1', '2', 'like', 1), ('2', '1', 'like', 25),   -- a match of the second night, between arms
             ('1', '3', 'like', 2), ('3', '1', 'like', 3),    -- a match of the first night
             ('1', '4', 'like', 26), ('4', '1', 'like', 27),  -- with somebody outside, who counts as control
             ('2', '3', 'like', 4), ('3', '2', 'like', 5), ('3', '2', 'pass', 6)) AS made (actor, target, kind, hours)
"""
SEE = """
INSERT INTO app.views (viewer_id, candidate_id, publication_id, surface, shown_at)
SELECT lpad(viewer, 32, '0')::uuid, lpad(candidate, 32, '0')::uuid,
       (SELECT min(id) + after FROM matching.publications), surface, timestamptz '2026-11-02 04:00Z'
FROM (VALUES ('1', '2', 0, 'list'), ('1', '3', 1, 'list'), ('2', '3', 1, 'likes'))
    AS seen (viewer, candidate, after, surface)
"""
BLOCK = """
INSERT INTO app.blocks SELECT lpad('2', 32, '0')::uuid, lpad('3', 32, '0')::uuid, timestamptz '2026-11-02 05:00Z'
"""
COLUMNS = ["likes", "matches", "mixed_matches", "matched", "newcomers", "newcomer_matches"]


def read_rows(place: Place) -> pd.DataFrame:
    place.tell(SETTLE, PUBLISH, ASSIGN, DECIDE, SEE, BLOCK)
    with place.engine.connect() as connection:
        nights = read_nights(connection, EXPERIMENT.starts_on, EXPERIMENT.ends_on)
        # What is live has not ended, and what was rolled back was cut short.
        assert [night.starts for night in nights] == [FIRST, FIRST + timedelta(days=1)], (
            "live, or rolled back: no night"
        )
        members = read_members(connection, EXPERIMENT, nights)
        assert len(read_everybody(connection, nights)) == 8
        rows = add_counts(connection, EXPERIMENT, nights, members)
    return rows.assign(person=rows["profile_id"].str[-1].astype(int)).set_index(["night", "person"]).sort_index()


def test_nights_count_what_happened_while_they_were_live(place: Place) -> None:
    rows = read_rows(place)
    assert rows["arm"].tolist() == [0, 1, 0] * 2
    expected = {
        (0, 1): [2, 1, 0, 1, 0, 0],
        (0, 2): [1, 0, 0, 0, 0, 0],
        (0, 3): [2, 1, 0, 1, 1, 1],
        (1, 1): [1, 2, 1, 1, 0, 0],
        (1, 2): [1, 1, 1, 1, 0, 0],
        (1, 3): [0, 0, 0, 0, 1, 0],
    }
    assert {key: [int(value) for value in row] for key, row in rows[COLUMNS].T.items()} == expected
    assert rows.loc[1][["looks", "own_looks", "opened", "views", "complaints"]].to_numpy().tolist() == [
        [2, 1, 1, 0, 0],
        [1, 1, 1, 1, 1],
        [0, 0, 0, 1, 0],
    ]
    assert rows["lists"].sum() == 0, "lists of old publications are not kept"
