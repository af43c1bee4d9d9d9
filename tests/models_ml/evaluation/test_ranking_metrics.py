"""Lists: known answers by hand, every order of ties by brute force, and scikit-learn where nothing ties."""

import math
from collections.abc import Callable
from itertools import pairwise, permutations

import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import average_precision_score, ndcg_score

from models.ml.evaluation.ranking_metrics import (
    compute_mean_average_precision,
    compute_ndcg,
    compute_recall,
    rank_lists,
)

# Scores that tie often; few enough rows for every order of them.
tied_list = st.lists(st.tuples(st.booleans(), st.sampled_from([0.0, 0.5, 1.0])), min_size=1, max_size=6)
tied_pairs = st.lists(
    st.tuples(st.integers(0, 3), st.booleans(), st.sampled_from([-1.0, 0.0, 0.25, 2.0])), min_size=1, max_size=30
)
untied_list = st.lists(
    st.tuples(st.booleans(), st.integers(-1_000, 1_000)), min_size=2, max_size=30, unique_by=lambda row: row[1]
)


def dcg_of_places(labels: list[bool], k: int) -> float:
    return sum(label / math.log2(place + 2) for place, label in enumerate(labels[:k]))


def precision_at_positives(labels: list[bool]) -> float:
    return float(np.mean([np.mean(labels[: place + 1]) for place, label in enumerate(labels) if label]))


def expected(rows: list[tuple[bool, float]], metric: Callable[[list[bool]], float]) -> float:
    """The mean of a metric of the labels in order, over every order of the rows that is sorted by score."""
    orders = [order for order in permutations(rows) if all(a[1] >= b[1] for a, b in pairwise(order))]
    return float(np.mean([metric([label for label, _ in order]) for order in orders]))


def test_by_hand() -> None:
    """Viewer 7 has positives at places 1 and 4 of 4; viewer 8 at place 2 of 2; viewer 9 has none and does not count."""
    viewer = [7, 7, 7, 7, 8, 8, 9, 9]
    label = [1, 0, 0, 1, 0, 1, 0, 0]
    score = [9, 8, 7, 6, 0.5, 0.4, 1, 2]
    lists = rank_lists(viewer, label, score)
    first = (1 + 1 / math.log2(5)) / (1 + 1 / math.log2(3))
    assert compute_ndcg(lists, 5) == pytest.approx((first + 1 / math.log2(3)) / 2)
    assert compute_ndcg(lists, 1) == pytest.approx((1 + 0) / 2)
    assert compute_ndcg(lists, 3) == pytest.approx((1 / (1 + 1 / math.log2(3)) + 1 / math.log2(3)) / 2)
    assert compute_mean_average_precision(lists) == pytest.approx(((1 + 2 / 4) / 2 + 1 / 2) / 2)
    assert compute_recall(lists, 1) == pytest.approx(1 / 3)
    assert compute_recall(lists, 3) == pytest.approx(2 / 3)
    assert compute_recall(lists, 4) == 1


def test_a_list_of_one_score_by_hand() -> None:
    """One positive of four, anywhere: place 1 to 4 with chance 1/4 each."""
    lists = rank_lists(["x"] * 4, [0, 0, 1, 0], [0.3] * 4)
    assert compute_recall(lists, 3) == pytest.approx(3 / 4)
    assert compute_mean_average_precision(lists) == pytest.approx((1 + 1 / 2 + 1 / 3 + 1 / 4) / 4)
    assert compute_ndcg(lists, 2) == pytest.approx((1 + 1 / math.log2(3)) / 4)


@settings(max_examples=60, deadline=None)
@given(tied_list, st.integers(1, 7))
def test_ties_count_as_the_mean_over_all_their_orders(rows: list[tuple[bool, float]], k: int) -> None:
    label, score = zip(*rows, strict=True)
    positives = sum(label)
    assume(positives)
    lists = rank_lists(np.zeros(len(rows)), label, score)
    best = dcg_of_places([True] * positives, k)
    assert compute_ndcg(lists, k) == pytest.approx(expected(rows, lambda labels: dcg_of_places(labels, k) / best))
    assert compute_mean_average_precision(lists) == pytest.approx(expected(rows, precision_at_positives))
    assert compute_recall(lists, k) == pytest.approx(expected(rows, lambda labels: sum(labels[:k]) / positives))


@given(untied_list, st.integers(1, 12))
def test_one_list_without_ties_is_scikit_learn_s(rows: list[tuple[bool, int]], k: int) -> None:
    label, score = zip(*rows, strict=True)
    assume(any(label))
    lists = rank_lists(np.zeros(len(rows)), label, score)
    assert compute_ndcg(lists, k) == pytest.approx(ndcg_score([label], [score], k=k))
    assert compute_mean_average_precision(lists) == pytest.approx(average_precision_score(label, score))


@given(tied_list, st.integers(1, 7))
def test_ndcg_with_ties_is_scikit_learn_s(rows: list[tuple[bool, float]], k: int) -> None:
    label, score = zip(*rows, strict=True)
    assume(any(label) and len(rows) > 1)
    assert compute_ndcg(rank_lists(np.zeros(len(rows)), label, score), k) == pytest.approx(
        ndcg_score([label], [score], k=k)
    )


def everything(viewer: object, label: object, score: object) -> list[float]:
    lists = rank_lists(np.asarray(viewer), np.asarray(label), np.asarray(score))
    return [
        compute_ndcg(lists, 2),
        compute_ndcg(lists, 5),
        compute_mean_average_precision(lists),
        compute_recall(lists, 3),
    ]


@given(tied_pairs, st.integers(0, 99))
def test_neither_the_order_of_rows_nor_a_monotone_transform_changes_anything(
    rows: list[tuple[int, bool, float]], seed: int
) -> None:
    viewer, label, score = (np.array(column) for column in zip(*rows, strict=True))
    before = everything(viewer, label, score)
    order = np.random.default_rng(seed).permutation(len(rows))
    names = np.array([f"person {each}" for each in viewer], object)
    assert everything(names[order], label[order], score[order]) == pytest.approx(before, nan_ok=True)
    assert everything(viewer, label, 7 * score**3 - 2) == pytest.approx(before, nan_ok=True)


@given(tied_pairs)
def test_several_lists_are_the_mean_of_each(rows: list[tuple[int, bool, float]]) -> None:
    viewer, label, score = (np.array(column) for column in zip(*rows, strict=True))
    each = [everything(viewer[viewer == who], label[viewer == who], score[viewer == who])[:3] for who in set(viewer)]
    known = [values for values in each if not math.isnan(values[0])]
    assume(known)
    assert everything(viewer, label, score)[:3] == pytest.approx(list(np.mean(known, axis=0)))


def test_scores_without_end_tie_like_others() -> None:
    lists = rank_lists([1, 1, 1], [1, 0, 0], [-math.inf, -math.inf, 3.0])
    assert compute_recall(lists, 2) == pytest.approx(1 / 2)


def test_nothing_is_known_without_a_positive() -> None:
    for viewer, label in (([1, 1, 2], [0, 0, 0]), ([], [])):
        assert all(math.isnan(value) for value in everything(viewer, label, np.zeros(len(viewer))))


def test_a_score_that_is_not_a_number_has_no_place() -> None:
    with pytest.raises(ValueError, match="1 of 2 scores are NaN"):
        rank_lists([1, 1], [0, 1], [0.5, math.nan])
