"""Calibration of held-out log-odds, separately for pairs without history."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.ranker.linear import fit_platt

# With fewer likes or passes than this, nothing is fitted: the prior stays.
MIN_ROWS = 20


@dataclass(frozen=True)
class Calibration:
    """Slope and shift of log-odds, `cold` for pairs without history and `warm` for all others.

    `cold` is None if the same slope and shift hold for all pairs.
    """

    warm: tuple[float, float]
    cold: tuple[float, float] | None

    def apply(self, log_odds: Float64Array, cold: BoolArray) -> Float64Array:
        """Calibrate log-odds, float64 (n,); `cold` marks the rows without history, bool (n,)."""
        slope, shift = self.warm
        calibrated = slope * log_odds + shift
        if self.cold is not None:
            calibrated[cold] = self.cold[0] * log_odds[cold] + self.cold[1]
        return calibrated


def calibrate(log_odds: Float64Array, liked: BoolArray, cold: BoolArray) -> Calibration:
    """Fit Platt's calibration on held-out log-odds; predictions from profiles alone are less certain than they seem.

    On the speed-dating evenings the slope is 0.79 without history and 0.98 with history.

    Args:
        log_odds: Held-out log-odds, float64 (n,).
        liked: Labels, bool (n,).
        cold: Rows without history, bool (n,).

    Returns:
        Separate calibrations if both kinds of rows have MIN_ROWS likes and passes and the cold slope is positive;
        otherwise a common one.
    """
    parts = [rows for rows in (cold, ~cold) if min((rows & liked).sum(), (rows & ~liked).sum()) >= MIN_ROWS]
    if len(parts) == 2 and (of_cold := fit_platt(log_odds[cold], liked[cold]))[0] > 0:
        return Calibration(fit_platt(log_odds[~cold], liked[~cold]), of_cold)
    return Calibration(fit_platt(log_odds, liked), None)


def calibrate_by_fold(
    log_odds: Float64Array, liked: BoolArray, cold: BoolArray, fold: Int64Array
) -> dict[int, Calibration]:
    """Fit one calibration per fold on all other folds, so that a fold's labels do not affect its own calibration.

    The other folds' predictions come from rankers that saw the fold, so its labels keep an indirect effect. This does
    not make results look better. In 24 simulated populations the log loss is 0.002 above that of rankers whose
    calibration saw nothing of the fold. Calibrated on all rows together, it was 0.002 below, and up to 0.009.

    Args:
        log_odds: Held-out log-odds, float64 (n,).
        liked: Labels, bool (n,).
        cold: Rows without history, bool (n,).
        fold: Fold of each row, int64 (n,).
    """
    return {
        int(each): calibrate(log_odds[other], liked[other], cold[other])
        for each in np.unique(fold)
        for other in [fold != each]
    }


def apply_by_fold(
    by_fold: Mapping[int, Calibration], log_odds: Float64Array, cold: BoolArray, fold: Int64Array
) -> Float64Array:
    """Calibrate each row with the calibration of its fold, float64 (n,)."""
    calibrated = np.empty(len(log_odds))
    for each, calibration in by_fold.items():
        here = fold == each
        calibrated[here] = calibration.apply(log_odds[here], cold[here])
    return calibrated
