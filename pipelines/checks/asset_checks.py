"""Checks of what the pipeline made.

A failed one that blocks stops all that follows, so that nothing is published; a warning stops nothing.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import numpy as np
import pandas as pd
from sqlalchemy import text

from models.db.errors import InputError
from models.db.publications import get_live_publication
from models.ml.arrays import Int64Array
from models.ml.eligibility.rule_violations import count_among, count_rule_violations
from models.ml.eligibility.rules import build_rules
from models.ml.features.training_pairs import extract_decisions
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.list_frames import extract_pairs
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource, ShardStore
from pipelines.store.frame_store import BLOCKS_FRAME, convert_from_table, read_table

WARN, ERROR = dg.AssetCheckSeverity.WARN, dg.AssetCheckSeverity.ERROR
# Bad rows are a few mistakes of the app's; where half of all are bad, a view of ours or theirs is broken.
REJECTION_WARNING, REJECTION_ERROR = 0.05, 0.5
# A night was missed; two were.
STALE_WARNING, STALE_ERROR = timedelta(hours=26), timedelta(hours=50)
VIEWERS_COMPARED = 1000
# People are erased while their lists are being published; in a small publication one of them has more than the share.
MAX_MISSING_SHARE, GONE_OF_ONE = 0.01, 100
# What a failed check that blocks says last.
BLOCKED = "the publication is blocked, and what was live stays live"
# Of float16 vectors.
ROUNDING = 0.01
SELECT_STORED = """
SELECT viewer_id::text, candidate_ids::text[] FROM matching.match_lists
WHERE publication_id = :publication AND viewer_id = ANY (CAST(:viewers AS uuid[]))
"""
COUNT_PAIRS = """
SELECT coalesce(sum(cardinality(candidate_ids)), 0) FROM matching.match_lists WHERE publication_id = :publication
"""


def make_check_result(
    *,
    passed: bool,
    severity: dg.AssetCheckSeverity,
    said: str,
    figures: Mapping[str, Any],
    check_name: str | None = None,
    asset_key: str | None = None,
) -> dg.AssetCheckResult:
    """A check's result; why one failed is among its figures too: a run's log shows them, and not the description."""
    return dg.AssetCheckResult(
        passed=passed,
        severity=severity,
        description=said,
        metadata={**figures} if passed else {"why": said, **figures},
        check_name=check_name,
        asset_key=asset_key,
    )


def check_rejection_rate(asset: str, accepted: int, rejected: int) -> dg.AssetCheckResult:
    """Whether few rows break the contract: a warning above 5 %, and an error, which blocks, above 50 %."""
    share = rejected / max(accepted + rejected, 1)
    blocks = share > REJECTION_ERROR
    bound = BLOCKED if blocks else f"above {REJECTION_ERROR:.0%} nothing is published"
    return make_check_result(
        check_name="rejection_rate",
        asset_key=asset,
        passed=share <= REJECTION_WARNING,
        severity=ERROR if blocks else WARN,
        said=f"{rejected:,} of {accepted + rejected:,} rows break the contract ({share:.1%}); at most "
        f"{REJECTION_WARNING:.0%} is usual; {bound}",
        figures=round_figures({"rejected_share": share}),
    )


def check_embeddings_normalised(answers: AnswerEmbeddings) -> dg.AssetCheckResult:
    """Whether the vectors are of length one, as the encoder makes them; an error, which blocks."""
    lengths = np.sqrt(np.einsum("ij,ij->i", answers.vectors, answers.vectors, dtype=np.float32))
    wrong = int((~(np.abs(lengths - 1) <= ROUNDING)).sum())
    least, most = (float(lengths.min()), float(lengths.max())) if len(lengths) else (1.0, 1.0)
    return make_check_result(
        check_name="embeddings_normalised",
        asset_key="profile_embeddings",
        passed=not wrong,
        severity=ERROR,
        said=f"{wrong:,} of {len(lengths):,} vectors are not of length one; "
        f"lengths are {least:.4f} to {most:.4f}{f'; {BLOCKED}' if wrong else ''}",
        figures=round_figures({"shortest": least, "longest": most}),
    )


@dg.asset_check(
    asset="match_lists", blocking=True, additional_ins={name: dg.AssetIn(name) for name in ("profiles", "interactions")}
)
def listed_pairs_eligible(
    store: ShardStore,
    match_lists: pd.DataFrame,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
) -> dg.AssetCheckResult:
    """Every listed pair, and every pair of the day, keeps the two-way rules. A failure blocks the publication.

    Asked of the frames that the lists were made from, so nothing that users write during the run can fail it.
    """
    ids = profiles["profile_id"]
    viewer, candidate = extract_pairs(match_lists, ids)
    known = (viewer >= 0) & (candidate >= 0)
    broken = _count_violations(profiles, interactions, _read_blocks(store), viewer[known], candidate[known])
    broken["people who are not there"] = int((~known).sum())
    told = ", ".join(f"{rule} {count:,}" for rule, count in broken.items() if count)
    said = (
        f"rules broken among {len(viewer):,} pairs: {told}; {BLOCKED}"
        if told
        else f"all {len(viewer):,} pairs keep the rules"
    )
    figures = {"pairs": len(viewer), "broken": int(broken.sum())}
    return make_check_result(passed=not told, severity=ERROR, said=said, figures=figures)


def _count_violations(
    profiles: pd.DataFrame, interactions: pd.DataFrame, blocks: pd.DataFrame, viewer: Int64Array, candidate: Int64Array
) -> "pd.Series[int]":
    """How many of n pairs of positions break each rule, by what the run itself had read."""
    ids = pd.Index(profiles["profile_id"])
    decisions, people = extract_decisions(interactions, ids), len(ids)
    blocker, blocked = find_positions(blocks["blocker_id"], ids), find_positions(blocks["blocked_id"], ids)
    broken = count_rule_violations(build_rules(profiles), (decisions.actor, decisions.target), viewer, candidate)
    passed = decisions.target[~decisions.liked], decisions.actor[~decisions.liked]
    broken["passed by the candidate"] = count_among(passed, viewer, candidate, people)
    either_way = np.concatenate([blocker, blocked]), np.concatenate([blocked, blocker])
    broken["blocked"] = count_among(either_way, viewer, candidate, people)
    return broken


def _read_blocks(store: ShardStore) -> pd.DataFrame:
    """The blocks that the candidates were scored with. Raises InputError if they were scored by an earlier version."""
    try:
        return convert_from_table(read_table(store.get_frame_path(BLOCKS_FRAME)))
    except FileNotFoundError as error:
        raise InputError(
            f"there is no {store.get_frame_path(BLOCKS_FRAME)}: materialize scored_candidates first"
        ) from error


@dg.asset_check(asset="publication", additional_ins={"match_lists": dg.AssetIn("match_lists")})
def publication_matches_lists(database: DatabaseResource, match_lists: pd.DataFrame) -> dg.AssetCheckResult:
    """The live publication holds the lists that were made, in their order, less the pairs that became impossible."""
    with database.open_engine() as engine, engine.connect() as connection:
        if (publication := get_live_publication(connection)) is None:
            return make_check_result(passed=False, severity=ERROR, said="nothing is published", figures={})
        asked = match_lists.head(VIEWERS_COMPARED).set_index("viewer_id")["candidate_ids"]
        values = {"publication": publication.id, "viewers": list(asked.index)}
        stored = {row.viewer_id: row.candidate_ids for row in connection.execute(text(SELECT_STORED), values)}
        pairs = int(connection.execute(text(COUNT_PAIRS), {"publication": publication.id}).scalar_one())
    made = int(match_lists["candidate_ids"].map(len).sum())
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
    """Whether the part is the whole with some left out."""
    rest = iter(whole)
    return all(each in rest for each in part)


@dg.asset_check(asset="publication")
def publication_freshness(database: DatabaseResource) -> dg.AssetCheckResult:
    """The live publication is no older than a night and two hours: a warning; than two nights: an error."""
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
