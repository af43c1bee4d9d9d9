"""From held-out log-odds to probabilities that come true, apart for pairs of whose likes nothing is known."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.ranker.linear import fit_platt

# Fewer likes or passes than this teach nothing: the prior stands.
MIN_ROWS = 20


@dataclass(frozen=True)
class Calibration:
    """Slope and shift of log-odds, apart for pairs of whose likes nothing is known."""

    warm: tuple[float, float]
    cold: tuple[float, float] | None

    def apply(self, log_odds: Float64Array, cold: BoolArray) -> Float64Array:
        """Calibrated log-odds, float64 (n,); `cold` are the rows of whose likes nothing is known."""
        slope, shift = self.warm
        calibrated = slope * log_odds + shift
        if self.cold is not None:
            calibrated[cold] = self.cold[0] * log_odds[cold] + self.cold[1]
        return calibrated


def calibrate(log_odds: Float64Array, liked: BoolArray, cold: BoolArray) -> Calibration:
    """Platt's calibration on held-out log-odds: what profiles alone say of new people is less sure than it seems.

    On the speed-dating evenings the slope is 0.79 where nothing is known and 0.98 elsewhere.
    """
    parts = [rows for rows in (cold, ~cold) if min((rows & liked).sum(), (rows & ~liked).sum()) >= MIN_ROWS]
    if len(parts) == 2 and (of_cold := fit_platt(log_odds[cold], liked[cold]))[0] > 0:
        return Calibration(fit_platt(log_odds[~cold], liked[~cold]), of_cold)
    return Calibration(fit_platt(log_odds, liked), None)


def calibrate_by_fold(
    log_odds: Float64Array, liked: BoolArray, cold: BoolArray, fold: Int64Array
) -> dict[int, Calibration]:
    """For each fold the calibration on all the others: labels of a fold do not flatter what is said of it.

    All are (n,). What is said of the others comes from rankers that did see the fold, so its labels still have a say.
    That flatters nothing: in 24 planted towns the log loss is 0.002 above that of rankers whose calibration had seen
    nothing of the fold at all. Calibrated on all rows together it was 0.002 below, by up to 0.009.
    """
    return {
        int(each): calibrate(log_odds[other], liked[other], cold[other])
        for each in np.unique(fold)
        for other in [fold != each]
    }


def apply_by_fold(
    by_fold: Mapping[int, Calibration], log_odds: Float64Array, cold: BoolArray, fold: Int64Array
) -> Float64Array:
    """Calibrated log-odds, float64 (n,), each row by the calibration of its fold."""
    calibrated = np.empty(len(log_odds))
    for each, calibration in by_fold.items():
        here = fold == each
        calibrated[here] = calibration.apply(log_odds[here], cold[here])
    return calibrated
