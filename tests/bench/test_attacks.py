"""Fake accounts in a small simulated population get about their share, and those they pass on keep their lists."""

import pytest

from tests.bench.attacks import CAMPAIGNS, Night, measure_cost, measure_effect, run_night, simulate_population
from tests.bench.scale.town import Frames

PEOPLE, FAKES = 500, 15
# The others are in `python -m tests.bench.attacks`, which trains on what the fakes did, too.
NAMES = ("clique", "hidden_bombing", "farming", "sleepers", "patient_sleepers")


@pytest.fixture(scope="module")
def population() -> Frames:
    return simulate_population(PEOPLE, seed=3)


@pytest.fixture(scope="module")
def night(population: Frames) -> Night:
    return run_night(population)


@pytest.mark.parametrize("name", NAMES)
def test_fakes_get_at_most_twice_their_share(population: Frames, night: Night, name: str) -> None:
    effect = measure_effect(population, night, CAMPAIGNS[name], FAKES, night.ranker)
    assert max(effect.ratios.values()) <= 2, effect
    assert min(effect.kept) >= 0.8, effect


def test_the_bound_on_exposure_costs_few_matches(night: Night) -> None:
    assert measure_cost(night) < 0.01
