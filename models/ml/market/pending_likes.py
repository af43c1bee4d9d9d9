"""Likes that wait for a decision of their receiver, and how they enter the receiver's list.

Where likes are secret, each pending like has decoys: candidates of the receiver who have not liked them. A like and its
decoys are weighed alike from then on, until the receiver decides on each of them. So nothing that is computed from the
weights tells them apart: whoever sees the list can say of one of them "they liked me" with probability
1 / (1 + decoys), and no more.
"""

from dataclasses import dataclass
from math import ceil

import numpy as np
from numpy.random import Generator

from models.ml.arrays import BoolArray, Float64Array, FloatArray, Int64Array
from models.ml.kernels.grouping import count_earlier


@dataclass(frozen=True)
class Decoys:
    """k decoys, int64 (k,) each: the receiver of a like, its sender, and the candidate who stands beside the sender."""

    receiver: Int64Array
    sender: Int64Array
    decoy: Int64Array


NO_DECOYS = Decoys(*(np.empty(0, np.int64),) * 3)


def count_decoys(most_telling: float) -> int:
    """Return the number of decoys that a like needs, so that it is told with probability `most_telling` at most."""
    return ceil(1 / most_telling - 1e-9) - 1


def draw_decoys(
    receiver: Int64Array,
    sender: Int64Array,
    viewer: Int64Array,
    candidate: Int64Array,
    weight: FloatArray,
    per_like: int,
    rng: Generator,
) -> Decoys:
    """Draw decoys for likes without replacement, by weight (Efraimidis & Spirakis 2006).

    A like for whose decoys there are too few candidates gets none, and must not be weighed.

    Args:
        receiver: Receiver of each like, (l,).
        sender: Sender of each like, (l,).
        viewer: Viewer of each possible decoy, (n,).
        candidate: The possible decoy, (n,): a candidate who has not liked the viewer and is no decoy yet.
        weight: Weight of each possible decoy, (n,), 0 or more: the odds that the candidate would like the viewer, so
            that decoys are like those who do.
        per_like: Decoys of each like.
        rng: Source of unpredictable numbers; receivers must not be able to repeat the draw.
    """
    possible = np.flatnonzero(weight > 0)
    order = possible[np.lexsort((rng.exponential(size=len(possible)) / weight[possible], viewer[possible]))]
    likes = np.lexsort((rng.random(len(receiver)), receiver))
    number = count_earlier(receiver[likes])
    start = np.searchsorted(viewer[order], receiver[likes])
    end = np.searchsorted(viewer[order], receiver[likes], side="right")
    first = start + number * per_like
    served = first + per_like <= end
    rows = order[(first[served, None] + np.arange(per_like)).ravel()]
    owner = np.repeat(likes[served], per_like)
    return Decoys(receiver[owner], sender[owner], candidate[rows])


def weigh_secret_likes(
    pair: Int64Array, pending: BoolArray, decoys: Decoys, people: int, most_telling: float
) -> Float64Array:
    """Compute the probability of a pending like that the lists may assume, float64 (n,).

    It is `most_telling` for each pending like with decoys and for each decoy, and 0 otherwise.

    Args:
        pair: viewer x people + candidate of each scored pair, int64 (n,).
        pending: Whether the candidate of each pair has liked the viewer, bool (n,).
        decoys: All decoys drawn so far.
        people: The number of users.
        most_telling: The bound on what a list tells.
    """
    with_decoys = pending & np.isin(pair, decoys.receiver * people + decoys.sender)
    beside = np.isin(pair, decoys.receiver * people + decoys.decoy)
    return np.where(with_decoys | beside, most_telling, 0.0)
