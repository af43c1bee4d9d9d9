"""Rivals of the product: other orders of a list, and an oracle."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from importlib import import_module

import numpy as np
from scipy.sparse import csr_matrix
from threadpoolctl import threadpool_limits

from models.db.errors import InputError
from models.ml.arrays import Float32Array, Float64Array, FloatArray
from models.ml.ranker.ranker_model import CrossFittedRanker
from models.ml.scoring.candidates import ScoredPairs
from models.simulation.arms.product import Likes, Product, show_likes
from models.simulation.behaviour import NightLists
from models.simulation.event_log import LIKE, EventLog
from models.simulation.nightly_lists import ScoredNight, order_cards, score_night

Score = Callable[[EventLog, ScoredPairs], FloatArray]
"""Takes the log and the scored pairs of the night, whose probabilities it ignores; returns a score a pair, (n,)."""

LIST_LENGTH = 50
# Of the settings of ALS that were tried on simulated decisions, these rank held-out likes and matches best.
ALS_SETTINGS = {"factors": 4, "regularization": 1.0, "alpha": 10.0}
LEAST_AFFINITY = 1e-6


@dataclass
class Rival:
    """Lists in the order of a score of the cards, without a market; equal scores are in random order.

    Attributes:
        score: Scores the cards.
        ranker: Finds the candidates of each viewer, as for the product.
        likes: Whether receivers are shown the likes they received.
    """

    score: Score
    ranker: CrossFittedRanker
    likes: Likes = "secret"

    def make_lists(self, log: EventLog) -> NightLists:
        """Make the lists of the next night, whose cards say no probability of a match."""
        night = score_night(log, self.ranker, log.world.find_present(len(log.days)))
        scored = night.scored
        rank = _rank_scores(self.score(log, scored), [log.world.seed, len(log.days)])
        cards = order_cards(scored.viewer, scored.candidate, rank)
        kept = cards.position <= LIST_LENGTH
        return NightLists(cards.take(kept), np.full(int(kept.sum()), np.nan), show_likes(night, self.likes))


@dataclass
class Oracle(Product):
    """The product, if it knew how probably each person likes each candidate."""

    def score(self, log: EventLog) -> ScoredNight:
        """Score the candidates of the next night by the true probabilities."""
        if self.ranker is None:
            return super().score(log)
        night = score_night(log, self.ranker, log.world.find_present(len(log.days)))
        scored, likes, know = night.scored, night.likes, log.world.compute_p_like
        there, back = (
            know(one, other).astype(np.float32)
            for one, other in ((scored.viewer, scored.candidate), (scored.candidate, scored.viewer))
        )
        return ScoredNight(
            replace(scored, p_like=there, p_liked_back=back, p_match=there * back),
            order_cards(likes.viewer, likes.candidate, know(likes.viewer, likes.candidate)),
        )


def score_popularity(log: EventLog, scored: ScoredPairs) -> Float64Array:
    """Score candidates by the likes they received."""
    return np.asarray((log.decided == LIKE).sum(axis=0)[scored.candidate], np.float64)


def score_randomly(_log: EventLog, scored: ScoredPairs) -> Float64Array:
    """Score all candidates alike, so that their order is random and differs from night to night."""
    return np.zeros(len(scored.viewer))


def make_als_score() -> Score:
    """Make the score of reciprocal collaborative filtering: the harmonic mean of both affinities.

    Affinities are from implicit ALS on all likes (Hu, Koren & Volinsky, ICDM 2008), and their harmonic mean is the
    aggregation of Neve & Palomares (RecSys 2019).

    Raises:
        InputError: The package `implicit` is not installed.
    """
    try:
        model = import_module("implicit.cpu.als").AlternatingLeastSquares
    except ModuleNotFoundError as error:
        raise InputError(
            "the rival als needs the package implicit, which is not installed; `pip install '.[rivals]'` installs it"
        ) from error

    def score_affinity(log: EventLog, scored: ScoredPairs) -> Float64Array:
        likes = csr_matrix(log.decided == LIKE, dtype=np.float32)
        with threadpool_limits(1, "blas"):  # ALS has threads of its own
            fitted = model(**ALS_SETTINGS, random_state=np.random.default_rng(log.world.seed), num_threads=1)
            fitted.fit(likes, show_progress=False)
        there = _multiply_pairs(fitted.user_factors[scored.viewer], fitted.item_factors[scored.candidate])
        back = _multiply_pairs(fitted.user_factors[scored.candidate], fitted.item_factors[scored.viewer])
        return np.asarray(2 * there * back / (there + back))

    return score_affinity


def _multiply_pairs(users: Float32Array, items: Float32Array) -> Float64Array:
    """Compute the affinity of each pair, (n,), at least LEAST_AFFINITY, from factors, (n, f)."""
    return np.asarray(np.maximum(np.einsum("nf,nf->n", users, items), LEAST_AFFINITY), np.float64)


def _rank_scores(score: FloatArray, seed: list[int]) -> Float64Array:
    """Rank scores from 0, so that equal ones are in random order, (n,)."""
    rank = np.empty(len(score))
    rank[np.lexsort((np.random.default_rng(seed).random(len(score)), score))] = np.arange(len(score))
    return rank
