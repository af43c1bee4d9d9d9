"""Latent factors from who liked whom: LFRR (Neve & Palomares 2019), and with biases (Koren, Bell & Volinsky 2009).

LFRR factorises the likes of women about men and those of men about women apart, and joins the two by an aggregation.
Here everybody has factors as a viewer and others as a candidate: where women like men only, one factorisation is both
of those, and it is defined where they do not.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.sparse import csr_array

from models.ml.evaluation.baselines.setting import Doubles, Ints, Scores, Setting, harmonic
from models.ml.features import SHRINK_RECEIVED
from models.ml.history import Events

# Chosen from by the squared error on a quarter of the known decisions.
RANKS = (1, 2, 4)
PENALTIES = (0.5, 1.0, 2.0, 4.0)
HELD_OUT = 0.25
SWEEPS = 20
SPREAD = 0.1


@dataclass(frozen=True)
class Shape:
    """What kind of factorisation: number of factors, their ridge penalty, and whether people have biases."""

    rank: int
    penalty: float
    biased: bool


@dataclass(frozen=True)
class Factors:
    """A fitted factorisation of `people` people."""

    mean: float
    viewer: Doubles
    """Factors, then the bias, (people, rank + 1)."""
    candidate: Doubles

    def score(self, viewer: Ints, candidate: Ints) -> Doubles:
        """The expected like, about 0 to 1, (m,) for positions (m,)."""
        theirs, others = self.viewer[viewer], self.candidate[candidate]
        dot = np.einsum("ij,ij->i", theirs[:, :-1], others[:, :-1])
        return np.asarray(self.mean + theirs[:, -1] + others[:, -1] + dot)


def lfrr(setting: Setting) -> Scores:
    """Likes as products of factors alone, 0 for newcomers; a match by the harmonic mean of both directions."""
    like, back = _both_ways(setting, biased=False)
    return Scores(like, harmonic(like, back), probabilities=False)


def with_biases(setting: Setting) -> Scores:
    """As LFRR, but factors explain only what the mean and both people's biases leave; a match by the product."""
    like, back = _both_ways(setting, biased=True)
    return Scores(like, like * back, probabilities=False)


def _both_ways(setting: Setting, *, biased: bool) -> tuple[Doubles, Doubles]:
    """The expected likes of both directions, at least a little above 0 so that they can be joined, (m,) each."""
    events, people = _in_order(setting.events), len(setting.gender)
    factors = fit(events, people, _choose(events, people, biased, setting.seed), setting.seed)
    viewer, candidate = setting.test.viewer, setting.test.candidate
    return np.maximum(factors.score(viewer, candidate), 1e-6), np.maximum(factors.score(candidate, viewer), 1e-6)


def fit(events: Events, people: int, shape: Shape, seed: int) -> Factors:
    """Factorise likes (1) and passes (0) by alternating least squares, from factors of the seed.

    They start nearly alike, as if all liked all: from wholly random ones, products without biases end in worse places.
    """
    value = events.liked.astype(np.float64)
    mean = float(value.mean()) if shape.biased and len(value) else 0.0
    viewer = np.zeros((people, shape.rank + 1))
    candidate = np.zeros((people, shape.rank + 1))
    candidate[:, :-1] = np.random.default_rng(seed).normal(shape.rank**-0.5, SPREAD, (people, shape.rank))
    for _ in range(SWEEPS):
        viewer = _solve(events.actor, candidate[events.target], value - mean, people, shape)
        candidate = _solve(events.target, viewer[events.actor], value - mean, people, shape)
    return Factors(mean, viewer, candidate)


def _solve(owner: Ints, others: Doubles, value: Doubles, people: int, shape: Shape) -> Doubles:
    """Each owner's ridge regression of what the others' biases leave of `value` on the others' factors."""
    design = others.copy()
    design[:, -1] = shape.biased
    penalty = np.diag([shape.penalty] * shape.rank + [SHRINK_RECEIVED])
    of_owner = csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(people, len(owner)))
    products = np.einsum("ni,nj->nij", design, design).reshape(len(owner), (shape.rank + 1) ** 2)
    gram = np.asarray(of_owner @ products).reshape(people, shape.rank + 1, shape.rank + 1) + penalty
    moment = np.asarray(of_owner @ (design * (value - others[:, -1])[:, None]))
    return np.asarray(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])


def _choose(events: Events, people: int, biased: bool, seed: int) -> Shape:
    """The shape with the least squared error on a quarter of the events, of the first if there are too few."""
    held = np.random.default_rng(seed).random(len(events.actor)) < HELD_OUT
    shapes = [Shape(rank, penalty, biased) for rank, penalty in product(RANKS, PENALTIES)]

    def error(shape: Shape) -> float:
        factors = fit(events.part(np.flatnonzero(~held)), people, shape, seed)
        return float(np.sum((factors.score(events.actor[held], events.target[held]) - events.liked[held]) ** 2))

    return min(shapes, key=error)


def _in_order(events: Events) -> Events:
    """The events in an order of their own, so that the order of rows changes nothing."""
    return events.part(np.lexsort((events.target, events.actor)))
