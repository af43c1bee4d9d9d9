"""The estimators on cases whose value is known, and what holds for all logs."""

from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.experiments.off_policy.estimates import estimate_dm, estimate_dr, estimate_ips, estimate_snips
from models.experiments.off_policy.exposure import LoggedExposure
from models.experiments.off_policy.match_estimates import LoggedReturns, estimate_dips, estimate_dpr

LOGGED, TARGET = np.array([1.0, 0.5, 0.25]), np.array([0.5, 1.0, 0.0])
P_LIKE = np.array([0.4, 0.1, 0.9])


def draw_exposure(seed: int, pairs: int = 40) -> tuple[LoggedExposure, np.random.Generator]:
    rng = np.random.default_rng(seed)
    logged = rng.uniform(0.1, 1, pairs) * (rng.random(pairs) < 0.8)
    examined = rng.random(pairs) < logged
    examined[0], logged[0] = True, 1.0
    return LoggedExposure(rng.integers(0, 6, pairs), logged, rng.uniform(0.1, 1, pairs), examined), rng


def test_ips_is_right_on_average_over_all_logs() -> None:
    value = 0.0
    for examined, liked in product(product((0, 1), repeat=3), repeat=2):
        looks, likes = np.array(examined, bool), np.array(liked, bool)
        chance = np.where(looks, LOGGED, 1 - LOGGED) * np.where(likes, P_LIKE, 1 - P_LIKE)
        exposure = LoggedExposure(np.arange(3), LOGGED, TARGET, looks)
        value += chance.prod() * estimate_ips(exposure, likes.astype(float)).value
    assert value == pytest.approx(TARGET @ P_LIKE)


def test_a_known_answer() -> None:
    exposure = LoggedExposure(np.array([0, 0, 1]), LOGGED, TARGET, np.array([True, True, False]))
    liked = np.array([1.0, 0.0, 1.0])
    assert exposure.weights.tolist() == [0.5, 2.0, 0.0]
    assert exposure.effective_size == pytest.approx(2.5**2 / 4.25)
    assert estimate_snips(exposure, liked).value == pytest.approx(1.5 * 0.5 / 2.5)
    # The model says 0.5 likes; it missed 0.6 on the first card and -0.1 on the second.
    found = estimate_dr(exposure, liked, P_LIKE)
    assert found.value == pytest.approx(0.3 + 1.5 * (0.5 * 0.6 - 2 * 0.1) / 2.5)
    assert found.influence[1] == 0


@given(st.integers(0, 200))
def test_a_right_model_leaves_nothing_to_correct(seed: int) -> None:
    exposure, rng = draw_exposure(seed)
    outcome = rng.random(len(exposure.target))
    right, plain = estimate_dr(exposure, outcome, outcome), estimate_dm(exposure, outcome)
    assert right.value == pytest.approx(plain.value)
    assert right.standard_error == pytest.approx(0)
    assert np.isnan(plain.standard_error)


@given(st.integers(0, 200), st.floats(0.1, 10))
def test_a_common_factor_of_the_propensities_does_not_count(seed: int, factor: float) -> None:
    exposure, rng = draw_exposure(seed)
    outcome, predicted = rng.random((2, len(exposure.target)))
    scaled = LoggedExposure(exposure.viewer, exposure.logged * factor, exposure.target, exposure.examined)
    for one, other in (
        (estimate_snips(exposure, outcome), estimate_snips(scaled, outcome)),
        (estimate_dr(exposure, outcome, predicted), estimate_dr(scaled, outcome, predicted)),
    ):
        assert one.value == pytest.approx(other.value)
        assert one.standard_error == pytest.approx(other.standard_error)
    assert estimate_ips(scaled, outcome).value == pytest.approx(estimate_ips(exposure, outcome).value / factor)


def test_what_the_logs_never_show_has_no_support() -> None:
    exposure = LoggedExposure(np.zeros(3, np.int64), np.array([1.0, 0, 0]), np.ones(3), np.array([True, False, False]))
    assert exposure.unsupported == pytest.approx(2 / 3)
    assert estimate_ips(exposure, np.ones(3)).value == 1
    assert estimate_snips(exposure, np.ones(3)).value == 3
    # The model's error where the logs look says nothing of where they do not.
    assert estimate_dr(exposure, np.ones(3), np.full(3, 0.5)).value == pytest.approx(2)


@pytest.mark.parametrize("returned_of_four", [0, 1, 3])
def test_matches_follow_the_answers_of_the_logs(returned_of_four: int) -> None:
    """Ten examined cards, eight likes, four answers; the model expects half of the answers to be likes."""
    exposure = LoggedExposure(np.arange(10), np.ones(10), np.ones(10), np.ones(10, bool))
    liked, answered, returned = (np.arange(10) < count for count in (8, 4, returned_of_four))
    half = np.full(10, 0.5)
    returns = LoggedReturns(half / 2, half / 2, answered, returned, half)
    assert estimate_dips(exposure, liked, returns.target).value == pytest.approx(8 * 0.25)
    found = estimate_dpr(exposure, liked, half, returns)
    assert found.value == pytest.approx(8 * 0.25 * returned_of_four / 2)
