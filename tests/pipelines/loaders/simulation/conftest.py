"""One simulated population with its profiles and decisions, for all tests here."""

import numpy as np
import pytest

from models.ml.arrays import BoolArray
from pipelines.loaders.records import Person
from pipelines.loaders.simulation.simulated_exposure import Impressions, simulate_decisions
from pipelines.loaders.simulation.simulated_loader import iterate_people
from pipelines.loaders.simulation.simulated_population import SimulatedPopulation, build_population

Decided = tuple[Impressions, BoolArray]


@pytest.fixture(scope="session")
def population() -> SimulatedPopulation:
    return build_population(seed=1, people=2_000)


@pytest.fixture(scope="session")
def profiles(population: SimulatedPopulation) -> list[Person]:
    return list(iterate_people(population))


@pytest.fixture(scope="session")
def decided(population: SimulatedPopulation) -> Decided:
    """All impressions, and which were liked."""
    batches = list(simulate_decisions(population))
    names = Impressions.__dataclass_fields__
    columns = (np.concatenate([vars(impressions)[name] for impressions, _ in batches]) for name in names)
    return Impressions(*columns), np.concatenate([liked for _, liked in batches])
