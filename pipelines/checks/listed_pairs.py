"""Check that every listed pair is eligible."""

import dagster as dg
import numpy as np
import pandas as pd

from models.ml.arrays import Int64Array
from models.ml.eligibility.rule_violations import count_among, count_rule_violations
from models.ml.eligibility.rules import build_rules
from models.ml.features.training_pairs import extract_decisions
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.list_frames import LISTED_COLUMNS, extract_pairs
from pipelines.checks.check_results import BLOCKED, ERROR, make_check_result
from pipelines.resources import ShardStore
from pipelines.store.frame_store import BLOCKS_FRAME, read_frame_columns, read_scored_blocks


@dg.asset_check(
    asset="match_lists", blocking=True, additional_ins={name: dg.AssetIn(name) for name in ("profiles", "interactions")}
)
def listed_pairs_eligible(
    store: ShardStore,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
) -> dg.AssetCheckResult:
    """Check that each listed or most compatible pair and each pending like is eligible. A failure blocks publication.

    The check reads the frames that the lists were made from, so it does not depend on what users write during the run.
    """
    ids = profiles["profile_id"]
    viewer, candidate = extract_pairs(read_frame_columns(store.get_frame_path("match_lists"), LISTED_COLUMNS), ids)
    known = (viewer >= 0) & (candidate >= 0)
    blocks = read_scored_blocks(store.get_frame_path(BLOCKS_FRAME))
    broken = _count_violations(profiles, interactions, blocks, viewer[known], candidate[known])
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
    """Count how many of n pairs break each rule, by the profiles, interactions and blocks that the run has read.

    Args:
        profiles: The profiles of the run.
        interactions: The likes and passes of the run.
        blocks: The blocks that the candidates were scored with.
        viewer: Indices of the viewers in `profiles`, int64 (n,).
        candidate: Indices of the candidates in `profiles`, int64 (n,).
    """
    ids = pd.Index(profiles["profile_id"])
    decisions, people = extract_decisions(interactions, ids), len(ids)
    blocker, blocked = find_positions(blocks["blocker_id"], ids), find_positions(blocks["blocked_id"], ids)
    broken = count_rule_violations(build_rules(profiles), (decisions.actor, decisions.target), viewer, candidate)
    passed = decisions.target[~decisions.liked], decisions.actor[~decisions.liked]
    broken["passed by the candidate"] = count_among(passed, viewer, candidate, people)
    either_way = np.concatenate([blocker, blocked]), np.concatenate([blocked, blocker])
    broken["blocked"] = count_among(either_way, viewer, candidate, people)
    return broken
