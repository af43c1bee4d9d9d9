"""What a policy makes lists from, built from the frames of a run."""

from dataclasses import dataclass

import pandas as pd

from models.ml.arrays import Float64Array
from models.ml.features.training_pairs import extract_decisions
from models.ml.market import AttentionModel, MarketGraph, build_market_graph
from models.ml.market.comparison import PolicyLists, make_policy_lists
from models.ml.scoring.candidates import ScoredPairs
from pipelines.assets.market.attention_estimates import AttentionEstimate
from pipelines.assets.market.market_config import MarketConfig


@dataclass(frozen=True)
class MarketInputs:
    """The scored pairs as a graph, the attention model, and the bound on positions."""

    graph: MarketGraph
    attention: AttentionModel
    allowance: Float64Array | None
    """The most positions of each user, in times the mean, (users,); None without a bound."""


def build_graph(scored: ScoredPairs, profiles: pd.DataFrame) -> MarketGraph:
    """Build the market graph of the scored pairs; hashes of profile ids break its ties."""
    keys = pd.util.hash_array(profiles["profile_id"].to_numpy(object))
    return build_market_graph(scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back, keys)


def build_market_inputs(
    config: MarketConfig,
    estimate: AttentionEstimate,
    scored: ScoredPairs,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
) -> MarketInputs:
    """Build what policies make lists from; indices of users are the rows of `profiles`."""
    decisions = extract_decisions(interactions, pd.Index(profiles["profile_id"]))
    return MarketInputs(
        build_graph(scored, profiles),
        config.build_attention(estimate),
        config.build_allowance(decisions, len(profiles)),
    )


def make_lists(config: MarketConfig, inputs: MarketInputs) -> PolicyLists:
    """Make the lists of the configured policy within the configured bounds."""
    return make_policy_lists(
        inputs.graph, inputs.attention, config.policy.value, config.most_views, config.least_views, inputs.allowance
    )
