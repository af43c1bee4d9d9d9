"""What users did in each night: from the database to a frame of person-nights."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import NamedTuple

import pandas as pd
from sqlalchemy import Connection, text

from models.experiments.design.experiment import Experiment
from models.experiments.statistics.metrics import COUNTED
from models.ml.conversations.outcomes import DAY_H, MATURE_DAYS
from models.ml.evaluation.monitoring.loop import NEWCOMER_DAYS, SHORT_LIST

# A night lasts until the next publication. The last one has not ended, and one that was rolled back was cut short.
NIGHTS = """
SELECT id, starts, ends FROM (
    SELECT id, metrics, activated_at AS starts, lead(activated_at) OVER (ORDER BY activated_at) AS ends
    FROM matching.publications WHERE activated_at IS NOT NULL) AS activated
WHERE ends IS NOT NULL AND NOT metrics ? 'rolled_back_at' AND starts >= :since AND starts < :until ORDER BY starts
"""
MEMBERS = """
SELECT publication_id, profile_id::text, arm, unit_key FROM matching.experiment_assignments
WHERE experiment = :experiment AND publication_id = ANY (:ids)
"""
EVERYBODY = """
SELECT night.id AS publication_id, profile.id::text AS profile_id, profile.latitude, profile.longitude
FROM app.profiles AS profile
JOIN unnest(CAST(:ids AS bigint[]), CAST(:starts AS timestamptz[])) AS night (id, starts) ON created_at <= starts
WHERE NOT paused
"""
# A match is made by the later one of two likes that are still the last decisions. Users without an arm have the lists
# of the run, so they count as in the control.
EVENTS = f"""
WITH night AS (
    SELECT * FROM unnest(CAST(:ids AS bigint[]), CAST(:starts AS timestamptz[]), CAST(:ends AS timestamptz[]))
        AS night (id, starts, ends)
), decided AS (
    SELECT DISTINCT ON (actor_id, target_id) actor_id, target_id, kind, created_at
    FROM app.interactions ORDER BY actor_id, target_id, created_at DESC, id
), liked AS (SELECT * FROM decided WHERE kind = 'like'
), event AS (
    SELECT 'like' AS kind, actor_id AS profile_id, created_at AS moment, NULL::uuid AS other, NULL::bigint AS shown_by
    FROM app.interactions WHERE kind = 'like'
    UNION ALL SELECT 'match', actor_id, greatest(liked.created_at, back.created_at), target_id, NULL
    FROM liked JOIN liked AS back (target_id, actor_id, kind, created_at) USING (actor_id, target_id)
    UNION ALL SELECT 'conversation', unnest(ARRAY[person_a, person_b]), matched_at, NULL, NULL
    FROM matching.conversation_facts WHERE reached_5_after_h <= {MATURE_DAYS * DAY_H}
    UNION ALL SELECT 'complaint', blocker_id, created_at, NULL, NULL FROM app.blocks
    UNION ALL SELECT 'complaint', reporter_id, created_at, NULL, NULL FROM app.reports
    UNION ALL SELECT 'view', candidate_id, shown_at, NULL, NULL FROM app.views WHERE surface = 'list'
    UNION ALL SELECT 'look', viewer_id, shown_at, NULL, publication_id FROM app.views
), arm AS (
    SELECT publication_id AS id, profile_id, nullif(arm, :control) AS arm FROM matching.experiment_assignments
    WHERE experiment = :experiment AND publication_id = ANY (:ids)
)
SELECT night.id AS publication_id, event.profile_id::text,
       count(*) FILTER (WHERE kind = 'like') AS likes,
       count(*) FILTER (WHERE kind = 'match') AS matches,
       count(*) FILTER (WHERE kind = 'match' AND own.arm IS DISTINCT FROM their.arm) AS mixed_matches,
       count(*) FILTER (WHERE kind = 'conversation') AS conversations,
       count(*) FILTER (WHERE kind = 'complaint') AS complaints,
       count(*) FILTER (WHERE kind = 'view') AS views,
       count(*) FILTER (WHERE kind = 'look') AS looks,
       count(*) FILTER (WHERE kind = 'look' AND shown_by = night.id) AS own_looks
FROM event JOIN night ON moment >= starts AND moment < ends
LEFT JOIN arm AS own ON own.id = night.id AND own.profile_id = event.profile_id
LEFT JOIN arm AS their ON their.id = night.id AND their.profile_id = event.other
GROUP BY night.id, event.profile_id
"""  # noqa: S608 -- of constants
LISTS = """
SELECT publication_id, viewer_id::text AS profile_id, cardinality(candidate_ids) AS candidates
FROM matching.match_lists WHERE publication_id = ANY (:ids)
"""
JOINED = "SELECT id::text AS profile_id, created_at FROM app.profiles"
KEYS = ["publication_id", "profile_id"]


class Night(NamedTuple):
    """A publication, from when it was live to when the next one was."""

    id: int
    starts: datetime
    ends: datetime


def read_nights(connection: Connection, first: date, last: date) -> list[Night]:
    """Read the nights that began on these days, UTC, and have ended, in order."""
    since, until = (datetime.combine(day, time(), UTC) for day in (first, last + timedelta(days=1)))
    return [Night(*row) for row in connection.execute(text(NIGHTS), {"since": since, "until": until})]


def read_members(connection: Connection, experiment: Experiment, nights: Sequence[Night]) -> pd.DataFrame:
    """Read who was in which arm: columns publication_id, profile_id, arm (its index) and unit_key.

    Arms that the experiment no longer has are left out.
    """
    values = {"experiment": experiment.name, "ids": [night.id for night in nights]}
    members = _read_frame(connection, MEMBERS, values)
    number = members["arm"].map({arm.name: index for index, arm in enumerate(experiment.arms)})
    return members[number.notna()].assign(arm=number.dropna().astype("int64")).reset_index(drop=True)


def read_everybody(connection: Connection, nights: Sequence[Night]) -> pd.DataFrame:
    """Read who was there in each night: columns publication_id, profile_id, latitude and longitude."""
    values = {"ids": [night.id for night in nights], "starts": [night.starts for night in nights]}
    return _read_frame(connection, EVERYBODY, values)


def add_counts(
    connection: Connection, experiment: Experiment, nights: Sequence[Night], people: pd.DataFrame
) -> pd.DataFrame:
    """Add to users in nights what they did: the column `night`, from 0, and those of `metrics.COUNTED`, float64.

    Args:
        connection: The database.
        experiment: Whose arms say which matches are mixed.
        nights: The nights.
        people: Columns publication_id and profile_id, and any others, which stay.
    """
    rows = people.merge(_read_events(connection, experiment, nights), how="left", on=KEYS)
    rows = rows.merge(_read_frame(connection, JOINED, {}), how="left", on="profile_id")
    rows["night"] = rows["publication_id"].map({night.id: number for number, night in enumerate(nights)})
    starts = pd.to_datetime(rows["publication_id"].map({night.id: night.starts for night in nights}), utc=True)
    joined = pd.to_datetime(rows["created_at"], utc=True)
    new = (starts - joined) <= pd.Timedelta(days=NEWCOMER_DAYS[1])
    rows = _add_lists(connection, nights, rows.assign(people=1.0, newcomers=new.astype("float64")))
    rows = rows.fillna(dict.fromkeys(set(COUNTED) & set(rows.columns), 0.0))
    rows["matched"], rows["opened"] = (rows["matches"] > 0), (rows["looks"] > 0)
    rows["newcomer_matches"] = rows["matches"] * rows["newcomers"]
    return rows.astype(dict.fromkeys(COUNTED, "float64")).drop(columns="created_at")


def _read_frame(connection: Connection, statement: str, values: Mapping[str, object]) -> pd.DataFrame:
    found = connection.execute(text(statement), dict(values))
    return pd.DataFrame(found.fetchall(), columns=list(found.keys()))


def _read_events(connection: Connection, experiment: Experiment, nights: Sequence[Night]) -> pd.DataFrame:
    ids, starts, ends = ([night[part] for night in nights] for part in range(3))
    names = {"experiment": experiment.name, "control": experiment.control.name}
    return _read_frame(connection, EVENTS, {"ids": ids, "starts": starts, "ends": ends, **names})


def _add_lists(connection: Connection, nights: Sequence[Night], rows: pd.DataFrame) -> pd.DataFrame:
    """Add whether the list of a user is known and short; lists of older publications are not kept."""
    found = _read_frame(connection, LISTS, {"ids": [night.id for night in nights]})
    rows = rows.merge(found, how="left", on=KEYS)
    known = rows["publication_id"].isin(found["publication_id"])
    short = known & (rows["candidates"].fillna(0) < SHORT_LIST)
    return rows.assign(lists=known.astype("float64"), short_lists=short.astype("float64")).drop(columns="candidates")
