"""The people of a simulation: their profiles, whom they would like, and when they are there."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import numpy as np
import pandas as pd

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings
from models.simulation.luck import LIKING, draw_uniform


@dataclass(frozen=True)
class World:
    """n people, of whom some join later and some leave; a person's number is the row of `profiles`.

    Attributes:
        profiles: The accepted profiles of all who will ever be there.
        answers: Their embedded answers.
        compute_p_like: The true probability that each viewer likes the candidate at the same index, given an
            impression: two arrays of numbers, (k,), to float64 (k,).
        opening_rate: Probability that each person opens the app on a day, float64 (n,).
        joins: First day that each person is there, int64 (n,); 0 for those who are there from the beginning.
        leaves: First day that each person is away for good, int64 (n,).
        earlier: The interactions before day 0.
        starts_at: The beginning of day 0, with a time zone.
        seed: Seed of the luck that all arms share.
    """

    profiles: pd.DataFrame
    answers: AnswerEmbeddings
    compute_p_like: Callable[[Int64Array, Int64Array], Float64Array]
    opening_rate: Float64Array
    joins: Int64Array
    leaves: Int64Array
    earlier: pd.DataFrame
    starts_at: datetime
    seed: int

    @property
    def people(self) -> int:
        """Number of people who will ever be there."""
        return len(self.joins)

    def find_present(self, day: int) -> BoolArray:
        """Find the people who are there on a day, bool (n,)."""
        return (self.joins <= day) & (day < self.leaves)

    def draw_likes(self, viewer: Int64Array, candidate: Int64Array) -> BoolArray:
        """Draw whether each viewer likes the candidate, bool (k,): the same answer whenever it is asked."""
        return draw_uniform(self.seed, LIKING, viewer, candidate) < self.compute_p_like(viewer, candidate)

    def find_numbers(self, ids: pd.Series) -> Int64Array:
        """Find the numbers of people by profile id, -1 for strangers."""
        return np.asarray(pd.Index(self.profiles["profile_id"]).get_indexer(pd.Index(ids)), np.int64)
