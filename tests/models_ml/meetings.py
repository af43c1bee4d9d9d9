"""People who met, for tests of draws and exams: circles in which everybody decided on everybody."""

import numpy as np

from models.ml.history import Events, Ints

CIRCLES, SIZE = 10, 6
PEOPLE = CIRCLES * SIZE


def everybody_met(circles: int = CIRCLES, size: int = SIZE, seed: int = 0) -> Events:
    """Decisions of everybody about everybody else of their circle, at random times, likes at random."""
    random = np.random.default_rng(seed)
    here = np.arange(circles * size) // size
    actor, target = np.nonzero((here[:, None] == here) & ~np.eye(len(here), dtype=bool))
    count = len(actor)
    return Events(actor, target, random.random(count) < 0.4, random.permutation(count), np.ones(count))


def circle_of(events: Events, size: int = SIZE) -> Ints:
    return np.asarray(events.actor // size, np.int64)
