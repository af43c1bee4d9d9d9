"""Simple baselines for the ranker: scores of pairs that need no training."""

import numpy as np

from models.ml.arrays import Float32Array, Float64Array
from models.ml.features.pair_features import RECEIVED_PRIOR_STRENGTH, Pairs


def score_at_random(pairs: Pairs, seed: int) -> Float64Array:
    """Return uniform random scores, float64 (n,)."""
    return np.random.default_rng(seed).random(len(pairs))


def score_popularity(pairs: Pairs, base_rate: float) -> Float64Array:
    """Score by the rate of likes that the candidate received, shrunk to the base rate, float64 (n,)."""
    received = pairs.history.candidate_received
    return np.asarray(
        (received.likes + RECEIVED_PRIOR_STRENGTH * base_rate) / (received.decisions + RECEIVED_PRIOR_STRENGTH)
    )


def score_interest_cosine(pairs: Pairs) -> Float32Array:
    """Score by the cosine of both users' rarity-weighted interests, float32 (n,), 0 to 1."""
    interests = pairs.people.interests
    cosine: Float32Array = np.einsum("ij,ij->i", interests[pairs.viewer], interests[pairs.candidate])
    return cosine
