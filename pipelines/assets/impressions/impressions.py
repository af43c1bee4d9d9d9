"""The asset `impressions`: who was shown to whom lately and has not been decided on."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection, text

from pipelines.assets.extract import copy_rows
from pipelines.assets.impressions.accepted_views import (
    MAX_VIEWS_A_DAY,
    TOO_MANY,
    select_accepted_views,
    select_beginning,
    select_checked_views,
)
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource

DAYS = 30
# By reason of refusal the number of views and, of those without one, the busy viewers: with more on a day than may
# count. There are few, and theirs are the only views that must be ranked.
COUNTS = """
SELECT reason, sum(views)::bigint,
       coalesce(array_agg(DISTINCT viewer_id::text) FILTER (WHERE views > {most} AND reason IS NULL), '{{}}')
FROM (
    SELECT viewer_id, day, reason, count(*) AS views FROM ({views}) AS shown GROUP BY viewer_id, day, reason
) AS each_day
GROUP BY reason
"""
TOO_MANY_COUNT = "SELECT coalesce(sum(repeats), 0)::bigint FROM ({ranked}) AS shown WHERE reason IS NOT NULL"
# Views and decisions are grouped together, which is one sort and no join.
UNDECIDED = """
SELECT viewer_id, candidate_id, count(DISTINCT day) AS days_shown, max(last) AT TIME ZONE 'UTC' AS last_shown_at
FROM (
    SELECT viewer_id, candidate_id, day, shown_at AS first, shown_at AS last, NULL::timestamptz AS decided
    FROM ({views}) AS shown WHERE reason IS NULL AND viewer_id <> ALL ({busy})
    UNION ALL
    SELECT viewer_id, candidate_id, day, first_shown_at, last_shown_at, NULL
    FROM ({ranked}) AS shown WHERE reason IS NULL
    UNION ALL
    SELECT actor_id, target_id, NULL, NULL, NULL, created_at FROM app.interactions
    WHERE kind IN ('like', 'pass') AND created_at >= {since}
) AS event
GROUP BY viewer_id, candidate_id HAVING min(first) > coalesce(max(decided), '-infinity')
ORDER BY viewer_id, candidate_id
"""
COLUMNS = {
    **dict.fromkeys(("viewer_id", "candidate_id"), pa.dictionary(pa.int32(), pa.string())),
    "days_shown": pa.int64(),
    "last_shown_at": pa.timestamp("us"),
}


@dataclass(frozen=True)
class CheckedImpressions:
    """What was shown in the last DAYS days.

    `undecided` has a row for each viewer and candidate without a decision of the viewer since the first impression:
    viewer_id, candidate_id, days_shown (UTC days, on any surface) and last_shown_at, in order of the ids. `accepted`
    counts the views that keep the contract, repeats included, and `refused` the others by reason.
    """

    undecided: pd.DataFrame
    accepted: int
    refused: Mapping[str, int]


def read_impressions(connection: Connection) -> CheckedImpressions:
    """Read the impressions of the last DAYS UTC days, today included."""
    views = select_checked_views(DAYS)
    counted = connection.execute(text(COUNTS.format(views=views, most=MAX_VIEWS_A_DAY))).all()
    counts = {reason: number for reason, number, _ in counted}
    busy = f"'{{{','.join(viewer for *_, viewers in counted for viewer in viewers)}}}'::uuid[]"
    ranked = select_accepted_views(DAYS, only=f"viewer_id = ANY ({busy})")
    too_many = connection.execute(text(TOO_MANY_COUNT.format(ranked=ranked))).scalar_one()
    parts = {"views": views, "busy": busy, "ranked": ranked, "since": select_beginning(DAYS)}
    undecided = copy_rows(connection, UNDECIDED.format(**parts), COLUMNS)
    undecided["last_shown_at"] = undecided["last_shown_at"].dt.tz_localize("UTC")
    accepted = counts.pop(None, 0) - too_many
    return CheckedImpressions(undecided, accepted, counts | ({TOO_MANY: too_many} if too_many else {}))


@dg.asset(
    group_name="source",
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
    """Read who was shown to whom in the last 30 days and has not been decided on.

    In: `app.views`, `app.interactions`, `profiles`. Out: a frame with one row for each viewer and candidate, both
    accepted profiles, without a decision of the viewer since the first impression: viewer_id, candidate_id, days_shown,
    last_shown_at.
    """
    start = time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        found = read_impressions(connection)
    frame, refused = _select_people(found.undecided, profiles["profile_id"]), sum(found.refused.values())
    read = found.accepted + refused
    yield dg.Output(
        frame,
        metadata={
            "dagster/row_count": len(frame),
            "views_read": read,
            "reasons": dg.MetadataValue.json(dict(found.refused)),
            **round_figures({"rejected_share": refused / max(read, 1), "seconds": time.monotonic() - start}),
        },
    )
    yield check_rejection_rate("impressions", found.accepted, refused, blocks=False)


def _select_people(undecided: pd.DataFrame, ids: pd.Series) -> pd.DataFrame:
    """Select the rows of which both users are among the ids, and remove all others from the categories, too."""
    names = ["viewer_id", "candidate_id"]
    frame = undecided[undecided[names].isin(ids.array).all(axis=1)].reset_index(drop=True)
    return frame.assign(**{name: frame[name].cat.remove_unused_categories() for name in names})
