"""The comparison of all market policies; weekly and on demand, not part of the nightly job."""

import time
from dataclasses import replace
from typing import Any

import dagster as dg
import pandas as pd

from models.ml.arrays import Int32Array
from models.ml.evaluation.monitoring.frontier import compute_frontier
from models.ml.features.training_pairs import extract_decisions
from models.ml.market import MarketGraph
from models.ml.market.comparison import compare_policies
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.market_inputs import MarketInputs, build_users, make_lists, rebuild_market, weigh_market
from pipelines.assets.market.market_state import FRAME
from pipelines.assets.market.match_outlook import MatchOutlook, read_match_outlook
from pipelines.reports.market.frontier_report import build_frontier_metadata
from pipelines.reports.market.market_report import build_comparison_metadata
from pipelines.resources import DatabaseResource, LikesResource, ShardStore
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest

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
    registry: ModelRegistry,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    activity: pd.DataFrame,
    profile_embeddings: ShardManifest,
    scored_candidates: ScoreManifest,
) -> dg.Output[pd.DataFrame]:
    """Comparison of the market policies on the candidates of the last run.

    In: `scored_candidates`, `profiles`, `interactions`, `activity`, the market state of the last lists, and the logs
    of earlier publications. Out: a frame, a row a policy: expected_matches, expected_matches_flat, people_matched,
    views_gini, views_top_share and seconds. The configuration is that of `match_lists`; the pictures set its policy
    apart. With an outcome head the metadata also show what each `lasting_weight` would bring, group by group.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        estimate = estimate_attention(connection)
    scored = load_scored_pairs(scored_candidates, ids)
    users = build_users(registry, store, profiles, interactions, profile_embeddings, scored_candidates)
    with database.open_engine() as engine, engine.connect() as connection:
        outlook = read_match_outlook(config, registry, store, connection, users, scored, predicts=True)
    del users
    attention, decisions = config.build_attention(estimate, told=likes.are_told), extract_decisions(interactions, ids)
    path = store.get_frame_path(FRAME)
    market, _ = rebuild_market(config, attention, path, scored, profiles, activity, decisions)
    market = weigh_market(market, attention, outlook.worth)
    chosen = make_lists(config, market)
    compared = compare_policies(market.graph, market.attention, context.log.info, market.allowance, chosen)
    metadata = build_comparison_metadata(market.graph, market.attention, chosen, compared)
    frontier = _describe_frontier(config, market, outlook, profiles)
    known = {**outlook.metadata, **frontier, "seconds": round(time.monotonic() - start, 2)}
    return dg.Output(compared, metadata={**metadata, **known})


def _describe_frontier(
    config: MarketConfig, market: MarketInputs, outlook: MatchOutlook, profiles: pd.DataFrame
) -> dict[str, dg.MetadataValue[Any]]:
    """Describe what each weight of p_on would bring to the users of each gender; nothing without a head."""
    if outlook.p_on is None:
        return {}
    graph = replace(market.graph, worth=None)

    def make_positions(weighed: MarketGraph) -> Int32Array:
        return make_lists(config, replace(market, graph=weighed)).positions

    groups = profiles["gender"].to_numpy(object)
    return build_frontier_metadata(compute_frontier(graph, market.attention, outlook.p_on, groups, make_positions))
