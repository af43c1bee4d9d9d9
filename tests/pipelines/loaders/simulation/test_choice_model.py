"""The choice model of the simulated town, against answers worked out by hand."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.special import expit
from scipy.stats import kstest, norm

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
    SimulatedPopulation,
    build_population,
)

VIEWER, CANDIDATE = np.array([0]), np.array([1])


@pytest.fixture
def two() -> SimulatedPopulation:
    """Two average people of the ideal age at the same place, without a topic or a fact in common."""
    return replace(
        build_population(1, 2),
        age=np.array([30, 30]),
        ideal_age=np.array([30.0, 30.0]),
        place=np.zeros((2, 2)),
        topics=np.eye(len(TOPICS))[:2],
        traits=np.zeros((2, len(TRAITS))),
        wants=np.full((2, len(TRAITS) + 1), 0.5),
        facts=np.array([[0] * len(FACTS), [1] * len(FACTS)]),
        appeal=np.zeros(2),
        selectivity=np.zeros(2),
    )


def attraction_of(town: SimulatedPopulation) -> float:
    return float(compute_attraction(town, VIEWER, CANDIDATE)[0])


def test_nothing_in_common_and_nothing_against_is_even_odds(two: SimulatedPopulation) -> None:
    assert attraction_of(two) == 0


def test_appeal_is_the_candidates_and_selectivity_the_viewers(two: SimulatedPopulation) -> None:
    two = replace(two, appeal=np.array([9.0, 0.7]), selectivity=np.array([2.0, 9.0]))
    assert attraction_of(two) == pytest.approx(0.7 - 2.0)


def test_shared_topics_count_by_their_overlap_and_the_viewers_want(two: SimulatedPopulation) -> None:
    topics = np.zeros((2, len(TOPICS)))
    topics[0, :2], topics[1, 1:3] = (0.75, 0.25), (0.64, 0.36)
    wants = two.wants.copy()
    wants[:, -1] = 0.9, 0.1
    assert attraction_of(replace(two, topics=topics, wants=wants)) == pytest.approx(2.6 * 1.4 * 0.5 * 0.8)


def test_traits_count_as_the_viewer_wants_them(two: SimulatedPopulation) -> None:
    traits, wants = two.traits.copy(), two.wants.copy()
    traits[0], traits[1, :2] = 5, (2.0, -1.0)
    wants[0, :2], wants[1] = (1.0, 0.25), 0.9
    assert attraction_of(replace(two, traits=traits, wants=wants)) == pytest.approx(0.35 * (2.0 - 0.25))


def test_age_counts_from_the_viewers_ideal(two: SimulatedPopulation) -> None:
    two = replace(two, age=np.array([99, 42]), ideal_age=np.array([30.0, 99.0]))
    assert attraction_of(two) == pytest.approx(-0.5 * 2**2)


def test_a_degree_of_latitude_is_111_km_of_distance(two: SimulatedPopulation) -> None:
    two = replace(two, place=np.array([[46.0, 8.0], [47.0, 8.0]]))
    assert attraction_of(two) == pytest.approx(-0.3 * np.log(1 + 111.195 / 5), rel=1e-5)


@pytest.mark.parametrize("fact", FACTS)
def test_a_shared_fact_counts_by_its_weight(two: SimulatedPopulation, fact: str) -> None:
    facts = two.facts.copy()
    facts[1, list(FACTS).index(fact)] = 0
    assert attraction_of(replace(two, facts=facts)) == pytest.approx(FACT_AGREEMENT.get(fact, 0))


def test_chemistry_is_normal_and_half_mutual() -> None:
    town = build_population(21, 2)
    viewers, candidates = np.divmod(np.arange(90_000), 300)
    there, back = draw_chemistry(town, viewers, candidates), draw_chemistry(town, candidates, viewers)
    assert kstest(there[viewers < candidates] / CHEMISTRY, norm.cdf).pvalue > 0.001
    assert np.corrcoef(there[viewers < candidates], back[viewers < candidates])[0, 1] == pytest.approx(0.5, abs=0.02)


def test_chemistry_belongs_to_the_pair_and_the_seed() -> None:
    viewers, candidates = np.array([5, 8, 2]), np.array([7, 1, 9])
    together = draw_chemistry(build_population(1, 10), viewers, candidates)
    alone = [draw_chemistry(build_population(1, 10), viewers[[k]], candidates[[k]])[0] for k in (2, 1, 0)]
    np.testing.assert_array_equal(together, alone[::-1])
    assert not np.isin(draw_chemistry(build_population(2, 10), viewers, candidates), together).any()


def test_chemistry_of_neighbouring_numbers_and_seeds_is_unrelated() -> None:
    viewers, candidates = np.arange(20_000), np.arange(20_000) + 1_000_000
    here = draw_chemistry(build_population(1, 0), viewers, candidates)
    for other in (
        draw_chemistry(build_population(2, 0), viewers, candidates),
        draw_chemistry(build_population(1, 0), viewers + 1, candidates),
        draw_chemistry(build_population(1, 0), viewers, candidates + 1),
    ):
        assert abs(np.corrcoef(here, other)[0, 1]) < 0.03


def test_p_like_is_the_sigmoid_of_attraction_and_chemistry() -> None:
    town = build_population(6, 40)
    viewers, candidates = np.divmod(np.arange(1600), 40)
    log_odds = compute_attraction(town, viewers, candidates) + draw_chemistry(town, viewers, candidates)
    np.testing.assert_allclose(compute_p_like(town, viewers, candidates), 1 / (1 + np.exp(-log_odds)))


@pytest.mark.parametrize("selectivity", [-3.0, 0.0, 1.0, 4.0])
def test_expected_is_the_integral_over_chemistry(two: SimulatedPopulation, selectivity: float) -> None:
    two = replace(two, selectivity=np.array([selectivity, 0]))
    integral, _ = quad(lambda c: expit(c - selectivity) * norm.pdf(c, scale=CHEMISTRY), -12, 12)
    assert compute_expected_p_like(two, VIEWER, CANDIDATE)[0] == pytest.approx(integral, abs=1e-8)
