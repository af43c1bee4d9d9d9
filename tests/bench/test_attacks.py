"""Fake accounts in a small simulated population get about their share, and those they pass on keep their lists."""

import pytest

from tests.bench.attacks.campaigns import CAMPAIGNS
from tests.bench.attacks.measuring import measure_effect
from tests.bench.attacks.night import Night, run_night
from tests.bench.attacks.town import Population, simulate_population

PEOPLE, FAKES = 500, 15


@pytest.fixture(scope="module")
def population() -> Population:
    return simulate_population(PEOPLE, seed=3)


@pytest.fixture(scope="module")
def before(population: Population) -> Night:
    return run_night(population)


@pytest.mark.parametrize("name", CAMPAIGNS)
def test_fakes_get_at_most_twice_their_share(population: Population, before: Night, name: str) -> None:
    effect = measure_effect(population, before, CAMPAIGNS[name], FAKES)
    assert max(effect.ratios.values()) <= 2, effect
    assert min(effect.kept) >= 0.8, effect
