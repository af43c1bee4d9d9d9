"""People who met, for tests of draws and exams: circles in which everybody decided on everybody."""

import numpy as np

from models.ml.arrays import Int64Array
from models.ml.features.decision_history import Decisions

CIRCLES, SIZE = 10, 6
PEOPLE = CIRCLES * SIZE


def everybody_met(circles: int = CIRCLES, size: int = SIZE, seed: int = 0) -> Decisions:
    """Decisions of everybody about everybody else of their circle, at random times, likes at random."""
    random = np.random.default_rng(seed)
    here = np.arange(circles * size) // size
    actor, target = np.nonzero((here[:, None] == here) & ~np.eye(len(here), dtype=bool))
    count = len(actor)
    return Decisions(actor, target, random.random(count) < 0.4, random.permutation(count), np.ones(count))


def circle_of(decisions: Decisions, size: int = SIZE) -> Int64Array:
    return np.asarray(decisions.actor // size, np.int64)
