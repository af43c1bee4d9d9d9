"""The asset `match_fairness`: who gets a match, group by group, by the policy of the configuration and by others."""

import time

import dagster as dg
import pandas as pd
from sqlalchemy import Connection, text

from models.ml.evaluation.monitoring.fairness import build_groups, measure_fairness
from models.ml.features.training_pairs import extract_decisions
from models.ml.market.comparison import REFERENCE_POLICY, make_policy_lists
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.assets.market.market_config import MarketConfig, Policy
from pipelines.assets.market.market_inputs import make_lists, rebuild_market
from pipelines.assets.market.market_state import FRAME
from pipelines.assets.market.policies.policy_comparison import GROUP
from pipelines.reports.market.fairness_report import build_fairness_metadata
from pipelines.resources import DatabaseResource, LikesResource, ShardStore
from pipelines.store.shard_manifest import ScoreManifest

OTHERS = (REFERENCE_POLICY, Policy.transferable_utility.value, Policy.random.value)
TENURE = "SELECT id::text, (extract(epoch FROM now() - created_at) / 86400)::float8 FROM app.profiles"


@dg.asset(group_name=GROUP, owners=["team:data-science"], kinds={"numpy", "parquet"})
def match_fairness(
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
    """Who gets a match, by gender with who is sought, age band and tenure, under the policy and three others.

    In: `scored_candidates`, `profiles`, `interactions`, `activity`, and the market state of the last lists. Out: a
    frame with a row for each policy and group of at least 20 users: by, group, people, mean (probability of a match),
    low and high (95 %), policy. The metadata also have Nash welfare and envy of each policy. All of it assumes that the
    probabilities of the ranker are right, and that all matches are worth the same.
    """
    ids, start = pd.Index(profiles["profile_id"]), time.monotonic()
    with database.open_engine() as engine, engine.connect() as connection:
        estimate, tenure = estimate_attention(connection), read_tenure(connection, ids)
    scored = load_scored_pairs(scored_candidates, ids)
    attention, decisions = config.build_attention(estimate, told=likes.are_told), extract_decisions(interactions, ids)
    path = store.get_frame_path(FRAME)
    market, _ = rebuild_market(config, attention, path, scored, profiles, activity, decisions)
    lists = {config.policy.value: make_lists(config, market).positions}
    for name in OTHERS:
        lists.setdefault(name, make_policy_lists(market.graph, attention, name, allowance=market.allowance).positions)
    overall, chances = measure_fairness(market.graph, attention, lists, build_groups(profiles, tenure))
    metadata = build_fairness_metadata(overall, chances, list(lists)[:2])
    return dg.Output(chances, metadata={**metadata, "seconds": round(time.monotonic() - start, 2)})


def read_tenure(connection: Connection, ids: pd.Index) -> "pd.Series[float]":
    """Read the days since each user joined, by position in `ids`; NaN for users who are gone."""
    found = pd.DataFrame(connection.execute(text(TENURE)).all(), columns=["profile_id", "days"])
    return found.set_index("profile_id")["days"].reindex(ids).astype(float)
