"""The input and the output of a baseline."""

from dataclasses import dataclass

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import Decisions
from models.ml.features.pair_features import Pairs
from models.ml.profiles.feature_spec import FeatureSpec


@dataclass(frozen=True, eq=False)
class BaselineInput:
    """Decisions to train on and pairs to score; an index refers to the same user throughout."""

    specification: FeatureSpec
    base_rate: float
    """Share of likes among the training decisions; rates are shrunk to it."""
    gender: Int64Array
    """Code of each user's gender, int64 (people,)."""
    train: Pairs
    """n decisions, each with its visible history."""
    train_liked: BoolArray
    train_group: Int64Array
    """Groups held out together when a method chooses its settings, int64 (n,); a viewer is in one group only."""
    test: Pairs
    """m pairs, each with its visible history."""
    events: Decisions
    """All visible decisions: those of the training users and the observed ones of the test users."""
    seed: int


@dataclass(frozen=True)
class BaselineScores:
    """Scores of the m test pairs, that the viewer likes the candidate and that both like each other, float64 (m,)."""

    like: Float64Array
    match: Float64Array
    probabilities: bool
    """Whether both are probabilities; otherwise only their order counts."""


def compute_harmonic_mean(one: Float64Array, other: Float64Array) -> Float64Array:
    """Compute the harmonic mean of two non-negative scores, (m,); 0 where both are 0."""
    total = one + other
    return np.divide(2 * one * other, total, out=np.zeros_like(total), where=total > 0)
