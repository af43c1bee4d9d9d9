"""Whether activity was said well: what was known a week ago, against the week since."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array
from models.ml.market.attention.activity import HORIZON_DAYS, ActiveDays, compute_activity, fit_activity
from models.ml.validation.score_metrics import compute_auc, compute_calibration_error

RESAMPLES = 50


@dataclass(frozen=True)
class ActivityReport:
    """What was said of `users` a week ago and seen since.

    `calibration_error` is the expected calibration error, 0 to 1. `auc` compares with `auc_recency`, the AUC of the
    last active day alone; `gain_error` is the standard error of the difference. NaN if all or none were active.
    """

    users: int
    said: float
    seen: float
    calibration_error: float
    auc: float
    auc_recency: float
    gain_error: float


def check_last_week(days: ActiveDays) -> ActivityReport | None:
    """Predict the last HORIZON_DAYS days from the days before, and compare; None if nobody was observed before."""
    record = days.build_record(HORIZON_DAYS)
    known = record.days > 0
    if not known.any():
        return None
    said = compute_activity(fit_activity(record), record)[known]
    came = days.find_active(HORIZON_DAYS)[known]
    recency = -np.where(record.active > 0, record.days - record.last, record.days + 1)[known].astype(np.float64)
    return ActivityReport(
        int(known.sum()),
        float(said.mean()),
        float(came.mean()),
        compute_calibration_error(came, said),
        compute_auc(came, said),
        compute_auc(came, recency),
        _estimate_gain_error(came, said, recency),
    )


def _estimate_gain_error(came: BoolArray, said: Float64Array, recency: Float64Array) -> float:
    """Estimate the standard error of the difference of the two AUCs by resampling users."""
    rng = np.random.default_rng(0)
    gains = []
    for _ in range(RESAMPLES):
        drawn = rng.integers(len(came), size=len(came))
        gains.append(compute_auc(came[drawn], said[drawn]) - compute_auc(came[drawn], recency[drawn]))
    return float(np.std(gains))
