"""What a ranker would make of a town: estimates of p_like, calibrated, that order likes and passes as well as told."""

from collections.abc import Callable

import numpy as np

from models.ml.arrays import Float32Array
from models.ml.validation.score_metrics import compute_auc
from tests.bench.sparse import Pairs, of

LABELS = 400_000  # likes and passes drawn to tell how well estimates order them
HISTORY = 10  # then popularity alone has the AUC that it has on `matching load simulated`: 0.615


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

    def estimate(known: float) -> Float32Array:
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


def _reaching(
    true: Pairs, estimate: Callable[[float], Float32Array], wanted_auc: float, rng: np.random.Generator
) -> Pairs:
    """The pairs by the estimates of that AUC, which grows with how much is known, from 0 to 1."""
    sample = rng.integers(0, len(true.p_like), LABELS)
    liked = rng.random(LABELS) < true.p_like[sample]
    low, high = 0.0, 1.0
    while high - low > 1 / 256:
        known = (low + high) / 2
        low, high = (known, high) if compute_auc(liked, estimate(known)[sample]) < wanted_auc else (low, known)
    return of(true.people, true.viewer, true.candidate, estimate(high))


def reached_auc(true: Pairs, seen: Pairs, seed: int = 2) -> float:
    """How well estimates order likes and passes that are drawn from the truth."""
    return compute_auc(np.random.default_rng(seed).random(len(true.p_like)) < true.p_like, seen.p_like)


def _calibrated(score: Float32Array, chance: Float32Array, bins: int = 1000) -> Float32Array:
    """The mean chance around each score: of its bin of a thousand, in a line from one bin to the next."""
    order = np.array_split(np.argsort(score), min(bins, len(score)))
    middles = [float(score[part].mean()) for part in order]
    return np.interp(score, middles, [float(chance[part].mean()) for part in order]).astype(np.float32)
