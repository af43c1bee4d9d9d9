"""Lists of several arms in one market: scored pairs by their rankers, lists by their policies, swaps by their rates."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np
import pandas as pd

from models.db.errors import InputError
from models.ml.market.comparison import PolicyLists, make_mixed_lists
from models.ml.market.policies.mixed_policies import PolicyArm
from models.ml.scoring.candidates import ScoredPairs, score_both_ways
from models.ml.scoring.scoring_context import build_scoring_context
from pipelines.assets.market.arms.arm_groups import ArmGroup
from pipelines.assets.market.market_config import MarketConfig
from pipelines.assets.market.market_inputs import MarketInputs, make_lists
from pipelines.resources import ShardStore
from pipelines.store.answer_shards import load_answers
from pipelines.store.frame_store import BLOCKS_FRAME, read_scored_blocks
from pipelines.store.registry.model_registry import ModelRegistry
from pipelines.store.shard_manifest import ShardManifest

WEIGHING = (
    *("lasting_weight", "load_discount"),
    *("list_examination", "inbox_examination", "inbox_trust", "later_answers"),
)
"""The fields that change how a policy weighs the market: what matches are worth, and what is examined."""


def score_arms(
    scored: ScoredPairs,
    groups: Sequence[ArmGroup],
    registry: ModelRegistry,
    store: ShardStore,
    profiles: pd.DataFrame,
    interactions: pd.DataFrame,
    embeddings: ShardManifest,
) -> ScoredPairs:
    """Score the pairs of viewers whose arm has a ranker of its own with that ranker; all others stay as they are.

    Raises:
        InputError: MLflow has no such ranker any more.
    """
    rankers = {group.ranker: np.zeros(len(profiles), bool) for group in groups if group.ranker is not None}
    for group in groups:
        if group.ranker is not None:
            rankers[group.ranker] |= group.viewers
    for name, viewers in rankers.items():
        if (version := registry.find_ranker_version(name)) is None:
            raise InputError(f"an arm's ranker is {name!r}, and MLflow has neither an alias nor a version of this name")
        blocks = read_scored_blocks(store.get_frame_path(BLOCKS_FRAME))
        ranker = registry.load_rankers(version).full
        users = build_scoring_context(ranker, profiles, interactions, blocks, load_answers(embeddings))
        rows = np.flatnonzero(viewers[scored.viewer])
        again = score_both_ways(users, scored.viewer[rows], scored.candidate[rows])
        changed = {name: getattr(scored, name).copy() for name in ("p_like", "p_liked_back", "p_match")}
        for column, values in changed.items():
            values[rows] = getattr(again, column)
        scored = replace(scored, **changed)
    return scored


def make_group_lists(
    config: MarketConfig,
    groups: Sequence[ArmGroup],
    market: MarketInputs,
    weigh_again: Callable[[MarketConfig, MarketInputs], MarketInputs],
) -> PolicyLists:
    """Make the lists of all groups in one market; where all have one policy, those of the policy.

    Args:
        config: The configuration of the run.
        groups: The groups; each user is in one.
        market: The market as the configuration of the run weighs it.
        weigh_again: Returns the market as another configuration weighs it; called for those that differ in it.
    """
    arms: dict[tuple[object, ...], tuple[ArmGroup, MarketInputs]] = {}
    for group in groups:
        key = _list_fields(group.config, "policy", *WEIGHING)
        if key in arms:
            first, seen = arms[key]
            arms[key] = replace(first, viewers=first.viewers | group.viewers), seen
        else:
            alike = _list_fields(group.config, *WEIGHING) == _list_fields(config, *WEIGHING)
            arms[key] = group, market if alike else weigh_again(group.config, market)
    if len(arms) == 1:
        (only, seen), *_ = arms.values()
        return make_lists(only.config, seen)
    mixed = [
        PolicyArm(group.config.policy.value, group.viewers, seen.graph, seen.attention) for group, seen in arms.values()
    ]
    return make_mixed_lists(mixed, market.allowance)


def _list_fields(config: MarketConfig, *names: str) -> tuple[object, ...]:
    return tuple(getattr(config, name) for name in names)
