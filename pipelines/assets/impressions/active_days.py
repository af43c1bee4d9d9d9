"""The days on which users were active, from what they saw, what they decided, and `last_active_at`."""

import numpy as np
import pandas as pd
from sqlalchemy import Connection, text

from models.ml.arrays import Int64Array
from models.ml.market.attention.activity import ActiveDays
from models.ml.profiles.id_lookup import find_positions
from pipelines.assets.impressions.accepted_views import (
    RETENTION_DAYS,
    TODAY,
    select_beginning,
    select_checked_views,
)

DAYS = RETENTION_DAYS - 1
"""Complete days that are read."""
# A row for each accepted view, each like or pass, and each `last_active_at`. A view of the app's own may lack
# `last_active_at`; then the name refers to the null beside it.
ACTIVE_DAYS = """
SELECT viewer_id AS person, day FROM ({views}) AS shown WHERE reason IS NULL AND day <= {today}
UNION ALL
SELECT actor_id, (created_at AT TIME ZONE 'UTC')::date FROM app.interactions
WHERE created_at >= {since} AND created_at < ({today} + 1)::timestamp AT TIME ZONE 'UTC'
  AND kind IN ('like', 'pass') AND actor_id <> target_id
UNION ALL
SELECT id, (profile.last_active_at AT TIME ZONE 'UTC')::date
FROM (SELECT NULL::timestamptz AS last_active_at) AS unknown
CROSS JOIN LATERAL (SELECT id, last_active_at FROM app.profiles) AS profile
WHERE profile.last_active_at >= {since} AND profile.last_active_at < ({today} + 1)::timestamp AT TIME ZONE 'UTC'
"""
MASKS = """
WITH seen AS (
    SELECT person, bit_or(1::bigint << ({today} - day)) AS mask, min(day) AS first FROM ({active_days}) AS active_day
    GROUP BY person
), joined AS (
    SELECT id, min(created_at) AS created_at FROM app.profiles GROUP BY id
)
SELECT id::text, coalesce(mask, 0),
       {today} - least(greatest((created_at AT TIME ZONE 'UTC')::date, {today} - {days}), first, {today})
FROM joined LEFT JOIN seen ON person = id
"""


def read_active_days(connection: Connection, ids: pd.Index) -> ActiveDays:
    """Read on which of the last UTC days each user was active: today, and DAYS days before.

    Those before the user's first one are not observed: the day of `created_at` or of the first activity, whichever is
    earlier. A day is active if it has an accepted view by the user, a like or pass by the user, or `last_active_at`.

    Args:
        connection: The database.
        ids: Profile ids of n users.

    Returns:
        The days of the n users; none is observed of those who have no profile.
    """
    active_days = ACTIVE_DAYS.format(
        views=select_checked_views(DAYS + 1), since=select_beginning(DAYS + 1), today=TODAY
    )
    query = text(MASKS.format(active_days=active_days, today=TODAY, days=DAYS))
    rows = pd.DataFrame(connection.execute(query).all(), columns=["id", "mask", "observed"])
    return ActiveDays(_align(rows["id"], rows["observed"], ids), _align(rows["id"], rows["mask"], ids))


def _align(people: pd.Series, values: pd.Series, ids: pd.Index) -> Int64Array:
    """Return the value of each id, int64 (len(ids),); 0 for ids that are not among the people."""
    place = find_positions(ids, people)
    return np.where(place >= 0, np.append(values.to_numpy(np.int64), 0)[place], 0)
