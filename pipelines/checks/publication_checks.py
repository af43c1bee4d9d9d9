"""Checks of the live publication: its lists and its age."""

from datetime import UTC, datetime, timedelta

import dagster as dg
from sqlalchemy import text

from models.db.publications import get_live_publication
from pipelines.checks.check_results import ERROR, WARN, make_check_result
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource, ShardStore
from pipelines.store.frame_store import read_frame_columns

# One missed night warns; two are an error.
STALE_WARNING, STALE_ERROR = timedelta(hours=26), timedelta(hours=50)
VIEWERS_COMPARED = 1000
# Erasures during the publication remove pairs. In a small publication one of them can exceed the share.
MAX_MISSING_SHARE, GONE_OF_ONE = 0.01, 100
SELECT_STORED = """
SELECT viewer_id::text, candidate_ids::text[] FROM matching.match_lists
WHERE publication_id = :publication AND viewer_id = ANY (CAST(:viewers AS uuid[]))
"""
COUNT_PAIRS = """
SELECT coalesce(sum(cardinality(candidate_ids)), 0) FROM matching.match_lists WHERE publication_id = :publication
"""


@dg.asset_check(asset="publication", additional_deps=["match_lists"])
def publication_matches_lists(database: DatabaseResource, store: ShardStore) -> dg.AssetCheckResult:
    """Check that the live publication holds the lists of the run in order, except pairs that became impossible."""
    made_lists = read_frame_columns(store.get_frame_path("match_lists"), ("viewer_id", "candidate_ids"))
    with database.open_engine() as engine, engine.connect() as connection:
        if (publication := get_live_publication(connection)) is None:
            return make_check_result(passed=False, severity=ERROR, said="nothing is published", figures={})
        asked = made_lists.head(VIEWERS_COMPARED).set_index("viewer_id")["candidate_ids"]
        values = {"publication": publication.id, "viewers": list(asked.index)}
        stored = {row.viewer_id: row.candidate_ids for row in connection.execute(text(SELECT_STORED), values)}
        pairs = int(connection.execute(text(COUNT_PAIRS), {"publication": publication.id}).scalar_one())
    made = int(made_lists["candidate_ids"].map(len).sum())
    gone = made - pairs - int(publication.metrics.get("dropped_since_scoring", 0))
    strange = sum(not _is_subsequence(stored.get(viewer, []), list(candidates)) for viewer, candidates in asked.items())
    return make_check_result(
        passed=strange == 0 and pairs <= made and gone <= max(MAX_MISSING_SHARE * made, GONE_OF_ONE),
        severity=ERROR,
        said=f"publication {publication.id} holds {pairs:,} of {made:,} listed pairs; "
        f"{strange:,} of {len(asked):,} lists compared hold others, or in another order",
        figures={"pairs": pairs, "pairs_made": made, "lists_compared": len(asked), "strange_lists": strange},
    )


def _is_subsequence(part: list[str], whole: list[str]) -> bool:
    """Return whether `part` is `whole` with some elements left out."""
    rest = iter(whole)
    return all(each in rest for each in part)


@dg.asset_check(asset="publication")
def publication_freshness(database: DatabaseResource) -> dg.AssetCheckResult:
    """Check the age of the live publication: above 26 hours a warning, above 50 hours an error."""
    with database.open_engine() as engine, engine.connect() as connection:
        publication = get_live_publication(connection)
    if publication is None or publication.activated_at is None:
        return make_check_result(passed=False, severity=ERROR, said="nothing is published", figures={})
    age = datetime.now(UTC) - publication.activated_at
    hours = age / timedelta(hours=1)
    return make_check_result(
        passed=age <= STALE_WARNING,
        severity=ERROR if age > STALE_ERROR else WARN,
        said=f"publication {publication.id} has been live for {hours:.1f} hours; "
        f"at most {STALE_WARNING / timedelta(hours=1):.0f} are usual",
        figures=round_figures({"hours": hours}),
    )
