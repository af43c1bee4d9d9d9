"""How probably two people like each other, from their profiles alone: known before any decision and any message."""

import numpy as np

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.pair_features import Pairs, build_profile_features, make_empty_history
from models.ml.kernels.parallel import parallel_map
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.ranker_model import Ranker

PAIRS_PER_BATCH = 32_768


def compute_profile_log_odds(ranker: Ranker, people: ProfileMatrix, person: Int64Array) -> Float64Array:
    """Compute the log odds that each of two people likes the other, from the two profiles, float64 (n, 2).

    Without history, the past pairs that the head learns from and the pairs of tonight are measured alike, although
    more is known of people tonight.

    Args:
        ranker: Its cold-start part gives the log odds.
        people: Users by the ranker's own feature spec.
        person: Positions of both people, int64 (n, 2), -1 for a stranger, whose log odds are 0.
    """
    found, known = np.zeros(person.shape), np.flatnonzero((person >= 0).all(axis=1))

    def compute_batch(rows: Int64Array) -> None:
        for side in range(2):
            pairs = Pairs(people, person[rows, side], person[rows, 1 - side], make_empty_history(len(rows)))
            found[rows, side] = ranker.cold.log_odds(build_profile_features(ranker.specification, pairs))

    parallel_map(
        compute_batch, [known[start : start + PAIRS_PER_BATCH] for start in range(0, len(known), PAIRS_PER_BATCH)]
    )
    return found
