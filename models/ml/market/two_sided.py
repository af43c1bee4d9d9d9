"""The market of the literature: proposers with lists on one side, receivers with inboxes on the other, all eligible."""

import hashlib

import numpy as np
from numpy.typing import NDArray

from models.db.errors import InputError
from models.ml.market.attention import Attention
from models.ml.market.best_response import best_response, expected
from models.ml.market.examination import Curve
from models.ml.market.lists import places
from models.ml.market.policies import product
from models.ml.market.town import Ints, Keys, Town, town
from models.ml.market.transferable_utility import transferable_utility
from models.ml.people import Floats
from models.ml.ties import mixed

Matrix = NDArray[np.floating]

# From there, more is found than from the product where lists are looked at only at the top.
BETA = 0.03
SWEEPS = 8


def rank_market(like: Matrix, liked_back: Matrix, examination: Curve = "inv", inbox: Curve | None = None) -> Ints:
    """Each proposer's receivers, best first, so that the market expects many matches: int64 (proposers, receivers).

    `like[i, j]` is the probability that proposer i likes receiver j if shown, `liked_back[i, j]` that j likes i, both
    (proposers, receivers) in [0, 1]. A proposer likes whom they look at, by the curve `examination`; a receiver sees
    those likes only, in the order of own preference, and answers by the curve `inbox` (None: the same curve).

    By best response with externality from the better of product and transferable utility; nothing is hedged. Permuted
    rows or columns give the same lists permuted; where people are exactly alike, a hash of their position decides.
    Raises InputError.
    """
    like, liked_back = _probabilities(like, liked_back)
    market = town_of(like, liked_back)
    proposers, receivers = like.shape
    attention = Attention(examination, inbox, length=receivers, q=1)
    starts = [product(market, attention), transferable_utility(market, BETA)]
    start = max(starts, key=lambda scores: expected(market, attention, places(market, scores, receivers)))
    return in_order(market, best_response(market, attention, start, SWEEPS), (proposers, receivers))


def town_of(like: Matrix, liked_back: Matrix) -> Town:
    """The two-sided market as a town: people are numbered proposers first, and only proposers are viewers."""
    proposers, receivers = like.shape
    viewer = np.repeat(np.arange(proposers), receivers)
    candidate = proposers + np.tile(np.arange(receivers), proposers)
    return town(viewer, candidate, like.ravel(), liked_back.ravel(), _keys(like, liked_back))


def in_order(market: Town, scores: Floats, shape: tuple[int, int]) -> Ints:
    """The receivers of each proposer by score, best first, int64 of that shape, of scores by slot."""
    proposers, receivers = shape
    order = np.empty(shape, np.int64)
    placed = places(market, scores, receivers)
    order[market.viewer, placed] = market.candidate - proposers
    return order


def _probabilities(*matrices: Matrix) -> list[Matrix]:
    """The matrices, checked: of one shape, and in [0, 1]."""
    checked = [np.asarray(matrix, float) for matrix in matrices]
    shapes = {matrix.shape for matrix in checked}
    if len(shapes) > 1 or checked[0].ndim != 2:
        raise InputError(f"both directions of a market are matrices of one shape, proposers by receivers, not {shapes}")
    if not all(((matrix >= 0) & (matrix <= 1)).all() for matrix in checked):
        raise InputError("the probabilities of a market must be in [0, 1]")
    return checked


def _keys(like: Matrix, liked_back: Matrix) -> Keys:
    """Hashes of what is known of each person, whatever the order of the others; a number tells exact twins apart."""
    sides = [np.stack([like, liked_back], axis=2), np.stack([liked_back, like], axis=2).swapaxes(0, 1)]
    contents = [_fingerprint(person) for side in sides for person in side]
    twins: dict[bytes, int] = {}
    keys = np.empty(len(contents), np.uint64)
    for position, content in enumerate(contents):
        twins[content] = twins.get(content, -1) + 1
        keys[position] = np.frombuffer(content, np.uint64)[0] + np.uint64(twins[content])
    return mixed(keys)


def _fingerprint(person: Matrix) -> bytes:
    """A hash of rows of two numbers, in any order of the rows."""
    rows = np.ascontiguousarray(person[np.lexsort(person.T)])
    return hashlib.blake2b(rows.tobytes(), digest_size=8).digest()
