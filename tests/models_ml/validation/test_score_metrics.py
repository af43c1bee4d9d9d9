"""How good scores are: by hand, by brute force, and beside scikit-learn."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.ml.validation.score_metrics import (
    compute_auc,
    compute_binomial_standard_error,
    compute_calibration_error,
    compute_lift,
    compute_log_loss,
    compute_reliability,
    compute_within_viewer_auc,
    compute_within_viewer_aucs,
)

label_and_score = st.tuples(st.booleans(), st.integers(-2, 2).map(lambda score: score / 2))
decisions = st.lists(label_and_score, min_size=1, max_size=40)


def by_brute_force(rows: list[tuple[bool, float]]) -> float:
    """The share of (positive, negative) pairs in the right order, ties half."""
    duels = [
        (liked > passed) + (liked == passed) / 2
        for is_like, liked in rows
        if is_like
        for is_not, passed in rows
        if not is_not
    ]
    return float(np.mean(duels)) if duels else math.nan


def test_auc_by_hand() -> None:
    """Positives score 3 and 1, negatives 2, 1 and 0: won 3 + 1, a tie, lost 1, of 6."""
    assert compute_auc([1, 0, 0, 1, 0], [3, 2, 1, 1, 0]) == pytest.approx(4.5 / 6)


@given(decisions)
def test_auc_is_scikit_learn_s(rows: list[tuple[bool, float]]) -> None:
    label, score = zip(*rows, strict=True)
    assume(len(set(label)) == 2)
    assert compute_auc(label, score) == pytest.approx(roc_auc_score(label, score))


def test_auc_of_one_kind_alone_is_not_known() -> None:
    assert math.isnan(compute_auc([True, True], [0.1, 0.2]))
    assert math.isnan(compute_auc([False], [0.1]))
    assert math.isnan(compute_auc([], []))


def test_within_viewer_auc_by_hand() -> None:
    """Viewer 1 is ordered rightly, 2 wrongly, 3 a tie; 4 has only likes. Over all pairs it would look better."""
    viewer = [1, 1, 2, 2, 3, 3, 4, 4]
    label = [1, 0, 0, 1, 1, 0, 1, 1]
    score = [0.2, 0.1, 0.4, 0.3, 0.6, 0.6, 0.9, 0.8]
    assert compute_within_viewer_aucs(viewer, label, score).to_dict() == {1: 1.0, 2: 0.0, 3: 0.5}
    assert compute_within_viewer_auc(viewer, label, score) == 0.5


def test_without_a_viewer_of_both_kinds_nothing_is_known() -> None:
    for viewer, label in (([1, 2], [True, False]), ([], [])):
        aucs = compute_within_viewer_aucs(viewer, label, np.zeros(len(viewer)))
        assert len(aucs) == 0
        assert math.isnan(compute_within_viewer_auc(viewer, label, np.zeros(len(viewer))))


@given(st.lists(st.tuples(st.integers(0, 4), label_and_score), min_size=1, max_size=60))
def test_within_viewer_auc_is_the_mean_of_each_viewer_s(rows: list[tuple[int, tuple[bool, float]]]) -> None:
    each = {viewer: by_brute_force([row for who, row in rows if who == viewer]) for viewer, _ in rows}
    known = {viewer: value for viewer, value in each.items() if not math.isnan(value)}
    viewer = [who for who, _ in rows]
    label, score = zip(*(row for _, row in rows), strict=True)
    assert compute_within_viewer_aucs(viewer, label, score).to_dict() == pytest.approx(known)
    mean = float(np.mean(list(known.values()))) if known else math.nan
    assert compute_within_viewer_auc(viewer, label, score) == pytest.approx(mean, nan_ok=True)


def test_log_loss_by_hand() -> None:
    assert compute_log_loss([True, False, True], [0.8, 0.4, 0.5]) == pytest.approx(-math.log(0.8 * 0.6 * 0.5) / 3)
    assert compute_log_loss([True, True], np.array([0.25, 0.25], np.float32)) == pytest.approx(math.log(4))
    assert math.isfinite(compute_log_loss([True, False], [0.0, 1.0]))


def test_calibration_error_by_hand() -> None:
    """In order of the predictions: 0.1 and 0.3, of whom one liked; 0.5 and 0.9, of whom both."""
    probability, label = [0.9, 0.1, 0.5, 0.3], [1, 0, 1, 1]
    assert compute_calibration_error(label, probability, bins=2) == pytest.approx((abs(0.5 - 0.2) + abs(1 - 0.7)) / 2)
    assert compute_calibration_error(label, probability, bins=1) == pytest.approx(abs(0.75 - 0.45))
    assert compute_calibration_error(label, probability, bins=100) == pytest.approx((0.1 + 0.1 + 0.5 + 0.7) / 4)


def test_predictions_that_are_the_same_for_all_are_calibrated_if_their_mean_is() -> None:
    label = np.repeat([True, False], [300, 700])
    assert compute_calibration_error(label, np.full(1_000, 0.3)) == pytest.approx(0)
    assert compute_calibration_error(label, np.full(1_000, 0.5)) == pytest.approx(0.2)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9])), min_size=1, max_size=40))
def test_calibration_error_does_not_depend_on_the_order_of_rows(rows: list[tuple[bool, float]]) -> None:
    label, probability = np.array(rows).T
    one, other = np.lexsort((label, probability)), np.lexsort((-label, probability))
    expected = compute_calibration_error(label[one], probability[one])
    assert compute_calibration_error(label[other], probability[other]) == pytest.approx(expected)


def test_probabilities_that_are_true_are_calibrated() -> None:
    random = np.random.default_rng(5)
    probability = random.random(50_000)
    assert compute_calibration_error(random.random(50_000) < probability, probability) < 0.01
    assert compute_calibration_error(random.random(50_000) < probability**2, probability) > 0.1


def test_reliability_by_hand() -> None:
    """In order of the predictions: 0.1 (passed), 0.3 (liked), 0.3 (passed), 0.9 (liked); the ties share their rate."""
    table = compute_reliability([1, 0, 1, 0], [0.9, 0.1, 0.3, 0.3], bins=2)
    assert table["predicted"].to_list() == pytest.approx([0.2, 0.6])
    assert table["observed"].to_list() == pytest.approx([0.25, 0.75])
    assert table["n"].to_list() == [2, 2]
    assert compute_reliability([1, 0], [0.4, 0.2], bins=10)["n"].to_list() == [1, 1]


def test_the_error_of_a_share_is_that_of_a_binomial_one() -> None:
    assert compute_binomial_standard_error([0.5, 0.1, 1.0], [100, 900, 5]).tolist() == pytest.approx([0.05, 0.01, 0.0])


def test_lift_by_hand() -> None:
    """Of eight rows the best two hold two of the three positives; a tie over the next four holds the third."""
    table = compute_lift([1, 1, 1, 0, 0, 0, 0, 0], [9, 8, 5, 5, 5, 5, 2, 1], bins=4)
    assert table["n"].to_list() == [2, 2, 2, 2]
    assert table["rate"].to_list() == pytest.approx([1, 0.25, 0.25, 0])
    assert table["lift"].to_list() == pytest.approx([8 / 3, 2 / 3, 2 / 3, 0])
    assert table["captured"].to_list() == pytest.approx([2 / 3, 2.5 / 3, 1, 1])


@given(st.lists(label_and_score, min_size=1, max_size=40), st.integers(1, 12))
def test_lift_depends_on_neither_the_order_of_rows_nor_the_scale(rows: list[tuple[bool, float]], bins: int) -> None:
    label, score = np.array(rows).T
    assume(label.any())
    expected = compute_lift(label, score, bins)
    pd.testing.assert_frame_equal(compute_lift(label[::-1], np.exp(3 * score[::-1]), bins), expected)
    assert expected["n"].sum() == len(rows)
    assert expected["captured"].iloc[-1] == pytest.approx(1)
