"""The asset `impressions`: who was shown to whom lately and has not been decided on."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import dagster as dg
import pandas as pd
import pyarrow as pa
from sqlalchemy import Connection

from pipelines.assets.extract import copy_rows
from pipelines.assets.impressions.accepted_views import select_accepted_views, select_checked_views
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource

DAYS = 30
# Two results of one pass over the views: the pairs, and below them how many views were read, by reason of refusal.
PAIRS_AND_COUNTS = """
WITH checked AS ({checked}), accepted AS ({accepted}), pair AS (
    SELECT viewer_id, candidate_id, count(*) AS days_shown, min(first) AS first, max(last) AS last
    FROM (
        SELECT viewer_id, candidate_id, day, min(first_shown_at) AS first, max(last_shown_at) AS last
        FROM accepted WHERE reason IS NULL GROUP BY viewer_id, candidate_id, day
    ) AS each_day
    GROUP BY viewer_id, candidate_id
)
SELECT viewer_id, candidate_id, days_shown, last AT TIME ZONE 'UTC' AS last_shown_at, NULL AS reason FROM pair
WHERE NOT EXISTS (
    SELECT FROM app.interactions AS decision
    WHERE decision.actor_id = viewer_id AND decision.target_id = candidate_id
      AND decision.kind IN ('like', 'pass') AND decision.created_at >= first
)
UNION ALL
SELECT NULL, NULL, count(*), NULL, reason FROM checked WHERE reason IS NOT NULL GROUP BY reason
UNION ALL
SELECT NULL, NULL, sum(repeats), NULL, coalesce(reason, '{counted}') FROM accepted GROUP BY reason
"""
COUNTED = "counted"
COLUMNS = {
    **dict.fromkeys(("viewer_id", "candidate_id"), pa.string()),
    "days_shown": pa.int64(),
    "last_shown_at": pa.timestamp("us"),
    "reason": pa.string(),
}


@dataclass(frozen=True)
class Impressions:
    """What was shown in the last DAYS days.

    `undecided` has a row for each viewer and candidate without a decision of the viewer since the first impression:
    viewer_id, candidate_id, days_shown (UTC days, on any surface) and last_shown_at, in order of the ids. `accepted`
    counts the views that keep the contract, repeats included, and `refused` the others by reason.
    """

    undecided: pd.DataFrame
    accepted: int
    refused: Mapping[str, int]


def read_impressions(connection: Connection) -> Impressions:
    """Read the impressions of the last DAYS UTC days, today included."""
    query = PAIRS_AND_COUNTS.format(
        checked=select_checked_views(DAYS), accepted=select_accepted_views("checked"), counted=COUNTED
    )
    rows = copy_rows(connection, query, COLUMNS)
    counts = rows[rows["reason"].notna()].set_index("reason")["days_shown"].to_dict()
    undecided = rows[rows["reason"].isna()].drop(columns="reason").sort_values(["viewer_id", "candidate_id"])
    undecided["last_shown_at"] = undecided["last_shown_at"].dt.tz_localize("UTC")
    return Impressions(undecided.reset_index(drop=True), counts.pop(COUNTED, 0), counts)


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
    accepted = found.undecided[["viewer_id", "candidate_id"]].isin(profiles["profile_id"].array).all(axis=1)
    frame, refused = found.undecided[accepted].reset_index(drop=True), sum(found.refused.values())
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
