import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes.expected_matches import (
    compute_couple_probabilities,
    compute_expected_matches,
    compute_match_probabilities,
    compute_response_probabilities,
)
from models.ml.market.outcomes.list_likes import compute_two_sided_likes
from tests.models_ml.market.enumeration import INV, mutual, of_rows, outcomes


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("inbox", ["inv", "flat", "log", [0.9, 0.9, 0.2]], ids=str)
def test_the_mean_over_all_that_can_happen(inbox: Curve, seed: int) -> None:
    """Four users with two positions each: eight likes, most of the pairs in both lists."""
    rows = mutual(people=4, length=2, seed=seed)
    mean = sum(chance * len(matched) for chance, matched in outcomes(rows, INV, evaluate_curve(inbox, 8).tolist()))
    assert compute_expected_matches(of_rows(rows), inbox) == pytest.approx(mean, abs=1e-11)


def test_batches_change_nothing() -> None:
    likes = of_rows(mutual(people=30, length=9, seed=4))
    in_batches = compute_response_probabilities(likes, inboxes_per_batch=7)
    np.testing.assert_allclose(in_batches, compute_response_probabilities(likes), atol=1e-11)


def test_a_long_inbox_is_cut_where_nothing_is_lost() -> None:
    """2,000 likes of one in a hundred each: 20 arrive, and the sum over ranks can be had from the binomial."""
    rows = [(viewer, 0, 0.01, 1 - viewer / 4000, 1) for viewer in range(1, 2001)]
    chances = compute_match_probabilities(of_rows(rows))
    k = np.arange(2000)
    log_choose = np.cumsum(np.log(np.append(1.0, (1999 - k[:-1]) / (k[1:]))))
    last = np.exp(log_choose + k * np.log(0.01) + (1999 - k) * np.log(0.99)) @ (1 / (k + 1))
    assert chances[-1] == pytest.approx(0.01 * 0.5 * last, rel=1e-9)


def test_nothing_and_certainty() -> None:
    assert compute_expected_matches(of_rows([])) == 0
    assert compute_couple_probabilities(of_rows([(0, 1, 1, 1, 0)])).tolist() == []
    assert compute_expected_matches(of_rows([(0, 1, 1, 1, 1), (1, 0, 1, 1, 1), (2, 0, 1, 0, 1)])) == 1


@settings(max_examples=50)
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 99), st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_no_inbox_does_better_than_one_read_to_its_end(people: int, length: int, seed: int, curve: list[float]) -> None:
    likes = of_rows(mutual(people, length, seed))
    np.testing.assert_allclose(compute_match_probabilities(likes, "flat"), likes.sent * likes.welcome, rtol=1e-9)
    assert compute_expected_matches(likes, curve) <= compute_expected_matches(likes, "flat") + 1e-9


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_a_two_sided_market_sums_over_its_receivers(proposers: int, receivers: int, seed: int) -> None:
    """Each receiver's total by the recursion from the weakest applicant up."""
    rng = np.random.default_rng(seed)
    like, back = rng.random((proposers, receivers)), rng.random((proposers, receivers))
    order = np.argsort(rng.random(like.shape), axis=1)
    rank = np.argsort(order, axis=1)
    total = 0.0
    for receiver in range(receivers):
        # value[m]: what the rest of the inbox brings if m likes stand above.
        value = np.zeros(proposers + 2)
        for who in np.argsort(back[:, receiver]):
            sent = like[who, receiver] / (rank[who, receiver] + 1)
            answered = back[who, receiver] / np.arange(1, proposers + 2)
            value[:-1] = sent * (answered + value[1:]) + (1 - sent) * value[:-1]
        total += value[0]
    assert compute_expected_matches(compute_two_sided_likes(like, back, order)) == pytest.approx(total, abs=1e-9)
