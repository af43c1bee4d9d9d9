from itertools import product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.ml.arrays import BoolArray
from models.ml.market.attention.activity import (
    PRIOR,
    ActivityModel,
    ActivityRecord,
    compute_activity,
    compute_log_likelihood,
    fit_activity,
)


def record(opened: BoolArray) -> ActivityRecord:
    """The record of users whose days are given, bool (n, days)."""
    days = opened.shape[1]
    last = np.where(opened.any(axis=1), days - np.argmax(opened[:, ::-1], axis=1), 0)
    return ActivityRecord(np.full(len(opened), days), opened.sum(axis=1), last)


@pytest.mark.parametrize("model", [PRIOR, ActivityModel(0.3, 2.0, 1.5, 4.0)])
def test_the_likelihoods_of_all_courses_of_days_sum_to_one(model: ActivityModel) -> None:
    courses = np.array(list(product([False, True], repeat=7)))
    assert np.exp(compute_log_likelihood(model, record(courses))).sum() == pytest.approx(1)


def test_activity_is_the_share_of_courses_that_go_on() -> None:
    """Of those that begin alike, over three more days."""
    courses = np.array(list(product([False, True], repeat=7)))
    likelihood = np.exp(compute_log_likelihood(PRIOR, record(courses)))
    begun = (courses[:, :4] == [True, False, True, False]).all(axis=1)
    expected = likelihood[begun & courses[:, 4:].any(axis=1)].sum() / likelihood[begun].sum()
    same = record(np.array([[True, False, True, False]]))
    assert compute_activity(PRIOR, same, horizon=3)[0] == pytest.approx(expected)


def test_without_users_the_prior_holds() -> None:
    nobody = np.empty(0, np.int64)
    fitted = fit_activity(ActivityRecord(nobody, nobody, nobody))
    assert vars(fitted) == pytest.approx(vars(PRIOR), rel=1e-6)
    new = compute_activity(fitted, ActivityRecord(*np.zeros((3, 1), np.int64)))
    assert 0.5 < new[0] < 0.95


@pytest.mark.parametrize("days", [4, 8, 60])
def test_next_week_is_as_was_said_and_better_known_than_by_recency(days: int) -> None:
    """Opening rates of all kinds, and one user in a hundred leaves each day."""
    rng = np.random.default_rng(days)
    rate, leaves = rng.beta(0.9, 0.9, (4000, 1)), rng.geometric(0.01, (4000, 1))
    opened: BoolArray = (rng.random((4000, days + 7)) < rate) & (np.arange(days + 7) < leaves)
    known, came = record(opened[:, :days]), np.asarray(opened[:, days:].any(axis=1), bool)
    said = compute_activity(fit_activity(known), known)
    tenths = np.array_split(np.argsort(said), 10)
    assert np.mean([abs(said[each].mean() - came[each].mean()) for each in tenths]) < 0.03
    assert roc_auc_score(came, said) > roc_auc_score(came, known.last) + 0.005
