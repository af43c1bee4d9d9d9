"""What another encoder would change in a population: which answers it reads, who is near whom, how well it ranks."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from models.ml.arrays import Float64Array, Int64Array
from models.ml.profiles.answer_embeddings import AnswerEmbeddings, pool_by_profile
from models.ml.training.train import TrainingResult, train_ranker
from models.ml.validation.clustered_errors import estimate_auc_difference_error, estimate_within_viewer_auc_error
from models.ml.validation.score_metrics import compute_within_viewer_auc

NEAREST = 10
# People whose neighbours are compared, at most; each is compared with everybody.
MAX_PEOPLE = 2_000


@dataclass(frozen=True)
class EncoderFigures:
    """What was measured of one encoder."""

    encoder: str
    dimensions: int
    answers: int
    """Answers that have a vector."""
    auc: float
    """AUC within viewers of a ranker trained on its vectors, of held-out decisions; NaN if there are too few."""
    auc_error: float


@dataclass(frozen=True)
class EncoderComparison:
    """Two encoders on the same population, decisions, folds and history."""

    ours: EncoderFigures
    theirs: EncoderFigures
    gain: float
    """AUC of theirs less that of ours."""
    gain_error: float
    """Standard error of the paired difference."""
    shared: float
    """Mean share of a profile's ten nearest profiles that are the same by both; NaN if nobody has both vectors."""


def compare_encoders(
    profiles: pd.DataFrame, decisions: pd.DataFrame, ours: AnswerEmbeddings, theirs: AnswerEmbeddings, seed: int
) -> EncoderComparison:
    """Train a ranker on the vectors of each of two encoders, and compare the two on the same held-out decisions.

    Args:
        profiles: A profiles frame.
        decisions: A training-pairs frame.
        ours: The answers with the vectors of one encoder.
        theirs: The answers with the vectors of the other encoder.
        seed: Seed of splits, imputation and trees.
    """
    by_ours, by_theirs = (train_ranker(profiles, each, decisions, seed) for each in (ours, theirs))
    first, second = _measure(ours, by_ours), _measure(theirs, by_theirs)
    return EncoderComparison(
        first, second, second.auc - first.auc, _estimate_gain_error(by_ours, by_theirs), share_nearest(ours, theirs)
    )


def share_nearest(ours: AnswerEmbeddings, theirs: AnswerEmbeddings) -> float:
    """Compute the mean share of a profile's ten nearest profiles that are the same by two encoders.

    Only profiles with vectors of both count. NaN if there are fewer than two.
    """
    (ids, first), (others, second) = pool_by_profile(ours), pool_by_profile(theirs)
    _, at, at_other = np.intersect1d(ids, others, return_indices=True)
    if len(at) <= 1:
        return float("nan")
    nearest = [_find_nearest(vectors.astype(np.float64)) for vectors in (first[at], second[at_other])]
    return float(np.mean([len(np.intersect1d(one, other)) / len(one) for one, other in zip(*nearest, strict=True)]))


def _find_nearest(vectors: Float64Array) -> Int64Array:
    """Find the positions of the nearest other rows of the first rows, (rows, at most 10)."""
    rows = np.arange(min(len(vectors), MAX_PEOPLE))
    cosines = vectors[rows] @ vectors.T
    cosines[rows, rows] = -np.inf
    count = min(NEAREST, len(vectors) - 1)
    return np.argpartition(-cosines, count - 1, axis=1)[:, :count].astype(np.int64)


def _measure(answers: AnswerEmbeddings, trained: TrainingResult) -> EncoderFigures:
    auc = error = float("nan")
    if (rows := trained.samples) is not None:
        auc = compute_within_viewer_auc(rows["list"], rows["liked"], rows["ranker"])
        who = rows["viewer"], rows["candidate"]
        error = estimate_within_viewer_auc_error(rows["list"], *who, rows["liked"], rows["ranker"])
    return EncoderFigures(answers.encoder, answers.dimensions, len(answers.vectors), auc, error)


def _estimate_gain_error(ours: TrainingResult, theirs: TrainingResult) -> float:
    if (rows := ours.samples) is None or theirs.samples is None:
        return float("nan")
    who = rows["list"], rows["viewer"], rows["candidate"]
    return estimate_auc_difference_error(*who, rows["liked"], rows["ranker"], theirs.samples["ranker"])
