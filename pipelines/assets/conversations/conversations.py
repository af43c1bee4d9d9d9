"""The asset `conversations`: which conversations keep the contract, and why the others are refused."""

import time
from collections.abc import Iterator
from typing import Any

import dagster as dg
import pandas as pd

from pipelines.assets.conversations.accepted_conversations import read_conversations
from pipelines.checks.rejection_rate import check_rejection_rate
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource

GROUP, OWNERS = "conversations", ["team:matching"]


@dg.asset(
    group_name=GROUP,
    owners=OWNERS,
    kinds={"postgres", "parquet"},
    check_specs=[
        dg.AssetCheckSpec(
            "rejection_rate",
            asset="conversations",
            description="Few conversations break their contract: above 5 % a warning. Nothing is blocked.",
        )
    ],
)
def conversations(
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
) -> Iterator[dg.Output[pd.DataFrame] | dg.AssetCheckResult]:
    """Check the conversations that began with a match in the last 180 days.

    In: `app.conversations`, `app.profiles`. Out: a frame with one row for each accepted conversation: conversation_id,
    person_a, person_b, matched_at, publication_id, closed_at, closed_as, content_allowed.
    """
    start = time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        found = read_conversations(connection)
    accepted, refused = len(found.accepted), sum(found.refused.values())
    figures = {
        "rejected_share": refused / max(accepted + refused, 1),
        "content_allowed_share": found.accepted["content_allowed"].mean() if accepted else 0.0,
        "seconds": time.monotonic() - start,
    }
    metadata: dict[str, Any] = {"dagster/row_count": accepted, "reasons": dg.MetadataValue.json(dict(found.refused))}
    yield dg.Output(found.accepted, metadata={**metadata, **round_figures(figures)})
    yield check_rejection_rate("conversations", accepted, refused, blocks=False)
