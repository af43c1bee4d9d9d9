"""Training of a classifier of messages, and how good it is on messages that it has not seen."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from sklearn.metrics import f1_score, roc_auc_score

from models.ml.arrays import BoolArray, Float32Array, Float64Array
from models.ml.conversations.flags.flag_model import FlagModel, encode_beginnings, fit_flag_model
from models.ml.conversations.flags.near_duplicates import group_near_duplicates
from models.ml.conversations.words.bodies import cut_bodies

ORDINARY_FLAGGED = 0.001
"""The share of ordinary messages that may be flagged: one in a thousand."""
FOLDS = 4
_UNSET = 0.5


@dataclass(frozen=True)
class Messages:
    """Messages with labels, and their vectors, float32 (n, 384)."""

    bodies: list[str]
    flagged: BoolArray
    vectors: Float32Array

    def take(self, rows: BoolArray) -> "Messages":
        """Return the messages of these rows."""
        kept = [body for body, yes in zip(self.bodies, rows, strict=True) if yes]
        return Messages(kept, self.flagged[rows], self.vectors[rows])


@dataclass(frozen=True)
class FlagQuality:
    """Figures on messages that the classifier has not seen."""

    auc: float
    f1: float
    """At probability one half."""
    recall: float
    """At one flag in 1,000 ordinary messages."""


def encode_messages(bodies: Sequence[str], flagged: BoolArray) -> Messages:
    """Cut and encode messages with their labels."""
    read = cut_bodies(bodies)
    return Messages(read, flagged, encode_beginnings(read))


def join_messages(first: Messages, second: Messages) -> Messages:
    """Return the messages of both."""
    return Messages(
        [*first.bodies, *second.bodies],
        np.concatenate([first.flagged, second.flagged]),
        np.concatenate([first.vectors, second.vectors]),
    )


def train_on_messages(training: Messages, ordinary: Messages) -> FlagModel:
    """Train a classifier that flags one in a thousand of other, ordinary messages.

    Args:
        training: Messages of both labels, ordinary ones among them.
        ordinary: Other ordinary messages, which set the threshold.
    """
    model = fit_flag_model(training.bodies, training.vectors, training.flagged, _UNSET)
    return replace(model, threshold=find_threshold(model.predict_encoded(ordinary.bodies, ordinary.vectors)))


def find_threshold(ordinary_scores: Float64Array) -> float:
    """Return the score that one in a thousand ordinary messages exceeds."""
    return float(np.quantile(ordinary_scores, 1 - ORDINARY_FLAGGED))


def measure_flags(model: FlagModel, tested: Messages) -> FlagQuality:
    """Measure a classifier on messages of both labels that it has not seen; its own threshold gives the recall."""
    return summarise_scores(model.predict_encoded(tested.bodies, tested.vectors), tested.flagged, model.threshold)


def summarise_scores(scores: Float64Array, flagged: BoolArray, threshold: float) -> FlagQuality:
    """Summarise scores of messages of both labels."""
    recall = float((scores[flagged] > threshold).mean())
    return FlagQuality(float(roc_auc_score(flagged, scores)), float(f1_score(flagged, scores > _UNSET)), recall)


def score_out_of_fold(messages: Messages, seed: int = 0) -> Float64Array:
    """Score each message by a classifier that has seen neither it nor a near-duplicate of it, float64 (n,)."""
    groups = group_near_duplicates(messages.bodies)
    fold = np.random.default_rng(seed).permutation(groups.max() + 1)[groups] % FOLDS
    scores = np.empty(len(fold))
    for each in range(FOLDS):
        seen, held_out = messages.take(fold != each), messages.take(fold == each)
        model = fit_flag_model(seen.bodies, seen.vectors, seen.flagged, _UNSET)
        scores[fold == each] = model.predict_encoded(held_out.bodies, held_out.vectors)
    return scores


def train_with_own_ordinary(messages: Messages) -> tuple[FlagModel, FlagQuality]:
    """Train a classifier whose ordinary messages are those of the same source, and measure it out of fold."""
    scores = score_out_of_fold(messages)
    threshold = find_threshold(scores[~messages.flagged])
    model = fit_flag_model(messages.bodies, messages.vectors, messages.flagged, threshold)
    return model, summarise_scores(scores, messages.flagged, threshold)
