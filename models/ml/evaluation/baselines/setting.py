"""What a baseline may know, and what it answers."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from models.ml.features import Pairs
from models.ml.history import Events
from models.ml.specification import Specification

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Doubles = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Setting:
    """Decisions to learn from and pairs to score. A position means the same person in all of it."""

    specification: Specification
    base_rate: float
    """Share of likes among the decisions to learn from; rates are shrunk to it."""
    gender: Ints
    """The number of each person's gender, (people,)."""
    train: Pairs
    """n decisions, with what was known of each pair."""
    train_liked: Bools
    train_group: Ints
    """Who is held out together when a method chooses its settings, (n,); a viewer is in one group only."""
    test: Pairs
    """m pairs, with what is known of them."""
    events: Events
    """Every decision that may be known: those of the training people and the observed ones of the test people."""
    seed: int


@dataclass(frozen=True)
class Scores:
    """Scores of the m test pairs: that the viewer likes the candidate, and that both like each other, float64 (m,)."""

    like: Doubles
    match: Doubles
    probabilities: bool
    """Whether both are probabilities; otherwise only their order counts."""


def harmonic(one: Doubles, other: Doubles) -> Doubles:
    """The harmonic mean of two non-negative scores, (m,); 0 where both are 0."""
    total = one + other
    return np.divide(2 * one * other, total, out=np.zeros_like(total), where=total > 0)
