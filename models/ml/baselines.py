"""What the ranker has to beat: scores of pairs that need no training."""

import numpy as np

from models.ml.features import SHRINK_RECEIVED, Pairs
from models.ml.history import Doubles
from models.ml.people import Floats


def random(pairs: Pairs, seed: int) -> Doubles:
    """Uniform random scores, float64 (n,)."""
    return np.random.default_rng(seed).random(len(pairs))


def popularity(pairs: Pairs, base_rate: float) -> Doubles:
    """How often the candidate was liked, shrunk to the base rate, float64 (n,)."""
    received = pairs.history.candidate_received
    return np.asarray((received.likes + SHRINK_RECEIVED * base_rate) / (received.decisions + SHRINK_RECEIVED))


def interest_cosine(pairs: Pairs) -> Floats:
    """Cosine of the two people's rarity-weighted interests, float32 (n,), 0 to 1."""
    interests = pairs.people.interests
    cosine: Floats = np.einsum("ij,ij->i", interests[pairs.viewer], interests[pairs.candidate])
    return cosine
