"""The learning curve: known losses are found again, and a real training has one."""

import numpy as np
import pytest

from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.training.learning_curve import USUAL_ERROR, USUAL_SLOPE, LearningCurve, fit_learning_curve
from models.ml.training.small_training import measure_learning_curve
from models.ml.training.train import train_ranker
from tests.models_ml.planted import Planted, circles, one_circle

SAMPLES, REACH = 4_000, 0.01


def fit(slope: float, noise: float) -> LearningCurve:
    random = np.random.default_rng(1)
    excess = slope * REACH + noise * random.normal(size=SAMPLES)
    viewer, candidate = random.integers(0, 200, (2, SAMPLES))
    return fit_learning_curve(10_000, excess, viewer, candidate, REACH)


@pytest.mark.parametrize("slope", [-0.5, 0.0, 3.0])
def test_a_slope_is_found_and_shrunk_by_its_error(slope: float) -> None:
    sure = fit(slope, noise=0.01)
    assert sure.slope == pytest.approx(slope, abs=3 * sure.slope_error)
    assert sure.slope_error < 0.05
    unsure = fit(slope, noise=20.0)
    assert unsure.slope == pytest.approx(USUAL_SLOPE, abs=0.3)
    assert 0.9 * USUAL_ERROR < unsure.slope_error < USUAL_ERROR


@pytest.mark.parametrize("decisions", [0, 1, 500, 80_000])
def test_the_gain_rises_with_new_decisions(decisions: int) -> None:
    curve = LearningCurve(decisions, slope=2.0, slope_error=0.5)
    gains = [curve.estimate_gain(growth)[0] for growth in (0.1, 1, 1.05, 1.5, 4, 1e12)]
    assert gains[:2] == [0, 0]
    assert gains == sorted(gains)
    assert gains[-1] == pytest.approx(2 / max(decisions, 1) ** 0.5, rel=1e-3)
    gain, error = curve.estimate_gain(3.0)
    assert error == pytest.approx(gain / 4)
    assert curve.find_growth(gain) == pytest.approx(3.0)
    assert curve.find_growth(1.1 * gains[-1]) == np.inf


@pytest.mark.parametrize("town", [one_circle(), circles()], ids=["one circle", "circles"])
def test_more_decisions_help_a_real_training(town: Planted) -> None:
    decisions = town.decisions()
    trained = train_ranker(town.profiles, NO_ANSWERS, decisions, seed=0)
    shuffled = decisions.sample(frac=1, random_state=1).reset_index(drop=True)
    curve = measure_learning_curve(trained.rankers, town.profiles, NO_ANSWERS, shuffled, seed=0)
    assert curve.decisions == len(decisions)
    assert curve.slope > 2 * curve.slope_error
    assert curve.slope_error < USUAL_ERROR / 2
    assert curve == measure_learning_curve(trained.rankers, town.profiles, NO_ANSWERS, decisions, seed=0)


@pytest.mark.parametrize("rows", [0, 1, 60])
def test_without_a_measurement_the_curve_is_the_usual_one(rows: int) -> None:
    town = one_circle()
    decisions = town.decisions(rows=slice(0, rows))
    trained = train_ranker(town.profiles, NO_ANSWERS, decisions, seed=0)
    assert measure_learning_curve(trained.rankers, town.profiles, NO_ANSWERS, decisions, 0) == LearningCurve(rows)
