"""Expected matches: against everything that can happen, against lots, and against figures that others published."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.outcomes import expected_matches as module
from models.ml.market.outcomes.expected_matches import (
    compute_couple_probabilities,
    compute_expected_matches,
    compute_match_probabilities,
)
from models.ml.market.outcomes.list_likes import compute_two_sided_likes
from models.ml.market.outcomes.simulated_matches import simulate_matches
from tests.models_ml.market.enumeration import outcomes
from tests.models_ml.market.towns import mutual, of_rows

INV = [1 / k for k in range(1, 9)]


def test_two_people_by_hand() -> None:
    """Each lists the other first: a = b = 0.5 x 0.8, and the two ways together 0.4 + 0.4 - 0.16."""
    town = of_rows([(0, 1, 0.5, 0.8, 1), (1, 0, 0.8, 0.5, 1)])
    np.testing.assert_allclose(compute_match_probabilities(town), [0.4, 0.4])
    assert compute_expected_matches(town) == pytest.approx(0.64)


def test_a_rival_by_hand() -> None:
    """The like of 2 is more welcome to 0 and arrives half the time; then that of 1 stands second."""
    town = of_rows([(1, 0, 0.8, 0.5, 1), (2, 0, 0.5, 0.9, 1)])
    assert compute_match_probabilities(town).tolist() == pytest.approx([0.45, 0.8 * 0.5 * (0.5 * 1 + 0.5 * 0.5)])


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("inbox", ["inv", "flat", "log", [0.9, 0.9, 0.2]], ids=str)
def test_a_tiny_town_comes_to_what_all_that_can_happen_in_it_does(inbox: Curve, seed: int) -> None:
    """Four people with two places each: eight likes, most of the pairs in both lists."""
    rows = mutual(people=4, length=2, seed=seed)
    mean = sum(chance * len(matched) for chance, matched in outcomes(rows, INV, evaluate_curve(inbox, 8).tolist()))
    assert compute_expected_matches(of_rows(rows), inbox) == pytest.approx(mean, abs=1e-11)


def test_lots_agree_in_a_town_too_large_to_enumerate() -> None:
    town = of_rows(mutual(people=40, length=12, seed=3))
    drawn = simulate_matches(town, runs=4000, seed=1).matches
    assert abs(drawn.mean - compute_expected_matches(town)) < 3 * drawn.standard_error
    assert drawn.standard_error < 0.1


def test_many_inboxes_are_looked_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    town = of_rows(mutual(people=30, length=9, seed=4))
    at_once = compute_match_probabilities(town)
    monkeypatch.setattr(module, "INBOXES_PER_BATCH", 7)
    np.testing.assert_allclose(compute_match_probabilities(town), at_once, atol=1e-11)


def test_a_long_inbox_is_cut_where_nothing_is_lost() -> None:
    """2,000 likes of one in a hundred each: 20 arrive, and the sum over places can be had from the binomial."""
    rows = [(viewer, 0, 0.01, 1 - viewer / 4000, 1) for viewer in range(1, 2001)]
    chances = compute_match_probabilities(of_rows(rows))
    k = np.arange(2000)
    log_choose = np.cumsum(np.log(np.append(1.0, (1999 - k[:-1]) / (k[1:]))))
    last = np.exp(log_choose + k * np.log(0.01) + (1999 - k) * np.log(0.99)) @ (1 / (k + 1))
    assert chances[-1] == pytest.approx(0.01 * 0.5 * last, rel=1e-9)


def test_nothing_listed_is_nothing() -> None:
    assert compute_expected_matches(of_rows([])) == 0
    assert compute_couple_probabilities(of_rows([(0, 1, 1, 1, 0)])).tolist() == []


def test_certainty() -> None:
    assert compute_expected_matches(of_rows([(0, 1, 1, 1, 1), (1, 0, 1, 1, 1), (2, 0, 1, 0, 1)])) == 1


chance = st.floats(0, 1)


@settings(max_examples=50)
@given(st.integers(2, 6), st.integers(1, 5), st.integers(0, 99), st.lists(chance, min_size=1, max_size=6))
def test_a_flat_inbox_needs_no_distribution(people: int, length: int, seed: int, curve: list[float]) -> None:
    """And no inbox does better than one that is read to its end."""
    town = of_rows(mutual(people, length, seed))
    np.testing.assert_allclose(compute_match_probabilities(town, "flat"), town.sent * town.welcome, rtol=1e-9)
    assert compute_expected_matches(town, curve) <= compute_expected_matches(town, "flat") + 1e-9


@settings(max_examples=50)
@given(st.integers(1, 5), st.integers(1, 5), st.integers(0, 99))
def test_a_market_of_two_sides_sums_over_its_receivers(proposers: int, receivers: int, seed: int) -> None:
    """Each receiver's total by the recursion from the weakest applicant up: another way through the same tree."""
    rng = np.random.default_rng(seed)
    like, back = rng.random((proposers, receivers)), rng.random((proposers, receivers))
    order = np.argsort(rng.random(like.shape), axis=1)
    rank = np.argsort(order, axis=1)
    total = 0.0
    for receiver in range(receivers):
        strongest_first = np.argsort(-back[:, receiver])
        # value[m]: what the rest of the inbox brings if m likes stand above.
        value = np.zeros(proposers + 2)
        for who in strongest_first[::-1]:
            sent = like[who, receiver] / (rank[who, receiver] + 1)
            places = np.arange(1, proposers + 2)
            value[:-1] = sent * (back[who, receiver] / places + value[1:]) + (1 - sent) * value[:-1]
        total += value[0]
    assert compute_expected_matches(compute_two_sided_likes(like, back, order)) == pytest.approx(total, abs=1e-9)
