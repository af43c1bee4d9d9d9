"""Latent factors of likes: LFRR (Neve & Palomares 2019), and with biases (Koren, Bell & Volinsky 2009).

LFRR factorises the likes of women about men and those of men about women separately, and aggregates the two. Here each
user has factors as a viewer and others as a candidate. Where women like only men, one factorisation is equal to both,
and it is also defined where they do not.
"""

from dataclasses import dataclass
from itertools import product

import numpy as np
from scipy.sparse import csr_array

from models.ml.arrays import Float64Array, Int64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores, compute_harmonic_mean
from models.ml.features.decision_history import Decisions
from models.ml.features.pair_features import RECEIVED_PRIOR_STRENGTH

# Chosen by the squared error on a share of the visible decisions.
RANKS = (1, 2, 4)
PENALTIES = (0.5, 1.0, 2.0, 4.0)
VALIDATION_SHARE = 0.25
SWEEPS = 20
INITIAL_SPREAD = 0.1


@dataclass(frozen=True)
class FactorisationShape:
    """The number of factors, their ridge penalty, and whether users have biases."""

    rank: int
    penalty: float
    biased: bool


@dataclass(frozen=True)
class Factors:
    """A fitted factorisation of `people` users."""

    mean: float
    viewer: Float64Array
    """Factors, then the bias, (people, rank + 1)."""
    candidate: Float64Array

    def score(self, viewer: Int64Array, candidate: Int64Array) -> Float64Array:
        """Predict the expected like, about 0 to 1, (m,), for indices (m,)."""
        theirs, others = self.viewer[viewer], self.candidate[candidate]
        dot = np.einsum("ij,ij->i", theirs[:, :-1], others[:, :-1])
        return np.asarray(self.mean + theirs[:, -1] + others[:, -1] + dot)


def score_lfrr(given: BaselineInput) -> BaselineScores:
    """Score likes as products of factors, 0 for new users; a match by the harmonic mean of both directions."""
    like, back = _predict_both_ways(given, biased=False)
    return BaselineScores(like, compute_harmonic_mean(like, back), probabilities=False)


def score_biased_factors(given: BaselineInput) -> BaselineScores:
    """Score likes as LFRR does, on top of the mean and both users' biases; a match by the product."""
    like, back = _predict_both_ways(given, biased=True)
    return BaselineScores(like, like * back, probabilities=False)


def _predict_both_ways(given: BaselineInput, *, biased: bool) -> tuple[Float64Array, Float64Array]:
    """Predict the expected likes of both directions, (m,) each, clipped slightly above 0 so that they can be joined."""
    decisions, people = _order_decisions(given.events), len(given.gender)
    factors = fit_factors(decisions, people, _choose_shape(decisions, people, biased, given.seed), given.seed)
    viewer, candidate = given.test.viewer, given.test.candidate
    return np.maximum(factors.score(viewer, candidate), 1e-6), np.maximum(factors.score(candidate, viewer), 1e-6)


def fit_factors(decisions: Decisions, people: int, shape: FactorisationShape, seed: int) -> Factors:
    """Factorise likes (1) and passes (0) by alternating least squares, from initial factors of the seed.

    The initial factors are nearly equal, as if all users liked all. From fully random ones, products without biases end
    in worse optima.
    """
    value = decisions.liked.astype(np.float64)
    mean = float(value.mean()) if shape.biased and len(value) else 0.0
    viewer = np.zeros((people, shape.rank + 1))
    candidate = np.zeros((people, shape.rank + 1))
    candidate[:, :-1] = np.random.default_rng(seed).normal(shape.rank**-0.5, INITIAL_SPREAD, (people, shape.rank))
    for _ in range(SWEEPS):
        viewer = _solve(decisions.actor, candidate[decisions.target], value - mean, people, shape)
        candidate = _solve(decisions.target, viewer[decisions.actor], value - mean, people, shape)
    return Factors(mean, viewer, candidate)


def _solve(
    owner: Int64Array, others: Float64Array, value: Float64Array, people: int, shape: FactorisationShape
) -> Float64Array:
    """Solve each owner's ridge regression of `value`, less the others' biases, on the others' factors."""
    design = others.copy()
    design[:, -1] = shape.biased
    penalty = np.diag([shape.penalty] * shape.rank + [RECEIVED_PRIOR_STRENGTH])
    of_owner = csr_array((np.ones(len(owner)), (owner, np.arange(len(owner)))), shape=(people, len(owner)))
    products = np.einsum("ni,nj->nij", design, design).reshape(len(owner), (shape.rank + 1) ** 2)
    gram = np.asarray(of_owner @ products).reshape(people, shape.rank + 1, shape.rank + 1) + penalty
    moment = np.asarray(of_owner @ (design * (value - others[:, -1])[:, None]))
    return np.asarray(np.linalg.solve(gram, moment[:, :, None])[:, :, 0])


def _choose_shape(decisions: Decisions, people: int, biased: bool, seed: int) -> FactorisationShape:
    """Choose the shape with the lowest squared error on a quarter of the decisions; the first if there are too few."""
    held = np.random.default_rng(seed).random(len(decisions.actor)) < VALIDATION_SHARE
    shapes = [FactorisationShape(rank, penalty, biased) for rank, penalty in product(RANKS, PENALTIES)]

    def measure_error(shape: FactorisationShape) -> float:
        factors = fit_factors(decisions.take(np.flatnonzero(~held)), people, shape, seed)
        return float(
            np.sum((factors.score(decisions.actor[held], decisions.target[held]) - decisions.liked[held]) ** 2)
        )

    return min(shapes, key=measure_error)


def _order_decisions(decisions: Decisions) -> Decisions:
    """Sort the decisions, so that the order of rows does not matter."""
    return decisions.take(np.lexsort((decisions.target, decisions.actor)))
