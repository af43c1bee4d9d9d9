"""Scores that need no training: chance, popularity, like rates of both people, like interests, met wishes."""

import numpy as np
from scipy.special import expit, logit

from models.ml import baselines
from models.ml.evaluation.baselines.setting import Doubles, Scores, Setting
from models.ml.features import SHRINK_GIVEN, Pairs
from models.ml.specification import Number


def random(setting: Setting) -> Scores:
    """Uniform random scores, of the two directions apart."""
    like, back = (baselines.random(setting.test, seed) for seed in (2 * setting.seed, 2 * setting.seed + 1))
    return Scores(like, like * back, probabilities=False)


def popularity(setting: Setting) -> Scores:
    """How often the candidate was liked, shrunk; for a match, the product of both people's."""
    like, back = (baselines.popularity(pairs, setting.base_rate) for pairs in _directions(setting))
    return Scores(like, like * back, probabilities=True)


def beta_binomial(setting: Setting) -> Scores:
    """How often the viewer likes and the candidate is liked, each shrunk to the base rate (Griffiths 1973).

    A rate is the posterior mean of a beta-binomial of fixed strength; the two meet in log-odds, so that two average
    people give the base rate. For a match, the product of both directions.
    """
    like, back = (_rates(pairs, setting.base_rate) for pairs in _directions(setting))
    return Scores(like, like * back, probabilities=True)


def _rates(pairs: Pairs, base_rate: float) -> Doubles:
    given = pairs.history.viewer_given
    selectivity = (given.likes + SHRINK_GIVEN * base_rate) / (given.decisions + SHRINK_GIVEN)
    return np.asarray(expit(logit(selectivity) + logit(baselines.popularity(pairs, base_rate)) - logit(base_rate)))


def interest_cosine(setting: Setting) -> Scores:
    """Cosine of the two people's rarity-weighted interests: the same for a like and for a match."""
    cosine = baselines.interest_cosine(setting.test).astype(np.float64)
    return Scores(cosine, cosine, probabilities=False)


def stated_preference(setting: Setting) -> Scores:
    """What the viewer says to want, times how the candidate rates themselves on it (cf. Eastwick & Finkel 2008).

    The sum, over wants that are also the name of a trait, of the want's importance times the candidate's trait in
    standard deviations; for a match, the sum of both directions.
    """
    like, back = (_wishes_met(setting, pairs) for pairs in _directions(setting))
    return Scores(like, like + back, probabilities=False)


def _wishes_met(setting: Setting, pairs: Pairs) -> Doubles:
    trait_at = {trait.name: column for column, trait in enumerate(setting.specification.traits)}
    met = np.zeros(len(pairs))
    for column, want in enumerate(setting.specification.wants):
        if want.name in trait_at:
            trait = pairs.people.traits[pairs.candidate, trait_at[want.name]]
            met += _importance(want, pairs.people.wants[pairs.viewer, column].astype(np.float64)) * trait
    return met


def _importance(want: Number, deviations: Doubles) -> Doubles:
    return deviations * want.scale + want.median


def _directions(setting: Setting) -> tuple[Pairs, Pairs]:
    return setting.test, setting.test.reversed()
