"""The asset `impressions`: how many views keep the contract, and on which days users were active."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import dagster as dg
import pandas as pd
from sqlalchemy import Connection, text

from pipelines.assets.impressions.accepted_views import MAX_VIEWS_A_DAY, TOO_MANY, select_accepted_views
from pipelines.assets.impressions.active_days import DAYS, get_active_days, select_users
from pipelines.assets.surroundings import APP_INTERACTIONS, APP_VIEWS
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource

# Without it PostgreSQL groups on disk. It holds until the transaction ends.
GROUPING_MEMORY = "SET LOCAL work_mem = '64MB'"
TOO_MANY_COUNT = "SELECT coalesce(sum(repeats), 0)::bigint FROM ({ranked}) AS shown WHERE reason IS NOT NULL"


@dataclass(frozen=True)
class CheckedImpressions:
    """What was shown today and in the DAYS UTC days before.

    `users` has a row for each user: profile_id, and observed and mask as in `ActiveDays`. `accepted` counts the views
    that keep the contract, repeats included, and `refused` the others by reason.
    """

    users: pd.DataFrame
    accepted: int
    refused: Mapping[str, int]


def read_impressions(connection: Connection) -> CheckedImpressions:
    """Read the active days of all users, and count the views, in one pass over the views."""
    connection.execute(text(GROUPING_MEMORY))
    found = connection.execute(text(select_users()))
    rows = pd.DataFrame(found.all(), columns=list(found.keys()))
    users, others = rows[rows["profile_id"].notna()], rows[rows["reason"].notna()]
    refused = dict(zip(others["reason"], others["views"].tolist(), strict=True))
    busy = users["profile_id"][users["most_views"] > MAX_VIEWS_A_DAY].tolist()
    too_many = _count_too_many(connection, busy) if busy else 0
    if too_many:
        refused[TOO_MANY] = too_many
    days = users[["profile_id", "observed", "mask"]].reset_index(drop=True)
    return CheckedImpressions(days, int(users["views"].sum()) - too_many, refused)


def _count_too_many(connection: Connection, busy: Sequence[str]) -> int:
    """Count the views of busy viewers, with more on a day than may count. There are few such viewers to be ranked."""
    ranked = select_accepted_views(DAYS + 1, only=f"viewer_id = ANY ('{{{','.join(busy)}}}'::uuid[])")
    return int(connection.execute(text(TOO_MANY_COUNT.format(ranked=ranked))).scalar_one())


@dg.asset(
    group_name="source",
    deps=[APP_VIEWS, APP_INTERACTIONS],
    owners=["team:matching"],
    kinds={"postgres", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "rejection_rate",
            asset="impressions",
            description="Few views break their contract: above 5 % a warning. Nothing is blocked.",
        )
    ],
)
def impressions(
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    profiles: pd.DataFrame,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Check what was shown in the last 60 days, and find the days on which users were active.

    In: `app.views`, `app.interactions`, `app.profiles`, `profiles`. Out: a frame with one row for each accepted
    profile: profile_id; observed, the days before today since the user's first, at most 59; mask, whose bit k is set if
    the user was active k days ago.
    """
    start = time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        found = read_impressions(connection)
    days = get_active_days(found.users, pd.Index(profiles["profile_id"]))
    frame = pd.DataFrame({"profile_id": profiles["profile_id"], **vars(days)})
    refused = sum(found.refused.values())
    read = found.accepted + refused
    yield dg.Output(
        frame,
        metadata={
            "dagster/row_count": len(frame),
            "active_today": int((days.mask & 1).sum()),
            "views_read": read,
            "reasons": dg.MetadataValue.json(dict(found.refused)),
            **round_figures({"rejected_share": refused / max(read, 1), "seconds": time.monotonic() - start}),
        },
    )
    yield check_rejection_rate("impressions", found.accepted, refused, blocks=False)
