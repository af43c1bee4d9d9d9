"""The market of the literature: proposers with lists on one side, receivers with inboxes on the other, all eligible."""

import hashlib

import numpy as np

from models.db.errors import InputError
from models.ml.arrays import Float32Array, FloatArray, Int64Array, UInt64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.best_response import compute_best_response, count_expected_matches
from models.ml.market.policies.policy_registry import score_product
from models.ml.market.policies.transferable_utility import compute_transferable_utility

# From there, more is found than from the product where lists are looked at only at the top.
BETA = 0.03
SWEEPS = 8


def rank_market(
    like: FloatArray, liked_back: FloatArray, examination: Curve = "inv", inbox: Curve | None = None
) -> Int64Array:
    """Each proposer's receivers, best first, so that the market expects many matches: int64 (proposers, receivers).

    `like[i, j]` is the probability that proposer i likes receiver j if shown, `liked_back[i, j]` that j likes i, both
    (proposers, receivers) in [0, 1]. A proposer likes whom they look at, by the curve `examination`; a receiver sees
    those likes only, in the order of own preference, and answers by the curve `inbox` (None: the same curve).

    By best response with externality from the better of product and transferable utility; nothing is hedged. Permuted
    rows or columns give the same lists permuted; where people are exactly alike, a hash of their position decides.
    Raises InputError.
    """
    like, liked_back = _check_probabilities(like, liked_back)
    graph = build_two_sided_graph(like, liked_back)
    proposers, receivers = like.shape
    attention = AttentionModel(examination, inbox, length=receivers, inbox_weight=1)
    starts = [score_product(graph, attention), compute_transferable_utility(graph, BETA)]
    start = max(
        starts, key=lambda scores: count_expected_matches(graph, attention, compute_positions(graph, scores, receivers))
    )
    return sort_receivers(graph, compute_best_response(graph, attention, start, SWEEPS), (proposers, receivers))


def build_two_sided_graph(like: FloatArray, liked_back: FloatArray) -> MarketGraph:
    """The two-sided market as a town: people are numbered proposers first, and only proposers are viewers."""
    proposers, receivers = like.shape
    viewer = np.repeat(np.arange(proposers), receivers)
    candidate = proposers + np.tile(np.arange(receivers), proposers)
    return build_market_graph(viewer, candidate, like.ravel(), liked_back.ravel(), _hash_people(like, liked_back))


def sort_receivers(graph: MarketGraph, scores: Float32Array, shape: tuple[int, int]) -> Int64Array:
    """The receivers of each proposer by score, best first, int64 of that shape, of scores by slot."""
    proposers, receivers = shape
    order = np.empty(shape, np.int64)
    placed = compute_positions(graph, scores, receivers)
    order[graph.viewer, placed] = graph.candidate - proposers
    return order


def _check_probabilities(*matrices: FloatArray) -> list[FloatArray]:
    """The matrices, checked: of one shape, and in [0, 1]."""
    checked = [np.asarray(matrix, float) for matrix in matrices]
    shapes = {matrix.shape for matrix in checked}
    if len(shapes) > 1 or checked[0].ndim != 2:
        raise InputError(f"both directions of a market are matrices of one shape, proposers by receivers, not {shapes}")
    if not all(((matrix >= 0) & (matrix <= 1)).all() for matrix in checked):
        raise InputError("the probabilities of a market must be in [0, 1]")
    return checked


def _hash_people(like: FloatArray, liked_back: FloatArray) -> UInt64Array:
    """Hashes of what is known of each person, whatever the order of the others; a number tells exact twins apart."""
    sides = [np.stack([like, liked_back], axis=2), np.stack([liked_back, like], axis=2).swapaxes(0, 1)]
    contents = [_hash_rows(person) for side in sides for person in side]
    twins: dict[bytes, int] = {}
    keys = np.empty(len(contents), np.uint64)
    for position, content in enumerate(contents):
        twins[content] = twins.get(content, -1) + 1
        keys[position] = np.frombuffer(content, np.uint64)[0] + np.uint64(twins[content])
    return hash_splitmix64(keys)


def _hash_rows(person: FloatArray) -> bytes:
    """A hash of rows of two numbers, in any order of the rows."""
    rows = np.ascontiguousarray(person[np.lexsort(person.T)])
    return hashlib.blake2b(rows.tobytes(), digest_size=8).digest()
