"""The days on which users were active, from what they saw, what they decided, and `last_active_at`."""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from models.ml.arrays import BoolArray, Int64Array
from models.ml.market.attention.activity import ActivityRecord
from models.ml.profiles.id_lookup import find_positions
from pipelines.assets.impressions.accepted_views import TODAY, select_checked_views

# One row for each user and UTC day with an accepted view, a like or pass, or `last_active_at`. A view of the app's own
# may lack `last_active_at`; then the name refers to the null beside it.
ACTIVE_DAYS = """
SELECT viewer_id AS person, day FROM ({views}) AS shown WHERE reason IS NULL AND day BETWEEN {first} AND {last}
UNION
SELECT actor_id, (created_at AT TIME ZONE 'UTC')::date FROM app.interactions
WHERE created_at >= ({first})::timestamp AT TIME ZONE 'UTC' AND created_at < ({last} + 1)::timestamp AT TIME ZONE 'UTC'
  AND kind IN ('like', 'pass') AND actor_id <> target_id
UNION
SELECT id, (profile.last_active_at AT TIME ZONE 'UTC')::date
FROM (SELECT NULL::timestamptz AS last_active_at) AS unknown
CROSS JOIN LATERAL (SELECT id, last_active_at FROM app.profiles) AS profile
WHERE profile.last_active_at >= ({first})::timestamp AT TIME ZONE 'UTC'
  AND profile.last_active_at < ({last} + 1)::timestamp AT TIME ZONE 'UTC'
"""
RECORDS = """
WITH seen AS (
    SELECT person, count(*) AS active, min(day) AS first, max(day) AS last FROM ({active_days}) AS active_day
    GROUP BY person
), joined AS (
    SELECT id, min(created_at) AS created_at FROM app.profiles GROUP BY id
), observed AS (
    SELECT id, active, last,
           least(greatest((created_at AT TIME ZONE 'UTC')::date, {today} - {days}), first, {today}) AS start
    FROM joined LEFT JOIN seen ON person = id
)
SELECT id::text, {today} - start, coalesce(active, 0), coalesce(last - start + 1, 0) FROM observed
"""


def read_active_days(connection: Connection, ids: pd.Index, days: int) -> ActivityRecord:
    """Read on how many of the last UTC days each user was active.

    The days are the `days` UTC days before today's, as today is not over. Those before the user's first one are not
    observed: the day of `created_at` or of the first activity, whichever is earlier. A user who joined today has no
    day. A day is active if it has an accepted view by the user, a like or pass by the user, or `last_active_at`.

    Args:
        connection: The database.
        ids: Profile ids of n users.
        days: The most days, 1 to RETENTION_DAYS - 1.

    Returns:
        The record of the n users; 0 days for those who have no profile.
    """
    active_days = _select_active_days(days + 1, first=f"{TODAY} - {days}", last=f"{TODAY} - 1")
    query = text(RECORDS.format(active_days=active_days, today=TODAY, days=days))
    rows = pd.DataFrame(connection.execute(query).all(), columns=["id", "days", "active", "last"])
    return ActivityRecord(*(_align(rows["id"], rows[name], ids) for name in ("days", "active", "last")))


def read_active_today(connection: Connection, ids: pd.Index) -> BoolArray:
    """Return who of n users has been active on today's UTC day, which `read_active_days` leaves out: bool (n,)."""
    query = _select_active_days(1, first=TODAY, last=TODAY)
    people = [str(row.person) for row in connection.execute(text(query))]
    return np.asarray(find_positions(ids, people) >= 0)


def _select_active_days(days: int, first: str, last: str) -> str:
    return ACTIVE_DAYS.format(views=select_checked_views(days), first=first, last=last)


def _align(people: pd.Series, values: pd.Series, ids: pd.Index) -> Int64Array:
    """Return the value of each id, int64 (len(ids),); 0 for ids that are not among the people."""
    place = find_positions(ids, people)
    return np.where(place >= 0, np.append(values.to_numpy(np.int64), 0)[place], 0)
