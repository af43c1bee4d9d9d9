"""Fake accounts in a small simulated population get about their share, and those they pass on keep their lists."""

import pytest

from models.ml.ranker.ranker_model import Ranker
from tests.bench.attacks.campaigns import CAMPAIGNS
from tests.bench.attacks.measuring import measure_cost, measure_effect
from tests.bench.attacks.night import Night, run_night
from tests.bench.attacks.town import Population, simulate_population

PEOPLE, FAKES = 500, 15
# The others are in `python -m tests.bench.attacks`.
NAMES = ("clique", "hidden_bombing", "farming", "sleepers", "patient_sleepers")


@pytest.fixture(scope="module")
def population() -> Population:
    return simulate_population(PEOPLE, seed=3)


@pytest.fixture(scope="module")
def trained(population: Population) -> Night:
    return run_night(population)


@pytest.fixture(scope="module")
def champion(trained: Night) -> Ranker:
    assert trained.trained is not None
    return trained.trained.rankers.full


@pytest.mark.parametrize("name", NAMES)
def test_fakes_get_at_most_twice_their_share(
    population: Population, trained: Night, champion: Ranker, name: str
) -> None:
    """Training takes most of a night, so only `python -m tests.bench.attacks` trains on what the fakes did, too."""
    effect = measure_effect(population, trained, CAMPAIGNS[name], FAKES, champion=champion)
    assert max(effect.ratios.values()) <= 2, effect
    assert min(effect.kept) >= 0.8, effect


def test_the_bound_on_places_costs_ordinary_people_next_to_no_matches(trained: Night) -> None:
    assert measure_cost(trained) < 0.01
