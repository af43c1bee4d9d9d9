"""RECON: candidates who answer as those whom the viewer liked so far (Pizzato, Rej, Chung et al. 2010)."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from models.ml.evaluation.baselines.setting import Doubles, Ints, Scores, Setting, harmonic
from models.ml.features import Pairs
from models.ml.people import People

# Numbers are cut into this many classes of like size, as RECON cuts ages and heights.
CLASSES = 5


def segment(setting: Setting) -> Scores:
    """RECON for people who liked nobody yet: by whom the others of the viewer's gender liked."""
    return _recon(setting, len(setting.gender) + setting.gender)


def individual(setting: Setting) -> Scores:
    """RECON by whom the viewer liked; a viewer who liked nobody yet is taken for one of their gender.

    A like is scored by the mean, over the candidate's answers, of the share of people with that answer among those whom
    the viewer liked; a match by the harmonic mean of both directions.
    """
    people = len(setting.gender)
    likes = np.bincount(setting.events.actor[setting.events.liked], minlength=people)
    return _recon(setting, np.where(likes > 0, np.arange(people), people + setting.gender))


def _recon(setting: Setting, taste: Ints) -> Scores:
    """`taste` says whose likes count as each person's: their own (a position), or a gender's (people + its number)."""
    like = _compatibility(setting, taste, setting.test)
    return Scores(like, harmonic(like, _compatibility(setting, taste, setting.test.reversed())), probabilities=False)


def _compatibility(setting: Setting, taste: Ints, pairs: Pairs) -> Doubles:
    total, known = np.zeros(len(pairs)), np.zeros(len(pairs))
    for answer in _answers(pairs.people):
        theirs = answer[pairs.candidate]
        total += np.where(theirs < 0, 0.0, _shares(setting, answer)[taste[pairs.viewer], theirs])
        known += theirs >= 0
    return total / np.maximum(known, 1)


def _shares(setting: Setting, answer: Ints) -> Doubles:
    """The share of each answer among the people whom somebody liked: each person's likes, then each gender's."""
    events, people = setting.events, len(setting.gender)
    counted = events.liked & (answer[events.target] >= 0)
    actor, chosen = events.actor[counted], answer[events.target[counted]]
    counts = np.zeros((people + int(setting.gender.max(initial=-1)) + 1, int(answer.max(initial=0)) + 1))
    np.add.at(counts, (actor, chosen), 1)
    np.add.at(counts, (people + setting.gender[actor], chosen), 1)
    return np.asarray(counts / np.maximum(counts.sum(axis=1, keepdims=True), 1))


def _answers(people: People) -> Iterator[Ints]:
    """Everybody's answer to one question after the other, as numbers from 0; -1 is none. Each int64 (people,)."""
    for number in (people.age, *people.traits.T):
        yield _classes(number)
    yield from people.facts.T.astype(np.int64)
    yield from (people.interests > 0).T.astype(np.int64)


def _classes(number: NDArray[np.float32]) -> Ints:
    if not len(number):
        return np.empty(0, np.int64)
    edges = np.quantile(number, np.arange(1, CLASSES) / CLASSES)
    return np.searchsorted(edges, number, side="right").astype(np.int64)
