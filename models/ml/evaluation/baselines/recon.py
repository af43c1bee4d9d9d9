"""RECON: candidates whose attributes are like those of users the viewer has liked (Pizzato, Rej, Chung et al. 2010)."""

from collections.abc import Iterator

import numpy as np

from models.ml.arrays import Float32Array, Float64Array, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores, compute_harmonic_mean
from models.ml.features.pair_features import Pairs
from models.ml.profiles.profile_matrix import ProfileMatrix

# Numbers are binned into this many classes of equal size, as RECON bins ages and heights.
CLASSES = 5


def score_recon_by_gender(given: BaselineInput) -> BaselineScores:
    """Score by RECON for users who have liked no one yet, from the likes of the viewer's gender."""
    return _score_recon(given, len(given.gender) + given.gender)


def score_recon_by_viewer(given: BaselineInput) -> BaselineScores:
    """Score by RECON from the viewer's likes, or from those of the viewer's gender if there are none.

    A like is scored by the mean over the candidate's attributes of how frequent each value is among the users the
    viewer liked. A match is scored by the harmonic mean of both directions.
    """
    people = len(given.gender)
    likes = np.bincount(given.events.actor[given.events.liked], minlength=people)
    return _score_recon(given, np.where(likes > 0, np.arange(people), people + given.gender))


def _score_recon(given: BaselineInput, taste: Int64Array) -> BaselineScores:
    """Score by RECON; `taste` says whose likes count: the user's (an index) or a gender's (people + its code)."""
    like = _compute_compatibility(given, taste, given.test)
    return BaselineScores(
        like,
        compute_harmonic_mean(like, _compute_compatibility(given, taste, given.test.reverse())),
        probabilities=False,
    )


def _compute_compatibility(given: BaselineInput, taste: Int64Array, pairs: Pairs) -> Float64Array:
    total, known = np.zeros(len(pairs)), np.zeros(len(pairs))
    for answer in _iterate_answers(pairs.people):
        theirs = answer[pairs.candidate]
        total += np.where(theirs < 0, 0.0, _compute_answer_shares(given, answer)[taste[pairs.viewer], theirs])
        known += theirs >= 0
    return total / np.maximum(known, 1)


def _compute_answer_shares(given: BaselineInput, answer: Int64Array) -> Float64Array:
    """Compute the share of each attribute value among liked users: of each user's likes, then of each gender's."""
    decisions, people = given.events, len(given.gender)
    counted = decisions.liked & (answer[decisions.target] >= 0)
    actor, chosen = decisions.actor[counted], answer[decisions.target[counted]]
    counts = np.zeros((people + int(given.gender.max(initial=-1)) + 1, int(answer.max(initial=0)) + 1))
    np.add.at(counts, (actor, chosen), 1)
    np.add.at(counts, (people + given.gender[actor], chosen), 1)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _iterate_answers(people: ProfileMatrix) -> Iterator[Int64Array]:
    """Yield all users' values of one attribute after another, coded from 0, -1 for none, int64 (people,) each."""
    for number in (people.age, *people.traits.T):
        yield _assign_classes(number)
    yield from people.facts.T.astype(np.int64)
    yield from (people.interests > 0).T.astype(np.int64)


def _assign_classes(number: Float32Array) -> Int64Array:
    if not len(number):
        return np.empty(0, np.int64)
    edges = np.quantile(number, np.arange(1, CLASSES) / CLASSES)
    return np.searchsorted(edges, number, side="right").astype(np.int64)
