"""Scores that need no training: chance, popularity, like rates of both people, like interests, met wishes."""

import numpy as np
from scipy.special import expit, logit

from models.ml.arrays import Float64Array
from models.ml.evaluation.baselines.baseline_input import BaselineInput, BaselineScores
from models.ml.features.pair_features import GIVEN_PRIOR_STRENGTH, Pairs
from models.ml.profiles.feature_spec import NumericFeature
from models.ml.validation import simple_scores


def score_random(given: BaselineInput) -> BaselineScores:
    """Uniform random scores, of the two directions apart."""
    like, back = (simple_scores.score_at_random(given.test, seed) for seed in (2 * given.seed, 2 * given.seed + 1))
    return BaselineScores(like, like * back, probabilities=False)


def score_popularity(given: BaselineInput) -> BaselineScores:
    """How often the candidate was liked, shrunk; for a match, the product of both people's."""
    like, back = (simple_scores.score_popularity(pairs, given.base_rate) for pairs in _list_directions(given))
    return BaselineScores(like, like * back, probabilities=True)


def score_beta_binomial(given: BaselineInput) -> BaselineScores:
    """How often the viewer likes and the candidate is liked, each shrunk to the base rate (Griffiths 1973).

    A rate is the posterior mean of a beta-binomial of fixed strength; the two meet in log-odds, so that two average
    people give the base rate. For a match, the product of both directions.
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
    """Cosine of the two people's rarity-weighted interests: the same for a like and for a match."""
    cosine = simple_scores.score_interest_cosine(given.test).astype(np.float64)
    return BaselineScores(cosine, cosine, probabilities=False)


def score_stated_preferences(given: BaselineInput) -> BaselineScores:
    """What the viewer says to want, times how the candidate rates themselves on it (cf. Eastwick & Finkel 2008).

    The sum, over wants that are also the name of a trait, of the want's importance times the candidate's trait in
    standard deviations; for a match, the sum of both directions.
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
