"""The exam of rankers: decisions to predict without having seen anything of their fold, with more or less known.

A later ranker sits the same exam as the champion, each by those of its rankers that had not seen who is asked about.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from models.ml.draws import Draw, asked, histories
from models.ml.features import Pairs, build, nothing_known, of_profiles
from models.ml.history import Bools, Doubles, Events, History, Ints
from models.ml.people import People
from models.ml.ranker import Rankers

DECISIONS_AT_ONCE = 32_768


@dataclass(frozen=True)
class Exam:
    """Draws from n decisions; a question is a decision asked for with so much known. Questions go draw by draw."""

    events: Events
    fold: Ints
    draws: Sequence[Draw]

    @property
    def questions(self) -> Ints:
        """The decision of each question, int64 (q,)."""
        return asked(self.draws)

    @property
    def liked(self) -> Bools:
        """The right answers, (q,)."""
        return self.events.liked[self.questions]

    @property
    def draw(self) -> Ints:
        """The draw of each question, (q,)."""
        return np.repeat(np.arange(len(self.draws)), [len(draw.asked) for draw in self.draws])

    @property
    def cold(self) -> Bools:
        """Whether nothing was known of anybody, (q,)."""
        return np.array([draw.amount == 0 for draw in self.draws], bool)[self.draw]

    @property
    def lists(self) -> Ints:
        """One number for the questions of one viewer in one draw, (q,): only the candidates differ there."""
        return self.events.actor[self.questions] * len(self.draws) + self.draw

    def only(self, which: Bools) -> "Exam":
        """The questions about some of the decisions, bool (n,), with the same known."""
        return replace(self, draws=[replace(draw, asked=draw.asked[which[draw.asked]]) for draw in self.draws])

    def reciprocals(self) -> Ints:
        """For each question that of the other direction in the same draw, -1 if it is not asked, (q,)."""
        viewer, candidate = self.events.actor[self.questions], self.events.target[self.questions]
        people = int(max(viewer.max(), candidate.max())) + 1 if len(viewer) else 1
        here = (self.draw * people + viewer) * people + candidate
        there = (self.draw * people + candidate) * people + viewer
        order = np.argsort(here)
        at = order[np.minimum(np.searchsorted(here[order], there), len(here) - 1)] if len(here) else here
        return np.where(here[at] == there, at, -1)

    def pairs(self, people: People, surprise: Doubles | None = None) -> Pairs:
        """The pair of each question, with its history; surprises are none where nobody asks for them."""
        history = self.history(np.zeros(len(self.events)) if surprise is None else surprise, len(people))
        return Pairs(people, self.events.actor[self.questions], self.events.target[self.questions], history)

    def history(self, surprise: Doubles, people: int) -> History:
        """What is known of each question's pair, given the surprise (n,) of each decision."""
        return histories(self.draws, self.events, surprise, people)


def sit(rankers: Rankers, exam: Exam, people: People) -> Doubles:
    """p_like of each question, float64 (q,), by the ranker that did not see its fold.

    `people` are by the rankers' own specification.
    """
    pairs = exam.pairs(people, _surprise(rankers, exam, people))
    fold, p_like = exam.fold[exam.questions], np.empty(len(pairs))
    for rows in blocks(fold):
        ranker = rankers.without(int(fold[rows[0]]))
        p_like[rows] = ranker.p_like(build(ranker.specification, pairs.part(rows)))
    return p_like


def _surprise(rankers: Rankers, exam: Exam, people: People) -> Doubles:
    surprise = np.empty(len(exam.events))
    for rows in blocks(exam.fold):
        ranker = rankers.without(int(exam.fold[rows[0]]))
        features = of_profiles(ranker.specification, cold_pairs(people, exam.events.part(rows)))
        surprise[rows] = ranker.surprise(features, exam.events.liked[rows])
    return surprise


def cold_pairs(people: People, decided: Events) -> Pairs:
    """The pairs of decisions, with nothing known of anybody."""
    return Pairs(people, decided.actor, decided.target, nothing_known(len(decided)))


def blocks(fold: Ints) -> Iterator[Ints]:
    """Row numbers by fold, not too many at once."""
    for each in np.unique(fold):
        rows = np.flatnonzero(fold == each)
        for start in range(0, len(rows), DECISIONS_AT_ONCE):
            yield rows[start : start + DECISIONS_AT_ONCE]
