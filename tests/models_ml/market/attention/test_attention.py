from typing import NamedTuple

import numpy as np
import pytest

from models.db.errors import InputError
from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.market.attention.examination_curve import Curve, evaluate_curve
from models.ml.market.attention.examination_estimate import (
    POSITIONS,
    CurveEstimate,
    estimate_curve,
    estimate_inbox_weight,
)


@pytest.mark.parametrize(
    ("curve", "values"),
    [
        ("inv", [1, 1 / 2, 1 / 3, 1 / 4]),
        ("exp", [1, 0.36787944, 0.13533528, 0.04978707]),
        ("log", [1.44269504, 0.91023923, 0.72134752, 0.62133493]),
        ("log2", [1, 0.63092975, 0.5, 0.43067656]),
        ("flat", [1, 1, 1, 1]),
        ([0.9, 0.3], [0.9, 0.3, 0.3, 0.3]),  # measured values hold past their end
        ([0.2, 0.9, 0.0], [0.2, 0.9]),
        ([1, 0], []),
    ],
    ids=str,
)
def test_curves(curve: Curve, values: list[float]) -> None:
    np.testing.assert_allclose(evaluate_curve(curve, len(values)), values, rtol=1e-7)


@pytest.mark.parametrize("wrong", ["linear", [], [1.0, 1.1], [-0.1], [float("nan")], [[1.0, 0.5]]])
def test_what_is_no_curve_is_refused(wrong: Curve) -> None:
    with pytest.raises(InputError, match="examination curve"):
        evaluate_curve(wrong, 3)


class Log(NamedTuple):
    """What stood in users' inboxes, sorted by preference, how probably it was liked, and what came of it."""

    position: Int64Array
    person: Int64Array
    p_like: Float64Array
    examined: BoolArray
    liked: BoolArray


def simulate_log(examination: str, seed: int, people: int = 4000, keen: float = 1.0) -> Log:
    """`keen` is the probability that a user examines anything at all."""
    rng = np.random.default_rng(seed)
    person = np.repeat(np.arange(people), rng.poisson(6, people))
    p_like = rng.beta(1.5, 3, len(person))
    p_like = p_like[np.lexsort((-p_like, person))]
    position = np.arange(len(person)) - np.searchsorted(person, person) + 1
    looks = evaluate_curve(examination, 100)[position - 1] * (rng.random(people) < keen)[person]
    examined = rng.random(len(person)) < looks
    return Log(position, person, p_like, examined, examined & (rng.random(len(person)) < p_like))


@pytest.mark.parametrize(
    ("examination", "low", "high"), [("inv", 0.9, 1), ("log2", 0.6, 0.9), ("flat", 0, 0.1), ("exp", 0.9, 1)]
)
def test_a_curve_is_found_in_its_log(examination: str, low: float, high: float) -> None:
    """Within 4 standard errors, where there are enough rows to speak of a normal distribution."""
    log = simulate_log(examination, 1)
    of_all = estimate_curve(log.position, log.examined, log.person)
    of_likes = estimate_curve(log.position, log.liked, log.person, log.p_like)
    assert of_all.impressions[:2].tolist() == [(log.position == 1).sum(), (log.position == 2).sum()]
    often = of_all.impressions >= 100
    assert often.sum() > 8
    for measured, error in ((of_all, 0.012), (of_likes, 0.05)):
        miss = np.abs(measured.examination - evaluate_curve(examination, len(often))) / measured.standard_error
        assert miss[often].max() < 4
        assert measured.standard_error[:6].max() < error
    assert low <= estimate_inbox_weight(of_all) <= high


@pytest.mark.parametrize("keen", [1.0, 0.4])
def test_standard_errors_are_as_large_as_the_misses(keen: float) -> None:
    """Also where users differ, so that what one does in two publications is correlated."""
    truth = keen * evaluate_curve("log2", 5)
    misses = []
    for seed in range(100):
        once = simulate_log("log2", seed, people=300, keen=keen)
        rng = np.random.default_rng(seed)
        never = ~np.isin(once.person, once.person[once.examined & (once.position == 1)])
        again = ~never & (rng.random(len(once.position)) < evaluate_curve("log2", 100)[once.position - 1])
        acted = np.concatenate([once.examined, again])
        measured = estimate_curve(np.tile(once.position, 2), acted, np.tile(once.person, 2))
        misses.append((measured.examination[:5] - truth) / measured.standard_error[:5])
    spread = np.std(misses, axis=0)[int(keen == 1) :]  # the first position is examined for certain if all are keen
    assert (spread > 0.8).all()
    assert (spread < 1.25).all()


def test_rates_by_hand() -> None:
    """Two lists of two positions and one of three; the last was acted on at none."""
    position, person = np.array([1, 2, 1, 2, 1, 2, 3]), np.array([7, 7, 7, 7, 9, 9, 9])
    acted = np.array([True, True, True, False, False, False, False])
    measured = estimate_curve(position, acted, person)
    assert measured.impressions.tolist() == [3, 3, 1]
    np.testing.assert_allclose(measured.examination, [2 / 3, 1 / 3, 0])
    # Scores at the first position: user 7 has 2 / (2/3), user 9 has -1 / (1/3); information 2 (3/2)^2 + 3^2.
    assert measured.standard_error[0] == pytest.approx(max(np.sqrt(18) / 13.5, 1 / 3))
    assert measured.standard_error[2] == 1


@pytest.mark.parametrize(("actions", "examination"), [(3, 0.6), (9, 1)])
def test_rates_are_divided_by_the_chance_of_an_action(actions: int, examination: float) -> None:
    measured = estimate_curve(np.ones(10, np.int64), np.arange(10) < actions, np.arange(10), np.full(10, 0.5))
    assert measured.examination.tolist() == pytest.approx([examination], abs=1e-4)


def test_cards_that_are_never_acted_on_say_nothing() -> None:
    measured = estimate_curve(np.ones(9, np.int64), np.zeros(9, bool), np.arange(9), np.zeros(9))
    assert measured.standard_error[0] > 1000


def test_positions_end_at_the_first_gap_or_the_last_measured() -> None:
    yes = np.ones(3, bool)
    assert estimate_curve(np.array([1, 2, 4]), yes, np.arange(3)).impressions.tolist() == [1, 1]
    everywhere = np.arange(1, POSITIONS + 10)
    assert len(estimate_curve(everywhere, everywhere > 0, everywhere).impressions) == POSITIONS
    nothing = estimate_curve(everywhere[:0], yes[:0], everywhere[:0])
    assert nothing.examination.tolist() == []
    assert estimate_inbox_weight(nothing) == 0.5


def exact(examination: object, error: float = 1e-6) -> CurveEstimate:
    values = np.asarray(examination, float)
    return CurveEstimate(values, np.full(len(values), error), np.full(len(values), 1000))


@pytest.mark.parametrize("scale", [1.0, 0.3])
@pytest.mark.parametrize("q", [0.0, 0.25, 1.0])
def test_the_weight_is_the_share_that_falls(q: float, scale: float) -> None:
    assert estimate_inbox_weight(exact(scale * (1 - q + q * evaluate_curve("inv", 20)))) == pytest.approx(q, abs=1e-6)


def test_the_less_is_known_the_nearer_the_weight_to_a_half() -> None:
    weights = [estimate_inbox_weight(exact(evaluate_curve("inv", 10), error)) for error in (1e-6, 0.1, 0.3, 1, 100)]
    assert weights == sorted(weights, reverse=True)
    assert weights[-1] == pytest.approx(0.5, abs=0.001)
    assert [estimate_inbox_weight(each) for each in (None, exact([0.7]), exact([0.0, 0.0, 0.0]))] == [0.5] * 3
