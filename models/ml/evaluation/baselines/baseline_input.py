"""What a baseline may know, and what it answers."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.pair_features import Pairs
from models.ml.profiles.feature_spec import FeatureSpec


@dataclass(frozen=True, eq=False)
class BaselineInput:
    """Decisions to learn from and pairs to score. A position means the same person in all of it."""

    specification: FeatureSpec
    base_rate: float
    """Share of likes among the decisions to learn from; rates are shrunk to it."""
    gender: Int64Array
    """The number of each person's gender, (people,)."""
    train: Pairs
    """n decisions, with what was known of each pair."""
    train_liked: BoolArray
    train_group: Int64Array
    """Who is held out together when a method chooses its settings, (n,); a viewer is in one group only."""
    test: Pairs
    """m pairs, with what is known of them."""
    events: Decisions
    """Every decision that may be known: those of the training people and the observed ones of the test people."""
    seed: int


@dataclass(frozen=True)
class BaselineScores:
    """Scores of the m test pairs: that the viewer likes the candidate, and that both like each other, float64 (m,)."""

    like: Float64Array
    match: Float64Array
    probabilities: bool
    """Whether both are probabilities; otherwise only their order counts."""


def compute_harmonic_mean(one: Float64Array, other: Float64Array) -> Float64Array:
    """The harmonic mean of two non-negative scores, (m,); 0 where both are 0."""
    total = one + other
    return np.divide(2 * one * other, total, out=np.zeros_like(total), where=total > 0)
