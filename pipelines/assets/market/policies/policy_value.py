"""The asset `policy_value`: what other policies would have brought, by the logs; on demand, not in the nightly job."""

import time

import dagster as dg
import pandas as pd
from pydantic import Field

from models.db.errors import InputError
from models.experiments.off_policy.judging import judge_policies
from models.experiments.off_policy.policy_value import tabulate_values
from models.ml.arrays import Int32Array
from models.ml.features.training_pairs import extract_decisions
from models.ml.market.comparison import make_policy_lists
from pipelines.assets.candidate_shards import load_scored_pairs
from pipelines.assets.market.attention_estimates import estimate_attention
from pipelines.assets.market.market_config import MarketConfig, Policy
from pipelines.assets.market.market_inputs import MarketInputs, rebuild_market
from pipelines.assets.market.market_state import FRAME
from pipelines.assets.market.policies.logged_lists import build_logged_night, read_logged_lists
from pipelines.reports.market.policy_value_report import build_value_metadata
from pipelines.reports.plots import round_figures
from pipelines.resources import DatabaseResource, LikesResource, ShardStore
from pipelines.store.shard_manifest import ScoreManifest

GROUP = "off_policy"
DEFAULT_POLICIES = ["best_response", "product", "naive", "random"]


class PolicyValueConfig(dg.Config):
    """Which policies are judged."""

    policies: list[str] = Field(
        DEFAULT_POLICIES, min_length=1, description="Market policies; the others are compared with the first one."
    )


@dg.asset(group_name=GROUP, owners=["team:data-science"], kinds={"numpy", "parquet"}, deps=["publication"])
def policy_value(
    context: dg.AssetExecutionContext,
    config: PolicyValueConfig,
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
    """Value of market policies by what users did with the live publication's lists.

    In: `scored_candidates`, `profiles`, `interactions`, `activity`, the market state of the last lists, and the lists
    of the live publication with the views and decisions since. Out: a frame, a row a policy, outcome (likes or matches)
    and method: value, standard_error, difference to the first policy, difference_error, effective_size, unsupported,
    refusal and publication. Values are of one opening by each viewer who opened a list. Where the logs do not tell,
    the refusal says why.
    """
    start, ids = time.monotonic(), pd.Index(profiles["profile_id"])
    with database.open_engine() as engine, engine.connect() as connection:
        logged, estimate = read_logged_lists(connection), estimate_attention(connection)
    scored, market_config = load_scored_pairs(scored_candidates, ids), MarketConfig.model_validate({})
    attention = market_config.build_attention(estimate, told=likes.are_told)
    decisions, path = extract_decisions(interactions, ids), store.get_frame_path(FRAME)
    market, state = rebuild_market(market_config, attention, path, scored, profiles, activity, decisions)
    night = build_logged_night(logged, scored, ids, market.graph, state.freshness)
    lists = {name: _make_positions(market, name) for name in dict.fromkeys(config.policies)}
    values = tabulate_values(judge_policies(market.graph, market.attention, night, lists))
    values = values.assign(publication=logged.publication.id)
    for line in values["refusal"][values["refusal"] != ""].unique():
        context.log.info(line)
    figures = round_figures({**logged.count(), "seconds": time.monotonic() - start})
    return dg.Output(values, metadata={**build_value_metadata(values), **figures})


def _make_positions(market: MarketInputs, policy: str) -> Int32Array:
    """Make the lists of a policy, within the bound on positions.

    Raises:
        InputError: The policy is unknown.
    """
    if policy not in {each.value for each in Policy}:
        raise InputError(f"unknown policy {policy!r}: use {', '.join(each.value for each in Policy)}")
    return make_policy_lists(market.graph, market.attention, policy, allowance=market.allowance).positions
