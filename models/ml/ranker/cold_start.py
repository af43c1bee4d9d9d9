"""Cold-start predictions: ridges fitted without each fold and without each pair of folds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.ranker.linear import LinearModel, compute_log_loss, fit_ridges

# Inverse penalties (C) to choose from by held-out log loss.
RIDGE_STRENGTHS = (1e-4, 3e-4, 1e-3, 1e-2)
Folds = frozenset[int]
NO_FOLDS: Folds = frozenset()


@dataclass(frozen=True)
class CrossFittedRidge:
    """Ridges on the features of two profiles, by the folds they were fitted without."""

    by_excluded_fold: Mapping[Folds, LinearModel]

    @property
    def full(self) -> LinearModel:
        """The ridge fitted on all folds."""
        return self.by_excluded_fold[NO_FOLDS]

    def log_odds(self, features: Float32Array, fold: Int64Array, left_out: Folds = NO_FOLDS) -> Float64Array:
        """Compute log-odds, float64 (n,), of each row by the ridge fitted without the row's fold and `left_out`.

        Otherwise the second ridge would be trained on predictions that saw its own test rows. The within-viewer AUC for
        users in no training fold came out as 0.66 and was 0.60.

        Args:
            features: Features of the two profiles, float32 (n, f).
            fold: Fold of each row, int64 (n,).
            left_out: Other folds that must be excluded.
        """
        log_odds = np.empty(len(features))
        for each in np.unique(fold):
            rows = fold == each
            ridge = self.by_excluded_fold.get(left_out | {int(each)}, self.by_excluded_fold.get(left_out, self.full))
            log_odds[rows] = ridge.log_odds(features[rows])
        return log_odds


def fit_cold_start(
    features: Float32Array, liked: BoolArray, fold: Int64Array, strengths: Sequence[float] = RIDGE_STRENGTHS
) -> CrossFittedRidge:
    """Fit ridges on profile features with the penalty of the lowest held-out log loss.

    Args:
        features: Features of the two profiles, float32 (n, f).
        liked: Labels, bool (n,).
        fold: Fold of each row, int64 (n,).
        strengths: Inverse penalties (C) to choose from.
    """
    ones = [frozenset({int(each)}) for each in np.unique(fold)]

    def fits(strength: float, left_out: list[Folds]) -> dict[Folds, LinearModel]:
        seen = [np.flatnonzero(~np.isin(fold, list(folds))) for folds in left_out]
        return dict(zip(left_out, fit_ridges([(features, rows) for rows in seen], liked, strength), strict=True))

    tried = {strength: CrossFittedRidge(fits(strength, [*ones]) | {NO_FOLDS: _EMPTY_RIDGE}) for strength in strengths}
    best = min(strengths, key=lambda strength: compute_log_loss(tried[strength].log_odds(features, fold), liked))
    twos = [one | other for one, other in combinations(ones, 2)]
    return CrossFittedRidge({**tried[best].by_excluded_fold, **fits(best, [NO_FOLDS, *twos])})


_EMPTY_RIDGE = LinearModel(np.empty(0), 0.0)
