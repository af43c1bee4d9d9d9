"""A made-up town for the benchmark: everybody has some 200 eligible people, one town or sixty thousand people large."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.market.attention.examination_curve import Curve
from models.ml.market.outcomes.inequality import compute_expected_exposure
from models.ml.market.outcomes.list_likes import ListLikes, compute_list_likes

CANDIDATES = 200


@dataclass(frozen=True)
class Pairs:
    """n eligible pairs, both directions of each: the second half of the rows is the first the other way round."""

    people: int
    viewer: Int64Array
    candidate: Int64Array
    p_like: Float32Array
    p_liked_back: Float32Array
    p_match: Float32Array


def town(people: int, crowding: float, seed: int = 621) -> Pairs:
    """Pairs at random, CANDIDATES a person on average. p_like is uniform, mixed with the candidate's popularity, which
    is uniform too, in the proportion `crowding`, as in the published markets.
    """
    rng = np.random.default_rng(seed)
    ends = rng.integers(0, people, (2, people * CANDIDATES // 2))
    ends = ends[:, ends[0] != ends[1]]
    one, other = np.divmod(np.unique(ends.min(axis=0) * people + ends.max(axis=0)), people)
    candidate = np.concatenate([other, one])
    popularity = rng.permutation(people).astype(np.float32) / people
    p_like = (1 - crowding) * rng.random(len(candidate), np.float32) + crowding * popularity[candidate]
    return of(people, np.concatenate([one, other]), candidate, p_like.astype(np.float32))


def of(people: int, viewer: Int64Array, candidate: Int64Array, p_like: Float32Array) -> Pairs:
    """Pairs whose second half is the first the other way round, with p_like of either direction (n,)."""
    p_liked_back = np.roll(p_like, len(p_like) // 2)
    return Pairs(people, viewer, candidate, p_like, p_liked_back, p_like * p_liked_back)


def in_lists(pairs: Pairs, listed: Int64Array, lists: Curve = "inv") -> tuple[ListLikes, Float64Array]:
    """The likes that come of lists in the town as it is, and the views a person, (people,).

    `listed` are the rows of the pairs that make the lists, by viewer, best first.
    """
    viewer, candidate = pairs.viewer[listed], pairs.candidate[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    place = np.arange(1, len(listed) + 1) - np.repeat(starts, np.diff(starts, append=len(listed)))
    sent = compute_list_likes(viewer, candidate, pairs.p_like[listed], pairs.p_liked_back[listed], place, lists)
    return sent, compute_expected_exposure(candidate, place, pairs.people, lists)
