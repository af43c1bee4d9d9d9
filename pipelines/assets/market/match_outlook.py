"""What tonight's matches are worth: by the outcome head, and by the conversations that people have open."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from sqlalchemy import Connection

from models.db.errors import IncompatibleModelError, RankerLost
from models.ml.arrays import Float32Array
from models.ml.market.outcomes.match_worth import compute_free_attention, compute_match_worth, multiply_by_attention
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.scoring_context import ScoringContext
from pipelines.assets.conversations.head.head_inputs import (
    predict_pairs,
    read_open_conversations,
    read_past_conversations,
)
from pipelines.assets.market.market_config import MarketConfig
from pipelines.resources import ShardStore
from pipelines.store.registry.head_registry import find_head
from pipelines.store.registry.model_registry import ModelRegistry

NO_HEAD = "there is no outcome head, so every match has factor 1; the metadata of outcome_head say why"


@dataclass(frozen=True)
class MatchOutlook:
    """What n scored pairs are worth.

    Attributes:
        worth: In times the mean, float32 (n,); None: all alike.
        p_on: Probability that the conversation goes on, float32 (n,); None where it is not computed, or without a head.
        metadata: What was used, or why not.
    """

    worth: Float32Array | None
    p_on: Float32Array | None
    metadata: dict[str, str | float]


INDIFFERENT = MatchOutlook(None, None, {})


def read_match_outlook(
    config: MarketConfig,
    registry: ModelRegistry,
    store: ShardStore,
    connection: Connection,
    users: ScoringContext,
    scored: ScoredPairs,
    *,
    predicts: bool = False,
) -> MatchOutlook:
    """Read what matches are worth; with the settings at 0 nothing is read and nothing computed.

    Args:
        config: The configuration, with `lasting_weight` and `load_discount`.
        registry: Where the head is.
        store: Where past conversations are.
        connection: The database.
        users: The users, by the ranker that scored the pairs.
        scored: The scored pairs.
        predicts: Whether p_on is computed although its weight is 0.
    """
    worth: Float32Array | None = None
    p_on: Float32Array | None = None
    said: dict[str, str | float] = {}
    if config.lasting_weight or predicts:
        p_on, said = _predict(registry, store, connection, users, scored)
        if p_on is not None and config.lasting_weight:
            worth = compute_match_worth(p_on, config.lasting_weight)
    if config.load_discount:
        count = read_open_conversations(connection, pd.Index(users.profiles.ids))
        free = compute_free_attention(count, config.load_discount)
        worth = multiply_by_attention(worth, free, scored.viewer, scored.candidate)
        said["open_conversations"] = int(count.sum()) // 2
    return MatchOutlook(worth, p_on, said)


def _predict(
    registry: ModelRegistry, store: ShardStore, connection: Connection, users: ScoringContext, scored: ScoredPairs
) -> tuple[Float32Array | None, dict[str, str | float]]:
    """Predict the outlook of pairs; None, with the reason, where there is no head that can be read."""
    try:
        found = find_head(registry)
    except (RankerLost, IncompatibleModelError) as error:
        return None, {"outcome_head": f"none: {error}"}
    if found is None:
        return None, {"outcome_head": NO_HEAD}
    head, version = found
    known = read_past_conversations(store, connection, pd.Index(users.profiles.ids))
    p_on = predict_pairs(head, known, users, scored.viewer, scored.candidate)
    return p_on, {"outcome_head": version, "mean_p_on": round(float(np.mean(p_on)), 4) if len(p_on) else 0.0}
