from itertools import product

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from models.ml.arrays import BoolArray
from models.ml.market.attention.activity import (
    PRIOR,
    ActiveDays,
    ActivityModel,
    ActivityRecord,
    compute_activity,
    compute_log_likelihood,
    estimate_activity,
    fit_activity,
)
from models.ml.market.attention.activity_check import check_last_week


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


def days_of(opened: BoolArray, observed: int | None = None) -> ActiveDays:
    """The days of users, bool (n, days), of which the last is today."""
    back = np.arange(opened.shape[1])[::-1]
    mask = (opened.astype(np.int64) << back).sum(axis=1)
    return ActiveDays(np.full(len(opened), opened.shape[1] - 1 if observed is None else observed), mask)


@pytest.mark.parametrize("until", [0, 3])
def test_the_record_of_a_mask_is_that_of_its_days(until: int) -> None:
    opened = np.array(list(product([False, True], repeat=9)))
    known, expected = days_of(opened).build_record(until), record(opened[:, : 8 - until])
    for name in ("days", "active", "last"):
        np.testing.assert_array_equal(getattr(known, name), getattr(expected, name))
    assert days_of(opened, observed=0).build_record(until).days.tolist() == [0] * len(opened)


def test_today_is_not_among_the_days_before() -> None:
    """Users who were active today, yesterday, a week ago and eight days ago, and a newcomer who never was."""
    days = ActiveDays(np.array([40, 40, 40, 40, 2]), np.array([1, 1 << 1, 1 << 7, 1 << 8, 0]))
    assert days.find_active(7).tolist() == [False, True, True, False, False]


def test_who_was_not_there_for_long_is_absent_until_seen() -> None:
    """Two users of each kind: active yesterday, ten days ago, eleven days ago, eleven days ago and today, and new."""
    mask = np.repeat(np.array([1 << 1, 1 << 10, 1 << 11, 1 << 11 | 1, 0]), 2)
    found = estimate_activity(ActiveDays(np.repeat([40, 40, 40, 40, 3], 2), mask), absent_after=10)
    assert found.absent.tolist() == [False] * 4 + [True] * 2 + [False] * 4
    assert found.p_active[0] > found.p_active[2] > found.p_active[4]


def test_where_no_activity_is_recorded_nobody_is_absent() -> None:
    """One like of one user among many does not make all others absent."""
    days = ActiveDays(np.full(50, 59), np.append(2, np.zeros(49, np.int64)))
    found = estimate_activity(days, absent_after=30)
    assert not found.absent.any()
    assert (found.p_active == 1).all()
    nobody = np.empty(0, np.int64)
    assert len(estimate_activity(ActiveDays(nobody, nobody), 30).absent) == 0


def test_the_week_since_is_compared_with_what_was_known_before() -> None:
    rng = np.random.default_rng(1)
    rate, leaves = rng.beta(0.9, 0.9, (3000, 1)), rng.geometric(0.01, (3000, 1))
    days = days_of((rng.random((3000, 41)) < rate) & (np.arange(41) < leaves))
    report = check_last_week(days)
    assert report is not None
    assert report.users == 3000
    assert report.seen == pytest.approx(((days.mask >> 1) & 127 > 0).mean())
    assert report.calibration_error < 0.03
    assert report.auc > report.auc_recency + 2 * report.gain_error > report.auc_recency
    assert check_last_week(ActiveDays(np.full(5, 7), np.full(5, 2))) is None
