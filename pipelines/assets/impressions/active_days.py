"""The days on which users were active, from what they saw, what they decided, and `last_active_at`."""

import numpy as np
import pandas as pd

from models.ml.arrays import Int64Array
from models.ml.market.attention.activity import ActiveDays
from models.ml.profiles.id_lookup import find_positions
from pipelines.assets.impressions.accepted_views import RETENTION_DAYS, TODAY, select_beginning, select_checked_views

DAYS = RETENTION_DAYS - 1
"""Complete UTC days that are read."""
# Views are counted for each viewer and day, because so many are accepted at most. Likes, passes and profiles have no
# views. A view of the app's own may lack `last_active_at`; then the name refers to the null beside it.
EVENTS = """
SELECT viewer_id AS person, reason, count(*) AS views, {bit} AS mask, {read} AS first, NULL::timestamptz AS created_at
FROM ({views}) AS checked GROUP BY viewer_id, day, reason
UNION ALL
SELECT actor_id, NULL, 0, bit_or({bit}), min({read}), NULL
FROM (
    SELECT actor_id, (created_at AT TIME ZONE 'UTC')::date AS day FROM app.interactions
    WHERE created_at >= {since} AND kind IN ('like', 'pass') AND actor_id <> target_id
) AS decision
GROUP BY actor_id
UNION ALL
SELECT id, NULL, 0, {bit}, {read}, created_at
FROM (
    SELECT id, (profile.last_active_at AT TIME ZONE 'UTC')::date AS day, created_at
    FROM (SELECT NULL::timestamptz AS last_active_at) AS unknown
    CROSS JOIN LATERAL (SELECT id, last_active_at, created_at FROM app.profiles) AS profile
) AS seen
"""
# Refused views make one row for each reason, however many viewers they name.
USERS = """
SELECT (CASE WHEN reason IS NULL THEN person END)::text AS profile_id, reason,
       sum(views)::bigint AS views, max(views) AS most_views, coalesce(bit_or(mask), 0) AS mask,
       {today} - least(greatest((min(created_at) AT TIME ZONE 'UTC')::date, {today} - {days}), min(first), {today})
           AS observed
FROM ({events}) AS event
GROUP BY CASE WHEN reason IS NULL THEN person END, reason
"""


def select_users() -> str:
    """Return a query of the users' active days and accepted views, and of the refused views.

    It reads today's UTC day and the DAYS before it. For each user it has a row with `profile_id` (text), the number of
    accepted `views`, of which `most_views` on one day, and `mask` and `observed` as in `ActiveDays`. For each reason it
    has a row with `reason` and the number of refused `views`.
    """
    today = f"(SELECT {TODAY})"
    read = f"CASE WHEN day BETWEEN {today} - {DAYS} AND {today} THEN day END"
    views, since = select_checked_views(DAYS + 1), select_beginning(DAYS + 1)
    events = EVENTS.format(views=views, since=since, read=read, bit=f"(1::bigint << ({today} - {read}))")
    return USERS.format(events=events, today=today, days=DAYS)


def get_active_days(users: pd.DataFrame, ids: pd.Index) -> ActiveDays:
    """Get the active days of n users.

    A day is active if it has an accepted view by the user, a like or pass by the user, or `last_active_at`. Days before
    the user's first one are not observed: the day of `created_at` or of the first activity, whichever is earlier.

    Args:
        users: The frame of the asset `impressions`, or the users of `select_users`.
        ids: Profile ids of n users.

    Returns:
        The days of the n users; none is observed of those who are not in the frame.
    """
    place = find_positions(ids, users["profile_id"])
    return ActiveDays(*(_take(users[name], place) for name in ("observed", "mask")))


def _take(values: pd.Series, place: Int64Array) -> Int64Array:
    """Return the value at each place, int64 (len(place),); 0 where the place is -1."""
    return np.where(place >= 0, np.append(values.to_numpy(np.int64), 0)[place], 0)
