"""The comparison of all market policies; weekly and on demand, not part of the nightly job."""

import time

import dagster as dg
import pandas as pd

from models.ml.features.training_pairs import extract_decisions
from models.ml.market.comparison import compare_policies
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.impressions.activity import align_activity
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.market_inputs import build_market_inputs, make_lists
from pipelines.assets.market.market_state import FRAME, read_market_state
from pipelines.reports.market_report import build_comparison_metadata
from pipelines.resources import DatabaseResource, LikesResource, ShardStore
from pipelines.store.shard_manifest import ScoreManifest

GROUP = "policies"


@dg.asset(group_name=GROUP, owners=["team:matching"], kinds={"numpy", "parquet"})
def policy_comparison(
    context: dg.AssetExecutionContext,
    config: MarketConfig,
    config_check: dg.ResourceParam[None],  # noqa: ARG001 - checks the configuration when the run starts
    sole_run: dg.ResourceParam[None],  # noqa: ARG001 - held from the run's start to its end
    database: DatabaseResource,
    store: ShardStore,
    likes: LikesResource,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    activity: pd.DataFrame,
    scored_candidates: ScoreManifest,
) -> dg.Output[pd.DataFrame]:
    """Comparison of the market policies on the candidates of the last run.

    In: `scored_candidates`, `profiles`, `interactions`, `activity`, the market state of the last lists, and the logs
    of earlier publications. Out: a frame, a row a policy: expected_matches, expected_matches_flat, people_matched,
    views_gini, views_top_share and seconds. The configuration is that of `match_lists`; the pictures set its policy
    apart.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        estimate = estimate_attention(connection)
    scored = load_scored_pairs(scored_candidates, ids)
    state = read_market_state(store.get_frame_path(FRAME), scored, ids, align_activity(activity, ids))
    attention = config.build_attention(estimate, told=likes.are_told)
    market = build_market_inputs(config, attention, scored, state, profiles, extract_decisions(interactions, ids))
    chosen = make_lists(config, market)
    compared = compare_policies(market.graph, market.attention, context.log.info, market.allowance, chosen)
    metadata = build_comparison_metadata(market.graph, market.attention, chosen, compared)
    return dg.Output(compared, metadata={**metadata, "seconds": round(time.monotonic() - start, 2)})
