"""Curves that are known are found again in the logs they lead to, within the error that is told."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.ml.market.attention.examination_curve import evaluate_curve
from models.ml.market.attention.examination_estimate import (
    POSITIONS,
    CurveEstimate,
    estimate_curve,
    estimate_inbox_weight,
)

CURVES = ["inv", "log2", "flat", "exp"]


@dataclass(frozen=True)
class Log:
    """What stood in people's inboxes, sorted by preference, how probably it was liked, and what came of it."""

    place: np.ndarray[tuple[int], np.dtype[np.int64]]
    person: np.ndarray[tuple[int], np.dtype[np.int64]]
    p_like: np.ndarray[tuple[int], np.dtype[np.float64]]
    looked_at: np.ndarray[tuple[int], np.dtype[np.bool_]]
    liked: np.ndarray[tuple[int], np.dtype[np.bool_]]


def log(examination: str, seed: int, people: int = 4000, keen: float = 1.0) -> Log:
    """`keen` is the probability that a person looks at anything at all."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), rng.poisson(6, people))
    p_like = rng.beta(1.5, 3, len(person))
    order = np.lexsort((-p_like, person))
    p_like = p_like[order]
    place = np.arange(len(person)) - np.searchsorted(person, person) + 1
    looks = evaluate_curve(examination, 100)[place - 1] * (rng.random(people) < keen)[person]
    looked_at = rng.random(len(person)) < looks
    return Log(place, person, p_like, looked_at, looked_at & (rng.random(len(person)) < p_like))


def of_likes(found: Log) -> CurveEstimate:
    return estimate_curve(found.place, found.liked, found.person, found.p_like)


def worst(measured: CurveEstimate, examination: str) -> float:
    """The largest miss in standard errors, where something stood often enough to speak of a normal distribution."""
    often = measured.impressions >= 100
    assert often.sum() > 8
    miss = np.abs(measured.examination - evaluate_curve(examination, len(often))) / measured.standard_error
    return float(miss[often].max())


@pytest.mark.parametrize("examination", CURVES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_curve_is_found_in_all_that_was_acted_on(examination: str, seed: int) -> None:
    found = log(examination, seed)
    measured = estimate_curve(found.place, found.looked_at, found.person)
    assert worst(measured, examination) < 3.5
    assert measured.standard_error[:6].max() < 0.012
    assert measured.impressions[:2].tolist() == [(found.place == 1).sum(), (found.place == 2).sum()]


@pytest.mark.parametrize("examination", CURVES)
@pytest.mark.parametrize("seed", [1, 2])
def test_a_curve_is_found_in_likes_alone(examination: str, seed: int) -> None:
    measured = of_likes(log(examination, seed))
    assert worst(measured, examination) < 3.5
    assert measured.standard_error[:6].max() < 0.05


def test_likes_taken_for_looks_would_show_a_crowd_where_none_is() -> None:
    """What `chance` is for."""
    found = log("flat", 1)
    blind = estimate_curve(found.place, found.liked, found.person)
    assert blind.examination[7] < 0.4 * blind.examination[0]
    assert estimate_inbox_weight(blind) > 0.5
    assert estimate_inbox_weight(of_likes(found)) < 0.1


@pytest.mark.parametrize("keen", [1.0, 0.4])
def test_the_errors_are_as_large_as_the_misses(keen: float) -> None:
    """Also where people are of two kinds, so that what one person does in two publications hangs together."""
    truth = keen * evaluate_curve("log2", 5)
    misses = []
    for seed in range(100):
        once = log("log2", seed, people=300, keen=keen)
        rng = np.random.default_rng(seed)
        never = ~np.isin(once.person, once.person[once.looked_at & (once.place == 1)])
        again = ~never & (rng.random(len(once.place)) < evaluate_curve("log2", 100)[once.place - 1])
        twice = np.tile(once.place, 2), np.concatenate([once.looked_at, again]), np.tile(once.person, 2)
        measured = estimate_curve(*twice)
        misses.append((measured.examination[:5] - truth) / measured.standard_error[:5])
    spread = np.std(misses, axis=0)
    if keen == 1:
        assert spread[0] == 0
        spread = spread[1:]
    assert (spread > 0.8).all()
    assert (spread < 1.25).all()


def test_rates_by_hand() -> None:
    """Two lists of two places and one of three; the last was acted on at none."""
    place, person = np.array([1, 2, 1, 2, 1, 2, 3]), np.array([7, 7, 7, 7, 9, 9, 9])
    acted = np.array([True, True, True, False, False, False, False])
    measured = estimate_curve(place, acted, person)
    assert measured.impressions.tolist() == [3, 3, 1]
    np.testing.assert_allclose(measured.examination, [2 / 3, 1 / 3, 0])
    # Scores at the first place: person 7 has 2 / (2/3), person 9 has -1 / (1/3); information 2 (3/2)^2 + 3^2.
    assert measured.standard_error[0] == pytest.approx(max(np.sqrt(18) / 13.5, 1 / 3))
    assert measured.standard_error[2] == 1


def test_what_is_acted_on_half_the_time_was_looked_at_twice_as_often() -> None:
    """The chances are all one half, so that the maximum of the likelihood is the rate over the chance."""
    place, acted = np.ones(10, np.int64), np.arange(10) < 3
    measured = estimate_curve(place, acted, np.arange(10), np.full(10, 0.5))
    assert measured.examination.tolist() == pytest.approx([0.6], abs=1e-5)


def test_more_action_than_chances_allow_is_a_certain_look() -> None:
    measured = estimate_curve(np.ones(10, np.int64), np.arange(10) < 9, np.arange(10), np.full(10, 0.5))
    assert measured.examination.tolist() == pytest.approx([1], abs=1e-4)


def test_what_nobody_would_act_on_says_nothing() -> None:
    measured = estimate_curve(np.ones(9, np.int64), np.zeros(9, bool), np.arange(9), np.zeros(9))
    assert measured.standard_error[0] > 1000


def test_places_stop_at_the_first_gap_and_at_the_last_that_is_measured() -> None:
    yes = np.ones(3, bool)
    assert estimate_curve(np.array([1, 2, 4]), yes, np.arange(3)).impressions.tolist() == [1, 1]
    everywhere = np.arange(1, POSITIONS + 10)
    assert len(estimate_curve(everywhere, everywhere > 0, everywhere).impressions) == POSITIONS
    nothing = estimate_curve(everywhere[:0], yes[:0], everywhere[:0])
    assert nothing.examination.tolist() == []
    assert estimate_inbox_weight(nothing) == 0.5


def exact(looked_at: object, error: float = 1e-6) -> CurveEstimate:
    looks = np.asarray(looked_at, float)
    return CurveEstimate(looks, np.full(len(looks), error), np.full(len(looks), 1000))


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("q", [0.0, 0.25, 0.5, 1.0])
def test_the_hedge_is_the_share_that_falls(q: float, scale: float) -> None:
    assert estimate_inbox_weight(exact(scale * (1 - q + q * evaluate_curve("inv", 20)))) == pytest.approx(q, abs=1e-6)


def test_the_hedge_of_the_named_curves() -> None:
    flat, log2, inv, steeper = (
        estimate_inbox_weight(exact(evaluate_curve(name, 20))) for name in ("flat", "log2", "inv", "exp")
    )
    assert flat == pytest.approx(0, abs=1e-9)
    assert 0.6 < log2 < 0.9
    assert inv == pytest.approx(1, abs=1e-9)
    assert steeper == pytest.approx(1, abs=0.05)


@given(st.floats(0, 1.5), st.floats(0, 1.5), st.integers(2, 50))
def test_the_steeper_the_inbox_the_more_it_is_trusted_to_be_crowded(one: float, other: float, places: int) -> None:
    k = np.arange(1, places + 1)
    gentle, steep = sorted([one, other])
    assert estimate_inbox_weight(exact(k**-gentle)) <= estimate_inbox_weight(exact(k**-steep)) + 1e-9


def test_the_less_is_known_the_nearer_to_a_half() -> None:
    hedges = [estimate_inbox_weight(exact(evaluate_curve("inv", 10), error)) for error in (1e-6, 0.1, 0.3, 1, 100)]
    assert hedges == sorted(hedges, reverse=True)
    assert hedges[0] > 0.999
    assert hedges[-1] == pytest.approx(0.5, abs=0.001)


@pytest.mark.parametrize(("examination", "low", "high"), [("inv", 0.93, 1), ("log2", 0.6, 0.85), ("flat", 0, 0.07)])
def test_the_hedge_follows_from_a_log(examination: str, low: float, high: float) -> None:
    found = log(examination, 5)
    assert low <= estimate_inbox_weight(estimate_curve(found.place, found.looked_at, found.person)) <= high


def test_until_the_inbox_is_measured_the_hedge_is_a_half() -> None:
    assert estimate_inbox_weight(None) == 0.5
    assert estimate_inbox_weight(exact([0.7])) == 0.5
    assert estimate_inbox_weight(exact([0.0, 0.0, 0.0])) == 0.5
