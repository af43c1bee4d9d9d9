"""Activity: the probability that a user opens the app within the coming days, from the days on which they did.

The beta-geometric/beta-Bernoulli model (Fader, Hardie & Shang, Marketing Science 2010). While a user is there, they
open the app on each day with a probability of their own, drawn from Beta(alpha, beta). After each day they leave for
good with a probability of their own, drawn from Beta(gamma, delta). Three numbers of a user are sufficient: the days
observed, the active days among them, and the last active day.

What is not known is not held against anybody: where hardly a user was active, the app records no activity, and all
users count as active.
"""

from dataclasses import astuple, dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import betaln, logsumexp

from models.ml.arrays import BoolArray, Float64Array, Int64Array

HORIZON_DAYS = 7
MOST_ABSENT = 0.95
"""A larger share of absent users says that the app does not record activity."""
PRIOR_SPREAD = 0.5
"""Standard deviation of the prior of each parameter's logarithm."""


@dataclass(frozen=True)
class ActivityRecord:
    """What was observed of n users, int64 (n,) each.

    `days` counts the days observed, `active` the active ones among them, and `last` is the last active day, from 1;
    0 for none.
    """

    days: Int64Array
    active: Int64Array
    last: Int64Array


@dataclass(frozen=True)
class ActivityModel:
    """The parameters of the two beta distributions, each above 0."""

    alpha: float
    beta: float
    gamma: float
    delta: float


@dataclass(frozen=True)
class ActiveDays:
    """The days on which n users were active.

    `mask`, int64 (n,), has bit k set if the user was active k days ago; bit 0 is today, which is not over. `observed`,
    int64 (n,), counts the days before today since the user's first, at most 62.
    """

    observed: Int64Array
    mask: Int64Array

    def build_record(self, until: int = 0) -> ActivityRecord:
        """Build the record of the days before today, or of the days before `until` days ago."""
        days = np.maximum(self.observed - until, 0)
        mask = (self.mask >> (1 + until)) & ((np.int64(1) << days) - 1)
        quiet = np.bitwise_count((mask & -mask) - 1)  # days since the last active one
        last = np.where(mask > 0, days - quiet, 0)
        return ActivityRecord(days, np.bitwise_count(mask).astype(np.int64), last)

    def find_active(self, days: int) -> BoolArray:
        """Find the users who were active on one of the last `days` days before today, bool (n,)."""
        return np.asarray((self.mask >> 1) & ((1 << days) - 1) != 0)


@dataclass(frozen=True)
class Activity:
    """Of n users: the probability to open the app within HORIZON_DAYS, and whether they are absent, (n,) each."""

    p_active: Float64Array
    absent: BoolArray


PRIOR = ActivityModel(alpha=0.8, beta=1.2, gamma=0.6, delta=30.0)
"""Until data say otherwise: users open the app on two days of five, and one in fifty leaves after a day."""


def estimate_activity(days: ActiveDays, absent_after: int) -> Activity:
    """Estimate the activity of n users, and find the absent: observed for `absent_after` days, and not active since.

    If more than MOST_ABSENT of them would be absent, nobody is, and each probability is 1.
    """
    record = days.build_record()
    since = np.where(record.active > 0, record.days - record.last, record.days)
    absent = (since >= absent_after) & (days.mask & 1 == 0)
    if len(absent) and absent.mean() > MOST_ABSENT:
        return Activity(np.ones(len(absent)), np.zeros(len(absent), bool))
    return Activity(compute_activity(fit_activity(record), record), absent)


def fit_activity(record: ActivityRecord) -> ActivityModel:
    """Fit the model to users by maximum posterior likelihood; without users the result is PRIOR."""
    cells, counts = np.unique(np.stack([record.days, record.active, record.last]), axis=1, return_counts=True)
    seen = ActivityRecord(*cells)
    centre = np.log(astuple(PRIOR))

    def compute_loss(logarithms: Float64Array) -> float:
        model = ActivityModel(*np.exp(logarithms).tolist())
        penalty = (((logarithms - centre) / PRIOR_SPREAD) ** 2).sum() / 2
        return float(penalty - counts @ compute_log_likelihood(model, seen))

    found = minimize(compute_loss, centre, method="L-BFGS-B", bounds=[(-5.0, 8.0)] * len(centre))
    return ActivityModel(*np.exp(found.x).tolist())


def compute_activity(model: ActivityModel, record: ActivityRecord, horizon: int = HORIZON_DAYS) -> Float64Array:
    """Compute the probability of at least one active day among the next `horizon` days, float64 (n,).

    It is 1 less the ratio of two likelihoods: of the record followed by that many days without activity, and of the
    record.
    """
    cells, of_cell = np.unique(np.stack([record.days, record.active, record.last]), axis=1, return_inverse=True)
    seen, quiet = ActivityRecord(*cells), ActivityRecord(cells[0] + horizon, *cells[1:])
    chance = -np.expm1(compute_log_likelihood(model, quiet) - compute_log_likelihood(model, seen))
    return np.asarray(chance[of_cell.ravel()], np.float64)


def compute_log_likelihood(model: ActivityModel, record: ActivityRecord) -> Float64Array:
    """Compute the log-likelihood of each user's record, float64 (n,): equation 3 of Fader, Hardie & Shang."""
    days, active, last = record.days, record.active, record.last
    # All arguments of the beta functions are a parameter and a count of days.
    counts = np.arange(int(days.max(initial=0)) + 1)
    opened = betaln(model.alpha + counts[:, None], model.beta + counts) - betaln(model.alpha, model.beta)
    left, stayed = (
        betaln(model.gamma + each, model.delta + counts) - betaln(model.gamma, model.delta) for each in (1, 0)
    )
    left_after = last[:, None] + np.arange(int((days - last).max(initial=0)))
    before = np.minimum(left_after, days[:, None])
    terms = opened[active[:, None], before - active[:, None]] + left[before]
    terms[left_after >= days[:, None]] = -np.inf
    there = opened[active, days - active] + stayed[days]
    return np.asarray(logsumexp(np.column_stack([there, terms]), axis=1), np.float64)
