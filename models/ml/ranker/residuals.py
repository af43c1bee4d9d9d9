"""Residuals of decisions: what a like or a pass says beyond the two profiles."""

import numpy as np
from scipy.special import expit

from models.ml.arrays import Float64Array, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.pair_features import build_cold_pairs, build_profile_features
from models.ml.kernels.parallel import parallel_map
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.ranker_model import Ranker

DECISIONS_PER_BATCH = 32_768


def compute_residuals(
    ranker: Ranker, people: ProfileMatrix, decisions: Decisions, batch_size: int = DECISIONS_PER_BATCH
) -> Float64Array:
    """Compute the residual of each of n decisions, float64 (n,), on all cores.

    A residual is 1 for a like and 0 for a pass, less the probability of a like from the two profiles alone. Source:
    residuals of decisions against a cross-fitted model, as in Kenny's social relations model.

    Args:
        ranker: Its cold-start part gives the probability.
        people: Users by the ranker's own feature spec.
        decisions: Positions are those of `people`.
        batch_size: Decisions whose features are in memory at once, for each core. It changes no result.
    """

    def compute_batch(rows: Int64Array) -> Float64Array:
        batch = decisions.take(rows)
        features = build_profile_features(ranker.specification, build_cold_pairs(people, batch))
        return np.asarray(batch.liked - expit(ranker.cold.log_odds(features)))

    rows = np.arange(len(decisions))
    batches = [rows[start : start + batch_size] for start in range(0, len(rows), batch_size)]
    return np.concatenate([np.empty(0), *parallel_map(compute_batch, batches)])
