"""Trees on the ranker's own features, without the linear start that the ranker has.

For a match, the two directions are joined by an aggregation (cf. Neve & Palomares 2019), or learned directly.
"""

from functools import lru_cache

import numpy as np

from models.ml.evaluation.baselines.boosting import boost, predict
from models.ml.evaluation.baselines.learning import (
    Features,
    both_ways,
    features,
    one_sided,
    splits,
    training_rows,
)
from models.ml.evaluation.baselines.setting import Doubles, Ints, Scores, Setting, harmonic
from models.ml.features import Pairs


def by_product(setting: Setting) -> Scores:
    """p_match as if the two people decided independently of each other."""
    like, back = _chances(setting)
    return Scores(like, like * back, probabilities=True)


def by_harmonic_mean(setting: Setting) -> Scores:
    """A match by the harmonic mean of both directions."""
    like, back = _chances(setting)
    return Scores(like, harmonic(like, back), probabilities=False)


def by_minimum(setting: Setting) -> Scores:
    """A match by the less willing of the two."""
    like, back = _chances(setting)
    return Scores(like, np.minimum(like, back), probabilities=False)


def direct(setting: Setting) -> Scores:
    """p_match learned from the decisions whose other side is known too, with the features of both directions.

    It is the mean over both orders of the two people, as neither is first; p_like is that of `by_product`.
    """
    like, _ = _chances(setting)
    rows = training_rows(setting)
    both, back = _mutual(rows.pairs, len(setting.gender))
    matched = rows.liked[both] & rows.liked[back]
    if one_sided(matched):
        return Scores(like, np.full(len(like), matched.mean() if len(matched) else like.mean()), probabilities=True)
    group = np.minimum(rows.group[both], rows.group[back])  # the same for both orders of a pair
    booster = boost(_of_both(setting, rows.pairs.part(both)), matched, splits(matched, group), setting.seed)
    one, other = (predict(booster, _of_both(setting, pairs)) for pairs in (setting.test, setting.test.reversed()))
    return Scores(like, (one + other) / 2, probabilities=True)


# Three methods need the same trees: one after the other they ask for those of the same setting.
@lru_cache(maxsize=1)
def _chances(setting: Setting) -> tuple[Doubles, Doubles]:
    """p_like and p_liked_back of the test pairs, (m,) each."""
    rows = training_rows(setting)
    if one_sided(rows.liked):
        return (np.full(len(setting.test), setting.base_rate),) * 2
    booster = boost(features(setting, rows.pairs), rows.liked, splits(rows.liked, rows.group), setting.seed)
    return both_ways(setting, lambda pairs: predict(booster, pairs))


def _of_both(setting: Setting, pairs: Pairs) -> Features:
    return np.hstack([features(setting, pairs), features(setting, pairs.reversed())])


def _mutual(pairs: Pairs, people: int) -> tuple[Ints, Ints]:
    """The rows whose other side was decided too, and a row of that other side for each."""
    key, reverse = pairs.viewer * people + pairs.candidate, pairs.candidate * people + pairs.viewer
    known, first = np.unique(key, return_index=True)
    both = np.flatnonzero(np.isin(reverse, known))
    return both, first[np.searchsorted(known, reverse[both])]
