"""Scores that need no training: random, popularity, like rates of both users, interests, stated preferences."""

import numpy as np
from scipy.special import expit, logit

from models.ml.arrays import Float64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores
from models.ml.features.pair_features import GIVEN_PRIOR_STRENGTH, Pairs
from models.ml.profiles.feature_spec import NumericFeature
from models.ml.validation import simple_scores


def score_random(given: BaselineInput) -> BaselineScores:
    """Score at random, independently in both directions."""
    like, back = (simple_scores.score_at_random(given.test, seed) for seed in (2 * given.seed, 2 * given.seed + 1))
    return BaselineScores(like, like * back, probabilities=False)


def score_popularity(given: BaselineInput) -> BaselineScores:
    """Score by the candidate's rate of received likes, shrunk; a match by the product of both users' rates."""
    like, back = (simple_scores.score_popularity(pairs, given.base_rate) for pairs in _list_directions(given))
    return BaselineScores(like, like * back, probabilities=True)


def score_beta_binomial(given: BaselineInput) -> BaselineScores:
    """Score by the viewer's and the candidate's like rates, each shrunk to the base rate (Griffiths 1973).

    A rate is the posterior mean of a beta-binomial of fixed strength. The two are added in log-odds, so that two
    average users have the base rate. A match is scored by the product of both directions.
    """
    like, back = (_shrink_rates(pairs, given.base_rate) for pairs in _list_directions(given))
    return BaselineScores(like, like * back, probabilities=True)


def _shrink_rates(pairs: Pairs, base_rate: float) -> Float64Array:
    given = pairs.history.viewer_given
    selectivity = (given.likes + GIVEN_PRIOR_STRENGTH * base_rate) / (given.decisions + GIVEN_PRIOR_STRENGTH)
    return np.asarray(
        expit(logit(selectivity) + logit(simple_scores.score_popularity(pairs, base_rate)) - logit(base_rate))
    )


def score_interests(given: BaselineInput) -> BaselineScores:
    """Score by the cosine of both users' rarity-weighted interests, for a like and for a match alike."""
    cosine = simple_scores.score_interest_cosine(given.test).astype(np.float64)
    return BaselineScores(cosine, cosine, probabilities=False)


def score_stated_preferences(given: BaselineInput) -> BaselineScores:
    """Score by the viewer's wants times the candidate's traits (cf. Eastwick & Finkel 2008).

    The score is the sum, over wants that have the name of a trait, of the want's importance times the candidate's trait
    in standard deviations. A match is scored by the sum of both directions.
    """
    like, back = (_score_wishes(given, pairs) for pairs in _list_directions(given))
    return BaselineScores(like, like + back, probabilities=False)


def _score_wishes(given: BaselineInput, pairs: Pairs) -> Float64Array:
    trait_at = {trait.name: column for column, trait in enumerate(given.specification.traits)}
    met = np.zeros(len(pairs))
    for column, want in enumerate(given.specification.wants):
        if want.name in trait_at:
            trait = pairs.people.traits[pairs.candidate, trait_at[want.name]]
            met += _scale_importance(want, pairs.people.wants[pairs.viewer, column].astype(np.float64)) * trait
    return met


def _scale_importance(want: NumericFeature, deviations: Float64Array) -> Float64Array:
    return deviations * want.scale + want.median


def _list_directions(given: BaselineInput) -> tuple[Pairs, Pairs]:
    return given.test, given.test.reverse()
