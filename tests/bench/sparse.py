"""A made-up town for the benchmark: everybody has some 200 eligible people, one town or sixty thousand people large."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.market.examination import Curve, Doubles
from models.ml.market.measures import expected_views
from models.ml.market.outcome import Likes, likes
from models.ml.metrics import auc

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]

CANDIDATES = 200
LABELS = 400_000  # likes and passes drawn to tell how well estimates order them
HISTORY = 10  # then popularity alone has the AUC that it has on `matching load simulated`: 0.615


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


def as_a_ranker_sees(true: Pairs, wanted_auc: float, seed: int = 1) -> Pairs:
    """The pairs with calibrated estimates instead: popularity from HISTORY decisions on each person, and as much of
    everybody's own taste as brings the AUC of likes and passes to `wanted_auc`, or none if it is above that without.
    """
    rng = np.random.default_rng(seed)
    share = np.bincount(true.candidate, true.p_like) / np.bincount(true.candidate)
    told = rng.binomial(HISTORY, share) / HISTORY
    trust = share.var() / (share.var() + (share * (1 - share)).mean() / HISTORY)
    popularity = (share.mean() + trust * (told - share.mean()))[true.candidate]
    taste = true.p_like - share[true.candidate]
    noise = taste.std() * rng.standard_normal(len(taste))

    def estimate(known: float) -> Floats:
        taste_seen = known * (known * taste + np.sqrt(1 - known**2) * noise)
        return np.asarray(np.clip(popularity + taste_seen, 0.001, 0.999), np.float32)

    return _reaching(true, estimate, wanted_auc, rng)


def with_noise(true: Pairs, wanted_auc: float, seed: int = 1) -> Pairs:
    """The pairs with calibrated estimates instead, each pair's log-odds with noise of its own, so that popularity is
    seen no better than taste: as much as brings the AUC of likes and passes to `wanted_auc`.
    """
    rng = np.random.default_rng(seed)
    within = np.clip(true.p_like, 1e-4, 1 - 1e-4)
    odds, noise = np.log(within / (1 - within)), rng.standard_normal(len(within)).astype(np.float32)
    return _reaching(true, lambda known: _calibrated(odds + (1 / known - 1) * noise, true.p_like), wanted_auc, rng)


def _reaching(true: Pairs, estimate: Callable[[float], Floats], wanted_auc: float, rng: np.random.Generator) -> Pairs:
    """The pairs by the estimates of that AUC, which grows with how much is known, from 0 to 1."""
    sample = rng.integers(0, len(true.p_like), LABELS)
    liked = rng.random(LABELS) < true.p_like[sample]
    low, high = 0.0, 1.0
    while high - low > 1 / 256:
        known = (low + high) / 2
        low, high = (known, high) if auc(liked, estimate(known)[sample]) < wanted_auc else (low, known)
    return of(true.people, true.viewer, true.candidate, estimate(high))


def reached_auc(true: Pairs, seen: Pairs, seed: int = 2) -> float:
    """How well estimates order likes and passes that are drawn from the truth."""
    return auc(np.random.default_rng(seed).random(len(true.p_like)) < true.p_like, seen.p_like)


def _calibrated(score: Floats, chance: Floats, bins: int = 1000) -> Floats:
    """The mean chance around each score: of its bin of a thousand, in a line from one bin to the next."""
    order = np.array_split(np.argsort(score), min(bins, len(score)))
    middles = [float(score[part].mean()) for part in order]
    return np.interp(score, middles, [float(chance[part].mean()) for part in order]).astype(np.float32)


def in_lists(pairs: Pairs, listed: Ints, lists: Curve = "inv") -> tuple[Likes, Doubles]:
    """The likes that come of lists in the town as it is, and the views a person, (people,).

    `listed` are the rows of the pairs that make the lists, by viewer, best first.
    """
    viewer, candidate = pairs.viewer[listed], pairs.candidate[listed]
    starts = np.flatnonzero(np.diff(viewer, prepend=-1))
    place = np.arange(1, len(listed) + 1) - np.repeat(starts, np.diff(starts, append=len(listed)))
    sent = likes(viewer, candidate, pairs.p_like[listed], pairs.p_liked_back[listed], place, lists)
    return sent, expected_views(candidate, place, pairs.people, lists)
