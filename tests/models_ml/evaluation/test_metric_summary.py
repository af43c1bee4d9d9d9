"""All metrics under their names."""

import math

import numpy as np
import pytest

from models.ml.evaluation.metric_summary import summarise_scores

NAMES = {
    "pooled_auc",
    "within_viewer_auc",
    "ndcg_at_5",
    "ndcg_at_10",
    "map",
    "captured_at_3",
    "captured_at_5",
    "log_loss",
    "calibration_error",
}


def test_by_hand() -> None:
    """Viewer 1 is ordered rightly; viewer 2, of one positive at the last of six places, wrongly."""
    viewer = [1, 1] + [2] * 6
    label = [1, 0] + [0] * 5 + [1]
    score = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    found = summarise_scores(viewer, label, score, probability=True)
    assert found == pytest.approx(
        {
            "pooled_auc": 6 / 12,
            "within_viewer_auc": (1 + 0) / 2,
            "ndcg_at_5": (1 + 0) / 2,
            "ndcg_at_10": (1 + 1 / math.log2(7)) / 2,
            "map": (1 + 1 / 6) / 2,
            "captured_at_3": 1 / 2,
            "captured_at_5": 1 / 2,
            "log_loss": -math.log(0.9 * 0.2 * 0.3 * 0.4 * 0.5 * 0.6 * 0.7 * 0.2) / 8,
            "calibration_error": (0.1 + 0.8 + 0.7 + 0.6 + 0.5 + 0.4 + 0.3 + 0.8) / 8,
        }
    )


def test_scores_that_are_no_probabilities_have_no_log_loss_and_no_calibration() -> None:
    found = summarise_scores([1, 1], [1, 0], [7.0, -3.0], probability=False)
    assert {name for name, value in found.items() if math.isnan(value)} == {"log_loss", "calibration_error"}


def test_of_one_kind_alone_only_probabilities_are_known() -> None:
    found = summarise_scores([1, 1], [0, 0], [0.5, 0.5], probability=True)
    known = {name: value for name, value in found.items() if not math.isnan(value)}
    assert known == pytest.approx({"log_loss": math.log(2), "calibration_error": 0.5})


def test_of_nothing_nothing_is_known() -> None:
    found = summarise_scores([], [], [], probability=True)
    assert found.keys() == NAMES
    assert all(math.isnan(value) for value in found.values())


def test_the_order_of_rows_changes_nothing() -> None:
    random = np.random.default_rng(3)
    viewer, label = random.integers(0, 20, 400), random.random(400) < 0.4
    score = random.integers(0, 8, 400) / 8
    order = random.permutation(400)
    shuffled = summarise_scores(viewer[order], label[order], score[order], probability=True)
    assert shuffled == pytest.approx(summarise_scores(viewer, label, score, probability=True))
