from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import kstest, norm

from models.ml.arrays import Float64Array
from pipelines.loaders.simulation.choice_model import (
    CHEMISTRY,
    FACT_AGREEMENT,
    compute_attraction,
    compute_expected_p_like,
    compute_p_like,
    draw_chemistry,
)
from pipelines.loaders.simulation.simulated_population import (
    FACTS,
    TOPICS,
    TRAITS,
    WANTS,
    SimulatedPopulation,
    build_population,
)

VIEWER, CANDIDATE = np.array([0]), np.array([1])
DIFFERENT = np.array([[0] * len(FACTS), [1] * len(FACTS)])


def pad(rows: list[list[float]], width: int, fill: float = 0.0) -> Float64Array:
    padded = np.full((2, width), fill)
    padded[:, : len(rows[0])] = rows
    return padded


def build_two(changes: dict[str, Any]) -> SimulatedPopulation:
    """Two average users of the ideal age at one place, without a topic or a fact in common."""
    average = {
        "age": np.array([30, 30]),
        "ideal_age": np.array([30.0, 30.0]),
        "place": np.zeros((2, 2)),
        "topics": np.eye(len(TOPICS))[:2],
        "traits": np.zeros((2, len(TRAITS))),
        "wants": np.full((2, len(WANTS)), 0.5),
        "facts": DIFFERENT,
        "appeal": np.zeros(2),
        "selectivity": np.zeros(2),
    }
    return replace(build_population(1, 2), **(average | changes))


OVERLAP = {
    "topics": pad([[0.75, 0.25, 0], [0, 0.64, 0.36]], len(TOPICS)),
    "wants": np.array([[0.5] * len(TRAITS) + [0.9], [0.5] * len(TRAITS) + [0.1]]),
}
WANTED = {"traits": pad([[5, 5], [2, -1]], len(TRAITS)), "wants": pad([[1, 0.25], [0.9, 0.9]], len(WANTS), 0.5)}


@pytest.mark.parametrize(
    ("changes", "log_odds"),
    [
        ({}, 0),
        ({"appeal": np.array([9.0, 0.7]), "selectivity": np.array([2.0, 9.0])}, 0.7 - 2.0),
        (OVERLAP, 2.6 * 1.4 * 0.5 * 0.8),
        (WANTED, 0.35 * (2.0 - 0.25)),
        ({"age": np.array([99, 42]), "ideal_age": np.array([30.0, 99.0])}, -0.5 * 2**2),
        ({"place": np.array([[46.0, 8.0], [47.0, 8.0]])}, -0.3 * np.log(1 + 111.195 / 5)),
        *(
            ({"facts": DIFFERENT * (np.array(list(FACTS)) != fact)}, FACT_AGREEMENT.get(fact, 0))
            for fact in (*FACT_AGREEMENT, "occupation")
        ),
    ],
)
def test_attraction_by_hand(changes: dict[str, Any], log_odds: float) -> None:
    assert compute_attraction(build_two(changes), VIEWER, CANDIDATE)[0] == pytest.approx(log_odds, rel=1e-5)


def test_chemistry_is_normal_and_half_mutual() -> None:
    population = build_population(21, 2)
    viewers, candidates = np.divmod(np.arange(90_000), 300)
    there, back = draw_chemistry(population, viewers, candidates), draw_chemistry(population, candidates, viewers)
    pairs = viewers < candidates
    assert kstest(there[pairs] / CHEMISTRY, norm.cdf).statistic < 0.02
    assert np.corrcoef(there[pairs], back[pairs])[0, 1] == pytest.approx(0.5, abs=0.03)


def test_chemistry_belongs_to_the_pair_and_the_seed() -> None:
    viewers, candidates = np.arange(20_000), np.arange(20_000) + 1_000_000
    population = build_population(1, 0)
    together = draw_chemistry(population, viewers, candidates)
    np.testing.assert_array_equal(draw_chemistry(population, viewers[7:9], candidates[7:9]), together[7:9])
    for other in (
        draw_chemistry(build_population(2, 0), viewers, candidates),
        draw_chemistry(population, viewers + 1, candidates),
        draw_chemistry(population, viewers, candidates + 1),
    ):
        assert abs(np.corrcoef(together, other)[0, 1]) < 0.04


def test_p_like_is_the_sigmoid_of_attraction_and_chemistry() -> None:
    population = build_population(6, 40)
    viewers, candidates = np.divmod(np.arange(1600), 40)
    log_odds = compute_attraction(population, viewers, candidates) + draw_chemistry(population, viewers, candidates)
    np.testing.assert_allclose(compute_p_like(population, viewers, candidates), 1 / (1 + np.exp(-log_odds)))


@pytest.mark.parametrize("selectivity", [-3.0, 0.0, 4.0])
def test_expected_is_the_integral_over_chemistry(selectivity: float) -> None:
    two = build_two({"selectivity": np.array([selectivity, 0])})
    integral, _ = quad(lambda chemistry: expit(chemistry - selectivity) * norm.pdf(chemistry, scale=CHEMISTRY), -12, 12)
    assert compute_expected_p_like(two, VIEWER, CANDIDATE)[0] == pytest.approx(integral, abs=1e-8)
