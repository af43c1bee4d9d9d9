"""The survival curve and its errors: by hand, by Greenwood's formula, and with people in several conversations."""

import numpy as np
import pandas as pd
import pytest

from models.ml.conversations.insights.survival import estimate_survival, judge_answers, observe_waits
from models.ml.validation.clustered_errors import estimate_dyadic_error

WAITS = np.array([1.0, 2, 2, 3, 4, 5])
ANSWERED = np.array([True, True, False, True, False, True])


def test_the_curve_by_hand() -> None:
    """At 1: 5/6 wait on. At 2: 4 of 5; one is censored then. At 3: 2 of 3. At 5: the last one."""
    curve = estimate_survival(WAITS, ANSWERED)
    assert curve.times.tolist() == [1, 2, 3, 5]
    assert curve.at_risk.tolist() == [6, 5, 3, 1]
    assert curve.survival == pytest.approx([5 / 6, 2 / 3, 4 / 9, 0])
    assert [curve.compute_survival(at) for at in (0.5, 2, 4.9)] == pytest.approx([1, 2 / 3, 4 / 9])
    assert estimate_survival(np.zeros(0), np.zeros(0, bool)).compute_survival(3) == 1


def test_without_shared_people_the_error_is_greenwoods() -> None:
    random = np.random.default_rng(1)
    waits, limit = random.exponential(size=4000), random.exponential(2, 4000)
    answered = waits <= limit
    waits = np.minimum(waits, limit)
    curve = estimate_survival(waits, answered)
    influence = curve.compute_influence(waits, answered, 1.0)
    assert influence.sum() == pytest.approx(0, abs=1e-9)
    before = curve.times <= 1.0
    risk, events = curve.at_risk[before], curve.events[before]
    greenwood = curve.compute_survival(1.0) * np.sqrt((events / (risk * (risk - events))).sum())
    alone = np.arange(8000).reshape(-1, 2)
    assert estimate_dyadic_error(influence, alone) == pytest.approx(greenwood, rel=0.02)


def test_the_error_of_a_mean_counts_either_side_of_a_person() -> None:
    """By brute force: the products of all pairs of conversations with a person in common."""
    random = np.random.default_rng(2)
    pairs = pd.DataFrame(random.integers(0, 9, (60, 2)) + np.array([0, 4])).drop_duplicates()
    pairs = pairs[(pairs[0] < pairs[1])]
    person, effect = pairs.to_numpy(np.int64), random.normal(size=13)
    added = effect[person].sum(axis=1)
    added = (added - added.mean()) / len(added)
    shared = (person[:, None, :, None] == person[None, :, None, :]).any(axis=(2, 3))
    expected = (np.outer(added, added) * shared).sum()
    assert expected > (added**2).sum()
    assert estimate_dyadic_error(added, person) == pytest.approx(np.sqrt(expected))


def test_closing_and_now_end_a_wait() -> None:
    matched, now = pd.Timestamp("2026-03-01", tz="UTC"), pd.Timestamp("2026-03-03", tz="UTC")
    opened = pd.DataFrame(
        {
            "matched_at": [matched] * 3,
            "closed_at": [pd.NaT, matched + pd.Timedelta(hours=10), pd.NaT],
            "opened_after_h": [2.0, 4.0, 1.0],
            "answered_after_h": [np.nan, np.nan, 5.0],
        }
    )
    opened["closed_at"] = pd.to_datetime(opened["closed_at"], utc=True)
    waits, answered = observe_waits(opened, now)
    assert waits.tolist() == [46, 6, 5]
    assert answered.tolist() == [False, False, True]
    assert judge_answers(opened, now, 4).tolist() == [0, 0, 0]
    assert judge_answers(opened, now, 45).tolist()[::2] == [0, 1], "the second opener is 44 hours old"
    assert np.isnan(judge_answers(opened, now, 45)[1])
