"""Best response: what a look is worth, that turns climb, and how near to the best of all lists they come."""

from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.ml.market import best_response as module
from models.ml.market.attention import Attention
from models.ml.market.best_response import best_response, expected, sweep
from models.ml.market.expected_matches import expected_matches
from models.ml.market.inbox import distinct, matches, worth
from models.ml.market.likes import likes as likes_of_lists
from models.ml.market.lists import places
from models.ml.market.policies import product as by_product
from models.ml.market.town import Town
from models.ml.people import Floats
from tests.models_ml.market.scored import Pairs, crowded, pairs

CONGESTED = Attention("inv", length=3, q=1)


def measured(town: Town, placed: np.ndarray[tuple[int], np.dtype[np.int32]], attention: Attention) -> float:
    """The same number by the evaluator, which shares no code with the policy."""
    pairs = (town.viewer, town.candidate, town.p_like, town.p_liked_back)
    inbox = attention.answers() if attention.inbox or attention.q < 1 else attention.examination
    return expected_matches(likes_of_lists(*pairs, placed + 1, attention.examination), inbox)


@pytest.mark.parametrize(
    "attention",
    [
        CONGESTED,
        Attention("exp", length=8, q=1),
        Attention("log", length=5, q=1),
        Attention("log2", "inv", length=50, q=0.5),
        Attention([0.9, 0.2], "flat", length=4, q=1),
    ],
)
def test_the_matches_that_are_climbed_are_those_that_are_measured(attention: Attention) -> None:
    town = crowded(60, seed=1).town()
    placed = places(town, by_product(town, attention), attention.length)
    assert expected(town, attention, placed) == pytest.approx(measured(town, placed, attention), rel=1e-5)


@given(pairs(), st.integers(0, 6), st.integers(0, 2**32 - 1))
def test_worth_is_the_derivative_by_the_looks_of_one_viewer(scored: Pairs, who: int, seed: int) -> None:
    """The town's matches are of second degree in them, so that a step each way gives it exactly."""
    town, rng = scored.town(), np.random.default_rng(seed)
    answers, viewers = CONGESTED.answers(), np.arange(scored.people) == who
    looks, step = rng.uniform(0.2, 0.8, (2, len(town.pair)))
    step *= viewers[town.viewer] * 0.25

    def matched(at: NDArray[np.float64]) -> Floats:
        return matches(town, (town.p_like * at).astype(np.float32), answers)

    liked = (town.p_like * looks).astype(np.float32)
    value = worth(town, liked, matched(looks), answers, viewers)
    difference = distinct(town, matched(looks + step)) - distinct(town, matched(looks - step))
    assert difference == pytest.approx(2 * (value * step).sum(), abs=1e-5)
    assert not value[~viewers[town.viewer]].any()


@given(pairs(one_sided=True))
def test_turns_of_one_never_lose_a_match(scored: Pairs) -> None:
    town = scored.town()
    scores = by_product(town, CONGESTED).copy()
    placed = places(town, scores, 3)
    for number in range(3):
        before = expected(town, CONGESTED, placed)
        sweep(town, CONGESTED, scores, placed, number)
        assert expected(town, CONGESTED, placed) >= before - 1e-5


def test_near_the_best_of_all_lists() -> None:
    """Four people, everybody shown to everybody: 12 towns, all 6^4 lists of each."""
    shares = []
    for seed in range(12):
        town = crowded(4, seed, share=1.0).town()
        best = max(expected(town, CONGESTED, places(town, each, 3)) for each in _all_orders(town))
        found = places(town, best_response(town, CONGESTED, by_product(town, CONGESTED), sweeps=8), 3)
        shares.append(expected(town, CONGESTED, found) / best)
    assert max(shares) <= 1 + 1e-6
    assert min(shares) > 0.97
    assert np.mean(shares) > 0.995


def _all_orders(town: Town) -> list[np.ndarray[tuple[int], np.dtype[np.float32]]]:
    bounds = list(zip(town.list_start[:-1], town.list_start[1:], strict=True))
    found = []
    for orders in product(*(permutations(range(end - start)) for start, end in bounds)):
        scores = np.empty(len(town.pair), np.float32)
        scores[town.slots] = np.concatenate([np.array(order, float) for order in orders])
        found.append(scores)
    return found


def test_a_crowded_town_gains() -> None:
    """A quarter more matches than by product, in blocks too, where turns of one would take too long."""
    town, attention = crowded(300, seed=2).town(), Attention("inv", length=20, q=1)
    start = by_product(town, attention)
    gain = expected(town, attention, places(town, best_response(town, attention, start), 20))
    assert gain > 1.25 * expected(town, attention, places(town, start, 20))


def test_blocks_of_many_gain_nearly_as_much(monkeypatch: pytest.MonkeyPatch) -> None:
    town, attention = crowded(300, seed=2).town(), Attention("inv", length=20, q=1)
    start = by_product(town, attention)
    one_by_one = expected(town, attention, places(town, best_response(town, attention, start), 20))
    monkeypatch.setattr(module, "WORK", 0)
    in_blocks = expected(town, attention, places(town, best_response(town, attention, start), 20))
    assert 0.985 * one_by_one < in_blocks < one_by_one * 1.005


def test_prices_keep_people_out_of_lists() -> None:
    town, attention = crowded(40, seed=3).town(), Attention("inv", length=3, q=1)
    scores = by_product(town, attention).copy()
    placed = places(town, scores, 3)
    star = int(np.argmax(np.bincount(town.candidate[placed >= 0])))
    sweep(town, attention, scores, placed, 0, prices=np.where(np.arange(40) == star, 2, 0).astype(np.float32))
    assert not (placed[town.candidate == star] >= 0).any()


def test_a_sweep_that_loses_matches_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where all change at once they run from the stars together, and then back."""
    monkeypatch.setattr(module, "WORK", 0)
    monkeypatch.setattr(module, "BLOCKS", 1)
    town, attention = crowded(100, seed=2, share=1.0).town(), Attention("exp", length=10, q=1)
    found, runs = best_response(town, attention, by_product(town, attention), sweeps=2), []
    scores = by_product(town, attention).copy()
    placed = places(town, scores, 10)
    for number in range(2):
        runs.append(expected(town, attention, placed))
        sweep(town, attention, scores, placed, number)
    runs.append(expected(town, attention, placed))
    assert runs[2] < max(runs)
    assert expected(town, attention, places(town, found, 10)) == max(runs)
