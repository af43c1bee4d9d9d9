"""Metrics of lists, by brute force over every order of ties, and all metrics under their names."""

import math
from collections.abc import Callable
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from models.ml.evaluation import ranking_metrics as metrics
from models.ml.evaluation.metric_summary import summarise_scores

# Scores that tie often; few enough rows for every order of them.
tied_list = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=6)
tied_pairs = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([-math.inf, -1.0, 0.25, 2.0])), min_size=1, max_size=30
)


def dcg(labels: list[bool], k: int) -> float:
    return sum(label / math.log2(index + 2) for index, label in enumerate(labels[:k]))


def precision_at_positives(labels: list[bool]) -> float:
    return float(np.mean([np.mean(labels[: index + 1]) for index, label in enumerate(labels) if label]))


def expected(rows: list[tuple[bool, float]], metric: Callable[[list[bool]], float]) -> float:
    """The mean of a metric of the labels in order, over every order of the rows that is sorted by score."""
    orders = [order for order in permutations(rows) if all(a[1] >= b[1] for a, b in pairwise(order))]
    return float(np.mean([metric([label for label, _ in order]) for order in orders]))


@settings(max_examples=60)
@given(tied_list, st.integers(1, 7))
def test_ties_count_as_the_mean_over_all_their_orders(rows: list[tuple[bool, float]], k: int) -> None:
    label, score = zip(*rows, strict=True)
    positives = sum(label)
    assume(positives)
    lists = metrics.rank_lists(np.zeros(len(rows)), label, score)
    best = dcg([True] * positives, k)
    assert metrics.compute_ndcg(lists, k) == pytest.approx(expected(rows, lambda labels: dcg(labels, k) / best))
    assert metrics.compute_mean_average_precision(lists) == pytest.approx(expected(rows, precision_at_positives))
    assert metrics.compute_recall(lists, k) == pytest.approx(expected(rows, lambda labels: sum(labels[:k]) / positives))


def everything(viewer: object, label: object, score: object) -> list[float]:
    lists = metrics.rank_lists(np.asarray(viewer), np.asarray(label), np.asarray(score))
    ndcg = [metrics.compute_ndcg(lists, k) for k in (2, 5)]
    return [*ndcg, metrics.compute_mean_average_precision(lists), metrics.compute_recall(lists, 3)]


@given(tied_pairs, st.integers(0, 99))
def test_only_the_order_by_score_counts_and_lists_are_averaged(rows: list[tuple[int, bool, float]], seed: int) -> None:
    viewer, label, score = (np.array(column) for column in zip(*rows, strict=True))
    before = everything(viewer, label, score)
    order = np.random.default_rng(seed).permutation(len(rows))
    names = np.array([f"person {each}" for each in viewer], object)
    assert everything(names[order], label[order], np.exp(score[order])) == pytest.approx(before, nan_ok=True)
    each = [everything(viewer[viewer == who], label[viewer == who], score[viewer == who])[:3] for who in set(viewer)]
    if known := [values for values in each if not math.isnan(values[0])]:
        assert before[:3] == pytest.approx(list(np.mean(known, axis=0)))


def test_nothing_is_known_without_a_positive_and_nan_is_refused() -> None:
    for viewer, label in (([1, 1, 2], [0, 0, 0]), ([], [])):
        assert all(math.isnan(value) for value in everything(viewer, label, np.zeros(len(viewer))))
    with pytest.raises(ValueError, match="NaN"):
        metrics.rank_lists([1, 1], [0, 1], [0.5, math.nan])


def test_by_hand() -> None:
    """Viewer 1 is ordered rightly; viewer 2, of one positive at the last of six positions, wrongly."""
    viewer = [1, 1] + [2] * 6
    label = [1, 0] + [0] * 5 + [1]
    score = [0.9, 0.8, 0.7, 0.6, 0.5, 0.4, 0.3, 0.2]
    expected = {
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
    assert summarise_scores(viewer, label, score, probability=True) == pytest.approx(expected)
    nothing = summarise_scores([], [], [], probability=True)
    assert nothing.keys() == expected.keys()
    assert all(math.isnan(value) for value in nothing.values())


def test_only_probabilities_have_log_loss_and_calibration() -> None:
    found = summarise_scores([1, 1], [1, 0], [7.0, -3.0], probability=False)
    assert {name for name, value in found.items() if math.isnan(value)} == {"log_loss", "calibration_error"}
    passes = summarise_scores([1, 1], [0, 0], [0.5, 0.5], probability=True)
    known = {name: value for name, value in passes.items() if not math.isnan(value)}
    assert known == pytest.approx({"log_loss": math.log(2), "calibration_error": 0.5})
