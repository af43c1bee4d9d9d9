"""Worlds to simulate: three people by hand, and a small simulated population."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pandas as pd
import pytest

from models.ml.arrays import Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.simulation.world import World
from pipelines.loaders.simulation.simulated_world import build_world

NOTHING_EARLIER = pd.DataFrame(columns=["interaction_id", "actor_id", "target_id", "kind", "created_at"])


def make_world(
    people: int,
    p_like: Callable[[Int64Array, Int64Array], Float64Array],
    *,
    opening_rate: float = 1.0,
    seed: int = 1,
) -> World:
    """People without profiles, all there from the beginning."""
    return World(
        pd.DataFrame({"profile_id": [f"{number:03d}" for number in range(people)]}),
        NO_ANSWERS,
        p_like,
        opening_rate=np.full(people, opening_rate),
        joins=np.zeros(people, np.int64),
        leaves=np.full(people, 10_000),
        earlier=NOTHING_EARLIER,
        starts_at=datetime(2026, 7, 1, tzinfo=UTC),
        seed=seed,
    )


@pytest.fixture(scope="session")
def small_world() -> World:
    """60 people, five who join on each later day, three days."""
    return build_world(people=60, joiners=5, days=3, seed=1)
