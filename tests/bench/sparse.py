"""A made-up town for the benchmark: everybody has some 200 eligible people, one town or sixty thousand people large."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.market.examination import Curve, Doubles
from models.ml.market.likes import Likes, likes
from models.ml.market.measures import expected_views

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

CANDIDATES = 200


@dataclass(frozen=True)
class Pairs:
    """n eligible pairs, both directions of each: the second half of the rows is the first the other way round."""

    people: int
    viewer: Ints
    candidate: Ints
    p_like: Floats
    p_liked_back: Floats
    p_match: Floats


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


def of(people: int, viewer: Ints, candidate: Ints, p_like: Floats) -> Pairs:
    """Pairs whose second half is the first the other way round, with p_like of either direction (n,)."""
    p_liked_back = np.roll(p_like, len(p_like) // 2)
    return Pairs(people, viewer, candidate, p_like, p_liked_back, p_like * p_liked_back)


def in_lists(pairs: Pairs, listed: Ints, lists: Curve = "inv") -> tuple[Likes, Doubles]:
    """The likes that come of lists in the town as it is, and the views a person, (people,).

    `listed` are the rows of the pairs that make the lists, by viewer, best first.
    """
    viewer, candidate = pairs.viewer[listed], pairs.candidate[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    place = np.arange(1, len(listed) + 1) - np.repeat(starts, np.diff(starts, append=len(listed)))
    sent = likes(viewer, candidate, pairs.p_like[listed], pairs.p_liked_back[listed], place, lists)
    return sent, expected_views(candidate, place, pairs.people, lists)
