"""What profiles alone say of a like: ridges without one and without two folds, so that nothing is told of itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from models.ml.history import Bools, Doubles, Ints
from models.ml.linear import Linear, fit_each, log_loss_of
from models.ml.people import Floats

# Inverse strengths of the ridge penalty to choose from, by held-out log loss.
RIDGES = (1e-4, 3e-4, 1e-3, 1e-2)
Folds = frozenset[int]
NONE: Folds = frozenset()


@dataclass(frozen=True)
class Cold:
    """Ridges on the features of two profiles, by the folds that they did not see."""

    without: Mapping[Folds, Linear]

    @property
    def whole(self) -> Linear:
        """The ridge that saw every fold."""
        return self.without[NONE]

    def log_odds(self, features: Floats, fold: Ints, left_out: Folds = NONE) -> Doubles:
        """Log-odds, float64 (n,), of each row by the ridge that saw neither the row's fold nor those left out.

        Without this care a second model learns from the first what the first learned from the very rows that the
        second is tested on: the within-viewer AUC of people nobody had seen came out as 0.66 and was 0.60.
        """
        log_odds = np.empty(len(features))
        for each in np.unique(fold):
            rows = fold == each
            ridge = self.without.get(left_out | {int(each)}, self.without.get(left_out, self.whole))
            log_odds[rows] = ridge.log_odds(features[rows])
        return log_odds


def fit_cold(features: Floats, liked: Bools, fold: Ints) -> Cold:
    """Fit on features of profiles, float32 (n, f), labels and folds (n,), with the strength of least held-out loss."""
    ones = [frozenset({int(each)}) for each in np.unique(fold)]

    def fits(strength: float, left_out: list[Folds]) -> dict[Folds, Linear]:
        seen = [np.flatnonzero(~np.isin(fold, list(folds))) for folds in left_out]
        return dict(zip(left_out, fit_each([(features, rows) for rows in seen], liked, strength), strict=True))

    tried = {strength: Cold(fits(strength, [*ones]) | {NONE: _NOTHING}) for strength in RIDGES}
    best = min(RIDGES, key=lambda strength: log_loss_of(tried[strength].log_odds(features, fold), liked))
    twos = [one | other for one, other in combinations(ones, 2)]
    return Cold({**tried[best].without, **fits(best, [NONE, *twos])})


_NOTHING = Linear(np.empty(0), 0.0)
