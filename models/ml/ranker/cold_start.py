"""What profiles alone say of a like: ridges without one and without two folds, so that nothing is told of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.ml.arrays import BoolArray, Float32Array, Float64Array, Int64Array
from models.ml.ranker.linear import LinearModel, compute_log_loss, fit_ridges

# Inverse strengths of the ridge penalty to choose from, by held-out log loss.
RIDGE_STRENGTHS = (1e-4, 3e-4, 1e-3, 1e-2)
Folds = frozenset[int]
NO_FOLDS: Folds = frozenset()


@dataclass(frozen=True)
class CrossFittedRidge:
    """Ridges on the features of two profiles, by the folds that they did not see."""

    by_excluded_fold: Mapping[Folds, LinearModel]

    @property
    def full(self) -> LinearModel:
        """The ridge that saw every fold."""
        return self.by_excluded_fold[NO_FOLDS]

    def log_odds(self, features: Float32Array, fold: Int64Array, left_out: Folds = NO_FOLDS) -> Float64Array:
        """Log-odds, float64 (n,), of each row by the ridge that saw neither the row's fold nor those left out.

        Without this care a second model learns from the first what the first learned from the very rows that the
        second is tested on: the within-viewer AUC of people nobody had seen came out as 0.66 and was 0.60.
        """
        log_odds = np.empty(len(features))
        for each in np.unique(fold):
            rows = fold == each
            ridge = self.by_excluded_fold.get(left_out | {int(each)}, self.by_excluded_fold.get(left_out, self.full))
            log_odds[rows] = ridge.log_odds(features[rows])
        return log_odds


def fit_cold_start(features: Float32Array, liked: BoolArray, fold: Int64Array) -> CrossFittedRidge:
    """Fit on features of profiles, float32 (n, f), labels and folds (n,), with the strength of least held-out loss."""
    ones = [frozenset({int(each)}) for each in np.unique(fold)]

    def fits(strength: float, left_out: list[Folds]) -> dict[Folds, LinearModel]:
        seen = [np.flatnonzero(~np.isin(fold, list(folds))) for folds in left_out]
        return dict(zip(left_out, fit_ridges([(features, rows) for rows in seen], liked, strength), strict=True))

    tried = {
        strength: CrossFittedRidge(fits(strength, [*ones]) | {NO_FOLDS: _EMPTY_RIDGE}) for strength in RIDGE_STRENGTHS
    }
    best = min(RIDGE_STRENGTHS, key=lambda strength: compute_log_loss(tried[strength].log_odds(features, fold), liked))
    twos = [one | other for one, other in combinations(ones, 2)]
    return CrossFittedRidge({**tried[best].by_excluded_fold, **fits(best, [NO_FOLDS, *twos])})


_EMPTY_RIDGE = LinearModel(np.empty(0), 0.0)
