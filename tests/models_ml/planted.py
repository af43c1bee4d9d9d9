"""Populations with known log-odds of a like: one circle of all, and circles that never met."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from scipy.special import expit

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.training_pairs import build_training_pairs
from models.ml.profiles.answer_embeddings import NO_ANSWERS
from models.ml.training.train import TrainingResult, train_ranker
from tests.models_ml.conftest import interactions, somebody

PEOPLE, SHOWN = 100, 25
CIRCLES, SIZE = 15, 12


@dataclass(frozen=True)
class Planted:
    """A profiles frame, decisions (positions, day numbers), and their true log-odds."""

    profiles: pd.DataFrame
    viewer: Int64Array
    candidate: Int64Array
    truth: Float64Array
    liked: BoolArray
    day: Int64Array

    @property
    def ids(self) -> "pd.Index[str]":
        ids: pd.Index[str] = pd.Index(self.profiles["profile_id"])
        return ids

    def decisions(self, liked: BoolArray | None = None, rows: slice = slice(None)) -> pd.DataFrame:
        """The training pairs of all decisions, or of other ones."""
        kinds = np.where(self.liked if liked is None else liked, "like", "pass")
        acts = zip(self.ids[self.viewer], self.ids[self.candidate], kinds, self.day, strict=True)
        return build_training_pairs(interactions(*list(acts)[rows]), self.ids)


def one_circle() -> Planted:
    """Everybody saw 25 of 100; everybody prefers warm people of about their age."""
    random = np.random.default_rng(11)
    warmth, age = random.normal(size=PEOPLE), random.integers(20, 60, PEOPLE)
    viewer = np.repeat(np.arange(PEOPLE), SHOWN)
    candidate = np.concatenate(
        [random.choice(np.delete(np.arange(PEOPLE), who), SHOWN, replace=False) for who in range(PEOPLE)]
    )
    truth = 1.2 * warmth[candidate] - 0.12 * np.abs(age[candidate] - age[viewer]) + 0.8
    return _town(random, warmth, age, viewer, candidate, truth)


def circles() -> Planted:
    """Fifteen evenings of twelve, in which all met all: warmth counts, and looks and choosiness that no profile has."""
    random = np.random.default_rng(12)
    people = CIRCLES * SIZE
    warmth, age = random.normal(size=people), random.integers(20, 60, people)
    evening = np.arange(people) // SIZE
    viewer, candidate = np.nonzero((evening[:, None] == evening) & ~np.eye(people, dtype=bool))
    looks, choosy = random.normal(size=people), random.normal(size=people)
    truth = 0.5 * warmth[candidate] + 1.2 * looks[candidate] - 0.7 * choosy[viewer] - 0.3
    return _town(random, warmth, age, viewer, candidate, truth)


def _town(
    random: np.random.Generator,
    warmth: Float64Array,
    age: Int64Array,
    viewer: Int64Array,
    candidate: Int64Array,
    truth: Float64Array,
) -> Planted:
    profiles = pd.DataFrame(
        [
            somebody(f"{who:03d}", age=int(years), traits={"warmth": warm})
            for who, (years, warm) in enumerate(zip(age, warmth, strict=True))
        ]
    )
    liked = np.asarray(random.random(len(truth)) < expit(truth))
    return Planted(profiles, viewer, candidate, truth, liked, random.permutation(len(truth)) + 1)


@cache
def trained_circles() -> TrainingResult:
    """A real training on `circles`, for all tests of a process that only read it."""
    town = circles()
    return train_ranker(town.profiles, NO_ANSWERS, town.decisions(), seed=0)
