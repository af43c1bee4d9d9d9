"""Pending likes in tonight's market: certain where likes are told, raised among decoys where they are secret.

The frame `pending_pairs` remembers them from night to night. It does not say which pairs are likes and which are
decoys.
"""

import hashlib

import numpy as np
import pandas as pd
from numpy.random import Generator
from upath import UPath

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.kernels.grouping import count_earlier
from models.ml.market import AttentionModel
from models.ml.market.decoy_weights import weigh_decoys
from models.ml.market.edge_weights import MarketState, make_idle_state, weigh_secret_likes, weigh_told_likes
from models.ml.market.outcomes.shown_matches import compute_shown_shift
from models.ml.market.pending_likes import choose_raised, count_decoys
from models.ml.profiles.id_lookup import find_positions
from models.ml.scoring.candidates import ScoredPairs
from models.ml.scoring.likes_received import LikesReceived
from pipelines.store.frame_store import convert_from_table, convert_to_table, read_table, write_table

FRAME = "pending_pairs"
WEIGHTS = ("p_pending", "p_answered")


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
    raised = choose_raised(scored.viewer, pending, earlier.p_pending > 0, weight, count_decoys(most_telling), rng)
    return weigh_secret_likes(earlier.activity, raised, most_telling)


def weigh_likes_received(
    scored: ScoredPairs, likes: LikesReceived, p_active: Float64Array, attention: AttentionModel
) -> MarketState:
    """Weigh pending likes that are told, by their place in the receiver's order of preference."""
    rows = scored.find_rows(likes.receiver, likes.sender)
    return weigh_told_likes(p_active, len(scored.viewer), rows, count_earlier(likes.receiver), attention)


def write_pending_pairs(path: UPath, state: MarketState, scored: ScoredPairs, ids: pd.Index) -> None:
    """Write the scored pairs that a state raises or that are told: viewer_id, candidate_id, p_pending, p_answered."""
    rows, names = np.flatnonzero(state.p_pending), ids.to_numpy(object)
    weights = {name: getattr(state, name)[rows] for name in WEIGHTS}
    pairs = {"viewer_id": names[scored.viewer[rows]], "candidate_id": names[scored.candidate[rows]]}
    write_table(convert_to_table(pd.DataFrame(pairs | weights)), path)


def read_pending_pairs(path: UPath, scored: ScoredPairs, ids: pd.Index, p_active: Float64Array) -> MarketState:
    """Read the state that `write_pending_pairs` wrote, for the pairs that are scored now; without a file none waits."""
    try:
        frame = convert_from_table(read_table(path))
    except FileNotFoundError:
        frame = pd.DataFrame(columns=["viewer_id", "candidate_id", *WEIGHTS])
    viewer, candidate = (_find_people(frame[name], ids) for name in ("viewer_id", "candidate_id"))
    rows = np.where((viewer >= 0) & (candidate >= 0), scored.find_rows(viewer, candidate), -1)
    state = make_idle_state(len(ids), len(scored.viewer))
    for name in WEIGHTS:
        getattr(state, name)[rows[rows >= 0]] = frame[name].to_numpy(np.float32)[rows >= 0]
    return MarketState(p_active, state.p_pending, state.p_answered)


def compute_listed_shift(
    scored: ScoredPairs, listed: Int64Array, pending: BoolArray, attention: AttentionModel
) -> float:
    """Compute the shift of p_match for lists; `listed` are the scored pairs of each list, best first."""
    looks = attention.compute_list_examination()[count_earlier(scored.viewer[listed])]
    return compute_shown_shift(scored.p_like[listed], scored.p_liked_back[listed], pending[listed], looks)


def make_generator(interactions: pd.DataFrame) -> Generator:
    """Make the generator of the draws: the same for the same interactions, which no user knows all of."""
    digest = hashlib.blake2b("".join(interactions["interaction_id"]).encode(), digest_size=16).digest()
    return np.random.default_rng(int.from_bytes(digest))


def _find_people(ids: "pd.Series[str]", known: pd.Index) -> Int64Array:
    return np.asarray(find_positions(ids, known), np.int64)
