"""What a policy makes lists from, built from the frames of a run."""

from dataclasses import dataclass, replace

import pandas as pd
from upath import UPath

from models.ml.arrays import Float32Array, Float64Array
from models.ml.features.decision_history import Decisions
from models.ml.market import AttentionModel, MarketGraph
from models.ml.market.comparison import PolicyLists, make_policy_lists
from models.ml.market.edge_weights import MarketState, build_weighted_graph
from models.ml.market.graph.market_graph import weigh_matches
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.scoring_context import ScoringContext, build_scoring_context
from pipelines.assets.impressions.activity import align_activity
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.market_state import read_market_state
from pipelines.resources import ShardStore
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import BLOCKS_FRAME, read_scored_blocks
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ScoreManifest, ShardManifest


@dataclass(frozen=True)
class MarketInputs:
    """The scored pairs as a graph, the attention model, and the bound on positions."""

    graph: MarketGraph
    attention: AttentionModel
    allowance: Float64Array | None
    """The most positions of each user, in times the mean, (users,); None without a bound."""


def build_market_inputs(
    config: MarketConfig,
    attention: AttentionModel,
    scored: ScoredPairs,
    state: MarketState,
    profiles: pd.DataFrame,
    decisions: Decisions,
) -> MarketInputs:
    """Build what policies make lists from; indices of users are the rows of `profiles`, whose hashed ids break ties."""
    keys = pd.util.hash_array(profiles["profile_id"].to_numpy(object))
    pairs = (scored.viewer, scored.candidate, scored.p_like, scored.p_liked_back)
    allowance = config.build_allowance(decisions, len(profiles))
    return MarketInputs(build_weighted_graph(*pairs, keys, state), attention, allowance)


def rebuild_market(
    config: MarketConfig,
    attention: AttentionModel,
    path: UPath,
    scored: ScoredPairs,
    profiles: pd.DataFrame,
    activity: pd.DataFrame,
    decisions: Decisions,
) -> tuple[MarketInputs, MarketState]:
    """Build what the last lists were made from, by the market state at `path`; all matches are worth the same."""
    ids = pd.Index(profiles["profile_id"])
    state = read_market_state(path, scored, ids, align_activity(activity, ids))
    return build_market_inputs(config, attention, scored, state, profiles, decisions), state


def weigh_market(market: MarketInputs, attention: AttentionModel, worth: Float32Array | None) -> MarketInputs:
    """Return the same pairs as another configuration weighs them: with its attention model and worth of matches."""
    graph = replace(market.graph, worth=None) if worth is None else weigh_matches(market.graph, worth)
    return MarketInputs(graph, attention, market.allowance)


def build_users(
    registry: ModelRegistry,
    store: ShardStore,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    profile_embeddings: ShardManifest,
    scored_candidates: ScoreManifest,
) -> ScoringContext:
    """Build the users as they were scored: with the ranker and the blocks of the scored candidates."""
    ranker = registry.load_rankers(scored_candidates.ranker_version).full
    blocks = read_scored_blocks(store.get_frame_path(BLOCKS_FRAME))
    return build_scoring_context(ranker, profiles, interactions, blocks, load_answers(profile_embeddings))


def make_lists(config: MarketConfig, inputs: MarketInputs) -> PolicyLists:
    """Make the lists of the configured policy within the configured bounds."""
    return make_policy_lists(
        inputs.graph, inputs.attention, config.policy.value, config.most_views, config.least_views, inputs.allowance
    )
