"""How good scores are, their standard errors, and scores without training: by hand and by brute force."""

import math
from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import PairHistory
from models.ml.features.pair_features import Pairs
from models.ml.validation import score_metrics as metrics
from models.ml.validation import simple_scores
from models.ml.validation.clustered_errors import estimate_auc_difference_error, estimate_within_viewer_auc_error
from tests.models_ml.conftest import crowd, positions, specification, strangers, tally, unknown

label_and_score = st.tuples(st.booleans(), st.integers(-2, 2).map(lambda score: score / 2))


@settings(max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 4), label_and_score), min_size=1, max_size=60))
def test_auc_is_scikit_learn_s_over_all_and_of_each_viewer(rows: list[tuple[int, tuple[bool, float]]]) -> None:
    viewer = np.array([who for who, _ in rows])
    label, score = (np.array(column) for column in zip(*(row for _, row in rows), strict=True))
    assume(len(set(label)) == 2)
    assert metrics.compute_auc(label, score) == pytest.approx(roc_auc_score(label, score))
    known = {
        who: roc_auc_score(label[viewer == who], score[viewer == who])
        for who in np.unique(viewer)
        if len(set(label[viewer == who])) == 2
    }
    assert metrics.compute_within_viewer_aucs(viewer, label, score).to_dict() == pytest.approx(known)
    mean = float(np.mean(list(known.values()))) if known else math.nan
    assert metrics.compute_within_viewer_auc(viewer, label, score) == pytest.approx(mean, nan_ok=True)


def test_auc_of_one_kind_alone_is_not_known() -> None:
    for viewer, label in (([1, 2], [True, True]), ([1], [False]), ([], [])):
        score = np.zeros(len(viewer))
        assert math.isnan(metrics.compute_auc(label, score))
        assert math.isnan(metrics.compute_within_viewer_auc(viewer, label, score))
        assert len(metrics.compute_within_viewer_aucs(viewer, label, score)) == 0


def test_log_loss_by_hand() -> None:
    assert metrics.compute_log_loss([True, False, True], [0.8, 0.4, 0.5]) == pytest.approx(
        -math.log(0.8 * 0.6 * 0.5) / 3
    )
    assert metrics.compute_log_loss([True, True], np.array([0.25, 0.25], np.float32)) == pytest.approx(math.log(4))
    impossible = [True, False, True], [0.0, 1.0, 0.3]
    assert math.isfinite(metrics.compute_log_loss(*impossible))
    assert metrics.compute_log_losses(*impossible).mean() == pytest.approx(metrics.compute_log_loss(*impossible))


def test_calibration_error_by_hand() -> None:
    """In order of the predictions: 0.1 and 0.3, of which one liked; 0.5 and 0.9, of which both."""
    probability, label = [0.9, 0.1, 0.5, 0.3], [1, 0, 1, 1]
    assert metrics.compute_calibration_error(label, probability, bins=2) == pytest.approx(
        (abs(0.5 - 0.2) + abs(1 - 0.7)) / 2
    )
    assert metrics.compute_calibration_error(label, probability, bins=1) == pytest.approx(abs(0.75 - 0.45))
    assert metrics.compute_calibration_error(label, probability, bins=100) == pytest.approx((0.1 + 0.1 + 0.5 + 0.7) / 4)
    alike = np.repeat([True, False], [300, 700])
    assert metrics.compute_calibration_error(alike, np.full(1_000, 0.3)) == pytest.approx(0)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from([0.1, 0.2, 0.5, 0.9])), min_size=1, max_size=40))
def test_calibration_error_ignores_the_order_of_rows(rows: list[tuple[bool, float]]) -> None:
    label, probability = np.array(rows).T
    one, other = np.lexsort((label, probability)), np.lexsort((-label, probability))
    expected = metrics.compute_calibration_error(label[one], probability[one])
    assert metrics.compute_calibration_error(label[other], probability[other]) == pytest.approx(expected)
    assert metrics.compute_signed_gaps(label, probability).mean() == pytest.approx(expected)


def test_reliability_by_hand() -> None:
    """In order of the predictions: 0.1 (passed), 0.3 (liked), 0.3 (passed), 0.9 (liked); the ties share their rate."""
    table = metrics.compute_reliability([1, 0, 1, 0], [0.9, 0.1, 0.3, 0.3], bins=2)
    assert table["predicted"].to_list() == pytest.approx([0.2, 0.6])
    assert table["observed"].to_list() == pytest.approx([0.25, 0.75])
    assert table["n"].to_list() == [2, 2]
    assert metrics.compute_reliability([1, 0], [0.4, 0.2], bins=10)["n"].to_list() == [1, 1]
    assert metrics.compute_binomial_standard_error([0.5, 0.1, 1.0], [100, 900, 5]).tolist() == pytest.approx(
        [0.05, 0.01, 0.0]
    )


def test_lift_by_hand() -> None:
    """Of eight rows the best two hold two of the three positives; a tie over the next four holds the third."""
    table = metrics.compute_lift([1, 1, 1, 0, 0, 0, 0, 0], [9, 8, 5, 5, 5, 5, 2, 1], bins=4)
    assert table["n"].to_list() == [2, 2, 2, 2]
    assert table["rate"].to_list() == pytest.approx([1, 0.25, 0.25, 0])
    assert table["lift"].to_list() == pytest.approx([8 / 3, 2 / 3, 2 / 3, 0])
    assert table["captured"].to_list() == pytest.approx([2 / 3, 2.5 / 3, 1, 1])


@settings(max_examples=30)
@given(st.lists(label_and_score, min_size=1, max_size=40), st.integers(1, 12))
def test_lift_ignores_the_order_of_rows_and_the_scale(rows: list[tuple[bool, float]], bins: int) -> None:
    label, score = np.array(rows).T
    assume(label.any())
    expected = metrics.compute_lift(label, score, bins)
    pd.testing.assert_frame_equal(metrics.compute_lift(label[::-1], np.exp(3 * score[::-1]), bins), expected)
    assert expected["n"].sum() == len(rows)
    assert expected["captured"].iloc[-1] == pytest.approx(1)


def by_brute_force(
    lists: Int64Array, viewer: Int64Array, candidate: Int64Array, label: BoolArray, *scores: Float64Array
) -> float:
    """From all duels of a like and a pass in one list: sums of the excess of each, by viewer and by candidate.

    With a second score, of what the first wins more than it.
    """
    duels = []
    for each in np.unique(lists):
        rows = np.flatnonzero(lists == each)
        likes, passes = rows[label[rows]], rows[~label[rows]]
        for like, other in product(likes, passes):
            right, *rival = ((1 + np.sign(score[like] - score[other])) / 2 for score in scores)
            duels.append(
                (viewer[like], candidate[like], candidate[other], right - sum(rival), len(likes) * len(passes))
            )
    whose, liked, passed, won, among = (np.array(column) for column in zip(*duels, strict=True))
    weight = 1 / among / (1 / among).sum()
    excess = weight * (won - weight @ won)
    of_viewers = [excess[whose == one].sum() for one in np.unique(whose)]
    of_candidates = [excess[(liked == one) | (passed == one)].sum() for one in np.union1d(liked, passed)]
    sums = [np.sum(np.square(part)) * len(part) / (len(part) - 1) for part in (of_viewers, of_candidates)]
    return float(np.sqrt(sum(sums)))


@pytest.mark.parametrize("seed", range(4))
def test_it_is_the_error_of_duels_by_viewer_and_candidate(seed: int) -> None:
    """Two lists of each viewer, of some of the same candidates, with ties."""
    random = np.random.default_rng(seed)
    viewer, draw, candidate = np.indices((6, 2, 6)).reshape(3, -1)[:, random.random(72) < 0.8]
    label, score = random.random(len(viewer)) < 0.5, random.integers(0, 4, len(viewer)) / 4
    rows = (2 * viewer + draw, viewer, candidate, label, score)
    assert estimate_within_viewer_auc_error(*rows) == pytest.approx(by_brute_force(*rows))
    rival = score + random.integers(-1, 2, len(viewer)) / 8
    assert estimate_auc_difference_error(*rows, rival) == pytest.approx(by_brute_force(*rows, rival))
    assert estimate_auc_difference_error(*rows, 2 * score) == 0


def test_of_fewer_than_two_viewers_nothing_is_known() -> None:
    for lists, viewer, candidate, label in (([1, 1, 2, 2], [1] * 4, [7, 8, 7, 8], [1, 0, 0, 1]), ([], [], [], [])):
        assert math.isnan(estimate_within_viewer_auc_error(lists, viewer, candidate, label, viewer))


TOWN = crowd(3, specification(interests={"cats": 1.0, "dogs": 1.0}), interests=[[0.6, 0.8], [0.8, 0.6], [0, 0]])


def test_popularity_and_interests_by_hand() -> None:
    """Liked by 6 of 7, with 3 more decisions at the rate of 0.4; by nobody yet."""
    known = PairHistory(unknown(2), unknown(2), unknown(2), tally([7, 0], [6, 0]))
    pairs = Pairs(TOWN, positions(0, 0), positions(1, 2), known)
    assert simple_scores.score_popularity(pairs, base_rate=0.4) == pytest.approx([0.72, 0.4])
    assert simple_scores.score_interest_cosine(strangers(TOWN, [0, 0, 0], [1, 2, 0])) == pytest.approx([0.96, 0, 1])


def test_random_scores_are_the_seed_s() -> None:
    pairs = strangers(TOWN, [0] * 1_000, [1] * 1_000)
    scores = simple_scores.score_at_random(pairs, seed=1)
    np.testing.assert_array_equal(scores, simple_scores.score_at_random(pairs, seed=1))
    assert (scores != simple_scores.score_at_random(pairs, seed=2)).all()
