"""Holdout sets: decisions to predict without their fold in training, with more or less history.

A later challenger is compared with the champion on the same set. Each sample is predicted by the cross-fitted ranker
that has not seen its viewer.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.ml.arrays import BoolArray, Float64Array, Int64Array
from models.ml.features.decision_history import Decisions, PairHistory
from models.ml.features.pair_features import Pairs, build_features
from models.ml.kernels.code_lookup import find_codes
from models.ml.profiles.profile_matrix import ProfileMatrix
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.ranker.residuals import compute_residuals
from models.ml.validation.history_masking import MaskedSplit, build_histories, concatenate_held_out

DECISIONS_PER_BATCH = 32_768


@dataclass(frozen=True)
class HoldoutSet:
    """Splits of n decisions, with q samples in all, split after split.

    A sample is a held-out decision with the history that is visible in its split.
    """

    events: Decisions
    fold: Int64Array
    splits: Sequence[MaskedSplit]

    @property
    def samples(self) -> Int64Array:
        """The decision of each sample, int64 (q,)."""
        return concatenate_held_out(self.splits)

    @property
    def liked(self) -> BoolArray:
        """The labels, bool (q,)."""
        return self.events.liked[self.samples]

    @property
    def split(self) -> Int64Array:
        """The split of each sample, int64 (q,)."""
        return np.repeat(np.arange(len(self.splits)), [len(draw.held_out) for draw in self.splits])

    @property
    def cold(self) -> BoolArray:
        """Whether the split has no history, bool (q,)."""
        return np.array([draw.history_size == 0 for draw in self.splits], bool)[self.split]

    @property
    def lists(self) -> Int64Array:
        """A number for the samples of one viewer in one split, int64 (q,); within it only the candidates differ."""
        return self.events.actor[self.samples] * len(self.splits) + self.split

    def filter(self, which: BoolArray) -> "HoldoutSet":
        """Keep the samples of some decisions, bool (n,), with the same history."""
        return replace(
            self, splits=[replace(draw, held_out=draw.held_out[which[draw.held_out]]) for draw in self.splits]
        )

    def reverse_index(self) -> Int64Array:
        """Find the sample of the other direction in the same split, int64 (q,), -1 if there is none."""
        viewer, candidate = self.events.actor[self.samples], self.events.target[self.samples]
        people = int(max(viewer.max(), candidate.max())) + 1 if len(viewer) else 1
        here = (self.split * people + viewer) * people + candidate
        there = (self.split * people + candidate) * people + viewer
        return find_codes(there, here)

    def build_pairs(self, people: ProfileMatrix, residual: Float64Array | None = None) -> Pairs:
        """Build the pair of each sample, with its history; residuals are 0 if none are given."""
        history = self.build_history(np.zeros(len(self.events)) if residual is None else residual, len(people))
        return Pairs(people, self.events.actor[self.samples], self.events.target[self.samples], history)

    def build_history(self, residual: Float64Array, people: int) -> PairHistory:
        """Build the history of each sample's pair from the residual of each decision, float64 (n,)."""
        return build_histories(self.splits, self.events, residual, people)


def predict_out_of_fold(
    rankers: CrossFittedRanker, holdout: HoldoutSet, people: ProfileMatrix, batch_size: int = DECISIONS_PER_BATCH
) -> Float64Array:
    """Predict p_like of each sample, float64 (q,), by the ranker fitted without its fold.

    Args:
        rankers: The rankers.
        holdout: The holdout set of q samples.
        people: Users by the rankers' own feature spec.
        batch_size: Samples whose features are in memory at once. It changes no result.
    """
    pairs = holdout.build_pairs(people, _compute_residuals(rankers, holdout, people))
    fold, p_like = holdout.fold[holdout.samples], np.empty(len(pairs))
    for rows in iterate_fold_batches(fold, batch_size):
        ranker = rankers.get_out_of_fold(int(fold[rows[0]]))
        p_like[rows] = ranker.predict_p_like(build_features(ranker.specification, pairs.take(rows)))
    return p_like


def _compute_residuals(rankers: CrossFittedRanker, holdout: HoldoutSet, people: ProfileMatrix) -> Float64Array:
    residual = np.empty(len(holdout.events))
    for fold in np.unique(holdout.fold).tolist():
        rows = np.flatnonzero(holdout.fold == fold)
        residual[rows] = compute_residuals(rankers.get_out_of_fold(fold), people, holdout.events.take(rows))
    return residual


def iterate_fold_batches(fold: Int64Array, batch_size: int = DECISIONS_PER_BATCH) -> Iterator[Int64Array]:
    """Yield row numbers by fold, in batches of at most `batch_size`."""
    for each in np.unique(fold):
        rows = np.flatnonzero(fold == each)
        for start in range(0, len(rows), batch_size):
            yield rows[start : start + batch_size]
