"""The state of tonight's market: pending likes, certain where they are told and raised among decoys where they are not.

The frame `market_state` remembers it from night to night. It does not say which pairs are likes and which are decoys.
"""

import hashlib

import numpy as np
import pandas as pd
from numpy.random import Generator
from upath import UPath

from models.ml.arrays import BoolArray, Float64Array
from models.ml.features.decision_history import Decisions
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel
from models.ml.market.decoy_weights import weigh_decoys
from models.ml.market.edge_weights import MarketState, weigh_secret_likes, weigh_told_likes
from models.ml.market.pending_likes import choose_raised
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.likes_received import LikesReceived
from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table

FRAME = "market_state"
PAIR = ("viewer_id", "candidate_id")
IDLE = {"p_pending": 0, "p_answered": 0, "freshness": 1}
"""The weights of a scored pair that the frame leaves out."""


def find_pending_pairs(scored: ScoredPairs, decisions: Decisions) -> BoolArray:
    """Find the scored pairs whose candidate has liked the viewer, bool (n,)."""
    liked = decisions.liked
    rows = scored.find_rows(decisions.target[liked], decisions.actor[liked])
    pending = np.zeros(len(scored.viewer), bool)
    pending[rows[rows >= 0]] = True
    return pending


def raise_secret_likes(
    scored: ScoredPairs, pending: BoolArray, earlier: MarketState, most_telling: float, rng: Generator
) -> MarketState:
    """Raise pending likes and decoys among the scored pairs; those of `earlier` nights stay raised."""
    weight = weigh_decoys(scored.p_like, scored.p_liked_back, earlier.activity[scored.candidate], pending)
    raised = choose_raised(scored.viewer, pending, earlier.p_pending > 0, weight, most_telling, rng)
    return weigh_secret_likes(earlier.activity, raised, most_telling)


def weigh_likes_received(
    scored: ScoredPairs, likes: LikesReceived, p_active: Float64Array, attention: AttentionModel
) -> MarketState:
    """Weigh pending likes that are told, by their place in the receiver's order of preference."""
    rows = scored.find_rows(likes.receiver, likes.sender)
    return weigh_told_likes(p_active, len(scored.viewer), rows, count_earlier(likes.receiver), attention)


def write_market_state(path: UPath, state: MarketState, scored: ScoredPairs, ids: pd.Index) -> None:
    """Write the weights of the scored pairs that are not idle: viewer_id, candidate_id and the columns of IDLE."""
    weights = {name: np.broadcast_to(getattr(state, name), len(scored.viewer)) for name in IDLE}
    rows = np.flatnonzero(np.any([weights[name] != idle for name, idle in IDLE.items()], axis=0))
    names = ids.to_numpy(object)
    columns = [names[scored.viewer[rows]], names[scored.candidate[rows]], *(each[rows] for each in weights.values())]
    write_table(convert_to_table(pd.DataFrame(dict(zip((*PAIR, *IDLE), columns, strict=True)))), path)


def read_market_state(path: UPath, scored: ScoredPairs, ids: pd.Index, p_active: Float64Array) -> MarketState:
    """Read the state of the last lists for the pairs that are scored now; without a file, all pairs are idle."""
    try:
        frame = convert_from_table(read_table(path))
    except FileNotFoundError:
        frame = pd.DataFrame(columns=[*PAIR, *IDLE])
    rows = scored.find_rows(*(find_positions(frame[side], ids) for side in PAIR))
    weights = {name: np.full(len(scored.viewer), idle, np.float32) for name, idle in IDLE.items()}
    for name, values in weights.items():
        values[rows[rows >= 0]] = frame[name].to_numpy(np.float32)[rows >= 0]
    return MarketState(p_active, **weights)


def make_generator(interactions: pd.DataFrame, purpose: str = "") -> Generator:
    """Make the generator of the draws: the same for the same interactions, which no user knows all of, and purpose."""
    content = "".join(interactions["interaction_id"]).encode()
    digest = hashlib.blake2b(content, digest_size=16, person=purpose.encode()).digest()
    return np.random.default_rng(int.from_bytes(digest))
