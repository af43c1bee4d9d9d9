"""The dense two-sided market of the literature: proposers have lists, receivers inboxes, and all pairs are eligible."""

import hashlib

import numpy as np

from models.db.errors import InputError
from models.ml.arrays import Float32Array, FloatArray, Int64Array, UInt64Array
from models.ml.kernels.tie_breaking import hash_splitmix64
from models.ml.market.attention.attention_model import AttentionModel
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.graph.market_graph import MarketGraph, build_market_graph
from models.ml.market.graph.match_model import count_expected_matches
from models.ml.market.graph.ranked_lists import compute_positions
from models.ml.market.policies.best_response import compute_best_response
from models.ml.market.policies.policy_registry import score_product
from models.ml.market.policies.transferable_utility import compute_transferable_utility

# Where only the top of a list is examined, best response ends higher from this start than from the product.
BETA = 0.03
SWEEPS = 8


def rank_market(
    like: FloatArray, liked_back: FloatArray, examination: Curve = "inv", inbox: Curve | None = None
) -> Int64Array:
    """Rank the receivers of each proposer to maximise expected matches, int64 (proposers, receivers), best first.

    A proposer can like the receivers that they examine in their list. A receiver examines the likes received, in the
    order of their own preference. The lists are found by best response with externality. It starts from the better of
    product and transferable utility, with the full inbox curve (`inbox_weight` 1).

    Permuted rows or columns give the same lists, permuted. Between identical people, a hash of their order decides.

    Args:
        like: Probability that proposer i likes receiver j if shown, (proposers, receivers), in [0, 1].
        liked_back: Probability that receiver j likes proposer i, (proposers, receivers), in [0, 1].
        examination: Examination curve of the lists.
        inbox: Examination curve of the inboxes; None for the curve of the lists.

    Returns:
        For each proposer, the indices of the receivers, best first.

    Raises:
        InputError: The matrices differ in shape, a value is outside [0, 1], or a curve is invalid.
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
    """Build the market graph of a two-sided market: proposers are numbered first, and only they are viewers."""
    proposers, receivers = like.shape
    viewer = np.repeat(np.arange(proposers), receivers)
    candidate = proposers + np.tile(np.arange(receivers), proposers)
    return build_market_graph(viewer, candidate, like.ravel(), liked_back.ravel(), _hash_people(like, liked_back))


def sort_receivers(graph: MarketGraph, scores: Float32Array, shape: tuple[int, int]) -> Int64Array:
    """Sort the receivers of each proposer by score, best first.

    Args:
        graph: The graph of `build_two_sided_graph`.
        scores: Score of each edge, float32 (n,).
        shape: Numbers of proposers and receivers.

    Returns:
        Indices of receivers, int64 (proposers, receivers).
    """
    proposers, receivers = shape
    order = np.empty(shape, np.int64)
    placed = compute_positions(graph, scores, receivers)
    order[graph.viewer, placed] = graph.candidate - proposers
    return order


def _check_probabilities(*matrices: FloatArray) -> list[FloatArray]:
    """Return the matrices as floats after checking that they have one shape and values in [0, 1]."""
    checked = [np.asarray(matrix, float) for matrix in matrices]
    shapes = {matrix.shape for matrix in checked}
    if len(shapes) > 1 or checked[0].ndim != 2:
        raise InputError(
            f"both directions of a market must be matrices of one shape (proposers, receivers), not {shapes}"
        )
    if not all(((matrix >= 0) & (matrix <= 1)).all() for matrix in checked):
        raise InputError(
            "the probabilities of a market must be in [0, 1]; check both matrices for NaN and other values"
        )
    return checked


def _hash_people(like: FloatArray, liked_back: FloatArray) -> UInt64Array:
    """Hash the probabilities of each person, whatever the order of the others; a counter separates exact duplicates."""
    sides = [np.stack([like, liked_back], axis=2), np.stack([liked_back, like], axis=2).swapaxes(0, 1)]
    contents = [_hash_rows(person) for side in sides for person in side]
    twins: dict[bytes, int] = {}
    keys = np.empty(len(contents), np.uint64)
    for position, content in enumerate(contents):
        twins[content] = twins.get(content, -1) + 1
        keys[position] = np.frombuffer(content, np.uint64)[0] + np.uint64(twins[content])
    return hash_splitmix64(keys)


def _hash_rows(person: FloatArray) -> bytes:
    """Hash rows of two numbers, independent of their order."""
    rows = np.ascontiguousarray(person[np.lexsort(person.T)])
    return hashlib.blake2b(rows.tobytes(), digest_size=8).digest()
